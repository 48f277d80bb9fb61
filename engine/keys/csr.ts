import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { OctetString } from 'asn1js';
import { PKCS8ShroudedKeyBag, PrivateKeyInfo } from 'pkijs';
import { fail, ok, type Result } from '../../core/result.ts';
import { distinguishedName, generateKeyPair, signingAlgorithm, subjectAltNames } from './certificate-maker.ts';

/** Shorter ones are refused: the file may be copied and tried at leisure. */
export const MIN_PASSPHRASE = 8;

/** Rounds of PBKDF2, as OWASP's password storage cheat sheet wants for HMAC-SHA-256. */
const ROUNDS = 600_000;

export type NewIdentity = {
  /** PKCS#8 encrypted with PBES2 (RFC 8018): AES-256-CBC, PBKDF2. The only form in which the key is given out. */
  readonly encryptedKeyPem: string;
  /** PKCS#10 (RFC 2986), for the authority that issues the certificate. */
  readonly requestPem: string;
};

/**
 * Makes a P-256 key and a certificate request. The certificate that comes back is joined to the key by
 * `identityFromPem(encryptedKeyPem + certificatePem, passphrase)`. Error: `identity.passphrase` when it is too short.
 */
export async function newIdentity(options: {
  name: string;
  organization?: string;
  email?: string;
  passphrase: string;
}): Promise<Result<NewIdentity>> {
  if (options.passphrase.length < MIN_PASSPHRASE) {
    return fail('identity.passphrase', `A passphrase of at least ${MIN_PASSPHRASE} characters locks the new key.`);
  }
  if (options.name.trim() === '') return fail('identity.invalid', 'An identity needs the name of a person.');
  const keys = await generateKeyPair('P-256');
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: distinguishedName({
      commonName: options.name,
      ...(options.organization === undefined ? {} : { organization: options.organization }),
    }),
    keys,
    signingAlgorithm: signingAlgorithm(keys.privateKey),
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.emailProtection]),
      ...(options.email === undefined ? [] : [subjectAltNames([options.email])]),
    ],
  });
  const pkcs8 = await globalThis.crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return ok({
    encryptedKeyPem: await encryptPrivateKey(new Uint8Array(pkcs8), options.passphrase),
    requestPem: `${request.toString('pem').trimEnd()}\n`,
  });
}

/** Locks a PKCS#8 key (DER) with a passphrase; PEM `ENCRYPTED PRIVATE KEY`, which `openssl pkey` opens. */
export async function encryptPrivateKey(pkcs8: Uint8Array, passphrase: string): Promise<string> {
  const bag = new PKCS8ShroudedKeyBag({ parsedValue: PrivateKeyInfo.fromBER(new Uint8Array(pkcs8).buffer) });
  await bag.makeInternalValues({
    password: new TextEncoder().encode(passphrase).buffer,
    contentEncryptionAlgorithm: { name: 'AES-CBC', length: 256 } as Parameters<
      typeof bag.makeInternalValues
    >[0]['contentEncryptionAlgorithm'],
    hmacHashAlgorithm: 'SHA-256',
    iterationCount: ROUNDS,
  });
  // pkijs cuts it into pieces, which is BER: BoringSSL (Electron) reads DER only.
  bag.encryptedData = new OctetString({ valueHex: bag.encryptedData?.getValue() ?? new ArrayBuffer(0) });
  return `${x509.PemConverter.encode(bag.toSchema().toBER(), 'ENCRYPTED PRIVATE KEY').trimEnd()}\n`;
}
