import type { JournalEvent } from '../session/events.ts';
import type { Found } from './finding.ts';
import type { Statement } from './statement.ts';

/** A waiver is a request until a countersignature accepts it, holds until its day, and stands beside `fail` only. */
export function checkWaivers(
  statements: readonly Statement[],
  events: readonly JournalEvent[],
  at: Date,
  found: Found,
): void {
  const until = new Map<string, string>();
  const verdicts = new Map<string, string>();
  for (const event of events) {
    if (event.type === 'judged') verdicts.set(event.data.key, event.data.verdict);
    if (event.type !== 'waived') continue;
    const { key } = event.data;
    until.set(key, event.data.until);
    if (verdicts.get(key) !== 'fail')
      found.bad(
        'waiver.not-failed',
        `A waiver was asked for ${key}, which had not failed; only what fails can be waived.`,
        `journal.jsonl:${event.n + 1}`,
      );
  }
  checkAccepted(statements, until, at, found);
}

/**
 * Compares what was asked for with what the countersigners accepted.
 * @param until the end of each waiver that was asked for, ISO 8601, by step
 */
export function checkAccepted(
  statements: readonly Statement[],
  until: ReadonlyMap<string, string>,
  at: Date,
  found: Found,
): void {
  const accepted = new Set(statements.flatMap((statement) => statement.acceptedWaivers));
  for (const key of accepted) {
    if (!until.has(key))
      found.bad('waiver.unknown', `The hospital accepted a waiver for ${key}, which nobody asked for.`);
  }
  for (const [key, end] of until) {
    const over = Date.parse(end) <= at.getTime();
    if (!accepted.has(key))
      found.warn('waiver.request', `The waiver for ${key} is a request; no countersignature accepts it.`);
    else if (over)
      found.warn(
        'waiver.expired',
        `The hospital accepted a waiver for ${key}, which ran out on ${end}: it counts no more.`,
      );
    else found.info('waiver.accepted', `The hospital accepted a waiver for ${key}, until ${end}.`);
  }
}
