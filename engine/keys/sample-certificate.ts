import { createHash } from 'node:crypto';
import { fingerprint, oneLine, type ReadCertificate } from './read-certificate.ts';

/** What stands in the subjects of certificates that toolkits, distributions and products come with, and who makes them. */
const SAMPLE_SUBJECTS: readonly (readonly [RegExp, string])[] = [
  [/O=Internet Widgits Pty Ltd/i, "the default answers of OpenSSL's req"],
  [/O=Default Company Ltd/i, "the default answers of Red Hat's openssl.cnf"],
  [/O=SomeOrganization|OU=SomeOrganizationalUnit/i, 'the certificate that a web server package makes at installation'],
  [/CN=.*\bsnakeoil\b/i, "Debian's snakeoil certificate"],
  [/O=Acme Co\b/i, "the example of Go's library"],
  [/CN=(localhost|127\.0\.0\.1)(\.localdomain)?(,|$)/i, 'a name that every computer has'],
  [/CN=mirth-connect(,|$)/i, 'the certificate that an interface engine makes at installation'],
  [/CN=([^,]*\.)?example\.(com|net|org)(,|$)/i, 'a name that is set aside for examples (RFC 2606)'],
  [/\b(factory|demo|sample|change ?me|dummy|default certificate|temporary certificate)\b/i, 'a word for samples'],
];

/** SHA-256 of the certificate's SubjectPublicKeyInfo, lower-case hexadecimal. */
export function publicKeyDigest(certificate: ReadCertificate): string {
  return createHash('sha256')
    .update(certificate.node.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/**
 * Whether a certificate looks like one that software or a device came with.
 * @param factory SHA-256 of certificates or public keys that are known to be such, lower-case hexadecimal
 */
export function looksLikeSample(
  certificate: ReadCertificate,
  factory: readonly string[],
): { likely: boolean; reason: string } {
  if (factory.includes(fingerprint(certificate)) || factory.includes(publicKeyDigest(certificate)))
    return { likely: true, reason: 'The guide lists it among those that devices leave the factory with.' };
  const subject = oneLine(certificate.node.subject);
  const issuer = oneLine(certificate.node.issuer);
  for (const [pattern, what] of SAMPLE_SUBJECTS) {
    if (pattern.test(subject)) return { likely: true, reason: `Its subject (${subject}) holds ${what}.` };
    if (pattern.test(issuer)) return { likely: true, reason: `Its issuer (${issuer}) holds ${what}.` };
  }
  return { likely: false, reason: 'Neither subject nor issuer suggests so, and the guide does not list it.' };
}
