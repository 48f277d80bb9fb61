import { fail, ok, type Result } from '../core/result.ts';
import { interruptedChanges } from '../core/session/state.ts';
import { type Summary, summarize } from '../core/session/summary.ts';
import type { Identity } from '../engine/keys/identity.ts';
import { settleChange } from '../engine/session/changes.ts';
import { sealSession, type SealedBundle } from '../engine/session/seal.ts';
import type { Session } from '../engine/session/session.ts';
import type { Answers, Waivers } from './answers.ts';
import { applyAll, undoAll } from './headless-changes.ts';
import { selectKeys } from './select-keys.ts';
import type { Apply } from './write-access.ts';

export type HeadlessOptions = {
  readonly typedVersion?: string;
  readonly overrideReason?: string;
  /** Control ids or keys; absent: the whole guide. */
  readonly only?: readonly string[];
  /** Changes to apply; absent: none. */
  readonly apply?: Apply;
  readonly answers?: Answers;
  /** Asked for where the step fails in the end; elsewhere there is nothing to waive. */
  readonly waivers?: Waivers;
  readonly identity?: Identity;
  /** Where the bundle goes; absent: nothing is sealed. */
  readonly out?: string;
  /** Where the diff of a change is shown before it is applied. */
  readonly show: (line: string) => void;
  readonly cancel: AbortSignal;
};

export type HeadlessResult = { readonly summary: Summary; readonly cancelled: boolean; readonly sealed?: SealedBundle };

/** Walks a session from gate to seal without a screen. The session stays open; whatever happened is in its journal. */
export async function walkHeadless(session: Session, options: HeadlessOptions): Promise<Result<HeadlessResult>> {
  const keys = selectKeys(session, options.only);
  if (!keys.ok) return keys;
  if (options.identity !== undefined) {
    const signed = await session.signHead('open', options.identity);
    if (!signed.ok) return signed;
  }
  const gate = await session.checkGate({
    ...(options.typedVersion === undefined ? {} : { typed: options.typedVersion }),
    ...(options.overrideReason === undefined ? {} : { overrideReason: options.overrideReason }),
  });
  if (!gate.ok) return gate;
  const accepted = await session.acceptPreflight();
  if (!accepted.ok) return accepted;
  await settleAll(session, options.show);
  const ran = await session.run(keys.value, options.cancel);
  if (!ran.ok) return ran;
  if (options.apply !== undefined) {
    const before = changesMade(session);
    const applied = await applyAll(session, options.apply, options);
    if (!applied.ok) return applied;
    const undone = await undoAll(session, options.apply, options);
    if (!undone.ok) return undone;
    // What stood in the way of one step may have stood in the way of others.
    const again = changesMade(session) > before ? keys.value.filter((key) => isOpen(session, key)) : [];
    const seen = again.length === 0 ? ok(undefined) : await session.run(again, options.cancel);
    if (!seen.ok) return seen;
  }
  const answered = await answerAll(session, options.answers ?? {}, keys.value);
  if (!answered.ok) return answered;
  const waived = await waiveAll(session, options.waivers ?? {}, keys.value, options.show);
  if (!waived.ok) return waived;
  const summary = summarize(session.plan.items, session.state(), session.now());
  const cancelled = options.cancel.aborted;
  if (options.out === undefined) return ok({ summary, cancelled });
  const sealed = await sealSession(session, options.out, options.identity);
  return sealed.ok ? ok({ summary, cancelled, sealed: sealed.value }) : sealed;
}

function changesMade(session: Session): number {
  return session.journal.events.filter(({ type }) => type === 'change.readback').length;
}

function isOpen(session: Session, key: string): boolean {
  const verdict = session.state().items[key]?.verdict;
  return verdict === 'fail' || verdict === 'error';
}

/** Finds out how changes ended that an earlier run was cut off in. What cannot be read now stays open, and the walk goes on. */
async function settleAll(session: Session, show: HeadlessOptions['show']): Promise<void> {
  for (const { key, change } of interruptedChanges(session.state())) {
    const settled = await settleChange(session, key, change.id);
    const words = settled.ok
      ? settled.value.asPlanned
        ? 'It was made as planned.'
        : settled.value.differences.join('; ')
      : `${settled.error.message} It stays open.`;
    show(`${key}: ${change.id} was cut off. ${words}`);
  }
}

async function answerAll(session: Session, answers: Answers, keys: readonly string[]): Promise<Result<unknown>> {
  for (const [name, answer] of Object.entries(answers)) {
    const named = session.plan.items.filter((item) => item.key === name || item.control.id === name);
    if (named.length === 0)
      return fail('input.malformed', `The answers name "${name}", which the guide does not have.`);
    for (const item of named.filter((candidate) => keys.includes(candidate.key))) {
      for (const { file, keepOriginal } of answer.attachments) {
        const attached = await session.attach(item.key, file, { keepOriginal });
        if (!attached.ok) return attached;
      }
      const answered = await session.answer(item.key, answer.answer, answer.note);
      if (!answered.ok) return answered;
    }
  }
  return ok(undefined);
}

async function waiveAll(
  session: Session,
  waivers: Waivers,
  keys: readonly string[],
  show: HeadlessOptions['show'],
): Promise<Result<unknown>> {
  for (const [name, waiver] of Object.entries(waivers)) {
    const named = session.plan.items.filter((item) => item.key === name || item.control.id === name);
    if (named.length === 0) return fail('input.malformed', `A waiver names "${name}", which the guide does not have.`);
    for (const { key } of named.filter((item) => keys.includes(item.key))) {
      const verdict = session.state().items[key]?.verdict ?? 'not-reviewed';
      if (verdict !== 'fail') {
        show(`${key}: not waived, because only what fails can be; this is ${verdict}`);
        continue;
      }
      const waived = await session.waive(key, waiver);
      if (!waived.ok) return waived;
    }
  }
  return ok(undefined);
}
