import { z } from 'zod';
import { idSchema } from '../site/schema.ts';
import { declareProbe } from './declaration.ts';
import { endpointParameter } from './tls-endpoint.ts';

const aeTitle = z
  .string()
  .min(1)
  .max(16)
  .regex(
    /^[\x21-\x5b\x5d-\x7e](?:[\x20-\x5b\x5d-\x7e]*[\x21-\x5b\x5d-\x7e])?$/,
    'an application entity title: 1 to 16 printable characters, no backslash',
  );

/** A DICOM association and C-ECHO (PS3.7, PS3.8), in clear or over TLS. */
export const dicomEcho = declareProbe({
  id: 'dicom.echo',
  title: 'DICOM association and echo',
  version: 1,
  params: z.strictObject({
    endpoint: endpointParameter,
    tls: z.boolean().default(false).describe("Associate over TLS; the server's certificate is always verified"),
    callingAe: aeTitle.default('LOCKSTEP').describe('AE title that Lockstep calls itself'),
    calledAe: aeTitle.describe('AE title of the server'),
    identity: idSchema.optional().describe('Trial identity of the site to present over TLS'),
  }),
  facts: z.strictObject({
    tls: z.boolean().describe('Over TLS'),
    associated: z.boolean().describe('The association was accepted'),
    echoAccepted: z
      .boolean()
      .optional()
      .describe('The verification context was accepted; absent without an association'),
    echoStatus: z
      .int()
      .optional()
      .describe('Status of the C-ECHO response, 0 is success; absent where no echo was answered'),
    rejected: z
      .strictObject({
        result: z.enum(['permanent', 'transient']).describe('PS3.8 table 9-21'),
        source: z.string().describe('Who rejected, in words'),
        reason: z.string().describe('Why, in words, e.g. calling-AE-title-not-recognized'),
      })
      .optional()
      .describe('A-ASSOCIATE-RJ; absent where there was none'),
    aborted: z
      .string()
      .optional()
      .describe('A-ABORT in answer to the association request, in words; absent where there was none'),
    hungUp: z
      .string()
      .optional()
      .describe(
        'Clear text only: the server hung up without a DICOM answer although it answers TLS on the same port; absent otherwise',
      ),
    implementation: z
      .string()
      .optional()
      .describe('Implementation version name of the server, absent where it gives none'),
    insistsOnCertificate: z
      .boolean()
      .optional()
      .describe(
        'TLS only: false when the association was accepted without a client certificate; true when it was refused without and accepted with the identity. Absent: not decided',
      ),
    tlsVersion: z.string().optional().describe('TLS version, TLS only'),
  }),
  visible: ({ endpoint, callingAe, calledAe, tls }) => [
    `A DICOM association from ${callingAe} to ${calledAe} at ${endpoint.host}:${endpoint.port} with one C-ECHO; a server that does not know ${callingAe} may log a rejected association.`,
    ...(tls
      ? []
      : ['Where the server hangs up on clear text: one TLS handshake, to see whether it speaks TLS instead.']),
  ],
  rights: 'none',
  deadlineMs: 40_000,
});
