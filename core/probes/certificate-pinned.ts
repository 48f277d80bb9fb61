import { z } from 'zod';
import { jsonPointerSchema } from '../json-pointer.ts';
import { credentialSchema, deviceUrlSchema, idSchema } from '../site/schema.ts';
import { legacySshSchema } from '../site/ssh.ts';
import { declareProbe } from './declaration.ts';
import { certificateSummarySchema, endpointParameter } from './tls-endpoint.ts';

/** Where the copy lies that a device holds: exported into a file of the site, or read on the device itself. */
export const heldCopySchema = z.union([
  z.string().min(1).max(200_000),
  z.strictObject({
    url: deviceUrlSchema.describe('GET shows the copy, e.g. $device.adminUrl + "/api/certificates/emr"'),
    at: jsonPointerSchema
      .default('')
      .describe('Where in a JSON answer the PEM text stands; empty: the answer is the certificate, PEM or DER'),
    credential: credentialSchema.optional().describe('Account that reads'),
    anchors: z.array(idSchema).min(1).optional().describe('Anchors for HTTPS; default: all of the site'),
  }),
  z.strictObject({
    device: idSchema.describe('Device whose SSH access the site names, e.g. $device.id'),
    path: z
      .string()
      .max(500)
      .regex(/^\/[^\r\n\0]*[^\r\n\0/]$/, 'an absolute path')
      .describe('File with the copy on the device: PEM, DER or PKCS#7; of a private key in it nothing is kept'),
    legacy: legacySshSchema,
  }),
]);
export type HeldCopy = z.output<typeof heldCopySchema>;

/** The copy of a certificate or anchor that a device holds against what the server presents today. */
export const certificatePinned = declareProbe({
  id: 'certificate.pinned',
  title: "Pinned certificate against the server's today",
  version: 2,
  params: z.strictObject({
    endpoint: endpointParameter,
    pinned: heldCopySchema.describe(
      'The certificate or anchors that the device holds: PEM text, e.g. $link.pinned (the site names a file), or where it is read on the device, { url } by its API or { device, path } over SSH',
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
    readFrom: z
      .enum(['site-file', 'device-api', 'device-file'])
      .describe('site-file: as somebody exported it; device-api and device-file: as it lies on the device now'),
    pinnedValid: z
      .boolean()
      .describe('The certificate that decided (or, without a match, every pinned one) is in date'),
    daysLeft: z.int().describe('Whole days until the earliest end of the pinned certificates that decided'),
    pinned: z.array(certificateSummarySchema).describe('Certificates in the file'),
    presented: certificateSummarySchema.describe("The server's own certificate today"),
  }),
  visible: ({ endpoint, pinned }) => [
    `One TLS handshake with ${endpoint.host}:${endpoint.port}.`,
    ...(typeof pinned === 'string'
      ? []
      : [
          'url' in pinned
            ? `GET ${pinned.url.split(/[?#]/)[0]}${pinned.credential === undefined ? '' : ` as ${pinned.credential.user}`}.`
            : `One SSH log-in to the device ${pinned.device}, which reads ${pinned.path}.`,
        ]),
  ],
  rights: 'none; on the device, to read the copy',
  deadlineMs: 60_000,
});
