import * as asn1js from 'asn1js';
import { type Certificate, TSTInfo } from 'pkijs';
import { type CmsResult, verifyToken } from './cms.ts';
import type { Found } from './finding.ts';
import { cryptoEngine, type Host, toHex } from './host.ts';
import { metaName } from './layout.ts';
import {
  certificatesFromPem,
  commonName,
  findPath,
  timestampFaults,
  type Trust,
  type TrustRole,
  validityFaults,
} from './trust.ts';
import { checkManifest, type Opened } from './verify-container.ts';

/** How far clocks may differ, in milliseconds. */
export const CLOCK_SLACK = 300_000;

/** A time-stamp whose authority is trusted: all before it existed at `time`. */
export type ProvenTime = { readonly number: number; readonly time: Date };

/** What a token says and what is wrong with it; says nothing yet about trust. */
export type TokenReading = {
  readonly faults: readonly string[];
  readonly time?: Date;
  readonly leaf?: Certificate;
  readonly certificates: readonly Certificate[];
  /** Lower-case hex. */
  readonly nonce?: string;
};

const IMPRINTS: Record<string, string> = {
  '2.16.840.1.101.3.4.2.1': 'SHA-256',
  '2.16.840.1.101.3.4.2.2': 'SHA-384',
  '2.16.840.1.101.3.4.2.3': 'SHA-512',
};

/** Reads a time-stamp token (RFC 3161) and checks that it is about `content`. Never throws. */
export async function readToken(
  token: Uint8Array<ArrayBuffer>,
  content: Uint8Array<ArrayBuffer>,
  host: Host,
): Promise<TokenReading> {
  const { content: info, ...cms } = await verifyToken(token, host.webCrypto);
  const faults = [...cms.faults];
  if (info === undefined) return { faults, certificates: cms.certificates };
  try {
    const tst = TSTInfo.fromBER(info.buffer);
    const imprint = tst.messageImprint;
    const algorithm = IMPRINTS[imprint.hashAlgorithm.algorithmId];
    if (algorithm === undefined)
      faults.push(`The time-stamp uses a digest that is not accepted (${imprint.hashAlgorithm.algorithmId}).`);
    else {
      const computed = toHex(new Uint8Array(await host.webCrypto.subtle.digest(algorithm, content)));
      if (computed !== toHex(imprint.hashedMessage.valueBlock.valueHexView))
        faults.push('The time-stamp is about other bytes than the manifest beside it.');
    }
    if (cms.leaf !== undefined) faults.push(...timestampFaults(cms.leaf));
    return {
      ...about(cms, faults),
      time: tst.genTime,
      ...(tst.nonce instanceof asn1js.Integer ? { nonce: toHex(tst.nonce.valueBlock.valueHexView) } : {}),
    };
  } catch (error) {
    faults.push(`The time-stamp cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
    return about(cms, faults);
  }
}

function about(cms: CmsResult, faults: readonly string[]): TokenReading {
  return { faults, certificates: cms.certificates, ...(cms.leaf === undefined ? {} : { leaf: cms.leaf }) };
}

/** When everything up to number `before` is first proven to have existed; undefined when nothing proves it. */
export function earliest(proven: readonly ProvenTime[], before: number): Date | undefined {
  const times = proven.filter((each) => each.number > before).map((each) => each.time.getTime());
  return times.length === 0 ? undefined : new Date(Math.min(...times));
}

/**
 * Checks every time-stamp of a container, the last first: an earlier one whose authority has expired since holds when a
 * later one shows that it existed before. Answers with those whose authority leads to a root of the role.
 */
export async function checkTimestamps(
  opened: Opened,
  trust: Trust,
  at: Date,
  host: Host,
  found: Found,
): Promise<readonly ProvenTime[]> {
  const proven: ProvenTime[] = [];
  for (const number of opened.numbers.toReversed()) {
    if (!opened.digests.has(metaName('timestamp', number))) continue;
    const time = await checkOne(opened, number, trust, at, earliest(proven, number) ?? at, host, found);
    if (time !== undefined) proven.push({ number, time });
  }
  return proven;
}

async function checkOne(
  opened: Opened,
  number: number,
  trust: Trust,
  at: Date,
  until: Date,
  host: Host,
  found: Found,
): Promise<Date | undefined> {
  const place = metaName('timestamp', number);
  if (number === 1 || opened.kind === 'guide')
    found.bad(
      'timestamp.unexpected',
      'A time-stamp stands behind the signatures of a bundle, and nowhere else.',
      place,
    );
  for (const kind of ['signature', 'statement'] as const) {
    if (opened.digests.has(metaName(kind, number)))
      found.bad('timestamp.unexpected', `Beside a time-stamp there is no ${kind}.`, metaName(kind, number));
  }
  const manifest = await checkManifest(opened, number, 'timestamp', found);
  const token = await opened.bytes(place);
  if (manifest === undefined || token === undefined) return undefined;
  const reading = await readToken(token, manifest, host);
  for (const fault of reading.faults) found.bad('timestamp.broken', fault, place);
  const { time, leaf } = reading;
  if (reading.faults.length > 0 || time === undefined || leaf === undefined) return undefined;
  const stated = `${commonName(leaf)} says that all before it existed on ${time.toISOString()}.`;
  if (time.getTime() > at.getTime() + CLOCK_SLACK) {
    found.bad('timestamp.future', `${stated} That is after the date of this check.`, place);
    return undefined;
  }
  const anchors = anchorsOf(trust, 'timestamp', found);
  if (anchors.length === 0) {
    found.warn('timestamp.untrusted', `${stated} No root was given for time-stamps, so this proves nothing.`, place);
    return undefined;
  }
  const path = await findPath(leaf, reading.certificates, anchors, time, cryptoEngine(host.webCrypto));
  for (const fault of path.faults) found.bad('timestamp.trust', fault, place);
  if (path.path === undefined || path.faults.length > 0) return undefined;
  const expired = path.path.flatMap((each) => validityFaults(each, until));
  if (expired.length > 0) {
    found.warn('timestamp.expired', `${stated} ${expired[0]} No later time-stamp shows that it is older.`, place);
    return undefined;
  }
  found.info('timestamp', `${stated} The authority is trusted.`, place);
  return time;
}

/** Roots of one role; unreadable ones are a finding. */
export function anchorsOf(trust: Trust, role: TrustRole, found: Found): Certificate[] {
  try {
    return (trust[role] ?? []).flatMap(certificatesFromPem);
  } catch (error) {
    const sentence = `The roots given for the role ${role} cannot be read: ${error instanceof Error ? error.message : String(error)}.`;
    if (!found.list.some((each) => each.sentence === sentence)) found.bad('trust.unreadable', sentence);
    return [];
  }
}
