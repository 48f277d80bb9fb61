import type { ReadCertificate } from './read-certificate.ts';

const MINIMUM_RSA_BITS = 2048;
const MINIMUM_CURVE_BITS = 256;

const SIGNATURES: Readonly<Record<string, readonly [string, boolean]>> = {
  '1.2.840.113549.1.1.2': ['md2WithRSAEncryption', false],
  '1.2.840.113549.1.1.3': ['md4WithRSAEncryption', false],
  '1.2.840.113549.1.1.4': ['md5WithRSAEncryption', false],
  '1.2.840.113549.1.1.5': ['sha1WithRSAEncryption', false],
  '1.3.14.3.2.29': ['sha1WithRSAEncryption', false],
  '1.2.840.113549.1.1.14': ['sha224WithRSAEncryption', true],
  '1.2.840.113549.1.1.11': ['sha256WithRSAEncryption', true],
  '1.2.840.113549.1.1.12': ['sha384WithRSAEncryption', true],
  '1.2.840.113549.1.1.13': ['sha512WithRSAEncryption', true],
  '1.2.840.10045.4.1': ['ecdsa-with-SHA1', false],
  '1.2.840.10045.4.3.1': ['ecdsa-with-SHA224', true],
  '1.2.840.10045.4.3.2': ['ecdsa-with-SHA256', true],
  '1.2.840.10045.4.3.3': ['ecdsa-with-SHA384', true],
  '1.2.840.10045.4.3.4': ['ecdsa-with-SHA512', true],
  '1.2.840.10040.4.3': ['dsa-with-sha1', false],
  '2.16.840.1.101.3.4.3.2': ['dsa-with-sha256', false],
  '1.3.101.112': ['Ed25519', true],
  '1.3.101.113': ['Ed448', true],
};
const PSS_HASHES: Readonly<Record<string, readonly [string, boolean]>> = {
  '1.3.14.3.2.26': ['SHA-1', false],
  '2.16.840.1.101.3.4.2.1': ['SHA-256', true],
  '2.16.840.1.101.3.4.2.2': ['SHA-384', true],
  '2.16.840.1.101.3.4.2.3': ['SHA-512', true],
};
const CURVES: Readonly<Record<string, readonly [string, number]>> = {
  prime256v1: ['P-256', 256],
  secp384r1: ['P-384', 384],
  secp521r1: ['P-521', 521],
  secp256k1: ['secp256k1', 256],
  secp224r1: ['P-224', 224],
  prime192v1: ['P-192', 192],
  brainpoolP256r1: ['brainpoolP256r1', 256],
  brainpoolP384r1: ['brainpoolP384r1', 384],
  brainpoolP512r1: ['brainpoolP512r1', 512],
};

export type KeyFacts = { algorithm: string; bits?: number; curve?: string; strong: boolean };
export type SignatureFacts = { algorithm: string; strong: boolean };

/** Kind and strength of the certificate's public key. What is not recognised counts as not strong. */
export function keyFacts(certificate: ReadCertificate): KeyFacts {
  const key = certificate.node.publicKey;
  const details = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss': {
      const bits = details.modulusLength ?? 0;
      return { algorithm: key.asymmetricKeyType === 'rsa' ? 'RSA' : 'RSA-PSS', bits, strong: bits >= MINIMUM_RSA_BITS };
    }
    case 'ec': {
      const named = details.namedCurve ?? '';
      const [curve, bits] = CURVES[named] ?? [named, undefined];
      return {
        algorithm: 'EC',
        ...(bits === undefined ? {} : { bits }),
        ...(curve === '' ? {} : { curve }),
        strong: (bits ?? 0) >= MINIMUM_CURVE_BITS,
      };
    }
    case 'ed25519':
      return { algorithm: 'Ed25519', bits: 256, strong: true };
    case 'ed448':
      return { algorithm: 'Ed448', bits: 448, strong: true };
    default:
      return { algorithm: key.asymmetricKeyType ?? 'unknown', strong: false };
  }
}

/** Kind and strength of the signature on the certificate. What is not recognised counts as not strong. */
export function signatureFacts(certificate: ReadCertificate): SignatureFacts {
  if (certificate.pssHashOid !== undefined) {
    const [hash, strong] = PSS_HASHES[certificate.pssHashOid] ?? [certificate.pssHashOid, false];
    return { algorithm: `RSASSA-PSS with ${hash}`, strong };
  }
  const [algorithm, strong] = SIGNATURES[certificate.signatureOid] ?? [certificate.signatureOid, false];
  return { algorithm, strong };
}
