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
  const [state, setState] = useState<Omit<Verifying, 'verify'>>({ busy: false });
  const verify = useCallback(async (bundle: FileRef, day = '') => {
    setState({ busy: true });
    const at = day === '' || day === new Date().toISOString().slice(0, 10) ? {} : { at: `${day}T00:00:00Z` };
    const result = await call('bundle.verify', { bundle: bundle.handle, ...at });
    setState(result.ok ? { busy: false, view: result.value } : { busy: false, error: result.error });
  }, []);
  return { ...state, verify };
}
