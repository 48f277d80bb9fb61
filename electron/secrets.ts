import { ok, type Result } from '../core/result.ts';
import { createHandles } from './handles.ts';

const LIFE_MS = 10 * 60_000;
const MOST = 50;

/** Secrets that were put and not yet used, in memory only. */
export type Secrets = {
  readonly put: (value: string) => { readonly handle: string; readonly expiresAt: Date };
  /** The secret, once: afterwards the handle is gone and its bytes are overwritten. */
  readonly take: (handle: string) => Result<string>;
  /** The secret, which stays good until it expires. Only for a passphrase, which opens the same file more than once. */
  readonly peek: (handle: string) => Result<string>;
  /** Secrets that main keeps for the practice hospital under handles like any other, for as long as it runs. */
  readonly putLasting: (value: string) => string;
  readonly drop: (handle: string) => void;
  readonly clear: () => void;
};

/**
 * Keeps secrets as bytes, so that they can be overwritten; the strings that a call needs for a moment cannot be, and are
 * left to the garbage collector. Errors: `secret.expired`.
 */
export function createSecrets(now: () => number = Date.now): Secrets {
  const gone = {
    code: 'secret.expired',
    message: 'This password was used already or its time is over. Type it again.',
  } as const;
  const overwrite = (bytes: Buffer) => void bytes.fill(0);
  const passing = createHandles<Buffer>({ lifeMs: LIFE_MS, most: MOST, gone, dispose: overwrite, now });
  const lasting = new Map<string, string>();
  return {
    put: (value) => passing.put(Buffer.from(value, 'utf8')),
    take: (handle) => {
      const kept = lasting.get(handle);
      if (kept !== undefined) return ok(kept);
      const taken = passing.take(handle);
      if (!taken.ok) return taken;
      const value = taken.value.toString('utf8');
      overwrite(taken.value);
      return ok(value);
    },
    peek: (handle) => {
      const kept = lasting.get(handle);
      if (kept !== undefined) return ok(kept);
      const found = passing.get(handle);
      return found.ok ? ok(found.value.toString('utf8')) : found;
    },
    putLasting: (value) => {
      for (const [handle, kept] of lasting) if (kept === value) return handle;
      const { handle } = passing.put(Buffer.alloc(0));
      passing.drop(handle);
      lasting.set(handle, value);
      return handle;
    },
    drop: passing.drop,
    clear: () => {
      passing.clear();
      lasting.clear();
    },
  };
}
