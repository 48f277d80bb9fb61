import type { Verdict } from '../session/events.ts';
import type { ReportItem, ReportModel } from './model.ts';

/** What stands for an item as of the session's end. A pass whose evidence has run out is no longer one. */
export type Standing = Verdict | 'expired';

/** Worst first. */
export const STANDINGS: readonly Standing[] = ['fail', 'error', 'not-reviewed', 'expired', 'pass', 'not-applicable'];

export const STANDING_WORDS: Readonly<Record<Standing, string>> = {
  fail: 'fail',
  error: 'error',
  'not-reviewed': 'not reviewed',
  expired: 'expired',
  pass: 'pass',
  'not-applicable': 'not applicable',
};

/** What it means, in a sentence without its end. */
export const STANDING_MEANS: Readonly<Record<Standing, string>> = {
  fail: 'does not meet the guide',
  error: 'could not be found out',
  'not-reviewed': 'nobody has looked yet',
  expired: 'met the guide once; the evidence has run out',
  pass: 'meets the guide',
  'not-applicable': 'the guide does not ask it here',
};

/** A sign beside the word, for those who do not see the colour. */
export const STANDING_SIGNS: Readonly<Record<Standing, string>> = {
  fail: '✗',
  error: '!',
  'not-reviewed': '?',
  expired: '↻',
  pass: '✓',
  'not-applicable': '–',
};

/** Asked several times for every item, and a hospital may have thousands. */
const expired = new WeakMap<readonly string[], ReadonlySet<string>>();

/** Whether the evidence of an item had run out by the session's end. */
export function isExpired(item: ReportItem, model: ReportModel): boolean {
  const keys = model.summary.expired;
  const set = expired.get(keys) ?? new Set(keys);
  expired.set(keys, set);
  return set.has(item.key);
}

/** What stands for an item; the four that are not good enough stay what they are when their evidence ages. */
export function standingOf(item: ReportItem, model: ReportModel): Standing {
  const lapses = item.verdict === 'pass' || item.verdict === 'not-applicable';
  return lapses && isExpired(item, model) ? 'expired' : item.verdict;
}

/** Whether somebody still has to do something about an item. */
export function needsAction(item: ReportItem, model: ReportModel): boolean {
  const standing = standingOf(item, model);
  return (standing !== 'pass' && standing !== 'not-applicable') || isExpired(item, model);
}

/** When the first evidence that still counts runs out; undefined where nothing that was proved ages. */
export function trueUntil(model: ReportModel): string | undefined {
  const ends = model.items.flatMap((item) => (standingOf(item, model) === 'pass' ? (item.goodUntil ?? []) : []));
  return ends.sort()[0];
}
