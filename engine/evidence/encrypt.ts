import 'reflect-metadata';
import * as asn1js from 'asn1js';
import * as x509 from '@peculiar/x509';
import { Certificate, ContentInfo, EnvelopedData, type RecipientInfo } from 'pkijs';
import { cryptoEngine } from '../../core/bundle/host.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { certificatesIn, type DecryptionKey } from '../keys/decryption-key.ts';
import { nodeHost, readSmallFile } from './container-reader.ts';
import { writeAtomically, writeError, writeFully } from './files.ts';

/** Largest file that is encrypted, in bytes: it is held in memory, several times over. */
export const MAX_PLAIN = 256 * 1024 ** 2;
/** Room for recipients and padding. */
const MAX_ENCRYPTED = MAX_PLAIN + 4 * 1024 ** 2;
const CONTENT = { name: 'AES-CBC', length: 256 };
const CURVES = ['P-256', 'P-384', 'P-521'];

export type Encrypted = { readonly file: string; readonly size: number; readonly recipients: readonly string[] };

/**
 * Wraps a file as CMS EnvelopedData (RFC 5652 6) that `openssl cms -decrypt` opens: AES-256-CBC, its key wrapped for
 * every recipient by RSA-OAEP or by ECDH with AES-256 key wrap (RFC 5753). Who wrote it is not shown by this: a bundle
 * carries its own signatures. Errors: `input.not-found`, `input.too-large`, `identity.invalid` (a certificate that is
 * not for encryption), `journal.write`.
 * @param recipients certificates in PEM
 */
export async function encryptFile(
  file: string,
  recipients: readonly string[],
  out: string,
  now: Date,
): Promise<Result<Encrypted>> {
  const certificates: x509.X509Certificate[] = [];
  for (const pem of recipients) {
    const certificate = readRecipient(pem, now);
    if (!certificate.ok) return certificate;
    certificates.push(certificate.value);
  }
  if (certificates.length === 0) return fail('input.malformed', 'Nobody was named to whom this is encrypted.');
  const plain = await readSmallFile(file, MAX_PLAIN);
  if (!plain.ok) return plain;
  const engine = cryptoEngine(nodeHost.webCrypto);
  let encrypted: Uint8Array;
  try {
    const enveloped = new EnvelopedData({ disableSplit: true });
    for (const certificate of certificates) {
      enveloped.addRecipientByCertificate(
        Certificate.fromBER(certificate.rawData),
        { oaepHashAlgorithm: 'SHA-256', kdfAlgorithm: 'SHA-256', kekEncryptionLength: 256 },
        undefined,
        engine,
      );
    }
    await enveloped.encrypt(CONTENT, plain.value.buffer, engine);
    const info = new ContentInfo({ contentType: ContentInfo.ENVELOPED_DATA, content: enveloped.toSchema() });
    encrypted = new Uint8Array(info.toSchema().toBER());
  } catch (error) {
    return fail('identity.invalid', 'It could not be encrypted to one of these certificates.', {
      cause: error instanceof Error ? error.message : String(error),
    });
  }
  try {
    await writeAtomically(out, (handle) => writeFully(handle, encrypted, 0));
  } catch (error) {
    return { ok: false, error: writeError('The encrypted file', out, error) };
  }
  return ok({ file: out, size: encrypted.length, recipients: certificates.map((each) => each.subject) });
}

/**
 * Opens CMS EnvelopedData with the key of one of its recipients. Errors: `input.not-found`, `input.too-large`,
 * `input.malformed`, `identity.invalid` (not for this key), `journal.write`.
 */
