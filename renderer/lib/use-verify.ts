import { useCallback, useState } from 'react';
import type { FileRef, VerifyView } from '../../core/ipc.ts';
import type { AppError } from '../../core/result.ts';
import { call } from '../api.ts';

export type Verifying = {
  readonly busy: boolean;
  readonly view?: VerifyView;
  readonly error?: AppError;
  readonly verify: (bundle: FileRef) => Promise<void>;
};

/** Verifies a bundle and keeps what was found. */
export function useVerify(): Verifying {
  const [state, setState] = useState<Omit<Verifying, 'verify'>>({ busy: false });
  const verify = useCallback(async (bundle: FileRef) => {
    setState({ busy: true });
    const result = await call('bundle.verify', { bundle: bundle.handle });
    setState(result.ok ? { busy: false, view: result.value } : { busy: false, error: result.error });
  }, []);
  return { ...state, verify };
}
