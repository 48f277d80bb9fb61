import { evaluateParams, type PlanItem } from '../../core/guide/plan.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { JournalEvent } from '../../core/session/events.ts';
import type { Change, ChangePlan, WriteCredential } from '../changes/change.ts';
import { CHANGES } from '../changes/index.ts';
import { contextFor } from '../run.ts';
import type { Session } from './session.ts';
import { visibleOfChange } from './visible.ts';

/** A plan that the operator has been shown and may approve. */
export type ShownChange = { readonly change: string; readonly plan: ChangePlan; readonly visible: readonly string[] };

export type Approval = { readonly ticket: string; readonly approver: string; readonly credential: WriteCredential };
export type Applied = { readonly asPlanned: boolean; readonly differences: readonly string[] };

/** Plans live here between being shown and being approved; a resumed session shows them anew. */
const shown = new WeakMap<Session, Map<string, { item: PlanItem; plan: ChangePlan; undoOf?: string }>>();

/**
 * Plans the change of a step and records the plan. Errors: `guide.untrusted` (such a guide never changes anything),
 * `session.state` (the step has no change), `guide.invalid`, and the change's own.
 */
export async function planChange(session: Session, key: string): Promise<Result<ShownChange>> {
  const found = findChange(session, key);
  if (!found.ok) return found;
  const { item, change } = found.value;
  const template = item.control.change?.with ?? {};
  const params = evaluateParams(template, item.values);
  if (!params.ok) return params;
  const parsed = change.declaration.params.safeParse(params.value);
  if (!parsed.success)
    return fail('guide.invalid', `The parameters of ${change.declaration.id} do not fit.`, {
      cause: parsed.error.message,
    });
  const plan = await guarded(session, (context) => change.plan(parsed.data, context));
  return plan.ok ? show(session, item, plan.value) : plan;
}

/**
 * Applies a plan that was shown: approval and pre-image are on the disk before the write, what was written is read back
 * after. Errors: `session.state` (not shown in this run), and the change's own; a failed one is recorded too.
 */
export async function applyChange(
  session: Session,
  key: string,
  id: string,
  approval: Approval,
): Promise<Result<Applied>> {
  const found = findChange(session, key);
  if (!found.ok) return found;
  const { change } = found.value;
  const pending = shown.get(session)?.get(id);
  if (pending === undefined || pending.item.key !== key)
    return fail('session.state', 'This plan was not shown here. Plan the change again.', { place: id });
  const { plan, undoOf } = pending;
  const about = { key, change: id };
  for (const record of [
    () => session.journal.append('change.approved', { ...about, ticket: approval.ticket, approver: approval.approver }),
    () => session.journal.append('change.preimage', { ...about, preImage: plan.preImage }),
  ]) {
    const recorded = await record();
    if (!recorded.ok) return recorded;
  }
  shown.get(session)?.delete(id);
  const applied = await guarded(session, (context) => change.apply(plan, approval.credential, context));
  if (!applied.ok) {
    const recorded = await session.journal.append('change.failed', { ...about, error: applied.error });
    return recorded.ok ? applied : recorded;
  }
  const done = await session.journal.append('change.applied', about);
  if (!done.ok) return done;
  return readBack(session, change, plan, about, undoOf);
}

async function readBack(
  session: Session,
  change: Change,
  plan: ChangePlan,
  about: { key: string; change: string },
  undoOf: string | undefined,
): Promise<Result<Applied>> {
  const seen = await guarded(session, (context) => change.readBack(plan, context));
  if (!seen.ok) {
    const recorded = await session.journal.append('change.failed', { ...about, error: seen.error });
    return recorded.ok ? seen : recorded;
  }
  const { asPlanned, differences, state } = seen.value;
  const recorded = await session.journal.append('change.readback', {
    ...about,
    asPlanned,
    differences: [...differences],
    state,
  });
  if (!recorded.ok) return recorded;
  if (undoOf !== undefined && asPlanned) {
    const undone = await session.journal.append('change.undone', { key: about.key, change: undoOf, by: about.change });
    if (!undone.ok) return undone;
  }
  return ok({ asPlanned, differences });
}

/**
 * Plans the way back of a change that was read back, from the journal alone, so that it works after a resume.
 * Errors: `session.state`, `change.state-differs` where something else changed since.
 */
export async function planUndo(session: Session, key: string, id: string): Promise<Result<ShownChange>> {
  const found = findChange(session, key);
  if (!found.ok) return found;
  const { events } = session.journal;
  const planned = findEvent(events, 'change.planned', id);
  const preImage = findEvent(events, 'change.preimage', id);
  const read = findEvent(events, 'change.readback', id);
  if (planned === undefined || preImage === undefined || read === undefined)
    return fail('session.state', 'Only a change that was applied and read back can be undone.', { place: id });
  if (findEvent(events, 'change.undone', id) !== undefined)
    return fail('session.state', 'This change was undone already.', { place: id });
  const { kind, summary, diff, operations, undo } = planned.data;
  const plan: ChangePlan = { kind, summary, diff, operations, preImage: preImage.data.preImage, undo };
  const way = await guarded(session, (context) => found.value.change.planUndo(plan, read.data.state, context));
  return way.ok ? show(session, found.value.item, way.value, id) : way;
}

function findEvent<T extends 'change.planned' | 'change.preimage' | 'change.readback' | 'change.undone'>(
  events: readonly JournalEvent[],
  type: T,
  change: string,
): JournalEvent<T> | undefined {
  return events.find((event) => event.type === type && 'change' in event.data && event.data.change === change) as
    | JournalEvent<T>
    | undefined;
}

async function show(session: Session, item: PlanItem, plan: ChangePlan, undoOf?: string): Promise<Result<ShownChange>> {
  const change = `change-${session.journal.events.filter((event) => event.type === 'change.planned').length + 1}`;
  const { kind, summary, diff, operations, undo } = plan;
  const recorded = await session.journal.append('change.planned', {
    key: item.key,
    change,
    kind,
    summary,
    diff,
    operations,
    undo,
    ...(undoOf === undefined ? {} : { undoOf }),
  });
  if (!recorded.ok) return recorded;
  const pending = shown.get(session) ?? new Map();
  pending.set(change, { item, plan, ...(undoOf === undefined ? {} : { undoOf }) });
  shown.set(session, pending);
  return ok({ change, plan, visible: visibleOfChange(item) });
}

function findChange(session: Session, key: string): Result<{ item: PlanItem; change: Change }> {
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
  const change = CHANGES.find((candidate) => candidate.declaration.id === kind);
  return change === undefined
    ? fail('guide.invalid', `This version of Lockstep has no change "${kind}".`)
    : ok({ item, change });
}

const CHANGE_DEADLINE_MS = 60_000;

/** Runs one step of a change under a deadline; a throw becomes an error that is recorded like any other. */
async function guarded<T>(
  session: Session,
  work: (context: ReturnType<typeof contextFor>) => Promise<Result<T>>,
): Promise<Result<T>> {
  const signal = AbortSignal.timeout(CHANGE_DEADLINE_MS);
  try {
    return await work(contextFor({ ...session.environment, progress: () => {} }, signal));
  } catch (error) {
    return fail('change.failed', signal.aborted ? 'The change did not finish in time.' : 'The change broke down.', {
      cause: error instanceof Error ? error.message : String(error),
    });
  }
}
