import type { HeldCopy } from '../../core/probes/certificate-pinned.ts';
import { valueAtPointer } from '../../core/json-pointer.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { bodyFromDevice } from '../wire/device-http.ts';
import { withSshDevice } from '../wire/ssh-device.ts';
import { readFile } from '../wire/ssh-files.ts';
import { type ReadCertificate, readCertificatesPem } from './read-certificate.ts';
import { readReceived } from './received.ts';
import { readPemFile } from './trial-identity.ts';

/** Enough for every public authority that there is. */
const MAX_BYTES = 1024 * 1024;

/** Certificates as a device holds them, and by which way they were read. */
export type ReadCopy = {
  readonly certificates: readonly ReadCertificate[];
  readonly readFrom: 'site-file' | 'device-api' | 'device-file';
};

/**
 * Reads the certificates that a device holds of its peer. A private key beside them is passed over, and nothing of it is kept.
 * Errors: `input.not-found` (nothing lies there), `identity.invalid` (no certificate), `http.protocol`, those of
 * `bodyFromDevice`, `withSshDevice` and `readFile`.
 */
export async function readHeldCopy(held: HeldCopy, context: ProbeContext): Promise<Result<ReadCopy>> {
  if (typeof held === 'string') {
    // A site that was loaded holds the text; the command line may name a file.
    const pem = held.includes('-----BEGIN') ? ok(held) : await readPemFile(held);
    return pem.ok ? certificatesOf(Buffer.from(pem.value), 'site-file', 'pinned') : pem;
  }
  return 'url' in held ? fromApi(held, context) : fromFile(held, context);
}

async function fromApi(held: Extract<HeldCopy, { url: string }>, context: ProbeContext): Promise<Result<ReadCopy>> {
  const { url, at } = held;
  context.progress(`GET ${new URL(url).origin}${new URL(url).pathname}`);
  const body = await bodyFromDevice(held, 'the copy that it holds', undefined, context);
  if (!body.ok) return body;
  if (at === '') return certificatesOf(body.value, 'device-api', url);
  let value: unknown;
  try {
    value = valueAtPointer(JSON.parse(body.value.toString('utf8')), at);
  } catch {
    return fail('http.protocol', 'The answer of the device is not JSON.', { place: url });
  }
  return typeof value === 'string'
    ? certificatesOf(Buffer.from(value), 'device-api', `${url} ${at}`)
    : fail('input.not-found', `The device shows no certificate at ${at}.`, { place: url });
}

async function fromFile(held: Extract<HeldCopy, { path: string }>, context: ProbeContext): Promise<Result<ReadCopy>> {
  const { device, path, legacy } = held;
  context.progress(`SSH ${device} ${path}`);
  const file = await withSshDevice(device, context, (ssh) => readFile(ssh, path, { maxBytes: MAX_BYTES }), { legacy });
  if (!file.ok) return file;
  const place = `${device}:${path}`;
  if (file.value === undefined) return fail('input.not-found', 'There is no such file on the device.', { place });
  const read = await certificatesOf(file.value.bytes, 'device-file', place);
  file.value.bytes.fill(0);
  return read;
}

async function certificatesOf(bytes: Buffer, readFrom: ReadCopy['readFrom'], place: string): Promise<Result<ReadCopy>> {
  const read = bytes[0] === 0x30 ? await readReceived(bytes) : readCertificatesPem(bytes.toString('utf8'));
  if (!read.ok) return { ok: false, error: { ...read.error, place } };
  return ok({ certificates: 'form' in read.value ? read.value.certificates : read.value, readFrom });
}
