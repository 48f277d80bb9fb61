import type { EventData, JournalEvent } from '../session/events.ts';
import type { Found } from './finding.ts';

/**
 * Checks how a session moved between laptops: what was handed over was taken over or withdrawn before it went on, and no
 * copy went on elsewhere unseen. Tells who handed over to whom.
 */
export function checkHandOvers(events: readonly JournalEvent[], found: Found): void {
  const names = new Map<string, string>();
  let over: JournalEvent<'handed-over'> | undefined;
  let computer: string | undefined;
  for (const event of events) {
    const place = `journal.jsonl:${event.n + 1}`;
    if (event.type === 'session.opened') {
      const { operator, computer: first } = event.data as EventData<'session.opened'>;
      names.set(operator.id, operator.name);
      computer = first;
    } else if (event.type === 'handed-over') {
      if (over !== undefined) wentOn(over, event, found);
      over = event as JournalEvent<'handed-over'>;
    } else if (event.type === 'hand-over.withdrawn') {
      const { reason } = event.data as EventData<'hand-over.withdrawn'>;
      if (over === undefined) found.bad('journal.hand-over', 'A hand-over is withdrawn that never was.', place);
      else
        found.warn(
          'journal.hand-over-withdrawn',
          `The hand-over of ${over.at} to ${over.data.to} was withdrawn (${reason}). If it was taken over all the same, there is another record of this session from line ${over.n} on.`,
          place,
        );
      over = undefined;
    } else if (event.type === 'operator.joined') {
      const joined = event.data as EventData<'operator.joined'>;
      names.set(joined.id, joined.name);
      if (joined.how === 'taken-over') {
        if (over === undefined)
          found.bad('journal.hand-over', 'A session is taken over that was not handed over.', place);
        else
          found.info(
            'journal.handed-over',
            `${names.get(over.by) ?? over.by} handed the session over to ${over.data.to} at ${over.at}; ${joined.name} took it over at ${event.at}.`,
            place,
          );
        over = undefined;
      } else {
        if (over !== undefined) wentOn(over, event, found);
        over = undefined;
        if (joined.computer !== undefined && computer !== undefined && joined.computer !== computer)
          found.warn(
            'journal.moved',
            `The session moved from ${computer} to ${joined.computer} without a hand-over; another copy may have gone on there.`,
            place,
          );
      }
      computer = joined.computer ?? computer;
    } else if (over !== undefined && !isItsHead(event, over)) {
      wentOn(over, event, found);
      over = undefined;
    }
  }
}

/** The head under which the session left stands right behind the line that says so. */
function isItsHead(event: JournalEvent, over: JournalEvent): boolean {
  if (event.type !== 'head.signed' || event.n !== over.n + 1) return false;
  return (event.data as EventData<'head.signed'>).at === 'hand-over';
}

function wentOn(over: JournalEvent<'handed-over'>, event: JournalEvent, found: Found): void {
  found.bad(
    'journal.hand-over',
    `The session was handed over to ${over.data.to} at ${over.at}, and went on here at ${event.at} all the same.`,
    `journal.jsonl:${event.n + 1}`,
  );
}
