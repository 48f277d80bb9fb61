import { z } from 'zod';
import { linkSchema } from '../site/schema.ts';
import { declareProbe } from './declaration.ts';
import { endpointParameter } from './tls-endpoint.ts';

/** What the device may be shown besides a certificate of an unknown CA, once the hospital's CA has made it. */
export const IMPOSTOR_TRIALS = ['unknown-ca', 'wrong-name', 'expired', 'revoked'] as const;
export type ImpostorTrial = (typeof IMPOSTOR_TRIALS)[number];

/**
 * Lockstep listens as the server with certificates that a device which checks must refuse: one of an unknown CA, and those
 * that the site gives.
 */
export const tlsImpostor = declareProbe({
  id: 'tls.impostor',
  title: 'What the device does with an impostor',
  version: 3,
  params: z.strictObject({
    as: endpointParameter.describe(
      'The server that Lockstep plays; the certificate carries its name, e.g. $link.server',
    ),
    listen: linkSchema.shape.impostor
      .unwrap()
      .describe('Where to listen and how the device is made to connect, e.g. $link.impostor'),
    seconds: z.int().min(1).max(600).default(60).describe('Longest wait for the device, in seconds'),
  }),
  facts: z.strictObject({
    engine: z.string().describe('TLS library of this run'),
    listened: z.string().describe('Address and port that the device was sent to'),
    connected: z
      .boolean()
      .describe('The device connected while Lockstep listened; anybody, where its address is not known'),
    connections: z.int().describe('Connections that it made'),
    spokeTls: z
      .boolean()
      .optional()
      .describe(
        'True: a ClientHello came. False: the device sent application data in clear text. Absent: neither was seen',
      ),
    offered: z.array(z.string()).optional().describe('TLS versions that the device offered'),
    handshakeCompleted: z
      .boolean()
      .optional()
      .describe(
        'The device was seen to finish a handshake with the impostor; some clients check only afterwards and then hang up',
      ),
    applicationBytes: z
      .int()
      .optional()
      .describe(
        'Application bytes that the device sent to the impostor; counted and discarded. Absent when nobody connected',
      ),
    alert: z.string().optional().describe('Alert with which the device refused'),
    refused: z
      .boolean()
      .optional()
      .describe(
        'True: the device saw the certificate of the unknown CA and broke off before any application byte, and it fell for no other that was shown. False: it sent application data to one of them. Absent: inconclusive, e.g. nobody connected',
      ),
    how: z
      .enum(['alert', 'closed-without-data', 'application-data', 'clear-text'])
      .optional()
      .describe(
        'How it was decided. A device that hangs up without an alert counts as refusing only where it sent its message to the good certificate',
      ),
    trials: z
      .array(
        z.strictObject({
          presents: z.enum(IMPOSTOR_TRIALS).describe('What the impostor presented'),
          identity: z.string().optional().describe('Id of the trial identity, where one was used'),
          outcome: z.enum(['refused', 'accepted', 'not-tested']).describe('not-tested: not tried, or inconclusive'),
          how: z.string().describe('What was seen, or why it was not tested and whom to ask for what it takes'),
        }),
      )
      .describe('Every trial'),
    refuses: z
      .strictObject({
        unknownCa: z.boolean().optional().describe('A certificate of an unknown CA'),
        wrongName: z.boolean().optional().describe("A certificate of the hospital's CA for another name"),
        expired: z.boolean().optional().describe("A certificate of the hospital's CA that is out of date"),
        revoked: z.boolean().optional().describe("A certificate that the hospital's CA revoked"),
      })
      .describe('Per kind of certificate; absent where it was not tested'),
    control: z
      .strictObject({
        identity: z.string().describe('Id of the good server identity'),
        outcome: z
          .enum(['application-data', 'refused', 'inconclusive'])
          .describe('application-data: the control holds'),
        how: z.string().describe('What was seen'),
      })
      .optional()
      .describe('Positive control: the same device before a certificate that it should accept'),
    restored: z
      .boolean()
      .optional()
      .describe(
        'After the operator set the device back, its message came here no more. Absent where its setting was not changed, or that was not checked',
      ),
    peers: z.array(z.string()).describe('Addresses that connected, whether the device or not'),
  }),
  visible: ({ as, listen, seconds }) => [
    `Lockstep listens on ${listen.address} as ${as.serverName ?? as.host} with a certificate of an unknown CA for up to ${seconds} seconds${listen.identities.length > 0 ? `, then as long with each of ${listen.identities.length} others` : ''}.`,
    'The device is made to connect once to each and should log a refused certificate; what it sends is counted and discarded.',
  ],
  rights: "none on the network; the device's own credential where its API is the trigger",
  deadlineMs: 3_600_000,
});
