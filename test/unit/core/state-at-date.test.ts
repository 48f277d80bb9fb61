import { describe, expect, it } from 'vitest';
import type { ItemView } from '../../../core/ipc.ts';
import type { ReportItem } from '../../../core/report/model.ts';
import { standingOf } from '../../../core/report/standing.ts';
import { summarize, verdictAt } from '../../../core/session/summary.ts';
import { type ItemState, reduceAll, type SessionState } from '../../../core/session/state.ts';
import { countVerdicts, rowOf } from '../../../renderer/lib/items.ts';
import { reportItem, reportModel } from '../../support/report-model.ts';

const END = '2026-12-01T00:00:00.000Z';
const VERDICTS = ['pass', 'fail', 'error', 'not-reviewed', 'not-applicable'] as const;
const keys = VERDICTS.map((verdict) => `step.${verdict}@site:s`);

/** One item of each verdict, all of whose evidence ends at the same moment. */
function session(): SessionState {
  const items = VERDICTS.map((verdict, index): [string, ItemState] => {
    const key = keys[index] ?? '';
    return [key, { key, verdict, goodUntil: END, checks: {}, findings: [], attachments: [], changes: [] }];
  });
  return { ...reduceAll([]), items: Object.fromEntries(items) };
}
const view = (key: string) => ({ key, applies: true, control: { id: key.split('@')[0] } }) as unknown as ItemView;

describe('what is shown at a given date', () => {
  const before = new Date(Date.parse(END) - 1);
  const after = new Date(END);

  it.each([
    ['before its end', before, { pass: 1, fail: 1, error: 1, 'not-reviewed': 1, 'not-applicable': 1 }],
    ['from its end on', after, { pass: 0, fail: 1, error: 1, 'not-reviewed': 3, 'not-applicable': 0 }],
  ])('is the same for verifier, command line, wizard and reports: %s', (_, at, expected) => {
    const summary = summarize(
      keys.map((key) => ({ key })),
      session(),
      at,
    );
    expect(summary.counts).toEqual(expected);
    const rows = keys.map((key) => rowOf(view(key), session(), at));
    expect(countVerdicts(rows)).toEqual(summary.counts);
    expect(rows.filter((row) => row.expired).map((row) => row.item.key)).toEqual(summary.expired);
    const items = keys.map(
      (key, index): ReportItem => ({ ...reportItem({ verdict: VERDICTS[index] ?? 'error', goodUntil: END }), key }),
    );
    const model = reportModel(items, { summary });
    for (const [index, item] of items.entries()) {
      const standing = standingOf(item, model);
      // Reports have a word of their own for what ran out.
      expect(standing === 'expired' ? 'not-reviewed' : standing).toBe(rows[index]?.verdict);
    }
  });

  it('is never a pass once the evidence has run out, and never better than undecided', () => {
    for (const verdict of VERDICTS) expect(verdictAt({ verdict, goodUntil: END }, after).verdict).not.toBe('pass');
    const only = { ...session(), items: { a: { ...session().items[keys[0] ?? ''], key: 'a' } as ItemState } };
    expect(summarize([{ key: 'a' }], only, before).word).toBe('hardened');
    expect(summarize([{ key: 'a' }], only, after)).toMatchObject({ word: 'undecided', expired: ['a'] });
  });
});
