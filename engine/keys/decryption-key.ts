import 'reflect-metadata';
import { createPrivateKey } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { fail, ok, type Result } from '../../core/result.ts';
import { readSmallFile } from '../evidence/container-reader.ts';
import { isPkcs12, readPkcs12 } from './pkcs12.ts';

/** A private key for opening what was encrypted to one of its certificates. Overwrite `pkcs8` after use. */
export type DecryptionKey = {
  readonly pkcs8: Uint8Array<ArrayBuffer>;
  /** DER. */
  readonly certificates: readonly Uint8Array<ArrayBuffer>[];
};

/** Largest key file that is read, in bytes. */
const MAX_FILE = 1024 * 1024;

/**
 * Reads a private key with the certificates beside it: PKCS#12 or PEM. Unlike an identity it need not be fit for signing.
 * Errors: `input.not-found`, `input.too-large`, `identity.invalid`, `identity.passphrase`.
 */
export async function loadDecryptionKey(file: string, passphrase: string | undefined): Promise<Result<DecryptionKey>> {
  const bytes = await readSmallFile(file, MAX_FILE);
  if (!bytes.ok) return bytes;
  if (isPkcs12(bytes.value)) {
    const parts = await readPkcs12(bytes.value, passphrase ?? '');
    if (!parts.ok) return { ok: false, error: { ...parts.error, place: file } };
    return ok({
      pkcs8: new Uint8Array(parts.value.pkcs8),
      certificates: parts.value.certificates.map((der) => new Uint8Array(der)),
    });
  }
  const text = new TextDecoder().decode(bytes.value);
  const pem = /-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]+?-----END \1-----/.exec(text)?.[0];
  if (pem === undefined) return fail('identity.invalid', 'There is no private key in this file.', { place: file });
  const locked = pem.includes('ENCRYPTED');
  if (locked && (passphrase ?? '') === '')
    return fail('identity.passphrase', 'This private key is locked with a passphrase, and none was given.', {
      place: file,
    });
  try {
    const key = createPrivateKey({ key: pem, format: 'pem', ...(locked ? { passphrase } : {}) });
    const der = key.export({ format: 'der', type: 'pkcs8' });
    const pkcs8 = new Uint8Array(der);
    der.fill(0);
    return ok({ pkcs8, certificates: certificatesIn(text) });
  } catch (error) {
    return locked
      ? fail('identity.passphrase', 'The passphrase does not open this private key.', { place: file })
      : fail('identity.invalid', 'The private key cannot be read.', { place: file, cause: (error as Error).message });
  }
}

/** DER of every certificate in a PEM text. Throws when one is damaged. */
export function certificatesIn(pem: string): Uint8Array<ArrayBuffer>[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new Uint8Array(new x509.X509Certificate(block).rawData));
}
