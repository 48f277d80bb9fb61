import 'reflect-metadata';
import { createHash } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** What a certificate may be used for. `sign` covers bundles and guides. */
export type Purpose = 'sign' | 'tls-client' | 'tls-server' | 'code-signing' | 'certificates';

export type CertificateSummary = {
  /** Common name, or the whole subject where there is none. */
  readonly name: string;
  readonly subject: string;
  readonly issuer: string;
  readonly serialNumber: string;
  /** ISO 8601. */
  readonly notBefore: string;
  readonly notAfter: string;
  readonly purposes: readonly Purpose[];
  /** SHA-256 of the certificate, hex: what a person compares. */
  readonly sha256: string;
  /** False where `openssl cms -verify` needs `-purpose any`. */
  readonly emailPurpose: boolean;
};

const ANY_USAGE = '2.5.29.37.0';
const DOCUMENT_SIGNING = '1.3.6.1.5.5.7.3.36';

/** Reads what matters to a person and to the choice of a certificate by purpose (RFC 5280). */
export function summarizeCertificate(certificate: x509.X509Certificate): CertificateSummary {
  const extended = certificate.getExtension(x509.ExtendedKeyUsageExtension)?.usages.map(String);
  const usages = certificate.getExtension(x509.KeyUsagesExtension)?.usages;
  const has = (oid: string) => extended === undefined || extended.includes(oid) || extended.includes(ANY_USAGE);
  const { digitalSignature, nonRepudiation } = x509.KeyUsageFlags;
  const signs = usages === undefined || (usages & (digitalSignature | nonRepudiation)) !== 0;
  const authority = certificate.getExtension(x509.BasicConstraintsExtension)?.ca === true;
  const purposes: Purpose[] = [];
  if (signs && !authority && (has(x509.ExtendedKeyUsage.emailProtection) || has(DOCUMENT_SIGNING)))
    purposes.push('sign');
  if (signs && !authority && has(x509.ExtendedKeyUsage.clientAuth)) purposes.push('tls-client');
  if (!authority && has(x509.ExtendedKeyUsage.serverAuth)) purposes.push('tls-server');
  if (signs && !authority && has(x509.ExtendedKeyUsage.codeSigning)) purposes.push('code-signing');
  if (authority) purposes.push('certificates');
  return {
    name: certificate.subjectName.getField('CN')[0] ?? certificate.subject,
    subject: certificate.subject,
    issuer: certificate.issuer,
    serialNumber: certificate.serialNumber,
    notBefore: certificate.notBefore.toISOString(),
    notAfter: certificate.notAfter.toISOString(),
    purposes,
    sha256: createHash('sha256').update(new Uint8Array(certificate.rawData)).digest('hex'),
    emailPurpose: extended === undefined || extended.includes(x509.ExtendedKeyUsage.emailProtection),
  };
}

const PURPOSE_WORDS: Record<Purpose, string> = {
  sign: 'sign documents',
  'tls-client': 'prove a client to a TLS server',
  'tls-server': 'prove a TLS server',
  'code-signing': 'sign programs',
  certificates: 'issue certificates',
};

/** A whole sentence on why a certificate cannot sign evidence, and what to ask its authority for. */
export function explainPurposes(summary: CertificateSummary): string {
  const can = summary.purposes.map((purpose) => PURPOSE_WORDS[purpose]);
  const may = can.length === 0 ? 'may not be used for anything that Lockstep knows' : `may only ${can.join(' and ')}`;
  return `The certificate of ${summary.name} ${may}. To sign evidence it needs the key usage digitalSignature and the extended key usage emailProtection; ask its authority for one.`;
}
