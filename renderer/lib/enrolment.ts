import type { ChangeState } from '../../core/session/state.ts';

/** How far a device's certificate has come: asked for, installed. */
export type EnrolmentView = { readonly request?: ChangeState; readonly installed?: ChangeState };

/** Reads it from the changes of a step, in their order. What was undone does not count. */
export function enrolmentView(changes: readonly ChangeState[]): EnrolmentView {
  const done = changes.filter((change) => change.phase === 'read-back' && change.asPlanned === true && !change.undo);
  const request = done.findLast(({ step, request: made }) => step?.do === 'request' && made?.request !== undefined);
  if (request === undefined) return {};
  const installed = done.slice(done.indexOf(request)).findLast(({ step }) => step?.do === 'deploy');
  return { request, ...(installed === undefined ? {} : { installed }) };
}

/** What a plan needs from a person besides its approval: an account, and the passphrase of a key that is made here. */
export function needsOf({ step }: ChangeState): {
  readonly account: boolean;
  readonly passphrase: 'new' | 'known' | 'none';
} {
  const here = step?.made === 'here';
  return {
    account: !(here && (step.do === 'request' || step.do === 'discard')),
    passphrase: here && step.do === 'request' ? 'new' : here && step.do === 'deploy' ? 'known' : 'none',
  };
}
