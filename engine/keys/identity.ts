import 'reflect-metadata';
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { open } from 'node:fs/promises';
import * as x509 from '@peculiar/x509';
import { fail, ok, type Result } from '../../core/result.ts';
import { type CertificateSummary, explainPurposes, summarizeCertificate } from './purposes.ts';
import { certificatePem, type PrivateKey } from './certificate-maker.ts';
import { isPkcs12, readPkcs12 } from './pkcs12.ts';
import { listsIn } from './recorded-status.ts';

/** A certificate with its unlocked key. The key cannot be exported; drop the object after the signature. */
export type Identity = CertificateSummary & {
  readonly certificatePem: string;
  /** Leaf first, then intermediates. */
  readonly chainPem: string;
  readonly key: PrivateKey;
  /** CRLs and OCSP answers (DER) that its signatures carry. */
  readonly recorded?: readonly Uint8Array<ArrayBuffer>[];
};

/** Largest identity file that is read, in bytes. */
const MAX_FILE = 1024 * 1024;

/**
 * Reads an identity file: PKCS#12 (RFC 7292, also Windows' legacy ciphers) or PEM with the private key and its
 * certificates in any order. Errors: `input.not-found`, `input.too-large`, `identity.invalid`, `identity.passphrase`.
 */
export async function loadIdentity(file: string, passphrase: string | undefined): Promise<Result<Identity>> {
  let bytes: Uint8Array;
  try {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      if (size > MAX_FILE) return fail('input.too-large', 'An identity file is never this large.', { place: file });
      bytes = await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch (error) {
    return fail('input.not-found', 'The identity file cannot be read.', {
      place: file,
      cause: (error as Error).message,
    });
  }
  const identity = await readIdentity(bytes, passphrase);
  return identity.ok ? identity : { ok: false, error: { ...identity.error, place: file } };
}

/** As `loadIdentity`, from the bytes themselves. */
export async function readIdentity(bytes: Uint8Array, passphrase: string | undefined): Promise<Result<Identity>> {
  if (isPkcs12(bytes)) {
    const parts = await readPkcs12(bytes, passphrase ?? '');
    if (!parts.ok) return parts;
    let key: KeyObject;
    try {
      key = createPrivateKey({ key: Buffer.from(parts.value.pkcs8), format: 'der', type: 'pkcs8' });
    } catch (error) {
      return fail('identity.invalid', 'The private key in this PKCS#12 file is of a kind that cannot be used.', {
        cause: (error as Error).message,
      });
    }
    return assemble(
      key,
      parts.value.certificates.map((der) => new x509.X509Certificate(new Uint8Array(der))),
    );
  }
  return identityFromPem(new TextDecoder().decode(bytes), passphrase);
}

/**
 * Joins a private key with the certificate issued for it, both in PEM, in one text or several joined. CRLs among them are
 * carried by its signatures. Errors:
 * `identity.invalid` (no key, no certificate, or they do not belong together), `identity.passphrase`.
 */
export async function identityFromPem(pem: string, passphrase?: string): Promise<Result<Identity>> {
  const keys = pem.match(/-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]+?-----END \1-----/g) ?? [];
  if (keys.length !== 1) {
    return fail(
      'identity.invalid',
      keys.length === 0 ? 'There is no private key in this file.' : 'There is more than one private key in this file.',
    );
  }
  const keyPem = keys[0] ?? '';
  const encrypted = keyPem.includes('ENCRYPTED');
  if (encrypted && (passphrase === undefined || passphrase === '')) {
    return fail('identity.passphrase', 'This private key is locked with a passphrase, and none was given.');
  }
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: keyPem, format: 'pem', ...(encrypted ? { passphrase } : {}) });
  } catch (error) {
    if (encrypted) return fail('identity.passphrase', 'The passphrase does not open this private key.');
    return fail('identity.invalid', 'The private key cannot be read.', { cause: (error as Error).message });
  }
  try {
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
    const identity = await assemble(
      key,
      blocks.map((block) => new x509.X509Certificate(block)),
    );
    const recorded = listsIn(pem);
    return identity.ok && recorded.length > 0 ? ok({ ...identity.value, recorded }) : identity;
  } catch (error) {
    return fail('identity.invalid', 'A certificate or CRL in this file cannot be read.', {
      cause: (error as Error).message,
    });
  }
}

/** Refuses, with the reason, an identity that cannot sign evidence or is out of date at `now`. */
export function checkSigner<T extends CertificateSummary>(identity: T, now: Date): Result<T> {
  if (!identity.purposes.includes('sign')) return fail('identity.invalid', explainPurposes(identity));
  const at = now.toISOString();
  if (at < identity.notBefore)
    return fail('identity.invalid', `The certificate of ${identity.name} is valid only from ${identity.notBefore}.`);
  if (at > identity.notAfter)
    return fail('identity.invalid', `The certificate of ${identity.name} expired on ${identity.notAfter}.`);
  return ok(identity);
}

async function assemble(key: KeyObject, certificates: readonly x509.X509Certificate[]): Promise<Result<Identity>> {
  if (certificates.length === 0) return fail('identity.invalid', 'There is no certificate in this file.');
  const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const leaf = certificates.find((certificate) => publicKey.equals(spki(certificate)));
  if (leaf === undefined) {
    const names = certificates.map((certificate) => certificate.subject).join('; ');
    return fail('identity.invalid', 'No certificate in this file belongs to the private key.', { cause: names });
  }
  const algorithm = signatureAlgorithm(key);
  if (algorithm === undefined) {
    return fail(
      'identity.invalid',
      'Evidence is signed with EC keys on P-256, P-384 or P-521, or RSA keys of 2048 bits and more; this is another kind.',
    );
  }
  const der = key.export({ format: 'der', type: 'pkcs8' });
  const signingKey = await globalThis.crypto.subtle.importKey('pkcs8', new Uint8Array(der), algorithm, false, ['sign']);
  der.fill(0);
  const chain = orderChain(leaf, certificates);
  return ok({
    ...summarizeCertificate(leaf),
    certificatePem: certificatePem(leaf),
    chainPem: chain.map(certificatePem).join(''),
    key: signingKey,
  });
}

function spki(certificate: x509.X509Certificate): Buffer {
  // Through Node, so that both encodings of the same point come from the same hand.
  return createPublicKey({ key: certificate.toString('pem'), format: 'pem' }).export({ format: 'der', type: 'spki' });
}

function signatureAlgorithm(
  key: KeyObject,
): { name: string; hash: string } | { name: string; namedCurve: string } | undefined {
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === 'rsa')
    return (details?.modulusLength ?? 0) >= 2048 ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } : undefined;
  const curves: Record<string, string> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };
  const namedCurve = curves[details?.namedCurve ?? ''];
  return key.asymmetricKeyType === 'ec' && namedCurve !== undefined ? { name: 'ECDSA', namedCurve } : undefined;
}

/** Leaf, then each issuer in turn; a root is left out, because a verifier brings its own. */
function orderChain(leaf: x509.X509Certificate, all: readonly x509.X509Certificate[]): x509.X509Certificate[] {
  const chain = [leaf];
  for (let current = leaf; current.issuer !== current.subject && chain.length <= all.length; ) {
    const issuer = all.find(
      (candidate) => candidate.subject === current.issuer && candidate.issuer !== candidate.subject,
    );
    if (issuer === undefined || chain.includes(issuer)) break;
    chain.push(issuer);
    current = issuer;
  }
  return chain;
}
