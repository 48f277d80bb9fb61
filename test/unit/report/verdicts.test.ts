import { describe, expect, it } from 'vitest';
import { renderVerdicts, verdictsSchema } from '../../../core/report/verdicts.ts';
import { everyStanding, hostileItems, reportModel } from '../../support/report-model.ts';

describe('the verdicts alone', () => {
  it('hold every step with what came of it, in the form that an edition is read in', () => {
    const model = reportModel(everyStanding());
    const verdicts = verdictsSchema.parse(JSON.parse(renderVerdicts(model)));
    expect(verdicts.items.map(({ key, verdict }) => [key, verdict])).toEqual(
      model.items.map(({ key, verdict }) => [key, verdict]),
    );
    const [waived] = verdictsSchema.parse(JSON.parse(renderVerdicts(reportModel(hostileItems('x'))))).items;
    expect(waived?.waiverUntil).toBe('2027-01-01T00:00:00.000Z');
  });

  it('hold no text that a person or a probe wrote', () => {
    const planted = 'Station 3, 10.20.30.40, Huber';
    // Ids are the site author's, and stay.
    const items = hostileItems(planted).map((item) => ({ ...item, target: { ...item.target, id: 'ward' } }));
    const site = { id: 'site', name: planted, sha256: 'a'.repeat(64) };
    const text = renderVerdicts(reportModel(items, { title: planted, site }));
    expect(text).not.toContain('Huber');
    expect(text).not.toContain('10.20.30.40');
  });
});
