import type { Bridge, Channel, Input, Output, Push } from '../core/ipc.ts';
import { appError, fail, type AppError, type Result } from '../core/result.ts';

let bridge: Bridge | undefined;

/** Connects the page to main. Called once by main.tsx, and by tests with a bridge of their own. */
export function setBridge(value: Bridge | undefined): void {
  bridge = value;
}

/** Asks main. Never rejects: a channel that breaks is an error like any other, with a message. */
export async function call<C extends Channel>(channel: C, input: Input<C>): Promise<Output<C>> {
  if (bridge === undefined) return broken(channel, 'no bridge');
  try {
    return await bridge.invoke(channel, input);
  } catch (error) {
    return broken(channel, error instanceof Error ? error.message : String(error));
  }
}

/** Listens to what main pushes. @returns how to stop. */
export function listen(listener: (push: Push) => void): () => void {
  return bridge === undefined ? () => undefined : bridge.onPush(listener);
}

/**
 * Hands a typed secret to main and gives the handle that stands for it. The text is not kept: callers empty their field at
 * once, whatever comes back.
 */
export async function putSecret(value: string): Promise<Result<string, AppError>> {
  if (value === '') return fail('secret.missing', 'Type the password first: an empty one is never sent.');
  const put = await call('secret.put', { value });
  return put.ok ? { ok: true, value: put.value.handle } : put;
}

function broken<C extends Channel>(channel: C, cause: string): Output<C> {
  return {
    ok: false,
    error: appError('internal', 'Lockstep’s main process did not answer.', { place: channel, cause }),
  } as Output<C>;
}
