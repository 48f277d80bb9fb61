import { randomBytes } from 'node:crypto';
import { type ErrorCode, fail, ok, type Result } from '../core/result.ts';

/** A table of values that the page knows only by `h-<32 hex>`; it can neither guess a handle nor learn what is behind it. */
export type Handles<V> = {
  readonly put: (value: V) => { readonly handle: string; readonly expiresAt: Date };
  /** The value, which stays. Its life starts anew where `sliding` is set. */
  readonly get: (handle: string) => Result<V>;
  /** The value, which is then gone from the table; the caller disposes of it. */
  readonly take: (handle: string) => Result<V>;
  readonly drop: (handle: string) => void;
  readonly clear: () => void;
  readonly size: () => number;
};

export type HandleOptions<V> = {
  readonly lifeMs: number;
  /** Whether each use starts the life anew. */
  readonly sliding?: boolean;
  /** Above this number the oldest go first, so that a page gone wild cannot fill the memory. */
  readonly most: number;
  /** What to say when a handle is unknown or its time is over. */
  readonly gone: { readonly code: ErrorCode; readonly message: string };
  /** Called once for each value that leaves the table other than by `take`. */
  readonly dispose?: (value: V) => void;
  readonly now?: () => number;
};

/** Makes an empty table. Expiry is by the clock at each use, and by a sweep so that secrets do not linger unused. */
export function createHandles<V>(options: HandleOptions<V>): Handles<V> {
  const { lifeMs, sliding = false, most, gone, dispose = () => undefined, now = Date.now } = options;
  const entries = new Map<string, { value: V; until: number }>();
  let sweep: NodeJS.Timeout | undefined;

  const drop = (handle: string) => {
    const entry = entries.get(handle);
    entries.delete(handle);
    if (entry !== undefined) dispose(entry.value);
  };
  const dropExpired = () => {
    for (const [handle, entry] of entries) if (entry.until <= now()) drop(handle);
  };
  const planSweep = () => {
    if (sweep !== undefined || entries.size === 0) return;
    sweep = setTimeout(() => {
      sweep = undefined;
      dropExpired();
      planSweep();
    }, lifeMs);
    sweep.unref();
  };
  const find = (handle: string) => {
    dropExpired();
    return entries.get(handle);
  };

  return {
    put: (value) => {
      dropExpired();
      while (entries.size >= most) drop(entries.keys().next().value as string);
      const handle = `h-${randomBytes(16).toString('hex')}`;
      const until = now() + lifeMs;
      entries.set(handle, { value, until });
      planSweep();
      return { handle, expiresAt: new Date(until) };
    },
    get: (handle) => {
      const entry = find(handle);
      if (entry === undefined) return fail(gone.code, gone.message);
      if (sliding) entry.until = now() + lifeMs;
      return ok(entry.value);
    },
    take: (handle) => {
      const entry = find(handle);
      if (entry === undefined) return fail(gone.code, gone.message);
      entries.delete(handle);
      return ok(entry.value);
    },
    drop,
    clear: () => {
      for (const handle of entries.keys()) drop(handle);
      clearTimeout(sweep);
      sweep = undefined;
    },
    size: () => entries.size,
  };
}
