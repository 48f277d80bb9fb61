import { useState } from 'react';
import type { AppError, Result } from '../../core/result.ts';

/** Runs one thing at a time, and keeps which one runs and how the last failed. */
export function useTask<Name extends string>(): {
  readonly busy?: Name;
  readonly error?: AppError;
  readonly run: (name: Name, work: () => Promise<Result<unknown, AppError>>) => Promise<void>;
} {
  const [busy, setBusy] = useState<Name>();
  const [error, setError] = useState<AppError>();
  return {
    ...(busy === undefined ? {} : { busy }),
    ...(error === undefined ? {} : { error }),
    run: async (name, work) => {
      setBusy(name);
      const result = await work();
      setBusy(undefined);
      setError(result.ok ? undefined : result.error);
    },
  };
}
