import { describe, expect, it } from 'vitest';
import { collect } from '../../../core/bundle/finding.ts';
import { checkHandOvers } from '../../../core/bundle/verify-hand-overs.ts';
import { type EventData, type EventType, JOURNAL_FORMAT, type JournalEvent } from '../../../core/session/events.ts';

type Step = { readonly [T in EventType]?: Partial<EventData<T>> };

const OPENED: Step = {
  'session.opened': { format: JOURNAL_FORMAT, operator: { id: 'erika', name: 'Erika' }, computer: 'day' },
};
const OVER: Step = { 'handed-over': { to: 'CN=Night shift' } };
const HEAD: Step = { 'head.signed': { at: 'hand-over' } };
const BACK: Step = { 'hand-over.withdrawn': { reason: 'nobody came' } };
const WORK: Step = { 'preflight.accepted': { visible: [] } };
const join = (how: 'resumed' | 'taken-over', computer?: string): Step => ({
  'operator.joined': { id: 'otto', name: 'Otto', how, ...(computer === undefined ? {} : { computer }) },
});

/** Severity, code and line of what is found in a journal of these events. */
function found(...steps: Step[]): string[] {
  const events = [OPENED, ...steps].map((step, n) => {
    const [type, data] = Object.entries(step)[0] ?? [];
    return { n, at: `2026-11-23T10:00:${String(n).padStart(2, '0')}.000Z`, prev: '', by: 'erika', type, data };
  });
  const all = collect();
  checkHandOvers(events as unknown as readonly JournalEvent[], all);
  return all.list.map(({ severity, code, place }) => `${severity} ${code} ${place?.replace('journal.jsonl:', '')}`);
}

describe('how a session moved', () => {
  it('is told where it was handed over and taken over, as often as it was', () => {
    expect(found(WORK)).toEqual([]);
    expect(found(OVER, HEAD)).toEqual([]);
    expect(found(OVER, HEAD, join('taken-over', 'night'), WORK)).toEqual(['info journal.handed-over 4']);
    expect(found(OVER, HEAD, join('taken-over'), OVER, HEAD, join('taken-over'))).toEqual([
      'info journal.handed-over 4',
      'info journal.handed-over 7',
    ]);
  });

  it('is a fault where it went on although it had left, whoever went on', () => {
    expect(found(OVER, HEAD, WORK)).toEqual(['bad journal.hand-over 4']);
    expect(found(OVER, WORK)).toEqual(['bad journal.hand-over 3']);
    expect(found(OVER, HEAD, join('resumed'))).toEqual(['bad journal.hand-over 4']);
    expect(found(OVER, HEAD, OVER, HEAD)).toEqual(['bad journal.hand-over 4']);
    // A head that was signed later is not the one under which it left.
    expect(found(OVER, HEAD, HEAD)).toEqual(['bad journal.hand-over 4']);
  });

  it('is a fault where it was taken over or back without having left', () => {
    expect(found(join('taken-over', 'night'))).toEqual(['bad journal.hand-over 2']);
    expect(found(BACK)).toEqual(['bad journal.hand-over 2']);
    expect(found(OVER, HEAD, join('taken-over'), join('taken-over'))).toEqual([
      'info journal.handed-over 4',
      'bad journal.hand-over 5',
    ]);
  });

  it('is a doubt where a hand-over was taken back, or a copy was opened elsewhere', () => {
    expect(found(OVER, HEAD, BACK, WORK)).toEqual(['warn journal.hand-over-withdrawn 4']);
    expect(found(join('resumed', 'night'))).toEqual(['warn journal.moved 2']);
    expect(found(join('resumed', 'day'), join('resumed'))).toEqual([]);
    // Behind a hand-over another computer is the right one.
    expect(found(OVER, HEAD, join('taken-over', 'night'), join('resumed', 'night'))).toEqual([
      'info journal.handed-over 4',
    ]);
    expect(found(OVER, HEAD, join('taken-over', 'night'), join('resumed', 'day'))).toEqual([
      'info journal.handed-over 4',
      'warn journal.moved 5',
    ]);
  });
});
