import type { IdentityView } from '../../core/ipc.ts';
import type { AppError, Result } from '../../core/result.ts';
import { putSecret } from '../api.ts';

/** Hands the passphrase to main where the identity has one, then does the work with its handle. */
export async function withPassphrase<T>(
  identity: IdentityView,
  passphrase: string,
  work: (secret: { passphrase?: string }) => Promise<Result<T, AppError>>,
): Promise<Result<T, AppError>> {
  let secret: { passphrase?: string } = {};
  if (identity.needsPassphrase) {
    const put = await putSecret(passphrase);
    if (!put.ok) return put;
    secret = { passphrase: put.value };
  }
  return work(secret);
}
