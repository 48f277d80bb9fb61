import type { PlanItem } from '../../core/guide/plan.ts';
import { type AppError, appError, type ErrorCode, fail, ok, type Result } from '../../core/result.ts';
import { interruptedChanges } from '../../core/session/state.ts';
import type { AppliedNote, Change, ChangePlan, ReadBack, WriteCredential } from '../changes/change.ts';
import { sameState } from '../changes/undo.ts';
import type { Received } from '../keys/received.ts';
import { changeOfKind, findChange, findEvent, guarded, recordedPlan } from './change-parts.ts';
import { materialOf } from './key-store.ts';
import type { Session } from './session.ts';
import { offeredChange, paramsOfChange } from './visible.ts';

/** A plan that the operator has been shown and may approve. */
export type ShownChange = { readonly change: string; readonly plan: ChangePlan; readonly visible: readonly string[] };

/** Who approved the write under which ticket, and the window (ISO 8601) in which it may be made. */
export type Approval = {
  readonly ticket: string;
  readonly approver: string;
  readonly notBefore?: string;
  readonly notAfter?: string;
  readonly credential: WriteCredential;
};
export type Applied = { readonly asPlanned: boolean; readonly differences: readonly string[] };
/** How an interrupted change ended; `written` is false where nothing had been written. */
export type Settled = Applied & { readonly written: boolean };

type Pending = { readonly item: PlanItem; readonly plan: ChangePlan; readonly undoOf?: string };

/** Plans live here between being shown and being approved; a resumed session shows them anew. */
const shown = new WeakMap<Session, Map<string, Pending>>();
/** Changes whose write is under way at this moment. */
const underWay = new WeakMap<Session, Set<string>>();

/** After these nobody knows whether the write arrived: the answer was lost, not the question. */
const UNCLEAR: readonly ErrorCode[] = [
  'change.failed',
  'ldap.protocol',
  'http.protocol',
  'ssh.protocol',
  'tcp.reset',
  'tcp.timeout',
  'probe.deadline',
  'probe.cancelled',
];

/**
 * Plans the change of a step, or of one that waits its next step, and records the plan. Errors: `guide.untrusted` (such a guide never changes anything),
 * `session.state` (the step has no change), `change.refused` (what the site gives does not fit), and the change's own.
 */
export async function planChange(session: Session, key: string, received?: Received): Promise<Result<ShownChange>> {
  const found = findChange(session, key);
  if (!found.ok) return found;
  const { item, change } = found.value;
  const params = paramsOfChange(item, change.declaration, session.site.sealed);
  if (!params.ok) return params;
  const plan = await guarded(session, (context) =>
    change.plan(params.value, context, materialOf(session, key, received)),
  );
  return plan.ok ? show(session, item, plan.value) : plan;
}

/** A plan that was shown in this run. Error: `session.state`. */
export function shownPlan(session: Session, key: string, id: string): Result<Pending> {
  const pending = shown.get(session)?.get(id);
  return pending === undefined || pending.item.key !== key
    ? fail('session.state', 'This plan was not shown here. Plan the change again.', { place: id })
    : ok(pending);
}

/**
 * Applies a plan that was shown: approval and pre-image are on the disk before the write, what was written is read back
 * after. Errors: `session.state` (not shown in this run), `change.refused` (outside the approved window), and the change's
 * own; a failed one is recorded too. Where the answer to the write was lost, the state is read before anything is said.
 */
export async function applyChange(
  session: Session,
  key: string,
  id: string,
  approval: Approval,
): Promise<Result<Applied>> {
  const found = findChange(session, key);
  if (!found.ok) return found;
  const pending = shownPlan(session, key, id);
  if (!pending.ok) return pending;
  const { plan } = pending.value;
  const about = { key, change: id };
  const { credential, ...approved } = approval;
  const open = inWindow(approval, session.now());
  if (!open.ok) return open;
  const busy = underWay.get(session) ?? new Set();
  underWay.set(session, busy.add(id));
  const written = await write(session, found.value.change, about, plan, { credential, approved });
  busy.delete(id);
  if (written.ok) return settleChange(session, key, id);
  if (interruptedChanges(session.state()).every((one) => one.change.id !== id)) return written;
  const settled = await settle(session, key, id, written.error);
  return settled.ok && settled.value.written ? settled : written;
}

/** Approval, pre-image, write. A failure of which it is clear that nothing was written is recorded as such. */
async function write(
  session: Session,
  change: Change,
  about: { key: string; change: string },
  plan: ChangePlan,
  { credential, approved }: { credential: WriteCredential; approved: Omit<Approval, 'credential'> },
): Promise<Result<unknown>> {
  const approval = await session.journal.append('change.approved', { ...about, ...approved });
  if (!approval.ok) return approval;
  const stored = await session.journal.append('change.preimage', { ...about, preImage: plan.preImage });
  if (!stored.ok) return stored;
  shown.get(session)?.delete(about.change);
  const applied = await guarded(
    session,
    (context) => change.apply(plan, credential, context, materialOf(session, about.key)),
    change.deadlineMs?.(plan),
  );
  if (applied.ok)
    return session.journal.append('change.applied', { ...about, ...(applied.value as AppliedNote | undefined) });
  if (UNCLEAR.includes(applied.error.code)) return applied;
  const recorded = await session.journal.append('change.failed', { ...about, error: applied.error });
  return recorded.ok ? applied : recorded;
}

