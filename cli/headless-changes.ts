import { fail, ok, type Result } from '../core/result.ts';
import type { WriteCredential } from '../engine/changes/change.ts';
import { type Approval, applyChange, planChange, planUndo, type ShownChange } from '../engine/session/changes.ts';
import type { Session } from '../engine/session/session.ts';
import { selectKeys } from './select-keys.ts';
import { type Apply, credentialFor } from './write-access.ts';

/** Where plans and results are shown, and what cuts the walk short. */
type Shown = { readonly show: (line: string) => void; readonly cancel: AbortSignal };

/** Who writes at each step; an error before the first write where somebody is missing. */
function writersOf(
  session: Session,
  apply: Apply,
  keys: readonly string[],
): Result<readonly (readonly [key: string, credential: WriteCredential])[]> {
  const writers: (readonly [string, WriteCredential])[] = [];
  for (const key of keys) {
    const control = session.plan.items.find((item) => item.key === key)?.control;
    const credential = credentialFor(apply, control?.id ?? key, control?.change?.kind ?? '');
    if (credential === undefined)
      return fail('input.malformed', `No account is given that writes for ${key}: --write-user or --write-for.`);
    writers.push([key, credential]);
  }
  return ok(writers);
}

/** Makes the changes that were asked for, each after its plan was shown, and looks again. */
export async function applyAll(session: Session, apply: Apply, options: Shown): Promise<Result<unknown>> {
  if (apply.ids.length === 0) return ok(undefined);
  const keys = selectKeys(session, apply.ids);
  if (!keys.ok) return keys;
  const approval = approvalOf(apply);
  const writers = writersOf(session, apply, keys.value);
  if (!writers.ok) return writers;
  for (const [key, credential] of writers.value) {
    const plan = await planChange(session, key);
    if (!plan.ok) {
      // Nothing to be done here is no reason to stop the walk.
      if (plan.error.code !== 'change.refused') return plan;
      options.show(`${key}: ${plan.error.message}`);
      continue;
    }
    const done = await carryOut(session, key, plan.value, { ...approval, credential }, options);
    if (!done.ok) return done;
  }
  return ok(undefined);
}

/**
 * Undoes what this session changed at the steps that were named, the last change first, each after its plan was shown. Errors:
 * `session.state` where there is nothing to undo, and those of the undo.
 */
export async function undoAll(session: Session, apply: Apply, options: Shown): Promise<Result<unknown>> {
  if (apply.undo.length === 0) return ok(undefined);
  const keys = selectKeys(session, apply.undo);
  if (!keys.ok) return keys;
  const writers = writersOf(session, apply, keys.value);
  if (!writers.ok) return writers;
  const done = session.journal.events.flatMap(({ type, data }) => {
    if (type !== 'change.readback') return [];
    const writer = writers.value.find(([key]) => key === data.key);
    const change = session.state().items[data.key]?.changes.find(({ id }) => id === data.change);
    return writer !== undefined && change?.phase === 'read-back' && !change.undo ? [{ writer, id: change.id }] : [];
  });
  if (done.length === 0) return fail('session.state', 'This session changed nothing there that is not undone yet.');
  for (const { writer, id } of done.reverse()) {
    const [key, credential] = writer;
    const plan = await planUndo(session, key, id);
    if (!plan.ok) return plan;
    const undone = await carryOut(session, key, plan.value, { ...approvalOf(apply), credential }, options);
    if (!undone.ok) return undone;
  }
  return ok(undefined);
}

function approvalOf({ ticket, approver, notBefore, notAfter }: Apply): Omit<Approval, 'credential'> {
  return {
    ticket,
    approver,
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(notAfter === undefined ? {} : { notAfter }),
  };
}

async function carryOut(
  session: Session,
  key: string,
  { change, plan }: ShownChange,
  approval: Approval,
  { show, cancel }: Shown,
): Promise<Result<unknown>> {
  show(`${key}: ${plan.summary}\n${plan.diff}`);
  const applied = await applyChange(session, key, change, approval);
  if (!applied.ok) {
    // What is refused has changed nothing, and is no reason to stop the walk.
    if (applied.error.code !== 'change.refused') return applied;
    show(`${key}: ${applied.error.message}`);
    return ok(undefined);
  }
  const { asPlanned, differences } = applied.value;
  show(`${key}: read back ${asPlanned ? 'as planned' : `with differences: ${differences.join('; ')}`}`);
  return session.run([key], cancel);
}
