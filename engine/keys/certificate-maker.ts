import 'reflect-metadata';
import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

export type Curve = 'P-256' | 'P-384' | 'P-521';
export type KeyKind = Curve | 'rsa-2048' | 'rsa-3072' | 'rsa-4096';
/** Taken from the library, because Node's and the DOM's types of the same object do not fit each other. */
export type KeyPair = Parameters<typeof x509.X509CertificateGenerator.createSelfSigned>[0]['keys'];
export type PrivateKey = KeyPair['privateKey'];
export type Usage = 'server' | 'client' | 'server-and-client' | 'sign' | 'code-signing' | 'ocsp-signing';

const subtle = globalThis.crypto.subtle;

/** Makes an extractable key pair for signing. */
export async function generateKeyPair(kind: KeyKind): Promise<KeyPair> {
  const algorithm = kind.startsWith('rsa-')
    ? {
        name: 'RSASSA-PKCS1-v1_5',
        modulusLength: Number(kind.slice(4)),
        publicExponent: new Uint8Array([1, 0, 1]),
        hash: 'SHA-256',
      }
    : { name: 'ECDSA', namedCurve: kind };
  return (await subtle.generateKey(algorithm, true, ['sign', 'verify'])) as KeyPair;
}

/** The algorithm with which a key of this kind signs certificates, requests and lists. */
export function signingAlgorithm(key: PrivateKey): { name: string; hash: string } {
  const curve = (key.algorithm as { namedCurve?: string }).namedCurve;
  return { name: key.algorithm.name, hash: curve === 'P-384' ? 'SHA-384' : curve === 'P-521' ? 'SHA-512' : 'SHA-256' };
}

/** Unencrypted PKCS#8 PEM (RFC 5958). The caller decides where it may go; never to disk as it is. */
export async function exportPrivateKey(key: PrivateKey): Promise<string> {
  return `${x509.PemConverter.encode(await subtle.exportKey('pkcs8', key), 'PRIVATE KEY').trimEnd()}\n`;
}

/** A certificate's PEM with a newline at its end, so that files can be joined. */
export function certificatePem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem').trimEnd()}\n`;
}

/** 16 random bytes, positive, as RFC 5280 4.1.2.2 wants it; hex. */
export function newSerialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

/**
 * Turns names into a subjectAltName extension: IP addresses, `user@host`, `scheme://…` and host names are told apart by
 * their form.
 */
export function subjectAltNames(names: readonly string[]): x509.SubjectAlternativeNameExtension {
  return new x509.SubjectAlternativeNameExtension(
    names.map((value) => {
      if (isIP(value) !== 0) return { type: 'ip' as const, value };
      if (value.includes('://')) return { type: 'url' as const, value };
      return value.includes('@') ? { type: 'email' as const, value } : { type: 'dns' as const, value };
    }),
  );
}

/** Key usage and extended key usage of a leaf. */
export function usageExtensions(usage: Usage, rsa: boolean): x509.Extension[] {
  const { serverAuth, clientAuth, emailProtection, codeSigning, ocspSigning } = x509.ExtendedKeyUsage;
  const extended = {
    server: [serverAuth],
    client: [clientAuth],
    'server-and-client': [serverAuth, clientAuth],
    sign: [emailProtection],
    'code-signing': [codeSigning],
    'ocsp-signing': [ocspSigning],
  }[usage];
  const tls = usage === 'server' || usage === 'client' || usage === 'server-and-client';
  const flags = x509.KeyUsageFlags.digitalSignature | (tls && rsa ? x509.KeyUsageFlags.keyEncipherment : 0);
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(flags, true),
    new x509.ExtendedKeyUsageExtension(extended),
  ];
}

/** A subject as x509 wants it; values stay whole whatever characters they hold. */
export function distinguishedName(parts: { commonName: string; organization?: string; unit?: string }): x509.Name {
  // Given as bare text, the library would take quotes and a leading # for its own notation.
  const whole = (value: string) => [{ utf8String: value }];
  return new x509.Name([
    ...(parts.organization === undefined ? [] : [{ O: whole(parts.organization) }]),
    ...(parts.unit === undefined ? [] : [{ OU: whole(parts.unit) }]),
    { CN: whole(parts.commonName) },
  ]);
}
