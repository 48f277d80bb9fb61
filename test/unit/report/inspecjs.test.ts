import { createRequire } from 'node:module';
import type * as Inspec from 'inspecjs';
import { describe, expect, it } from 'vitest';
import { renderHdfReport } from '../../../core/report/hdf.ts';
import { everyStanding, HOSTILE, hostileItems, reportItem, reportModel } from '../../support/report-model.ts';

// A CommonJS package without named exports that Node could see.
const { convertFile, contextualizeEvaluation } = createRequire(import.meta.url)('inspecjs') as typeof Inspec;

function read(hdf: string) {
  const { errors, '1_0_ExecJson': exec } = convertFile(hdf, true);
  if (exec === undefined) throw new Error(JSON.stringify(errors));
  return contextualizeEvaluation(exec).contains.flatMap((profile) => profile.contains);
}

describe('HDF as inspecjs reads it', () => {
  it('has one control for each control and target, with the status that stands for it', () => {
    const items = everyStanding();
    const controls = read(renderHdfReport(reportModel(items)));
    expect(controls.map(({ data, hdf }) => [data.id, hdf.status])).toEqual([
      ['every.pass@role:nurse', 'Passed'],
      ['every.fail@role:nurse', 'Failed'],
      ['every.error@role:nurse', 'Profile Error'],
      ['every.not-reviewed@role:nurse', 'Not Reviewed'],
      ['every.not-applicable@role:nurse', 'Not Applicable'],
      // Its evidence has run out: no reader may show it as a pass.
      ['late.pass@role:nurse', 'Not Reviewed'],
      ['good.pass@role:nurse', 'Passed'],
    ]);
    expect(controls.map(({ hdf }) => hdf.severity)).toEqual(items.map(() => 'medium'));
  });

  it('is a failure still where a waiver was asked for, and counts towards the NIST controls that the guide names', () => {
    const { control } = reportItem();
    const waived = reportItem({
      control: { ...control, references: { 'nist-800-53': ['AC-2', 'IA-5 (1)'] } },
      waiver: { reason: 'r', compensating: 'c', until: '2099-01-01T00:00:00.000Z' },
    });
    const [read_] = read(renderHdfReport(reportModel([waived])));
    expect(read_?.hdf).toMatchObject({ status: 'Failed', waived: false });
    expect(read_?.hdf.parsedNistTags.map((tag) => tag.family)).toEqual(['AC', 'IA']);
  });

  it.each(HOSTILE)('is read whole, whatever a text says: %j', (text) => {
    expect(read(renderHdfReport(reportModel(hostileItems(text))))).toHaveLength(1);
  });
});
