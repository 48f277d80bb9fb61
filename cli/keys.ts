import { resolve } from 'node:path';
import { fail, ok, type Result } from '../core/result.ts';
import { certificatesIn, type DecryptionKey, loadDecryptionKey } from '../engine/keys/decryption-key.ts';
import { type Identity, loadIdentity } from '../engine/keys/identity.ts';
import { readRecords } from '../engine/keys/recorded-status.ts';
import { readSmallFile } from '../engine/session/load-site.ts';
import { readSecret } from './terminal.ts';

const ROLES = ['engineer', 'hospital', 'publisher', 'timestamp'] as const;
export type TrustRole = (typeof ROLES)[number];
/** Root certificates (PEM) per role. */
export type Trust = Readonly<Record<TrustRole, readonly string[]>>;

/**
 * Reads `role=ROOT.pem` options. Each role has its own roots, so that nobody can sign for another.
 * Errors: `input.malformed`, `input.not-found`.
 */
export async function readTrust(entries: readonly string[]): Promise<Result<Trust>> {
  const trust: Record<TrustRole, string[]> = { engineer: [], hospital: [], publisher: [], timestamp: [] };
  for (const entry of entries) {
    const at = entry.indexOf('=');
    const role = ROLES.find((candidate) => candidate === entry.slice(0, at));
    if (at < 1 || role === undefined)
      return fail('input.malformed', `--trust takes ROLE=FILE with a role of ${ROLES.join(', ')}; got "${entry}".`);
    const path = resolve(entry.slice(at + 1));
    const pem = await readSmallFile(path, `${role} root`);
    if (!pem.ok) return pem;
    const certificates = pem.value.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g);
    if (certificates === null) return fail('input.malformed', 'This file holds no PEM certificate.', { place: path });
    trust[role].push(...certificates);
  }
  return ok(trust);
}

/**
 * Opens an identity; asks for the passphrase only where the file wants one.
 * @param revocation CRLs and OCSP answers for its signatures to carry
 */
export async function unlockIdentity(
  path: string,
  passphrase: string | undefined,
  revocation: readonly string[] = [],
): Promise<Result<Identity>> {
  const recorded = await readRecords(revocation.map((file) => resolve(file)));
  if (!recorded.ok) return recorded;
  const identity = await unlock(loadIdentity, path, passphrase);
  return identity.ok
    ? ok({ ...identity.value, recorded: [...(identity.value.recorded ?? []), ...recorded.value] })
    : identity;
}

/** Opens a file with a key by `load`; asks for the passphrase only where the file wants one. */
export async function unlock<T>(
  load: (file: string, passphrase: string | undefined) => Promise<Result<T>>,
  path: string,
  passphrase: string | undefined,
): Promise<Result<T>> {
  if (passphrase !== undefined) {
    const secret = await readSecret(passphrase, 'passphrase');
    return secret.ok ? load(resolve(path), secret.value) : secret;
  }
  const open = await load(resolve(path), undefined);
  if (open.ok || open.error.code !== 'identity.passphrase') return open;
  const secret = await readSecret(undefined, `passphrase of ${path}`);
  return secret.ok ? load(resolve(path), secret.value) : open;
}

/**
 * Opens the key to which something was encrypted, with the certificate that lies apart from it, if any. Overwrite its
 * `pkcs8` after use. Errors: `input.not-found`, `identity.invalid`, `identity.passphrase`.
 */
export async function unlockDecryptionKey(options: {
  readonly key: string;
  readonly passphrase?: string;
  readonly certificate?: string;
}): Promise<Result<DecryptionKey>> {
  const key = await unlock(loadDecryptionKey, options.key, options.passphrase);
  if (!key.ok || options.certificate === undefined) return key;
  const pem = await readSmallFile(resolve(options.certificate), 'certificate');
  if (!pem.ok) return pem;
  try {
    return ok({ ...key.value, certificates: [...key.value.certificates, ...certificatesIn(pem.value)] });
  } catch (error) {
    key.value.pkcs8.fill(0);
    return fail('identity.invalid', 'The certificate cannot be read.', {
      place: options.certificate,
      cause: error instanceof Error ? error.message : String(error),
    });
  }
}
