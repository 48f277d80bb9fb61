import { constants, type KeyObject, verify } from 'node:crypto';
import * as pkijs from 'pkijs';

const HASHES: Readonly<Record<string, string | null>> = {
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': null,
  '1.3.101.113': null,
};
const PSS = '1.2.840.113549.1.1.10';
const PSS_HASHES: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/**
 * Checks the signature on a CRL or an OCSP answer. SHA-1 and what is not recognised count as not signed. Never throws.
 * @param signature content of the BIT STRING
 */
export function isSignedBy(
  key: KeyObject,
  algorithm: pkijs.AlgorithmIdentifier,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  try {
    const { algorithmId } = algorithm;
    if (algorithmId === PSS) {
      const schema: unknown = algorithm.algorithmParams;
      const hash = PSS_HASHES[new pkijs.RSASSAPSSParams({ schema }).hashAlgorithm.algorithmId];
      if (hash === undefined) return false;
      const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO };
      return verify(hash, data, { key, ...padding }, signature);
    }
    const hash = HASHES[algorithmId];
    return hash !== undefined && verify(hash, data, key, signature);
  } catch {
    return false;
  }
}

/** What a CRL or an OCSP answer says of one certificate, once its signature and dates were checked. */
export type RevocationAnswer =
  | {
      readonly usable: true;
      readonly status: 'good' | 'revoked' | 'unknown';
      readonly reason: string;
      readonly thisUpdate: Date;
      readonly nextUpdate?: Date;
    }
  | {
      readonly usable: false;
      readonly reason: string;
      readonly thisUpdate?: Date;
      readonly nextUpdate?: Date;
    };

const SKEW_MS = 5 * 60_000;

/** Why the dates of an answer forbid its use; undefined where they do not. */
export function datesForbid(thisUpdate: Date, nextUpdate: Date | undefined, now: Date): string | undefined {
  if (thisUpdate.getTime() > now.getTime() + SKEW_MS)
    return `It was made at ${thisUpdate.toISOString()}, which lies in the future; is the clock right?`;
  if (nextUpdate !== undefined && nextUpdate < now)
    return `It is out of date: a newer one was due at ${nextUpdate.toISOString()}.`;
  return undefined;
}

const REASONS: Readonly<Record<number, string>> = {
  0: 'no reason given',
  1: 'key compromise',
  2: 'compromise of the authority',
  3: 'affiliation changed',
  4: 'superseded',
  5: 'no longer in operation',
  6: 'on hold',
  9: 'privilege withdrawn',
  10: 'compromise of the attribute authority',
};

/** Words for a CRLReason (RFC 5280 section 5.3.1). */
export function revocationReason(code: number | undefined): string {
  return REASONS[code ?? 0] ?? `reason ${code}`;
}

/** Serial numbers compare as numbers: leading zeros and letters' case do not matter. */
export function sameSerial(hex: string, bytes: Uint8Array): boolean {
  return BigInt(`0x${hex}`) === BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`);
}