export async function decryptFile(
  file: string,
  key: DecryptionKey,
  out: string,
): Promise<Result<{ readonly file: string; readonly size: number }>> {
  const bytes = await readSmallFile(file, MAX_ENCRYPTED);
  if (!bytes.ok) return bytes;
  const enveloped = parse(bytes.value);
  if (enveloped === undefined)
    return fail('input.malformed', 'This is not an encrypted file (CMS EnvelopedData, DER).', { place: file });
  const certificates = key.certificates.map((der) => Certificate.fromBER(der));
  const found = enveloped.recipientInfos.flatMap((info, index) => {
    const certificate = certificates.find((each) => isFor(info, each));
    return certificate === undefined ? [] : [{ index, certificate }];
  })[0];
  if (found === undefined) {
    return fail('identity.invalid', 'This file is not encrypted to any certificate of this key.', {
      place: file,
      ...(certificates.length === 0 ? { cause: 'no certificate is beside the key; give it with --certificate' } : {}),
    });
  }
  let plain: ArrayBuffer;
  try {
    plain = await enveloped.decrypt(
      found.index,
      { recipientCertificate: found.certificate, recipientPrivateKey: key.pkcs8.buffer },
      cryptoEngine(nodeHost.webCrypto),
    );
  } catch (error) {
    return fail('identity.invalid', 'This key does not open the file, or the file was damaged.', {
      place: file,
      cause: error instanceof Error ? error.message : String(error),
    });
  }
  try {
    await writeAtomically(out, (handle) => writeFully(handle, new Uint8Array(plain), 0));
  } catch (error) {
    return { ok: false, error: writeError('The opened file', out, error) };
  }
  return ok({ file: out, size: plain.byteLength });
}

/** Reads a recipient's certificate and says what is wrong with it for this use. */
function readRecipient(pem: string, now: Date): Result<x509.X509Certificate> {
  let certificate: x509.X509Certificate;
  try {
    const der = certificatesIn(pem)[0];
    if (der === undefined) return fail('identity.invalid', 'There is no PEM certificate in this file.');
    certificate = new x509.X509Certificate(der);
  } catch (error) {
    return fail('identity.invalid', 'A certificate cannot be read.', { cause: (error as Error).message });
  }
  const name = certificate.subjectName.getField('CN')[0] ?? certificate.subject;
  const { name: kind, ...key } = certificate.publicKey.algorithm as {
    name: string;
    modulusLength?: number;
    namedCurve?: string;
  };
  const rsa = kind.startsWith('RSA');
  if (rsa ? (key.modulusLength ?? 0) < 2048 : !CURVES.includes(key.namedCurve ?? ''))
    return fail(
      'identity.invalid',
      `Files are encrypted to RSA keys of 2048 bits and more, or to keys on P-256, P-384 or P-521; that of ${name} is another.`,
    );
  const usages = certificate.getExtension(x509.KeyUsagesExtension)?.usages;
  const wanted = rsa ? x509.KeyUsageFlags.keyEncipherment : x509.KeyUsageFlags.keyAgreement;
  if (usages !== undefined && (usages & wanted) === 0)
    return fail(
      'identity.invalid',
      `The certificate of ${name} is not for encryption: it lacks the key usage ${rsa ? 'keyEncipherment' : 'keyAgreement'}.`,
    );
  if (now < certificate.notBefore || now > certificate.notAfter)
    return fail(
      'identity.invalid',
      `The certificate of ${name} is valid only from ${certificate.notBefore.toISOString()} to ${certificate.notAfter.toISOString()}.`,
    );
  return ok(certificate);
}

function parse(bytes: Uint8Array<ArrayBuffer>): EnvelopedData | undefined {
  try {
    const parsed = asn1js.fromBER(bytes);
    if (parsed.offset !== bytes.length) return undefined;
    const info = new ContentInfo({ schema: parsed.result });
    return info.contentType === ContentInfo.ENVELOPED_DATA ? new EnvelopedData({ schema: info.content }) : undefined;
  } catch {
    // The caller says so with the place.
    return undefined;
  }
}

type Named = { readonly issuer?: Certificate['issuer']; readonly serialNumber?: asn1js.Integer };

function isFor(info: RecipientInfo, certificate: Certificate): boolean {
  const value = info.value as
    | { rid?: Named; recipientEncryptedKeys?: { encryptedKeys: { rid: { value?: Named } }[] } }
    | undefined;
  const rid = info.variant === 1 ? value?.rid : value?.recipientEncryptedKeys?.encryptedKeys[0]?.rid.value;
  if (rid?.issuer === undefined || rid.serialNumber === undefined) return false;
  return certificate.issuer.isEqual(rid.issuer) && certificate.serialNumber.isEqual(rid.serialNumber);
}
