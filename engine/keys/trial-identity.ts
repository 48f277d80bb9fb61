import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fail, ok, type Result } from '../../core/result.ts';
import type { TrialIdentity } from '../../core/site/schema.ts';
import type { ProbeContext } from '../context.ts';

/** PEM of a client certificate with its chain, and of its key. Stays in memory. */
export type ClientIdentity = { readonly certificate: string; readonly key: string };

const MAX_BYTES = 65_536;

/**
 * Reads a trial identity of the site. Errors: `site.invalid` (no such id), `input.not-found`, `input.too-large`,
 * `identity.invalid` (unreadable, or the key is another's).
 */
export async function loadTrialIdentity(
  id: string,
  context: ProbeContext,
): Promise<Result<ClientIdentity & { readonly kind: TrialIdentity['kind'] }>> {
  const identity = context.site.identities.find((one) => one.id === id);
  if (identity === undefined) return fail('site.invalid', `The site has no trial identity "${id}".`);
  const certificate = await readPemFile(identity.certificate);
  if (!certificate.ok) return certificate;
  const key = await readPemFile(identity.key);
  if (!key.ok) return key;
  try {
    if (!new X509Certificate(certificate.value).checkPrivateKey(createPrivateKey(key.value))) {
      return fail('identity.invalid', `The key of the trial identity "${id}" does not belong to its certificate.`, {
        place: identity.key,
      });
    }
  } catch (error) {
    return fail('identity.invalid', `The trial identity "${id}" cannot be read.`, {
      place: identity.certificate,
      cause: (error as Error).message,
    });
  }
  return ok({ kind: identity.kind, certificate: certificate.value, key: key.value });
}

/** Reads a small text file. Errors: `input.not-found`, `input.too-large`. */
export async function readPemFile(path: string): Promise<Result<string>> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > MAX_BYTES)
      return fail('input.too-large', 'The file is too large for a certificate or key.', { place: path });
    return ok(bytes.toString('utf8'));
  } catch (error) {
    return fail('input.not-found', 'The file cannot be read.', {
      place: path,
      cause: (error as NodeJS.ErrnoException).code ?? (error as Error).message,
    });
  }
}
