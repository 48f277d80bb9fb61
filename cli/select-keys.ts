import { fail, ok, type Result } from '../core/result.ts';
import type { Session } from '../engine/session/session.ts';

/** Keys of the items that ids or keys name, in the guide's order. */
export function selectKeys(session: Session, names: readonly string[] | undefined): Result<readonly string[]> {
  const { items } = session.plan;
  if (names === undefined || names.length === 0) return ok(items.map((item) => item.key));
  const lost = names.filter((name) => !items.some((item) => item.key === name || item.control.id === name));
  if (lost.length > 0)
    return fail('input.malformed', `The guide has no control ${lost.map((name) => `"${name}"`).join(', ')}.`);
  return ok(
    items.filter((item) => names.includes(item.key) || names.includes(item.control.id)).map((item) => item.key),
  );
}
