import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { FAULTS } from '../../lab/faults.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import type { EarlierFacts } from '../../core/people/earlier.ts';
import { earlierInLab, judgeInLab, REFERENCE_GUIDE, sentences } from '../support/lab-walk.ts';

let lab: Lab;
let dir: string;
/** Who could log in before any fault: what later walks are compared with. */
let earlier: EarlierFacts;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lockstep-lab-'));
  lab = await startLab({ dir, shipped: false });
  earlier = await earlierInLab(lab, (item) => item.control.id === 'access.separation-of-duties');
});
afterAll(async () => {
  await lab.stop();
  rmSync(dir, { recursive: true, force: true });
});

/** Waiting for a server that says nothing takes its time; test/long has these. */
const SLOW = ['dc2-silent', 'emr-silent'];

describe('the reference guide in the practice hospital', () => {
  it('passes every control that probes decide, once all is mended', async () => {
    const rows = await judgeInLab(lab, (item) => item.checks.length > 0 && item.control.manual === undefined, earlier);
    expect(sentences(rows)).toEqual([]);
    expect(rows.every((row) => row.verdict === 'pass')).toBe(true);
    expect(new Set(rows.map((row) => row.key.split('@')[0])).size).toBeGreaterThanOrEqual(16);
  });

  it.each(
    FAULTS.filter((fault) => !SLOW.includes(fault.id)).map(
      (fault) => [fault.id, fault.control, fault.verdict] as const,
    ),
  )('%s turns %s to %s', async (id, control, verdict) => {
    await lab.setFault(id, true);
    try {
      const rows = await judgeInLab(lab, (item) => item.control.id === control, earlier);
      expect(
        rows.map((row) => row.verdict),
        sentences(rows).join('\n'),
      ).toContain(verdict);
    } finally {
      await lab.setFault(id, false);
    }
  });

  it('has a fault for each control that probes decide', async () => {
    const guide = await loadGuide(REFERENCE_GUIDE, { roots: [] });
    if (!guide.ok) throw new Error(guide.error.message);
    const probed = guide.value.guide.controls
      .filter((control) => control.checks.length > 0)
      .map((control) => control.id);
    expect(probed.filter((id) => !FAULTS.some((fault) => fault.control === id))).toEqual([]);
  });

  it('asks who joined since an earlier bundle, only where there is one', async () => {
    const changes = (item: { control: { id: string } }) => item.control.id === 'access.changes';
    expect(await judgeInLab(lab, changes, earlier)).toMatchObject([{ verdict: 'not-reviewed', findings: [] }]);
    expect(await judgeInLab(lab, changes)).toMatchObject([
      { verdict: 'not-applicable', findings: [{ sentence: 'No earlier bundle was given to compare with.' }] },
    ]);
  });

  it('finds verdicts of every kind in it as shipped', async () => {
    await lab.reset();
    const rows = await judgeInLab(lab, () => true);
    expect([...new Set(rows.map((row) => row.verdict))]).toEqual(
      expect.arrayContaining(['pass', 'fail', 'error', 'not-reviewed']),
    );
  });
});
