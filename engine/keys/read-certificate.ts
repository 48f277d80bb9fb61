import { createHash, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import * as pkijs from 'pkijs';
import { fail, ok, type Result } from '../../core/result.ts';

export type GeneralName = { readonly kind: 'dns' | 'ip' | 'other'; readonly value: string };
export type Subtree = { readonly kind: 'dns' | 'ip' | 'other'; readonly value: string; readonly bytes?: Buffer };

/** A certificate with what chain building and the facts need from it, read once. */
export type ReadCertificate = {
  readonly der: Buffer;
  readonly node: X509Certificate;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly signatureOid: string;
  /** Hash inside RSASSA-PSS parameters. */
  readonly pssHashOid?: string;
  readonly sans: readonly GeneralName[];
  /** Absent: no such extension. */
  readonly ca?: { readonly isCa: boolean; readonly pathLength?: number };
  readonly keyUsage?: readonly string[];
  readonly extendedKeyUsage?: readonly string[];
  readonly nameConstraints?: { readonly permitted: readonly Subtree[]; readonly excluded: readonly Subtree[] };
  /** Critical extensions that Lockstep does not process. */
  readonly unknownCritical: readonly string[];
};

const KEY_USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
];
const EXTENDED: Readonly<Record<string, string>> = {
  '1.3.6.1.5.5.7.3.1': 'serverAuth',
  '1.3.6.1.5.5.7.3.2': 'clientAuth',
  '1.3.6.1.5.5.7.3.3': 'codeSigning',
  '1.3.6.1.5.5.7.3.4': 'emailProtection',
  '1.3.6.1.5.5.7.3.8': 'timeStamping',
  '1.3.6.1.5.5.7.3.9': 'OCSPSigning',
  '2.5.29.37.0': 'anyExtendedKeyUsage',
};
const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const ALTERNATIVE_NAME = '2.5.29.17';
const NAME_CONSTRAINTS = '2.5.29.30';
const PROCESSED = new Set([
  BASIC_CONSTRAINTS,
  KEY_USAGE,
  EXTENDED_KEY_USAGE,
  ALTERNATIVE_NAME,
  NAME_CONSTRAINTS,
  '2.5.29.32',
]);

/** Reads one DER certificate (RFC 5280). Error: `identity.invalid`. */
export function readCertificate(der: Uint8Array): Result<ReadCertificate> {
  try {
    const bytes = Buffer.from(der);
    const node = new X509Certificate(bytes);
    const parsed = pkijs.Certificate.fromBER(bytes);
    const extensions = parsed.extensions ?? [];
    const ids = extensions.map((extension) => extension.extnID);
    if (new Set(ids).size !== ids.length)
      return fail('identity.invalid', 'The certificate carries an extension twice.');
    const found = (id: string): unknown => {
      const extension = extensions.find((one) => one.extnID === id);
      if (extension === undefined) return undefined;
      const value: unknown = extension.parsedValue;
      if (value === undefined || value === null || (value as { parsingError?: string }).parsingError !== undefined)
        throw new Error(`extension ${id} cannot be read`);
      return value;
    };
    const basic = found(BASIC_CONSTRAINTS) as pkijs.BasicConstraints | undefined;
    const usage = found(KEY_USAGE) as { valueBlock: { valueHexView: Uint8Array } } | undefined;
    const extended = found(EXTENDED_KEY_USAGE) as pkijs.ExtKeyUsage | undefined;
    const names = found(ALTERNATIVE_NAME) as pkijs.AltName | undefined;
    const constraints = found(NAME_CONSTRAINTS) as pkijs.NameConstraints | undefined;
    const signatureOid = parsed.signatureAlgorithm.algorithmId;
    return ok({
      der: bytes,
      node,
      notBefore: parsed.notBefore.value,
      notAfter: parsed.notAfter.value,
      signatureOid,
      ...(signatureOid === '1.2.840.113549.1.1.10' ? { pssHashOid: pssHash(parsed) } : {}),
      sans: (names?.altNames ?? []).map(generalName),
      ...(basic === undefined
        ? {}
        : {
            ca: {
              isCa: basic.cA,
              ...(typeof basic.pathLenConstraint === 'number' ? { pathLength: basic.pathLenConstraint } : {}),
            },
          }),
      ...(usage === undefined ? {} : { keyUsage: usageNames(usage.valueBlock.valueHexView) }),
      ...(extended === undefined ? {} : { extendedKeyUsage: extended.keyPurposes.map((oid) => EXTENDED[oid] ?? oid) }),
      ...(constraints === undefined
        ? {}
        : {
            nameConstraints: {
              permitted: (constraints.permittedSubtrees ?? []).map((tree) => subtree(tree.base)),
              excluded: (constraints.excludedSubtrees ?? []).map((tree) => subtree(tree.base)),
            },
          }),
      unknownCritical: extensions
        .filter((extension) => extension.critical && !PROCESSED.has(extension.extnID))
        .map((extension) => extension.extnID),
    });
  } catch (error) {
    return fail('identity.invalid', 'The certificate cannot be read.', { cause: (error as Error).message });
  }
}

