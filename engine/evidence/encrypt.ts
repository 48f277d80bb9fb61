import 'reflect-metadata';
import { createCipheriv, randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import * as asn1js from 'asn1js';
import * as x509 from '@peculiar/x509';
import { AlgorithmIdentifier } from 'pkijs';
import { fail, ok, type Result } from '../../core/result.ts';
import { certificatesIn } from '../keys/decryption-key.ts';
import { makeRecipients, type Recipients } from './cms-recipients.ts';
import { writeAtomically, writeError, writeFully } from './files.ts';

export type { Recipients } from './cms-recipients.ts';

export const ENVELOPED_DATA = '1.2.840.113549.1.7.3';
const DATA = '1.2.840.113549.1.7.1';
const AES_256_CBC = '2.16.840.1.101.3.4.1.42';
const CURVES = ['P-256', 'P-384', 'P-521'];
/** Bytes that are encrypted at a time. */
const CHUNK = 1024 * 1024;
const END = Uint8Array.of(0, 0);

export type Encrypted = { readonly file: string; readonly size: number; readonly recipients: readonly string[] };
export type Write = (bytes: Uint8Array) => Promise<void>;

/**
 * Encrypts a stream as CMS EnvelopedData (RFC 5652 6) in BER of indefinite length, so that neither its size need be
 * known nor more than one part be held: AES-256-CBC, its key wrapped for every recipient by RSA-OAEP, by ECDH with
 * AES-256 key wrap (RFC 5753), or by a passphrase (RFC 3211). `openssl cms -decrypt` opens it (up to 2 GiB). It shows
 * neither who wrote it nor that it is whole: what is inside must do so by itself. Answers with the size written, in
 * bytes. Error: `identity.invalid`. Throws what `source` or `write` throws.
 */
export async function encryptStream(
  source: AsyncIterable<Uint8Array>,
  to: Recipients,
  write: Write,
): Promise<Result<{ readonly size: number }>> {
  if (to.certificates.length === 0 && to.passphrase === undefined)
    return fail('input.malformed', 'Nobody was named to whom this is encrypted.');
  if (to.passphrase === '') return fail('input.malformed', 'An empty passphrase protects nothing.');
  const key = new Uint8Array(randomBytes(32));
  const iv = new Uint8Array(randomBytes(16));
  let size = 0;
  const put = async (...parts: Uint8Array[]) => {
    for (const part of parts) {
      await write(part);
      size += part.length;
    }
  };
  try {
    let recipients: Awaited<ReturnType<typeof makeRecipients>>;
    try {
      recipients = await makeRecipients(key, to);
    } catch (error) {
      return fail('identity.invalid', 'It could not be encrypted to one of these certificates.', {
        cause: messageOf(error),
      });
    }
    await put(opening(recipients.version, recipients.infos, iv));
    const cipher = createCipheriv('aes-256-cbc', key, iv);
    for await (const part of source) {
      for (let at = 0; at < part.length; at += CHUNK) {
        const encrypted = cipher.update(part.subarray(at, at + CHUNK));
        if (encrypted.length > 0) await put(octetsHeader(encrypted.length), encrypted);
      }
    }
    const rest = cipher.final();
    // The end of each form that was opened: the content, its info, the data, its tag, the whole.
    await put(octetsHeader(rest.length), rest, END, END, END, END, END);
    return ok({ size });
  } finally {
    key.fill(0);
  }
}

/**
 * Encrypts a file of any size, see `encryptStream`. Errors: those, `input.not-found`, `identity.invalid` (a certificate
 * that is not for encryption), `journal.write`.
 * @param recipients certificates in PEM
 */
export async function encryptFile(
  file: string,
  recipients: readonly string[],
  out: string,
  now: Date,
): Promise<Result<Encrypted>> {
  const certificates = readRecipients(recipients, now);
  if (!certificates.ok) return certificates;
  const done = await through(file, out, 'The encrypted file', (source, write) =>
    encryptStream(source, { certificates: certificates.value }, write),
  );
  return done.ok
    ? ok({ file: out, size: done.value.size, recipients: certificates.value.map((each) => each.subject) })
    : done;
}

/** Recipients' certificates in PEM, each fit for encryption at `now`; `identity.invalid` says which is not, and why. */
export function readRecipients(pems: readonly string[], now: Date): Result<x509.X509Certificate[]> {
  const certificates: x509.X509Certificate[] = [];
  for (const pem of pems) {
    const certificate = readRecipient(pem, now);
    if (!certificate.ok) return certificate;
    certificates.push(certificate.value);
  }
  return ok(certificates);
}

function readRecipient(pem: string, now: Date): Result<x509.X509Certificate> {
  let certificate: x509.X509Certificate;
  try {
    const der = certificatesIn(pem)[0];
    if (der === undefined) return fail('identity.invalid', 'There is no PEM certificate in this file.');
    certificate = new x509.X509Certificate(der);
  } catch (error) {
    return fail('identity.invalid', 'A certificate cannot be read.', { cause: messageOf(error) });
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

/** Runs a transformation from file to file, in parts; the target appears whole or not at all. */
export async function through(
  file: string,
  out: string,
  what: string,
  run: (source: AsyncIterable<Uint8Array>, write: Write) => Promise<Result<{ readonly size: number }>>,
): Promise<Result<{ readonly size: number }>> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    return fail('input.not-found', 'The file cannot be opened.', { place: file, cause: messageOf(error) });
  }
  let refused: Result<never> | undefined;
  try {
    const source = handle.createReadStream({ highWaterMark: CHUNK, autoClose: false }) as AsyncIterable<Uint8Array>;
    return await writeAtomically(out, async (target) => {
      let position = 0;
      const done = await run(source, async (bytes) => {
        await writeFully(target, bytes, position);
        position += bytes.length;
      });
      // Thrown, so that nothing of it is kept.
      if (!done.ok) {
        refused = done;
        throw new Error(done.error.message);
      }
      return done;
    });
  } catch (error) {
    return refused ?? { ok: false, error: writeError(what, out, error) };
  } finally {
    await handle.close();
  }
}

/** The headers up to the content, whose parts follow as octet strings of their own. */
function opening(version: number, recipients: Uint8Array, iv: Uint8Array<ArrayBuffer>): Uint8Array {
  const der = (block: asn1js.BaseBlock) => new Uint8Array(block.toBER());
  const cipher = new AlgorithmIdentifier({
    algorithmId: AES_256_CBC,
    algorithmParams: new asn1js.OctetString({ valueHex: iv }),
  });
  return Buffer.concat([
    Uint8Array.of(0x30, 0x80),
    der(new asn1js.ObjectIdentifier({ value: ENVELOPED_DATA })),
    Uint8Array.of(0xa0, 0x80, 0x30, 0x80),
    der(new asn1js.Integer({ value: version })),
    recipients,
    Uint8Array.of(0x30, 0x80),
    der(new asn1js.ObjectIdentifier({ value: DATA })),
    der(cipher.toSchema()),
    Uint8Array.of(0xa0, 0x80),
  ]);
}

function octetsHeader(length: number): Uint8Array {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(0x0484, 0);
  bytes.writeUInt32BE(length, 2);
  return bytes;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
