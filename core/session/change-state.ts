import { type ChangeStep, requestStateSchema, type RequestState, stepOf } from './enrolment.ts';
import type { EventData, JournalEvent } from './events.ts';

export type ChangeState = {
  readonly id: string;
  readonly kind: string;
  readonly summary: string;
  readonly diff: string;
  readonly undo: boolean;
  /** Of a change that waits for somebody in its middle: which part of it this is. */
  readonly step?: ChangeStep;
  /** The request that it made, as read back. */
  readonly request?: RequestState;
  readonly undoOf?: string;
  readonly ticket?: string;
  readonly approver?: string;
  /** The window that was approved; absent where any time is right. */
  readonly notBefore?: string;
  readonly notAfter?: string;
  /** planned → approved → started (pre-image stored) → applied → read-back; failed and undone are ends. */
  readonly phase: 'planned' | 'approved' | 'started' | 'applied' | 'read-back' | 'failed' | 'undone';
  readonly asPlanned?: boolean;
  readonly differences?: readonly string[];
  readonly error?: EventData<'change.failed'>['error'];
};

type ChangeEvent = Extract<JournalEvent, { type: `change.${string}`; data: { key: string } }>;

/** What a change event makes of the changes of its step. */
export function applyToChanges(changes: readonly ChangeState[], event: ChangeEvent): readonly ChangeState[] {
  const { data } = event;
  if (event.type === 'change.planned') {
    const { change, kind, summary, diff, undo, undoOf, operations } = event.data;
    const step = stepOf(operations);
    return [
      ...changes,
      {
        id: change,
        kind,
        summary,
        diff,
        undo,
        phase: 'planned',
        ...(step === undefined ? {} : { step }),
        ...(undoOf === undefined ? {} : { undoOf }),
      },
    ];
  }
  return changes.map((change) => (change.id === data.change ? advance(change, event) : change));
}

function advance(change: ChangeState, event: Exclude<ChangeEvent, JournalEvent<'change.planned'>>): ChangeState {
  switch (event.type) {
    case 'change.approved': {
      const { ticket, approver, notBefore, notAfter } = event.data;
      return {
        ...change,
        phase: 'approved',
        ticket,
        approver,
        ...(notBefore === undefined ? {} : { notBefore }),
        ...(notAfter === undefined ? {} : { notAfter }),
      };
    }
    case 'change.preimage':
      return { ...change, phase: 'started' };
    case 'change.applied':
      return { ...change, phase: 'applied' };
    case 'change.failed':
      return { ...change, phase: 'failed', error: event.data.error };
    case 'change.readback': {
      const { asPlanned, differences, state } = event.data;
      const request = change.step?.do === 'request' ? requestStateSchema.safeParse(state).data : undefined;
      return { ...change, phase: 'read-back', asPlanned, differences, ...(request === undefined ? {} : { request }) };
    }
    case 'change.undone':
      return { ...change, phase: 'undone' };
    default:
      return event satisfies never;
  }
}
