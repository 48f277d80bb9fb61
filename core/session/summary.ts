import type { PlanItem } from '../guide/plan.ts';
import type { Verdict } from './events.ts';
import type { ItemState, SessionState } from './state.ts';

/** hardened: all pass or waived and in date; open: something fails; undecided: error or not reviewed. */
export type SummaryWord = 'hardened' | 'open' | 'undecided';

export type Summary = {
  readonly word: SummaryWord;
  /** As shown at the given time: what has run out is not reviewed. */
  readonly counts: Readonly<Record<Verdict, number>>;
  /** Items that were once judged but whose evidence has run out at the given time. */
  readonly expired: readonly string[];
  /** Failing items for which a waiver was requested and is in date. */
  readonly waived: readonly string[];
  readonly total: number;
};

/**
 * What is shown of an item at a given time, by every reader: a pass whose evidence has run out is none any more, and has to be
 * reviewed again; so has what did not apply. What fails goes on failing.
 */
export function verdictAt(
  item: Pick<ItemState, 'verdict' | 'goodUntil'> | undefined,
  at: Date,
): { readonly verdict: Verdict; readonly expired: boolean } {
  const verdict = item?.verdict ?? 'not-reviewed';
  const expired = item?.goodUntil !== undefined && Date.parse(item.goodUntil) <= at.getTime();
  const lapses = verdict === 'pass' || verdict === 'not-applicable';
  return { verdict: expired && lapses ? 'not-reviewed' : verdict, expired };
}

/**
 * Sums a session up at a given time. An expired answer never counts as pass: it makes the session undecided. A plan in
 * which nothing applies proves nothing and is undecided too.
 * @param accepted keys whose waivers a countersignature covers; every other waiver is a request and counts for nothing
 */
export function summarize(
  items: readonly Pick<PlanItem, 'key'>[],
  state: SessionState,
  at: Date,
  accepted: ReadonlySet<string> = new Set(),
): Summary {
  const counts: Record<Verdict, number> = { pass: 0, fail: 0, error: 0, 'not-reviewed': 0, 'not-applicable': 0 };
  const expired: string[] = [];
  const waived: string[] = [];
  let open = 0;
  let undecided = 0;
  for (const { key } of items) {
    const item = state.items[key];
    const { verdict, expired: isExpired } = verdictAt(item, at);
    counts[verdict] += 1;
    if (isExpired) expired.push(key);
    const isWaived = verdict === 'fail' && item?.waiver !== undefined && Date.parse(item.waiver.until) > at.getTime();
    if (isWaived) waived.push(key);
    if (verdict === 'fail' && !(isWaived && accepted.has(key))) open += 1;
    else if (verdict === 'error' || verdict === 'not-reviewed' || isExpired) undecided += 1;
  }
  const decided = counts.pass + counts.fail;
  const word = open > 0 ? 'open' : undecided > 0 || decided === 0 ? 'undecided' : 'hardened';
  return { word, counts, expired, waived, total: items.length };
}
