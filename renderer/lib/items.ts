import type { ItemView, Snapshot } from '../../core/ipc.ts';
import type { Verdict } from '../../core/session/events.ts';
import type { ItemState, SessionState } from '../../core/session/state.ts';
import { verdictAt } from '../../core/session/summary.ts';
import { joinVerdicts } from '../../core/verdict/join.ts';

export type Filter = 'all' | 'todo' | 'failing';

/** One row of a control: the plan's item with what the journal says about it. */
export type Row = {
  readonly item: ItemView;
  readonly state: ItemState | undefined;
  readonly verdict: Verdict;
  readonly expired: boolean;
};

/** One control with its targets, as the walk lists it. */
export type Step = {
  readonly id: string;
  readonly control: ItemView['control'];
  readonly rows: readonly Row[];
  readonly verdict: Verdict;
};

/** Joins the plan with the journal's state. `now` decides what has expired. */
export function stepsOf(items: Snapshot['items'], session: SessionState, now: Date): readonly Step[] {
  const byControl = new Map<string, Row[]>();
  for (const item of items) {
    const rows = byControl.get(item.control.id) ?? [];
    rows.push(rowOf(item, session, now));
    byControl.set(item.control.id, rows);
  }
  return [...byControl].flatMap(([id, rows]) => {
    const first = rows[0];
    return first === undefined
      ? []
      : [{ id, control: first.item.control, rows, verdict: joinVerdicts(rows.map((row) => row.verdict)) }];
  });
}

/** The plan's item with its state, as it stands `now`. An item that does not apply is not applicable before anything ran. */
export function rowOf(item: ItemView, session: SessionState, now: Date): Row {
  const state = session.items[item.key];
  if (state?.verdict === undefined)
    return { item, state, verdict: item.applies ? 'not-reviewed' : 'not-applicable', expired: false };
  return { item, state, ...verdictAt(state, now) };
}

/** Whether something is still to be done: not reviewed, an error, or evidence that ran out. */
export function isToDo(row: Row): boolean {
  return row.verdict === 'not-reviewed' || row.verdict === 'error' || row.expired;
}

export function isFailing(row: Row): boolean {
  return row.verdict === 'fail';
}

/**
 * Whether running it records something: a probe can run, or the item does not apply, which has to be in the journal with its
 * reason before the session can be called hardened.
 */
export function isRunnable(row: Row): boolean {
  return !row.item.applies || row.item.checks.length > 0;
}

/** The steps that a filter lets through. A step is shown whole when one of its targets matches. */
export function filterSteps(steps: readonly Step[], filter: Filter): readonly Step[] {
  if (filter === 'all') return steps;
  return steps.filter((step) => step.rows.some(filter === 'todo' ? isToDo : isFailing));
}

/** Steps under their headings, in the guide's order. */
export function groupSteps(
  steps: readonly Step[],
): readonly { readonly group: string; readonly steps: readonly Step[] }[] {
  const groups = new Map<string, Step[]>();
  for (const step of steps) groups.set(step.control.group, [...(groups.get(step.control.group) ?? []), step]);
  return [...groups].map(([group, members]) => ({ group, steps: members }));
}

/** Who must act on a row: the finding's own word, else the control's owner. */
export function actorsOf(row: Row): readonly string[] {
  const named = (row.state?.findings ?? []).flatMap((finding) =>
    finding.verdict === 'fail' || finding.verdict === 'error' ? [finding.fixBy ?? row.item.control.owner] : [],
  );
  return named.length === 0 ? [row.item.control.owner] : [...new Set(named)];
}

/** How many rows have each verdict, as they are shown. */
export function countVerdicts(rows: readonly Row[]): Readonly<Record<Verdict, number>> {
  const counts: Record<Verdict, number> = { pass: 0, fail: 0, error: 0, 'not-reviewed': 0, 'not-applicable': 0 };
  for (const row of rows) counts[row.verdict] += 1;
  return counts;
}
