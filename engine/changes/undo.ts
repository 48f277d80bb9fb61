import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { fail, ok, type Result } from '../../core/result.ts';
import type { ChangePlan } from './change.ts';

/**
 * What was read back after a change, to compare with before it is undone. Error: `change.refused` where the change is itself
 * an undo, or nothing was read back.
 */
export function stateForUndo<S extends z.ZodType>(change: ChangePlan, state: unknown, schema: S): Result<z.output<S>> {
  if (change.undo) return fail('change.refused', 'An undo is not undone: plan the change anew.');
  const then = schema.safeParse(state);
  if (then.success) return ok(then.data);
  return fail(
    'change.refused',
    'Without the state that was read back after the change there is nothing to compare with.',
  );
}

/** Whether two states are the same once both have been through a journal. */
export function sameState(a: unknown, b: unknown): boolean {
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));
  return isDeepStrictEqual(plain(a), plain(b));
}
