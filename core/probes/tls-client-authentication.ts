import { z } from 'zod';
import { idSchema } from '../site/schema.ts';
import { declareProbe } from './declaration.ts';
import { applicationProtocolSchema, endpointParameter } from './tls-endpoint.ts';

export const CLIENT_TRIALS = [
  'none',
  'unknown-ca',
  'self-signed',
  'expired',
  'revoked',
  'wrong-subject',
  'key-mismatch',
] as const;
export type ClientTrial = (typeof CLIENT_TRIALS)[number];

const refusal = (what: string) =>
  z
    .boolean()
    .optional()
    .describe(
      `True: ${what} is refused in every version that the server speaks; false: accepted in one. Absent: not decided`,
    );

/** Whether a TLS server insists on a client certificate that its CA issued, TLS 1.2 and 1.3 apart. */
export const tlsClientAuthentication = declareProbe({
  id: 'tls.client-authentication',
  title: 'Client certificates that a server accepts',
  version: 1,
  params: z.strictObject({
    endpoint: endpointParameter,
    identities: z
      .array(idSchema)
      .max(20)
      .default([])
      .describe(
        'Trial identities of the site, e.g. $link.identities; without a good one nothing can be passed, for want of a positive control',
      ),
    application: z
      .strictObject({
        protocol: applicationProtocolSchema.describe(
          'What is said once the handshake is done: one synthetic HL7 message, an HTTP request, a DICOM association, an LDAP search',
        ),
        path: z.string().startsWith('/').max(500).default('/').describe('Path for HTTP'),
      })
      .default({ protocol: 'none', path: '/' })
      .describe('Application data for the positive control; with none, acceptance cannot be told from silence'),
  }),
  facts: z.strictObject({
    engine: z.string().describe('TLS library of this run'),
    insists: z
      .boolean()
      .optional()
      .describe(
        'True: a good certificate got application data, and none, unknown-ca and self-signed were refused, in each of TLS 1.2 and 1.3 that the server speaks. False: one of them was accepted',
      ),
    refuses: z
      .strictObject({
        none: refusal('a client without a certificate'),
        unknownCa: refusal('a certificate of an unknown CA'),
        selfSigned: refusal('a self-signed certificate'),
        expired: refusal('an expired certificate'),
        revoked: refusal('a revoked certificate'),
        wrongSubject: refusal('a certificate of the right CA with another subject'),
        keyMismatch: refusal('a certificate with another key'),
      })
      .describe('Per kind of client'),
    requestsCertificate: z
      .boolean()
      .optional()
      .describe(
        'The server asked for a client certificate in a TLS 1.2 handshake (CertificateRequest); absent where that could not be seen',
      ),
    versions: z
      .array(z.enum(['TLS 1.2', 'TLS 1.3']))
      .describe('Versions that the server speaks, out of the two that were tried'),
    controls: z
      .array(
        z.strictObject({
          version: z.enum(['TLS 1.2', 'TLS 1.3']).describe('Protocol version'),
          identity: z.string().describe('Id of the good identity'),
          outcome: z
            .enum(['application-data', 'refused', 'inconclusive'])
            .describe('application-data: the positive control holds'),
          how: z.string().describe('What was seen'),
        }),
      )
      .describe('Positive controls with the good identity'),
    trials: z
      .array(
        z.strictObject({
          version: z.enum(['TLS 1.2', 'TLS 1.3']).describe('Protocol version'),
          presents: z.enum(CLIENT_TRIALS).describe('What the client presented'),
          identity: z.string().optional().describe('Id of the trial identity, where one was used'),
          outcome: z.enum(['refused', 'accepted', 'not-tested']).describe('not-tested: not tried, or inconclusive'),
          how: z.string().describe('What was seen, or why it was not tested'),
          alert: z.string().optional().describe('Alert name, where the server sent one'),
        }),
      )
      .describe('Every trial'),
  }),
  visible: ({ endpoint, application }) => [
    `Up to 30 TLS connections to ${endpoint.host}:${endpoint.port}, most with certificates that must be refused; the server logs failed handshakes.`,
    ...(application.protocol === 'hl7-mllp'
      ? [
          'A synthetic HL7 message (NMQ^N01, processing id T) where a connection is accepted; the interface engine may log it as unknown.',
        ]
      : []),
    ...(application.protocol === 'dicom'
      ? ['A DICOM association request from LOCKSTEP where a connection is accepted.']
      : []),
  ],
  rights: 'none; good, expired, revoked and wrong-subject identities are issued by the hospital for this trial',
  deadlineMs: 180_000,
});
