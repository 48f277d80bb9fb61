import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import * as asn1js from 'asn1js';
import { AlgorithmIdentifier, MessageImprint, PKIStatus, PKIStatusInfo, TimeStampReq } from 'pkijs';
import { metaName } from '../../core/bundle/layout.ts';
import { renderManifest } from '../../core/bundle/manifest.ts';
import { commonName } from '../../core/bundle/trust.ts';
import { readToken } from '../../core/bundle/verify-timestamps.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { nodeHost } from './container-reader.ts';
import { type Extensible, extendBundle, inspectBundle } from './extend.ts';

/** How long an authority may take, in milliseconds, and how much it may answer, in bytes. */
const DEADLINE = 30_000;
const MAX_RESPONSE = 256 * 1024;
/** Milliseconds between this computer's clock and the authority's that are not worth a word. */
const SLACK = 300_000;

export type Timestamped = {
  readonly file: string;
  readonly sha256: string;
  /** What the authority says, ISO 8601. */
  readonly time: string;
  readonly authority: string;
};

/**
 * The query (RFC 3161 2.4.1, DER) for a time-stamp over all that a bundle holds: it is about the manifest that will
 * be written beside the token, and asks for the authority's certificate. Errors: those of reading a bundle.
 */
export async function timestampQuery(bundle: string, now: Date): Promise<Result<Uint8Array<ArrayBuffer>>> {
  const inspected = await inspectBundle(bundle, now);
  return inspected.ok ? ok(await makeQuery(inspected.value)) : inspected;
}

/**
 * Adds a time-stamp as META-INF/timestampNNN.tst over a manifest of its own (ETSI EN 319 162-1, 4.4.4); earlier bytes
 * stay as they are. `openssl ts -verify -token_in` checks it. Refused when it is about other bytes, not signed as a
 * time-stamp, or does not answer `query`.
 * @param response what the authority answered, or the bare token; DER
 * @param query the query that it must answer, where it is known
 * Errors: those of reading a bundle, `input.malformed`, `journal.write`.
 */
export async function addTimestamp(options: {
  readonly bundle: string;
  readonly response: Uint8Array<ArrayBuffer>;
  readonly query?: Uint8Array<ArrayBuffer>;
  readonly now: Date;
  readonly out?: string;
}): Promise<Result<Timestamped>> {
  const { bundle, now } = options;
  const inspected = await inspectBundle(bundle, now);
  if (!inspected.ok) return inspected;
  const token = tokenOf(options.response);
  if (!token.ok) return token;
  const { number } = inspected.value;
  const manifest = manifestOf(inspected.value);
  const reading = await readToken(token.value, manifest, nodeHost);
  const faults = [...reading.faults];
  if (options.query !== undefined && nonceOf(options.query) !== reading.nonce)
    faults.push('It does not answer this query: the nonce differs.');
  if (reading.time !== undefined && reading.time.getTime() > now.getTime() + SLACK)
    faults.push(`It says ${reading.time.toISOString()}, which is in the future; one of the two clocks is wrong.`);
  if (faults.length > 0 || reading.time === undefined || reading.leaf === undefined) {
    return fail('input.malformed', `This time-stamp cannot be taken. ${faults.join(' ')}`, {
      place: bundle,
      cause: `it must be about ${metaName('manifest', number)} of the bundle as it is now, with the authority's certificate inside`,
    });
  }
  const extended = await extendBundle(
    bundle,
    options.out ?? bundle,
    inspected.value,
    async (writer) => {
      await writer.add(metaName('manifest', number), manifest);
      await writer.add(metaName('timestamp', number), token.value);
      return ok(undefined);
    },
    { now },
  );
  if (!extended.ok) return extended;
  const { file, sha256 } = extended.value;
  return ok({ file, sha256, time: reading.time.toISOString(), authority: commonName(reading.leaf) });
}

/**
 * Asks a time-stamp authority over HTTP (RFC 3161 3.4). Nothing but a digest leaves the computer. Errors:
 * `input.malformed` (the address), `http.protocol`.
 */
export async function askAuthority(
  url: string,
  query: Uint8Array<ArrayBuffer>,
): Promise<Result<Uint8Array<ArrayBuffer>>> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    return fail('input.malformed', 'A time-stamp authority has an address that begins with https:// or http://.', {
      place: url,
    });
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/timestamp-query' },
      body: query,
      redirect: 'error',
      signal: AbortSignal.timeout(DEADLINE),
    });
    const type = response.headers.get('content-type') ?? 'nothing';
    if (!response.ok || !type.startsWith('application/timestamp-reply')) {
      await response.body?.cancel();
      return fail('http.protocol', `The time-stamp authority answered ${response.status} with ${type}.`, {
        place: url,
      });
    }
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of response.body ?? []) {
      size += part.length;
      if (size > MAX_RESPONSE)
        return fail('http.protocol', 'The time-stamp authority answers without end.', { place: url });
      parts.push(part);
    }
    return ok(new Uint8Array(Buffer.concat(parts)));
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    return fail('http.protocol', 'The time-stamp authority could not be asked.', { place: url, cause });
  }
}

function manifestOf({ number, files }: Extensible): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(renderManifest(number, files, 'timestamp'));
}

async function makeQuery(extensible: Extensible): Promise<Uint8Array<ArrayBuffer>> {
  const digest = await globalThis.crypto.subtle.digest('SHA-256', manifestOf(extensible));
  const nonce = randomBytes(16);
  // Positive and of full length, so that it comes back as the same bytes.
  nonce[0] = ((nonce[0] ?? 0) & 0x7f) | 0x40;
  const request = new TimeStampReq({
    version: 1,
    messageImprint: new MessageImprint({
      hashAlgorithm: new AlgorithmIdentifier({
        algorithmId: '2.16.840.1.101.3.4.2.1',
        algorithmParams: new asn1js.Null(),
      }),
      hashedMessage: new asn1js.OctetString({ valueHex: digest }),
    }),
    nonce: new asn1js.Integer({ valueHex: new Uint8Array(nonce) }),
    certReq: true,
  });
  return new Uint8Array(request.toSchema().toBER());
}

function nonceOf(query: Uint8Array<ArrayBuffer>): string | undefined {
  try {
    const { nonce } = TimeStampReq.fromBER(query);
    return nonce === undefined ? undefined : Buffer.from(nonce.valueBlock.valueHexView).toString('hex');
  } catch {
    // Not a query at all: nothing answers it.
    return 'unreadable';
  }
}

/** The token's own bytes: written anew, a signature over BER might not hold. */
function tokenOf(response: Uint8Array<ArrayBuffer>): Result<Uint8Array<ArrayBuffer>> {
  try {
    const parsed = asn1js.fromBER(response);
    if (parsed.offset !== response.length || !(parsed.result instanceof asn1js.Sequence))
      throw new Error('it is not one ASN.1 sequence');
    const [first, second] = parsed.result.valueBlock.value;
    if (first instanceof asn1js.ObjectIdentifier) return ok(response);
    const status = new PKIStatusInfo({ schema: first });
    if (status.status !== PKIStatus.granted && status.status !== PKIStatus.grantedWithMods) {
      const words = status.statusStrings?.map((each) => each.valueBlock.value).join(' ') ?? '';
      return fail('input.malformed', 'The time-stamp authority refused.', {
        cause: words || `status ${status.status}`,
      });
    }
    if (second === undefined) throw new Error('it holds no time-stamp');
    return ok(second.valueBeforeDecodeView.slice());
  } catch (error) {
    return fail('input.malformed', 'This is not the answer of a time-stamp authority.', {
      cause: error instanceof Error ? error.message : String(error),
    });
  }
}
