import { fail, ok, type Result } from '../../core/result.ts';
import type { ExecResult } from '../wire/ssh.ts';
import { failed } from '../wire/ssh-files.ts';

const HALF = 69;

/** The connection was lost while a script ran: nobody knows how far it came. */
export function unclear<T>(result: Result<T>): Result<never> {
  if (result.ok) throw new Error('only a failure is unclear');
  const { error } = result;
  return error.code === 'ssh.protocol'
    ? { ok: false, error: { ...error, code: 'change.failed' } }
    : { ok: false, error };
}

/**
 * What an exit code of our own scripts means. 54: somebody was here since; from `HALF` on the script ended half-way; with any
 * other it left nothing behind.
 */
export function answer(
  { code, ...ran }: ExecResult,
  place: string,
  faults: Readonly<Record<number, string>>,
  otherwise: string,
): Result<void> {
  if (code === 0) return ok(undefined);
  const sentence = faults[code ?? -1] ?? otherwise;
  const said = failed(sentence, place, { ...ran, ...(code === undefined ? {} : { code }) });
  const cause = said.ok || said.error.cause === undefined ? {} : { cause: said.error.cause };
  if (code === undefined || code >= HALF) return fail('change.failed', sentence, { place, ...cause });
  return fail(code === 54 ? 'change.state-differs' : 'change.refused', sentence, { place, ...cause });
}
