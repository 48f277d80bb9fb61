import { z } from 'zod';
import { endpointSchema } from '../site/schema.ts';
import { declareProbe } from './declaration.ts';

export const TLS_VERSIONS = ['SSL 3.0', 'TLS 1.0', 'TLS 1.1', 'TLS 1.2', 'TLS 1.3'] as const;
export type TlsVersion = (typeof TLS_VERSIONS)[number];

export const WEAK_SUITE_CLASSES = ['null', 'anonymous', 'export', 'rc4', '3des', 'des'] as const;
export type WeakSuiteClass = (typeof WEAK_SUITE_CLASSES)[number];

/** Why a chain does not lead to an anchor, one word per kind, so that a guide can tell them apart. */
export const CHAIN_PROBLEMS = [
  'none',
  'self-signed',
  'unknown-issuer',
  'expired',
  'not-yet-valid',
  'bad-signature',
  'not-a-ca',
  'path-length',
  'key-usage',
  'extended-key-usage',
  'critical-extension',
  'name-constraints',
  'weak',
  'unreadable',
  'refused-by-runtime',
] as const;

export const endpointParameter = endpointSchema.describe('The TCP service to look at, e.g. $link.server');
export const applicationProtocolSchema = z.enum(['hl7-mllp', 'dicom', 'http', 'https', 'ldap', 'other', 'none']);

export const keySchema = z.strictObject({
  algorithm: z.string().describe('RSA, RSA-PSS, EC, Ed25519, Ed448 or the name as found'),
  bits: z.int().optional().describe('Key length in bits; of the curve for EC'),
  curve: z.string().optional().describe('Curve name, EC only'),
  strong: z.boolean().describe('RSA of at least 2048 bits, a curve of at least 256 bits, or Ed25519/Ed448'),
});

export const signatureSchema = z.strictObject({
  algorithm: z.string().describe('Signature algorithm, e.g. sha256WithRSAEncryption'),
  strong: z.boolean().describe('False for MD2, MD4, MD5, SHA-1 and what is not recognised'),
});

export const certificateSummarySchema = z.strictObject({
  subject: z.string().describe('Subject, RFC 4514 order as the certificate shows it'),
  issuer: z.string().describe('Issuer'),
  serial: z.string().describe('Serial number, hexadecimal'),
  notBefore: z.string().describe('Start of validity, ISO 8601 UTC'),
  notAfter: z.string().describe('End of validity, ISO 8601 UTC'),
  sha256: z.string().describe('SHA-256 of the DER, lower-case hexadecimal'),
  pem: z.string().describe('The certificate, PEM'),
});

const suiteList = z.array(z.string()).optional();
const levelSchema = z.strictObject({
  meets: z.boolean().optional().describe('Nothing differs; absent where what was seen does not decide'),
  differences: z.array(z.string()).describe('What differs, one part of a sentence each'),
  undecided: z.array(z.string()).describe('What would have to be known besides'),
});

