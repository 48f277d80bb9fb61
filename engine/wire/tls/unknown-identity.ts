import 'reflect-metadata';
import { X509Certificate as NodeCertificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import {
  certificatePem,
  distinguishedName,
  exportPrivateKey,
  generateKeyPair,
  type KeyKind,
  type KeyPair,
  newSerialNumber,
  signingAlgorithm,
  subjectAltNames,
  usageExtensions,
} from '../../keys/certificate-maker.ts';
import type { ClientIdentity } from '../../keys/trial-identity.ts';

const HOUR_MS = 3_600_000;
const CURVES: Readonly<Record<string, KeyKind>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };

/** How an identity that nobody can trust is made. */
export type Guise = {
  /** Issued by a CA made for this moment, by one that bears the name of the issuer of `like`, or self-signed. */
  readonly by: 'unknown-ca' | 'namesake' | 'itself';
  /** Host names or addresses for the subjectAltName; the first is the common name. Not looked at where there is `like`. */
  readonly names: readonly [string, ...string[]];
  readonly usage: 'server' | 'client';
  /** A good identity, PEM, whose subject, names and kind of key are taken over. */
  readonly like?: string;
};

/**
 * A certificate that nobody can trust. Only its issuer is wrong; name, dates, key and usage are as they should be, so that a
 * refusal means the issuer, and not a name that nobody expects or a kind of key that nobody takes. Keys stay in memory.
 */
export async function makeUnknownIdentity({ by, names, usage, like }: Guise, now: Date): Promise<ClientIdentity> {
  const model = like === undefined ? undefined : new x509.X509Certificate(like);
  const kind = like === undefined ? 'rsa-2048' : kindOf(like);
  const keys = await generateKeyPair(kind);
  const dates = { notBefore: new Date(now.getTime() - HOUR_MS), notAfter: new Date(now.getTime() + 24 * HOUR_MS) };
  const extensions = [
    ...usageExtensions(usage, kind.startsWith('rsa')),
    ...(model === undefined ? [subjectAltNames(names)] : model.getExtensions(x509.SubjectAlternativeNameExtension)),
  ];
  const name = model?.subjectName ?? distinguishedName({ commonName: names[0] });
  const key = await exportPrivateKey(keys.privateKey);
  if (by === 'itself') {
    const own = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: newSerialNumber(),
      name,
      ...dates,
      keys,
      signingAlgorithm: signingAlgorithm(keys.privateKey),
      extensions,
    });
    return { certificate: certificatePem(own), key };
  }
  const caKeys: KeyPair = await generateKeyPair(kind);
  const unknown = distinguishedName({ commonName: 'Lockstep unknown CA' });
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerialNumber(),
    name: by === 'namesake' && model !== undefined ? model.issuerName : unknown,
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
    extensions,
  });
  return { certificate: certificatePem(leaf) + certificatePem(ca), key };
}

/** The kind of key to make beside this certificate's; RSA, which most ends take, where it is none that we make. */
function kindOf(pem: string): KeyKind {
  const { asymmetricKeyType, asymmetricKeyDetails } = new NodeCertificate(pem).publicKey;
  return (asymmetricKeyType === 'ec' ? CURVES[asymmetricKeyDetails?.namedCurve ?? ''] : undefined) ?? 'rsa-2048';
}
