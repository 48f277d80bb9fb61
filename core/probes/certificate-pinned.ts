import { z } from 'zod';
import { declareProbe } from './declaration.ts';
import { certificateSummarySchema, endpointParameter } from './tls-endpoint.ts';

/** The copy of a certificate or anchor that a device holds against what the server presents today. */
export const certificatePinned = declareProbe({
  id: 'certificate.pinned',
  title: "Pinned certificate against the server's today",
  version: 1,
  params: z.strictObject({
    endpoint: endpointParameter,
    pinned: z
      .string()
      .min(1)
      .max(200_000)
      .describe(
        'PEM of the certificate or anchors that the device holds, e.g. $link.pinned; the site names a file, which is read when the site is loaded',
      ),
  }),
  facts: z.strictObject({
    matches: z.boolean().describe('The pinned certificate is what the server presents, or anchors it'),
    relation: z
      .enum(['same-leaf', 'anchors-chain', 'renewed', 'unrelated'])
      .describe(
        'renewed: same subject, other certificate, so the copy is stale; unrelated: neither presented nor an anchor of it',
      ),
    reason: z.string().describe('A sentence that explains the relation'),
    pinnedValid: z
      .boolean()
      .describe('The certificate that decided (or, without a match, every pinned one) is in date'),
    daysLeft: z.int().describe('Whole days until the earliest end of the pinned certificates that decided'),
    pinned: z.array(certificateSummarySchema).describe('Certificates in the file'),
    presented: certificateSummarySchema.describe("The server's own certificate today"),
  }),
  visible: ({ endpoint }) => [`One TLS handshake with ${endpoint.host}:${endpoint.port}.`],
  rights: 'none',
  deadlineMs: 30_000,
});
