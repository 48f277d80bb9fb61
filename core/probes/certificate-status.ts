import { z } from 'zod';
import { declareProbe } from './declaration.ts';
import { endpointParameter } from './tls-endpoint.ts';

export const REVOCATION_STATUSES = ['good', 'revoked', 'unknown'] as const;

const sourceSchema = z.strictObject({
  kind: z.enum(['crl', 'ocsp', 'stapled']).describe('stapled: an OCSP answer that came with the handshake'),
  from: z.string().describe('Address, or where else it came from'),
  usable: z.boolean().describe('It came, is signed by who may sign it, and is in date'),
  status: z.enum(REVOCATION_STATUSES).optional().describe('What it says of the certificate; only where it is usable'),
  reason: z.string().describe('A sentence: what it says, or why it cannot be used'),
  thisUpdate: z.string().optional().describe('When it was made, ISO 8601 UTC'),
  nextUpdate: z.string().optional().describe('When a newer one is due, ISO 8601 UTC'),
});
export type RevocationSource = z.output<typeof sourceSchema>;

/** Whether a server's certificate has been revoked, as its peer could learn from CRLs and OCSP responders. */
export const certificateStatus = declareProbe({
  id: 'certificate.status',
  title: 'Revocation status of a certificate',
  version: 1,
  params: z.strictObject({
    endpoint: endpointParameter,
    crl: z
      .string()
      .min(1)
      .max(500)
      .optional()
      .describe('File with a CRL (PEM or DER) that the peer is given by hand, beside those that the certificates name'),
  }),
  facts: z.strictObject({
    status: z
      .enum(REVOCATION_STATUSES)
      .optional()
      .describe(
        'good: every certificate below the anchor; revoked: at least one; unknown: a responder does not know one. Absent: undecided for at least one',
      ),
    reason: z.string().describe('A sentence that explains the status'),
    certificates: z
      .array(
        z.strictObject({
          subject: z.string().describe('Subject'),
          serial: z.string().describe('Serial number, hexadecimal'),
          sha256: z.string().describe('SHA-256 of the DER, lower-case hexadecimal'),
          status: z.enum(REVOCATION_STATUSES).optional().describe('Revoked wins over unknown, unknown over good'),
          reason: z.string().describe('A sentence that explains the status'),
          sources: z.array(sourceSchema).describe('Every source that was asked'),
        }),
      )
      .describe("The server's certificate and those between it and the anchor, its own first"),
    everySourceUsable: z
      .boolean()
      .describe(
        'Every source that the certificates name came, was rightly signed and in date; false where none is named',
      ),
    trueUntil: z
      .string()
      .optional()
      .describe('Earliest end of a certificate or of an answer that decided, ISO 8601 UTC; only where status is good'),
    hoursLeft: z.int().optional().describe("Whole hours until trueUntil by this computer's clock"),
    stapled: z.boolean().optional().describe('The server sends an OCSP answer with the handshake when asked'),
  }),
  visible: ({ endpoint }) => [
    `One TLS handshake with ${endpoint.host}:${endpoint.port}, and up to four requests for each certificate to the HTTP addresses of the authority that it names for CRL and OCSP.`,
  ],
  rights: 'none',
  deadlineMs: 90_000,
});
