import type * as asn1js from 'asn1js';
import { BasicConstraints, Certificate, type CryptoEngine, ExtKeyUsage, RSAPublicKey } from 'pkijs';
import { base64ToBytes } from './manifest.ts';

/** Roots in PEM per role: apart, so that none can sign for another. */
export type Trust = {
  readonly engineer?: readonly string[];
  readonly hospital?: readonly string[];
  readonly publisher?: readonly string[];
  readonly timestamp?: readonly string[];
};
export type TrustRole = keyof Trust;
/** Who signs; a time-stamp authority only says when. */
export type Role = Exclude<TrustRole, 'timestamp'>;

export type PathResult = {
  /** Anchor reached, leaf first; undefined when no path leads to one. */
  readonly path?: readonly Certificate[];
  /** Whole sentences on what is wrong with the path, or on why there is none. */
  readonly faults: readonly string[];
};

const OID = {
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  extendedKeyUsage: '2.5.29.37',
  anyUsage: '2.5.29.37.0',
  emailProtection: '1.3.6.1.5.5.7.3.4',
  timeStamping: '1.3.6.1.5.5.7.3.8',
  documentSigning: '1.3.6.1.5.5.7.3.36',
} as const;
/** Extensions whose meaning is honoured below, or that restrict nothing here. */
const UNDERSTOOD = new Set<string>([
  OID.keyUsage,
  OID.basicConstraints,
  OID.extendedKeyUsage,
  '2.5.29.14',
  '2.5.29.17',
  '2.5.29.31',
  '2.5.29.32',
  '2.5.29.35',
]);
const WEAK_SIGNATURES = new Set([
  '1.2.840.113549.1.1.4',
  '1.2.840.113549.1.1.5',
  '1.2.840.10045.4.1',
  '1.2.840.10040.4.3',
]);
/** Bits of an RSA modulus (NIST SP 800-131A). */
const MIN_RSA = 2048;
const MAX_DEPTH = 8;
const MAX_TRIES = 200;

/** Reads every certificate of a PEM text. Throws when one is damaged or there is none. */
export function certificatesFromPem(pem: string): Certificate[] {
  const blocks = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]+?)-----END CERTIFICATE-----/g)];
  if (blocks.length === 0) throw new Error('there is no certificate in it');
  return blocks.map((block) => Certificate.fromBER(base64ToBytes(block[1] ?? '').buffer));
}

/** Common name, or the first value of the subject. */
export function commonName(certificate: Certificate): string {
  const values = certificate.subject.typesAndValues;
  const found = values.find((each) => each.type === '2.5.4.3') ?? values[0];
  return found === undefined ? '(no name)' : String(found.value.valueBlock.value);
}

/** Subject as text, `CN=…, O=…`. */
export function nameText(name: Certificate['subject']): string {
  const short: Record<string, string> = {
    '2.5.4.3': 'CN',
    '2.5.4.6': 'C',
    '2.5.4.7': 'L',
    '2.5.4.8': 'ST',
    '2.5.4.10': 'O',
    '2.5.4.11': 'OU',
  };
  return name.typesAndValues
    .map((each) => `${short[each.type] ?? each.type}=${String(each.value.valueBlock.value)}`)
    .join(', ');
}

/**
 * Looks for a path from `leaf` over `pool` to one of `anchors` (RFC 5280 6.1), valid at `date`. Where several paths
 * exist, one without faults is taken. Adds what pkijs' own engine does not check: path lengths and critical extensions
 * that nobody here understands.
 */
export async function findPath(
  leaf: Certificate,
  pool: readonly Certificate[],
  anchors: readonly Certificate[],
  date: Date,
  engine: CryptoEngine,
): Promise<PathResult> {
  let best: PathResult | undefined;
  let tries = 0;
  const walk = async (path: readonly Certificate[]): Promise<boolean> => {
    const current = path.at(-1);
    if (current === undefined || tries++ > MAX_TRIES) return false;
    if (anchors.some((anchor) => same(anchor, current))) {
      const faults = pathFaults(path, date);
      if (best === undefined || faults.length < best.faults.length) best = { path, faults };
      return faults.length === 0;
    }
    if (path.length >= MAX_DEPTH) return false;
    for (const issuer of [...anchors, ...pool]) {
      if (path.some((each) => same(each, issuer)) || !current.issuer.isEqual(issuer.subject)) continue;
      if (!(await isSignedBy(current, issuer, engine))) continue;
      if (await walk([...path, issuer])) return true;
    }
    return false;
  };
  await walk([leaf]);
  return (
    best ?? {
      faults: [`No path leads from ${commonName(leaf)}, issued by ${nameText(leaf.issuer)}, to a trusted root.`],
    }
  );
}

/** Same bytes. */
export function same(a: Certificate, b: Certificate): boolean {
  return equal(new Uint8Array(a.toSchema().toBER()), new Uint8Array(b.toSchema().toBER()));
}