/** Versions, suites and the certificate of a TLS server, judged against the site's anchors and the endpoint's name. */
export const tlsEndpoint = declareProbe({
  id: 'tls.endpoint',
  title: 'TLS of a server',
  version: 4,
  params: z.strictObject({
    endpoint: endpointParameter,
    factory: z
      .array(z.string().regex(/^[0-9a-f]{64}$/))
      .max(500)
      .default([])
      .describe('SHA-256 (of the DER or of the public key) of certificates that devices leave the factory with'),
    survey: z
      .enum(['essential', 'full'])
      .default('essential')
      .describe(
        'full: also every cipher suite and signature scheme that the server accepts, and how that compares with the guideline; two to four times as many connections',
      ),
    protocol: applicationProtocolSchema
      .optional()
      .describe(
        'Application protocol. Where TLS gets no answer, one clear-text greeting of it is tried, to see plain text positively',
      ),
  }),
  facts: z.strictObject({
    speaksTls: z
      .boolean()
      .describe('True: the server answered a ClientHello in TLS. False: it was seen to answer in another protocol'),
    clearText: z.string().optional().describe('What was seen instead of TLS, in words; only where speaksTls is false'),
    engine: z
      .string()
      .describe('TLS library of this run (OpenSSL or BoringSSL with its version); it made the verified handshake only'),
    versions: z
      .array(
        z.strictObject({
          version: z.enum(TLS_VERSIONS).describe('Protocol version that was offered alone'),
          accepted: z
            .boolean()
            .optional()
            .describe(
              'True: ServerHello in that version; false: every suite of it was refused by a fatal alert, a lower version, or a hang-up that comes again between two accepted offers, and for a harmless offer likewise. Absent: inconclusive, e.g. because in the end the server did not answer what it had accepted',
            ),
          answer: z
            .enum(['hello', 'lower', 'alert', 'closed', 'reset', 'silent', 'other', 'not-tried'])
            .describe('What came back'),
          suite: z.string().optional().describe('Cipher suite the server chose'),
          alert: z.string().optional().describe('Alert name (RFC 8446 section 6)'),
        }),
      )
      .optional()
      .describe('One entry per protocol version, each offered with a hand-built ClientHello'),
    accepts: z
      .strictObject({
        ssl30: z.boolean().optional().describe('SSL 3.0 accepted'),
        tls10: z.boolean().optional().describe('TLS 1.0 accepted'),
        tls11: z.boolean().optional().describe('TLS 1.1 accepted'),
        tls12: z.boolean().optional().describe('TLS 1.2 accepted'),
        tls13: z.boolean().optional().describe('TLS 1.3 accepted'),
      })
      .optional()
      .describe('The same, by name; absent where inconclusive'),
    weakSuites: z
      .array(z.string())
      .optional()
      .describe(
        'Names of weak suites (NULL, anonymous, export, RC4, 3DES, DES) that the server chose, one per class. Absent unless every class was decided',
      ),
    acceptsWeakSuite: z
      .boolean()
      .optional()
      .describe(
        'True as soon as one weak suite was chosen; false only when all were refused, in each version that is accepted',
      ),
    suites: z
      .strictObject({ ssl30: suiteList, tls10: suiteList, tls11: suiteList, tls12: suiteList, tls13: suiteList })
      .optional()
      .describe(
        'In a full survey: every suite accepted in each version, by its RFC name, in no particular order; [] for a version that is refused, absent where the list is not complete',
      ),
    signatures: z
      .strictObject({ tls12: suiteList, tls13: suiteList })
      .optional()
      .describe('In a full survey: schemes with which the server signs its handshake (RFC 8446 section 4.2.3)'),
    guideline: z
      .strictObject({
        title: z.string().describe('Whose guideline'),
        version: z.string().describe('Which edition'),
        modern: levelSchema.describe('For clients of today only'),
        intermediate: levelSchema.describe('For services with older clients'),
      })
      .optional()
      .describe('In a full survey: how versions, suites, groups and certificate compare with a published guideline'),
    suiteOrder: z
      .enum(['server', 'client'])
      .optional()
      .describe('Whose order of cipher suites counts in TLS 1.2; absent where one suite only is accepted'),
    groups: z
      .array(z.string())
      .optional()
      .describe(
        'Key exchange groups accepted, in the order in which the server chose them: of TLS 1.3 where it is accepted, else of TLS 1.2',
      ),
    alpn: z
      .array(z.string())
      .optional()
      .describe('Application protocols chosen in TLS 1.2 when h2 and http/1.1 are offered (ALPN, RFC 7301)'),
    compression: z.boolean().optional().describe('The server chose TLS compression (CRIME)'),
    sessionTickets: z.boolean().optional().describe('The server promises session tickets in TLS 1.2 (RFC 5077)'),
    secureRenegotiation: z
      .boolean()
      .optional()
      .describe('The server indicates secure renegotiation in TLS 1.2 (RFC 5746)'),
    clientRenegotiation: z
      .boolean()
      .optional()
      .describe(
        'The server negotiates anew when a client asks for it in TLS 1.2, which costs it much; full survey only',
      ),
    extendedMasterSecret: z
      .boolean()
      .optional()
      .describe('The server binds the master secret to the handshake in TLS 1.2 (RFC 7627)'),
    stapled: z.boolean().optional().describe('The server sends an OCSP answer with the handshake when asked'),
    unknownName: z
      .enum(['same-certificate', 'other-certificate', 'refused'])
      .optional()
      .describe('What a client gets that asks for a name nobody has (SNI, RFC 6066)'),
    negotiated: z
      .strictObject({
        version: z.string().describe('Version of the full handshake'),
        suite: z.string().describe('Suite of the full handshake, RFC name where known'),
      })
      .optional()
      .describe("What the full handshake with this run's TLS library agreed on"),
    chain: z
      .strictObject({
        trusted: z
          .boolean()
          .describe(
            'True: a chain leads to one of the anchors, every certificate in it is in date, signed, and allowed to do so',
          ),
        reason: z.string().describe('A sentence: which anchor, or why not'),
        problem: z.enum(CHAIN_PROBLEMS).describe('The first problem as one word; none when trusted'),
        anchor: z.string().optional().describe('Subject of the anchor reached'),
        length: z.int().optional().describe('Certificates in the chain, leaf and anchor included'),
      })
      .optional()
      .describe("The chain against the endpoint's anchors (or all of the site)"),
    name: z
      .strictObject({
        expected: z.string().describe('Name or address that was looked for'),
        matches: z.boolean().describe('RFC 6125: a subjectAltName matches; the common name does not count'),
        sans: z.array(z.string()).describe('DNS names and IP addresses in the subjectAltName'),
      })
      .optional()
      .describe('The name in the certificate'),
    validity: z
      .strictObject({
        notBefore: z.string().describe('ISO 8601 UTC'),
        notAfter: z.string().describe('ISO 8601 UTC'),
        daysLeft: z.int().describe("Whole days until notAfter by this computer's clock; negative when over"),
        lifetimeDays: z.int().describe('Whole days from notBefore to notAfter'),
        valid: z.boolean().describe('Now lies within the two'),
      })
      .optional()
      .describe("Validity of the server's certificate"),
    key: keySchema.optional().describe("Public key of the server's certificate"),
    signature: signatureSchema.optional().describe("Signature on the server's certificate"),
    keyUsage: z
      .array(z.string())
      .optional()
      .describe('Key usage names; absent where the certificate has no such extension'),
    extendedKeyUsage: z
      .array(z.string())
      .optional()
      .describe('Extended key usage, names or OIDs; absent where the certificate has no such extension'),
    selfSigned: z.boolean().optional().describe("The server's certificate is signed by its own key"),
    subject: z.string().optional().describe("Subject of the server's certificate"),
    issuer: z.string().optional().describe("Issuer of the server's certificate"),
    fingerprint: z.string().optional().describe("SHA-256 of the server's certificate, lower-case hexadecimal"),
    publicKey: z
      .string()
      .optional()
      .describe('SHA-256 of its public key (SubjectPublicKeyInfo), which a renewed certificate may share'),
    sample: z
      .strictObject({
        likely: z.boolean().describe('A subject that samples have, or one of the fingerprints that the guide lists'),
        reason: z.string().describe('What speaks for it, or that nothing does'),
      })
      .optional()
      .describe('Whether the certificate looks like one that the software or the device came with'),
    certificates: z
      .array(certificateSummarySchema)
      .optional()
      .describe('What the server presented, its own first; anchors are left out'),
  }),
  visible: ({ endpoint, survey }) => [
    `Up to ${survey === 'full' ? 400 : 60} short TLS connections to ${endpoint.host}:${endpoint.port}, one at a time, some offering SSL 3.0, TLS 1.0 and weak suites; an intrusion detection system may report them.`,
  ],
  rights: 'none',
  deadlineMs: 90_000,
});
