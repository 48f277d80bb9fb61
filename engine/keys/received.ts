import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { fail, ok, type Result } from '../../core/result.ts';
import { isPkcs12, openPkcs12 } from './pkcs12.ts';
import { type ReadCertificate, readCertificate } from './read-certificate.ts';

/** What an authority sent back, in whatever form. */
export type Received = {
  readonly form: 'PEM' | 'DER' | 'PKCS#7' | 'PKCS#12';
  /** In the file's order, each once. */
  readonly certificates: readonly ReadCertificate[];
  /** The file holds a private key, which somebody else therefore knows. It is not kept. */
  readonly withKey: boolean;
};

/** More than a chain ever has; a file with more is no answer to a request. */
const MAX_CERTIFICATES = 50;
const SIGNED_DATA = '1.2.840.113549.1.7.2';
const BLOCK = /-----BEGIN ([A-Z0-9# ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----/g;

/**
 * Reads certificates as authorities send them: PEM (also with the chain, also a PKCS#7 under any label, as Windows writes it),
 * DER, PKCS#7 without signers (RFC 2315, `.p7b`), PKCS#12 (RFC 7292, modern and Windows' legacy ciphers). Errors:
 * `identity.invalid`, `identity.passphrase`.
 */
export async function readReceived(bytes: Uint8Array, passphrase?: string): Promise<Result<Received>> {
  if (isPkcs12(bytes)) {
    const parts = await openPkcs12(bytes, passphrase ?? '');
    if (!parts.ok) return parts;
    const withKey = parts.value.keys.length > 0;
    for (const key of parts.value.keys) key.fill(0);
    return collect('PKCS#12', parts.value.certificates, withKey);
  }
  if (bytes[0] === 0x30) return readDer(bytes);
  return readPem(textOf(bytes));
}

function readDer(bytes: Uint8Array): Result<Received> {
  const bag = readPkcs7(bytes);
  return bag === undefined ? collect('DER', [bytes], false) : collect('PKCS#7', bag, false);
}

function readPem(text: string): Result<Received> {
  const found: Uint8Array[] = [];
  let form: Received['form'] = 'PEM';
  let withKey = false;
  for (const [, label = '', body = ''] of text.matchAll(BLOCK)) {
    if (label.endsWith('PRIVATE KEY')) withKey = true;
    else if (label === 'CERTIFICATE REQUEST' || label === 'NEW CERTIFICATE REQUEST')
      return fail(
        'identity.invalid',
        'This is the request itself. Import the certificate that the authority made of it.',
      );
    else if (/^(?:(?:X509 |TRUSTED )?CERTIFICATE|PKCS7|CMS|PKCS #7 SIGNED DATA)$/.test(label)) {
      const der = Buffer.from(body, 'base64');
      const bag = readPkcs7(der);
      if (bag !== undefined) form = 'PKCS#7';
      found.push(...(bag ?? [der]));
    }
  }
  if (found.length === 0)
    return fail(
      'identity.invalid',
      'There is no certificate in this file. Wanted: PEM, DER, PKCS#7 (.p7b) or PKCS#12 (.pfx).',
    );
  return collect(form, found, withKey);
}

/** DER of the certificates in a PKCS#7 `SignedData`; undefined where it is something else. */
function readPkcs7(bytes: Uint8Array): Uint8Array[] | undefined {
  try {
    const info = pkijs.ContentInfo.fromBER(new Uint8Array(bytes).buffer);
    if (info.contentType !== SIGNED_DATA) return undefined;
    const { certificates } = new pkijs.SignedData({ schema: info.content });
    return (certificates ?? []).flatMap((one) =>
      one instanceof pkijs.Certificate ? [new Uint8Array(one.toSchema(false).toBER())] : [],
    );
  } catch {
    return undefined;
  }
}

function collect(form: Received['form'], all: readonly Uint8Array[], withKey: boolean): Result<Received> {
  if (all.length > MAX_CERTIFICATES)
    return fail(
      'identity.invalid',
      `There are ${all.length} certificates in this file; an answer to a request has few.`,
    );
  const certificates: ReadCertificate[] = [];
  for (const der of all) {
    // What follows the certificate would be dropped unseen.
    const { offset } = asn1js.fromBER(new Uint8Array(der).buffer);
    if (offset !== der.length)
      return fail('identity.invalid', 'A certificate in this file is cut off, or something is appended to it.');
    const read = readCertificate(der);
    if (!read.ok) return read;
    if (!certificates.some((known) => known.der.equals(read.value.der))) certificates.push(read.value);
  }
  return certificates.length === 0
    ? fail('identity.invalid', 'There is no certificate in this file.')
    : ok({ form, certificates, withKey });
}

/** Windows writes text as UTF-16 with a mark in front. */
function textOf(bytes: Uint8Array): string {
  return new TextDecoder(bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8').decode(bytes);
}
