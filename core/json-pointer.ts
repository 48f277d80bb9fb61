import { z } from 'zod';

/** A JSON pointer (RFC 6901); the empty one is the whole value. */
export const jsonPointerSchema = z
  .string()
  .regex(/^(\/([^~/]|~[01])*)*$/, 'a JSON pointer such as /web/port (RFC 6901), or empty for the whole answer');

/** The member names on the way of a pointer, unescaped. */
export function pointerSteps(pointer: string): readonly string[] {
  return pointer === ''
    ? []
    : pointer
        .slice(1)
        .split('/')
        .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** What stands at a pointer; undefined where nothing does. */
export function valueAtPointer(value: unknown, pointer: string): unknown {
  return pointerSteps(pointer).reduce<unknown>(
    (node, step) =>
      typeof node === 'object' && node !== null && Object.hasOwn(node, step)
        ? (node as Record<string, unknown>)[step]
        : undefined,
    value,
  );
}
