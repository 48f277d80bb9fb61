import 'reflect-metadata';
import { createHash, createPublicKey } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import type { CertificateTemplate } from '../../core/certificate-template.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import {
  distinguishedName,
  generateKeyPair,
  signingAlgorithm,
  subjectAltNames,
  usageExtensions,
} from './certificate-maker.ts';

/** What a certificate request (PKCS#10, RFC 2986) asks for. */
export type RequestFacts = {
  readonly pem: string;
  readonly subject: string;
  readonly commonName: string;
  /** Host names and IP addresses, as `canonicalName` writes them. */
  readonly names: readonly string[];
  /** e.g. `EC P-256`, `RSA 3072`. */
  readonly key: string;
  /** SHA-256 of the SubjectPublicKeyInfo, hex: what request and certificate have in common. */
  readonly publicKeySha256: string;
};

/**
 * Makes a key and a request for it. The key comes back as PKCS#8 (DER), unlocked: the caller locks it at once and clears it.
 * The request carries subject, subjectAltName, key usage and extended key usage.
 */
export async function makeRequest(
  template: CertificateTemplate,
): Promise<{ readonly requestPem: string; readonly pkcs8: Uint8Array }> {
  const keys = await generateKeyPair(template.key);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: distinguishedName({
      commonName: template.commonName,
      ...(template.organization === undefined ? {} : { organization: template.organization }),
      ...(template.unit === undefined ? {} : { unit: template.unit }),
    }),
    keys,
    signingAlgorithm: signingAlgorithm(keys.privateKey),
    extensions: [...usageExtensions(usageOf(template), isRsa(template)), subjectAltNames(template.names)],
  });
  const pkcs8 = await globalThis.crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { requestPem: `${request.toString('pem').trimEnd()}\n`, pkcs8: new Uint8Array(pkcs8) };
}

/** Reads a request in PEM and checks that its own key signed it. Error: `identity.invalid`. */
export async function readRequest(pem: string): Promise<Result<RequestFacts>> {
  try {
    const request = new x509.Pkcs10CertificateRequest(pem);
    if (!(await request.verify()))
      return fail('identity.invalid', 'The certificate request is not signed by its own key.');
    const extension = request.extensions.find((one) => one instanceof x509.SubjectAlternativeNameExtension);
    const names = extension?.names.items ?? [];
    const spki = Buffer.from(request.publicKey.rawData);
    return ok({
      pem: `${request.toString('pem').trimEnd()}\n`,
      subject: request.subject,
      commonName: request.subjectName.getField('CN')[0] ?? '',
      names: names.filter(({ type }) => type === 'dns' || type === 'ip').map(({ value }) => canonicalName(value)),
      key: describeKey(spki),
      publicKeySha256: publicKeyDigest(spki),
    });
  } catch (error) {
    return fail('identity.invalid', 'The certificate request cannot be read.', { cause: (error as Error).message });
  }
}

/** In which respects a request differs from what was wanted, in words; empty where it does not. */
export function requestDifferences(request: RequestFacts, template: CertificateTemplate): string[] {
  const wanted = template.names.map(canonicalName);
  const missing = wanted.filter((name) => !request.names.includes(name));
  const extra = request.names.filter((name) => !wanted.includes(name));
  const kind = template.key.startsWith('rsa-') ? `RSA ${template.key.slice(4)}` : `EC ${template.key}`;
  return [
    ...(request.commonName === template.commonName ? [] : [`The request is for ${request.subject}.`]),
    ...(missing.length === 0 ? [] : [`The request lacks the name ${missing.join(', ')}.`]),
    ...(extra.length === 0 ? [] : [`The request also asks for ${extra.join(', ')}.`]),
    ...(request.key === kind ? [] : [`The key is ${request.key}; asked for was ${kind}.`]),
  ];
}

/** The same request as a configuration for `openssl req -new -config`, for a key that never leaves the device. */
export function opensslRequestConfig(template: CertificateTemplate): string {
  const extended = template.purposes.map((purpose) => (purpose === 'server' ? 'serverAuth' : 'clientAuth'));
  const addresses = template.names.filter((name) => isIP(name) !== 0);
  const hosts = template.names.filter((name) => isIP(name) === 0);
  return [
    '[req]',
    'prompt = no',
    'utf8 = yes',
    'string_mask = utf8only',
    'distinguished_name = subject',
    'req_extensions = wanted',
    '[subject]',
    ...(template.organization === undefined ? [] : [`O = ${configValue(template.organization)}`]),
    ...(template.unit === undefined ? [] : [`OU = ${configValue(template.unit)}`]),
    `CN = ${configValue(template.commonName)}`,
    '[wanted]',
    'basicConstraints = critical,CA:FALSE',
    `keyUsage = critical,digitalSignature${isRsa(template) ? ',keyEncipherment' : ''}`,
    `extendedKeyUsage = ${extended.join(',')}`,
    'subjectAltName = @names',
    '[names]',
    ...hosts.map((name, index) => `DNS.${index + 1} = ${name}`),
    ...addresses.map((name, index) => `IP.${index + 1} = ${name}`),
    '',
  ].join('\n');
}

/** SHA-256 of a public key (SubjectPublicKeyInfo, DER), hex, whichever of the two encodings of a point it came in. */
export function publicKeyDigest(spki: Buffer): string {
  const same = createPublicKey({ key: spki, format: 'der', type: 'spki' }).export({ format: 'der', type: 'spki' });
  return createHash('sha256').update(same).digest('hex');
}

/** A host name or IP address in the one notation in which two of them can be compared. */
export function canonicalName(name: string): string {
  if (isIP(name) === 6) return new URL(`http://[${name}]`).hostname.slice(1, -1);
  return name.toLowerCase().replace(/\.$/, '');
}

function describeKey(spki: Buffer): string {
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  const curves: Record<string, string> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };
  if (key.asymmetricKeyType === 'rsa') return `RSA ${modulusLength}`;
  return key.asymmetricKeyType === 'ec' ? `EC ${curves[namedCurve ?? ''] ?? namedCurve}` : `${key.asymmetricKeyType}`;
}

function usageOf({ purposes }: CertificateTemplate): 'server' | 'client' | 'server-and-client' {
  const [first, second] = new Set(purposes);
  return second === undefined ? (first ?? 'server') : 'server-and-client';
}

function isRsa({ key }: CertificateTemplate): boolean {
  return key.startsWith('rsa-');
}

/** OpenSSL's configuration gives these a meaning (config(5)). */
function configValue(value: string): string {
  return value.replace(/[\\"'`#$]/g, '\\$&');
}