/** `change.refused` where it is not the time that was approved; `input.malformed` where there is no such time. */
function inWindow({ notBefore, notAfter }: Approval, now: Date): Result<void> {
  const [from, until] = [notBefore, notAfter].map((text) => (text === undefined ? undefined : Date.parse(text)));
  if (Number.isNaN(from) || Number.isNaN(until))
    return fail('input.malformed', 'The window of the change must be given as dates with times.');
  if (from !== undefined && until !== undefined && until <= from)
    return fail('input.malformed', 'The window of the change ends before it begins.');
  if (from !== undefined && now.getTime() < from)
    return fail('change.refused', `This change may be made from ${notBefore} on; it is ${now.toISOString()}.`);
  if (until !== undefined && now.getTime() > until)
    return fail('change.refused', `This change might be made until ${notAfter}; it is ${now.toISOString()}.`);
  return ok(undefined);
}

/**
 * Finds out how a change ended of which the journal does not say so: reads back, and records what was found, or, where
 * nothing had been written, `change.failed` with the reason. Only reads, so any guide may. Errors: `session.state` (it is
 * known how it ended, or it is under way), and those of reading, after which it can be tried again.
 */
export async function settleChange(session: Session, key: string, id: string): Promise<Result<Settled>> {
  return settle(session, key, id, undefined);
}

async function settle(
  session: Session,
  key: string,
  id: string,
  reason: AppError | undefined,
): Promise<Result<Settled>> {
  const interrupted = interruptedChanges(session.state()).find((one) => one.key === key && one.change.id === id);
  if (interrupted === undefined)
    return fail('session.state', 'It is known already how this change ended.', { place: id });
  if (underWay.get(session)?.has(id) === true)
    return fail('session.state', 'This change is being made at this moment.', { place: id });
  const { phase } = interrupted.change;
  const about = { key, change: id };
  const nothing = async (sentence: string): Promise<Result<Settled>> => {
    const error = reason ?? appError('change.failed', sentence, { fixBy: 'operator' });
    const recorded = await session.journal.append('change.failed', { ...about, error });
    return recorded.ok ? ok({ written: false, asPlanned: false, differences: [sentence] }) : recorded;
  };
  const recorded = recordedPlan(session, id);
  if (phase === 'approved' || recorded === undefined)
    return nothing('The session ended before anything was written. Plan the change again.');
  const change = changeOfKind(recorded.plan.kind);
  if (change === undefined) return fail('guide.invalid', `This version of Lockstep has no "${recorded.plan.kind}".`);
  const seen = await guarded(session, (context) => change.readBack(recorded.plan, context, materialOf(session, key)));
  if (!seen.ok) return seen;
  if (phase === 'started' && !seen.value.asPlanned && sameState(seen.value.state, recorded.plan.preImage))
    return nothing('Nothing was written: what is there is what was there before. Plan the change again.');
  return recordReadBack(session, about, seen.value, recorded.undoOf);
}

async function recordReadBack(
  session: Session,
  about: { key: string; change: string },
  { asPlanned, differences, state }: ReadBack,
  undoOf: string | undefined,
): Promise<Result<Settled>> {
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
  return ok({ written: true, asPlanned, differences });
}

/**
 * Plans the way back of a change that was read back, from the journal alone, so that it works after a resume.
 * Errors: `session.state`, `change.state-differs` where something else changed since.
 */
export async function planUndo(session: Session, key: string, id: string): Promise<Result<ShownChange>> {
  const found = findChange(session, key);
  if (!found.ok) return found;
  const { events } = session.journal;
  const recorded = recordedPlan(session, id);
  const read = findEvent(events, 'change.readback', id);
  if (recorded === undefined || read === undefined)
    return fail('session.state', 'Only a change that was applied and read back can be undone.', { place: id });
  if (findEvent(events, 'change.undone', id) !== undefined)
    return fail('session.state', 'This change was undone already.', { place: id });
  const way = await guarded(session, (context) =>
    found.value.change.planUndo(recorded.plan, read.data.state, context, materialOf(session, key)),
  );
  return way.ok ? show(session, found.value.item, way.value, id) : way;
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
  const pending = shown.get(session) ?? new Map<string, Pending>();
  pending.set(change, { item, plan, ...(undoOf === undefined ? {} : { undoOf }) });
  shown.set(session, pending);
  return ok({ change, plan, visible: offeredChange(item, session.site.sealed)?.visible ?? [] });
}
