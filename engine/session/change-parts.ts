import type { PlanItem } from '../../core/guide/plan.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { JournalEvent } from '../../core/session/events.ts';
import type { Change, ChangePlan } from '../changes/change.ts';
import { CHANGES } from '../changes/index.ts';
import { contextFor } from '../run.ts';
import type { Session } from './session.ts';

const CHANGE_DEADLINE_MS = 60_000;

/** The step and its change. Errors: `guide.untrusted` (such a guide never changes anything), `session.state`, `guide.invalid`. */
export function findChange(session: Session, key: string): Result<{ item: PlanItem; change: Change }> {
  if (session.guide.trust !== 'trusted') {
    return fail(
      'guide.untrusted',
      `This guide is ${session.guide.trust === 'unsigned' ? 'not signed' : 'signed by a publisher whom you have not approved'}, so it only reads.`,
    );
  }
  const item = session.plan.items.find((candidate) => candidate.key === key);
  const kind = item?.control.change?.kind;
  if (item === undefined || kind === undefined)
    return fail('session.state', 'This step has no change.', { place: key });
  const change = changeOfKind(kind);
  return change === undefined
    ? fail('guide.invalid', `This version of Lockstep has no change "${kind}".`)
    : ok({ item, change });
}

/** The code of a change by its id. */
export function changeOfKind(kind: string): Change | undefined {
  return CHANGES.find((candidate) => candidate.declaration.id === kind);
}

type PlanEvent = 'change.planned' | 'change.preimage' | 'change.readback' | 'change.undone';

/** The event of a type about a change. */
export function findEvent<T extends PlanEvent>(
  events: readonly JournalEvent[],
  type: T,
  change: string,
): JournalEvent<T> | undefined {
  return events.find((event) => event.type === type && 'change' in event.data && event.data.change === change) as
    | JournalEvent<T>
    | undefined;
}

/** A plan as the journal keeps it, so that it is there after a resume too; undefined before its pre-image was stored. */
export function recordedPlan(session: Session, change: string): { plan: ChangePlan; undoOf?: string } | undefined {
  const planned = findEvent(session.journal.events, 'change.planned', change);
  const preImage = findEvent(session.journal.events, 'change.preimage', change);
  if (planned === undefined || preImage === undefined) return undefined;
  const { kind, summary, diff, operations, undo, undoOf } = planned.data;
  const plan: ChangePlan = { kind, summary, diff, operations, preImage: preImage.data.preImage, undo };
  return { plan, ...(undoOf === undefined ? {} : { undoOf }) };
}

/** Runs one step of a change under a deadline; a throw becomes an error that is recorded like any other. */
export async function guarded<T>(
  session: Session,
  work: (context: ReturnType<typeof contextFor>) => Promise<Result<T>>,
  deadlineMs = CHANGE_DEADLINE_MS,
): Promise<Result<T>> {
  const signal = AbortSignal.timeout(deadlineMs);
  try {
    return await work(contextFor({ ...session.environment, progress: () => {} }, signal));
  } catch (error) {
    return fail('change.failed', signal.aborted ? 'The change did not finish in time.' : 'The change broke down.', {
      cause: error instanceof Error ? error.message : String(error),
    });
  }
}
