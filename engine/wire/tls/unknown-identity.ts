import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import {
  certificatePem,
  distinguishedName,
  exportPrivateKey,
  generateKeyPair,
  type KeyPair,
  newSerialNumber,
  signingAlgorithm,
  subjectAltNames,
  usageExtensions,
} from '../../keys/certificate-maker.ts';
import type { ClientIdentity } from '../../keys/trial-identity.ts';

const HOUR_MS = 3_600_000;

/**
 * A certificate that nobody can trust: issued by a CA made for this moment, or self-signed. Only its issuer is wrong;
 * name, dates, key and usage are as they should be, so that a refusal means the issuer. Keys stay in memory.
 * @param names host names or addresses for the subjectAltName; the first is the common name
 */
export async function makeUnknownIdentity(
  names: readonly [string, ...string[]],
  usage: 'server' | 'client',
  selfSigned: boolean,
  now: Date,
): Promise<ClientIdentity> {
  // RSA, because some servers and devices ask for nothing else.
  const keys = await generateKeyPair('rsa-2048');
  const dates = { notBefore: new Date(now.getTime() - HOUR_MS), notAfter: new Date(now.getTime() + 24 * HOUR_MS) };
  const leafExtensions = [...usageExtensions(usage, true), subjectAltNames(names)];
  const name = distinguishedName({ commonName: names[0] });
  const key = await exportPrivateKey(keys.privateKey);
  if (selfSigned) {
    const own = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: newSerialNumber(),
      name,
      ...dates,
      keys,
      signingAlgorithm: signingAlgorithm(keys.privateKey),
      extensions: leafExtensions,
    });
    return { certificate: certificatePem(own), key };
  }
  const caKeys: KeyPair = await generateKeyPair('rsa-2048');
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerialNumber(),
    name: distinguishedName({ commonName: 'Lockstep unknown CA' }),
    ...dates,
    keys: caKeys,
    signingAlgorithm: signingAlgorithm(caKeys.privateKey),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  });
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: newSerialNumber(),
    subject: name,
    issuer: ca.subjectName,
    ...dates,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: signingAlgorithm(caKeys.privateKey),
    extensions: leafExtensions,
  });
  return { certificate: certificatePem(leaf) + certificatePem(ca), key };
}
