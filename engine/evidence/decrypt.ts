import { createDecipheriv } from 'node:crypto';
import * as asn1js from 'asn1js';
import { AlgorithmIdentifier } from 'pkijs';
import { fail, ok, type Result } from '../../core/result.ts';
import { type BerHeader, berReader, type BerReader, Damage } from './ber-reader.ts';
import { type Opener, openRecipients } from './cms-recipients.ts';
import { ENVELOPED_DATA, through, type Write } from './encrypt.ts';

export type { Opener } from './cms-recipients.ts';

const CIPHERS: Record<string, { readonly name: string; readonly key: number }> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', key: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', key: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', key: 32 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', key: 24 },
};

/** All that stands before the content. */
type Envelope = {
  readonly recipients: Uint8Array<ArrayBuffer>;
  readonly cipher: { readonly name: string; readonly key: number };
  readonly iv: Uint8Array;
  readonly content: BerHeader;
  /** Where each enclosing form ends, outermost first; undefined when it is of indefinite length. */
  readonly ends: readonly (number | undefined)[];
};

/**
 * Opens CMS EnvelopedData in BER or DER, as this, openssl and others write it, part by part: RSA-OAEP, RSA PKCS#1 v1.5,
 * ECDH, passphrase. What was written before an error is worthless and must be thrown away. Errors: `input.malformed` (no
 * such file, or not whole), `identity.invalid` (not for this opener, or damaged). Throws what `source` or `write` throws.
 */
export async function decryptStream(
  source: AsyncIterable<Uint8Array>,
  opener: Opener,
  write: Write,
): Promise<Result<{ readonly size: number }>> {
  const reader = berReader(source);
  let key: Uint8Array<ArrayBuffer> | undefined;
  try {
    const envelope = await readOpening(reader);
    try {
      key = await openRecipients(envelope.recipients, opener);
    } catch (error) {
      return notOpened(opener, error);
    }
    if (key === undefined) return notForThis(opener);
    if (key.length !== envelope.cipher.key) return notOpened(opener, 'the key in it is of another length');
    const cipher = createDecipheriv(envelope.cipher.name, key, envelope.iv);
    let size = 0;
    const put = async (bytes: Uint8Array) => {
      if (bytes.length > 0) await write(bytes);
      size += bytes.length;
    };
    for await (const part of content(reader, envelope.content)) await put(cipher.update(part));
    await readEnd(reader, envelope.ends);
    let rest: Uint8Array;
    try {
      rest = cipher.final();
    } catch (error) {
      return notOpened(opener, error);
    }
    await put(rest);
    return ok({ size });
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    return fail('input.malformed', 'This is not an encrypted file (CMS EnvelopedData), or it is not whole.', {
      cause: error.message,
    });
  } finally {
    key?.fill(0);
  }
}

/** Opens an encrypted file, see `decryptStream`. Errors: those, `input.not-found`, `journal.write`. */
export async function decryptFile(
  file: string,
  opener: Opener,
  out: string,
): Promise<Result<{ readonly file: string; readonly size: number }>> {
  const done = await through(file, out, 'The opened file', (source, write) => decryptStream(source, opener, write));
  if (!done.ok) return { ok: false, error: { ...done.error, place: done.error.place ?? file } };
  return ok({ file: out, size: done.value.size });
}

async function readOpening(reader: BerReader): Promise<Envelope> {
  const ends: (number | undefined)[] = [];
  const enter = async (tag: number) => {
    const header = await reader.header();
    if (header.tag !== tag) throw new Damage('it is not built as such a file is');
    ends.push(header.length === undefined ? undefined : reader.position() + header.length);
  };
  await enter(0x30);
  const [type] = blocks(await reader.element());
  if (!(type instanceof asn1js.ObjectIdentifier) || type.valueBlock.toString() !== ENVELOPED_DATA)
    throw new Damage('it holds something else');
  await enter(0xa0);
  await enter(0x30);
  await reader.element();
  let recipients = await reader.element();
  // What the originator says of itself is of no use here.
  if (recipients[0] === 0xa0) recipients = await reader.element();
  await enter(0x30);
  await reader.element();
  const [algorithm] = blocks(await reader.element());
  const { algorithmId, algorithmParams } = readAlgorithm(algorithm);
  const cipher = CIPHERS[algorithmId];
  if (cipher === undefined || !(algorithmParams instanceof asn1js.OctetString))
    throw new Damage(`it is encrypted in a way that is not read here (${algorithmId})`);
  const iv = algorithmParams.valueBlock.valueHexView;
  if (iv.length !== (cipher.name.startsWith('aes') ? 16 : 8)) throw new Damage('its initial vector has another length');
  return { recipients, cipher, iv, content: await reader.header(), ends };
}

/** The content in parts, whether it is one string or made of several. */
async function* content(reader: BerReader, header: BerHeader): AsyncGenerator<Uint8Array> {
  if (header.tag === 0x80 && header.length !== undefined) {
    yield* reader.parts(header.length);
    return;
  }
  if (header.tag !== 0xa0) throw new Damage('it holds no content');
  const end = header.length === undefined ? undefined : reader.position() + header.length;
  while (end === undefined || reader.position() < end) {
    const part = await reader.header();
    if (end === undefined && part.tag === 0 && part.length === 0) return;
    if (part.tag !== 0x04 || part.length === undefined) throw new Damage('its content is built in no known way');
    yield* reader.parts(part.length);
  }
  if (reader.position() !== end) throw new Damage('its parts are longer than the whole');
}

/** Nothing but the ends of what was opened, and attributes that nobody protects, may follow the content. */
async function readEnd(reader: BerReader, ends: readonly (number | undefined)[]): Promise<void> {
  let depth = ends.length;
  for (const end of ends.toReversed()) {
    depth--;
    while (end === undefined || reader.position() !== end) {
      const next = await reader.header();
      if (end === undefined && next.tag === 0 && next.length === 0) break;
      const attributes = depth === 2 && next.tag === 0xa1;
      if (!attributes) throw new Damage('something follows its content');
      await reader.element(next);
    }
  }
  if (!(await reader.atEnd())) throw new Damage('bytes follow its end');
}

function blocks(bytes: Uint8Array<ArrayBuffer>): asn1js.BaseBlock[] {
  const parsed = asn1js.fromBER(bytes);
  if (parsed.offset !== bytes.length) throw new Damage('it is no ASN.1');
  return [parsed.result];
}

function readAlgorithm(block: asn1js.BaseBlock | undefined): AlgorithmIdentifier {
  try {
    return new AlgorithmIdentifier({ schema: block });
  } catch {
    throw new Damage('it does not say how it is encrypted');
  }
}

function notForThis(opener: Opener): Result<never> {
  if ('passphrase' in opener) return fail('identity.invalid', 'This file was not encrypted with a passphrase.');
  const missing = opener.key.certificates.length === 0;
  return fail(
    'identity.invalid',
    'This file is not encrypted to any certificate of this key.',
    missing ? { cause: 'no certificate is beside the key; give it with --certificate' } : {},
  );
}

function notOpened(opener: Opener, why: unknown): Result<never> {
  const what = 'passphrase' in opener ? 'passphrase' : 'key';
  return fail(
    what === 'key' ? 'identity.invalid' : 'identity.passphrase',
    `This ${what} does not open the file, or the file was damaged.`,
    { cause: why instanceof Error ? why.message : String(why) },
  );
}