/** Same public key, whatever certificate it is in. */
export function sameKey(a: Certificate, b: Certificate): boolean {
  return equal(
    a.subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView,
    b.subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView,
  );
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

async function isSignedBy(certificate: Certificate, issuer: Certificate, engine: CryptoEngine): Promise<boolean> {
  try {
    return await certificate.verify(issuer, engine);
  } catch {
    // A key or an algorithm that cannot be used: this is no path, and the search says so when there is no other.
    return false;
  }
}

function pathFaults(path: readonly Certificate[], date: Date): string[] {
  const faults: string[] = [];
  let intermediates = 0;
  path.forEach((certificate, index) => {
    const name = commonName(certificate);
    faults.push(...validityFaults(certificate, date));
    for (const extension of certificate.extensions ?? []) {
      if (extension.extnID === OID.nameConstraints)
        faults.push(`${name} restricts names in a way that is not checked here.`);
      else if (extension.critical && !UNDERSTOOD.has(extension.extnID)) {
        faults.push(`${name} holds a critical extension that is not understood (${extension.extnID}).`);
      }
    }
    const bits = rsaBits(certificate);
    if (bits !== undefined && bits < MIN_RSA) faults.push(`${name} has an RSA key of only ${bits} bits.`);
    const isAnchor = index === path.length - 1;
    if (!isAnchor && WEAK_SIGNATURES.has(certificate.signatureAlgorithm.algorithmId))
      faults.push(`${name} is signed with a broken digest.`);
    if (index === 0) return;
    const constraints = extension(certificate, OID.basicConstraints);
    if (!(constraints instanceof BasicConstraints) || !constraints.cA)
      faults.push(`${name} is not a certification authority.`);
    else if (pathLength(constraints) < intermediates)
      faults.push(`${name} allows fewer authorities below it than there are.`);
    if (!hasUsage(certificate, 5)) faults.push(`${name} may not sign certificates.`);
    if (!certificate.issuer.isEqual(certificate.subject)) intermediates++;
  });
  return faults;
}

/** Sentences when a certificate is not valid at `date`. */
export function validityFaults(certificate: Certificate, date: Date): string[] {
  const from = certificate.notBefore.value;
  const until = certificate.notAfter.value;
  if (date < from) return [`The certificate of ${commonName(certificate)} is valid only from ${from.toISOString()}.`];
  if (date > until) return [`The certificate of ${commonName(certificate)} expired on ${until.toISOString()}.`];
  return [];
}

/** Sentences when a leaf may not sign documents. */
export function signerFaults(leaf: Certificate): string[] {
  const name = commonName(leaf);
  const faults: string[] = [];
  if (!hasUsage(leaf, 0) && !hasUsage(leaf, 1))
    faults.push(`The certificate of ${name} lacks the key usage digitalSignature.`);
  const usages = extension(leaf, OID.extendedKeyUsage);
  const allowed: readonly string[] = [OID.emailProtection, OID.documentSigning, OID.anyUsage];
  if (usages instanceof ExtKeyUsage && !usages.keyPurposes.some((purpose) => allowed.includes(purpose))) {
    faults.push(
      `The certificate of ${name} is for another purpose than signing documents (${usages.keyPurposes.join(', ')}).`,
    );
  }
  return faults;
}

/** Sentences when a leaf may not issue time-stamps: that use alone, and critical (RFC 3161 2.3). */
export function timestampFaults(leaf: Certificate): string[] {
  const found = leaf.extensions?.find((each) => each.extnID === OID.extendedKeyUsage);
  const usages = found?.parsedValue;
  const only =
    usages instanceof ExtKeyUsage && usages.keyPurposes.length === 1 && usages.keyPurposes[0] === OID.timeStamping;
  const faults: string[] = [];
  if (!only || found?.critical !== true)
    faults.push(`The certificate of ${commonName(leaf)} is not for time-stamps alone (critical timeStamping).`);
  if (!hasUsage(leaf, 0) && !hasUsage(leaf, 1))
    faults.push(`The certificate of ${commonName(leaf)} lacks the key usage digitalSignature.`);
  return faults;
}

/** Length of the modulus, undefined for other kinds of keys. */
function rsaBits(certificate: Certificate): number | undefined {
  const key = certificate.subjectPublicKeyInfo.parsedKey;
  if (!(key instanceof RSAPublicKey)) return undefined;
  const bytes = key.modulus.valueBlock.valueHexView;
  const from = bytes.findIndex((byte) => byte !== 0);
  return from < 0 ? 0 : (bytes.length - from) * 8 - (Math.clz32(bytes[from] ?? 0) - 24);
}

function extension(certificate: Certificate, oid: string): unknown {
  return certificate.extensions?.find((each) => each.extnID === oid)?.parsedValue;
}

function pathLength(constraints: BasicConstraints): number {
  const value = constraints.pathLenConstraint as number | asn1js.Integer | undefined;
  if (value === undefined) return Number.POSITIVE_INFINITY;
  return typeof value === 'number' ? value : value.valueBlock.valueDec;
}

/** Bit of the key usage, counted from 0 (RFC 5280 4.2.1.3). Without the extension every usage is allowed. */
export function hasUsage(certificate: Certificate, bit: number): boolean {
  const usage = certificate.extensions?.find((each) => each.extnID === OID.keyUsage)?.parsedValue as
    | asn1js.BitString
    | undefined;
  if (usage === undefined) return certificate.extensions?.some((each) => each.extnID === OID.keyUsage) !== true;
  return ((usage.valueBlock.valueHexView[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0;
}
