import { useCallback, useState } from 'react';
import type { FileRef, VerifyView } from '../../core/ipc.ts';
import type { AppError } from '../../core/result.ts';
import { call } from '../api.ts';

export type Verifying = {
  readonly busy: boolean;
  readonly view?: VerifyView;
  readonly error?: AppError;
  /** @param day `2026-11-24`: as of its first moment (UTC), as the command line takes it; today and nothing mean now */
  readonly verify: (bundle: FileRef, day?: string) => Promise<void>;
};

/** Verifies a bundle and keeps what was found. */
export function useVerify(): Verifying {
  const [{ of: _, ...state }, setState] = useState<Omit<Verifying, 'verify'> & { readonly of?: string }>({
    busy: false,
  });
  const verify = useCallback(async (bundle: FileRef, day = '') => {
    const of = `${bundle.handle} ${day}`;
    // The same once more: what was found stays until more is known, and with it where the keyboard is.
    setState((before) => ({ busy: true, of, ...(before.of === of ? { view: before.view } : {}) }));
    const at = day === '' || day === new Date().toISOString().slice(0, 10) ? {} : { at: `${day}T00:00:00Z` };
    const result = await call('bundle.verify', { bundle: bundle.handle, ...at });
    const found = result.ok ? { view: result.value } : { error: result.error };
    setState((before) => (before.of === of ? { busy: false, of, ...found } : before));
  }, []);
  return { ...state, verify };
}