/** Reads every certificate in a PEM text. Error: `identity.invalid`, also where there is none. */
export function readCertificatesPem(pem: string): Result<ReadCertificate[]> {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) return fail('identity.invalid', 'There is no certificate in PEM form.');
  const certificates: ReadCertificate[] = [];
  for (const block of blocks) {
    const read = readCertificate(Buffer.from(block.replace(/-----[^-]+-----/g, ''), 'base64'));
    if (!read.ok) return read;
    certificates.push(read.value);
  }
  return ok(certificates);
}

/** SHA-256 of the DER, lower-case hexadecimal. */
export function fingerprint(certificate: ReadCertificate): string {
  return createHash('sha256').update(certificate.der).digest('hex');
}

/** One line of a distinguished name, as Node shows it with commas instead of lines. */
export function oneLine(name: string | undefined): string {
  return (name ?? '').split('\n').join(', ');
}

/** What facts say about a certificate. */
export function summarise(certificate: ReadCertificate): {
  subject: string;
  issuer: string;
  serial: string;
  notBefore: string;
  notAfter: string;
  sha256: string;
  pem: string;
} {
  const { node } = certificate;
  return {
    subject: oneLine(node.subject),
    issuer: oneLine(node.issuer),
    serial: node.serialNumber.toLowerCase(),
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
    sha256: fingerprint(certificate),
    pem: node.toString(),
  };
}

/**
 * Whether the certificate carries the name (RFC 6125): subjectAltName only, never the common name; a wildcard is the
 * whole left-most label and stands for exactly one.
 */
export function matchName(
  certificate: ReadCertificate,
  name: string,
): { expected: string; matches: boolean; sans: string[] } {
  // A dot at the end makes a name absolute in DNS; in a certificate it has no place (RFC 5280 section 4.2.1.6).
  const wanted = canonicalName(isIP(name) === 0 ? name.replace(/\.$/, '') : name);
  const matches = certificate.sans.some(({ kind, value }) => {
    if (isIP(name) !== 0) return kind === 'ip' && canonicalName(value) === wanted;
    if (kind !== 'dns') return false;
    const pattern = canonicalName(value);
    if (pattern === wanted) return true;
    const [first, ...rest] = wanted.split('.');
    return (
      first !== '' &&
      pattern.startsWith('*.') &&
      rest.length >= 2 &&
      pattern.slice(2) === rest.join('.') &&
      !pattern.slice(2).includes('*')
    );
  });
  return {
    expected: name,
    matches,
    sans: certificate.sans.filter(({ kind }) => kind !== 'other').map(({ value }) => value),
  };
}

function canonicalName(name: string): string {
  if (isIP(name) === 6) return new URL(`http://[${name}]`).hostname;
  return name.toLowerCase();
}

function generalName(name: pkijs.GeneralName): GeneralName {
  if (name.type === 2) return { kind: 'dns', value: String(name.value) };
  const address = name.type === 7 ? ipText(octets(name)) : '';
  return address === '' ? { kind: 'other', value: '' } : { kind: 'ip', value: address };
}

function subtree(name: pkijs.GeneralName): Subtree {
  if (name.type === 2) return { kind: 'dns', value: String(name.value).toLowerCase() };
  if (name.type === 7) return { kind: 'ip', value: '', bytes: octets(name) };
  return { kind: 'other', value: '' };
}

function octets(name: pkijs.GeneralName): Buffer {
  return Buffer.from((name.value as { valueBlock: { valueHexView: Uint8Array } }).valueBlock.valueHexView);
}

/** Text of 4 or 16 address bytes. */
export function ipText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) return '';
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return canonicalName(groups.join(':')).replace(/^\[|\]$/g, '');
}

function usageNames(bits: Uint8Array): string[] {
  return KEY_USAGES.filter((_, index) => ((bits[index >> 3] ?? 0) & (0x80 >> (index & 7))) !== 0);
}

function pssHash(certificate: pkijs.Certificate): string {
  const schema: unknown = certificate.signatureAlgorithm.algorithmParams;
  return new pkijs.RSASSAPSSParams({ schema }).hashAlgorithm.algorithmId;
}

/** SHA-256 of the SubjectPublicKeyInfo (DER), hex. */
export function publicKeyOf({ node }: ReadCertificate): string {
  return createHash('sha256')
    .update(node.publicKey.export({ format: 'der', type: 'spki' }))
    .digest('hex');
}
