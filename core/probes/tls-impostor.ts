import { z } from 'zod';
import { linkSchema } from '../site/schema.ts';
import { declareProbe } from './declaration.ts';
import { endpointParameter } from './tls-endpoint.ts';

/** Lockstep listens as the server with a certificate of an unknown CA; a device that checks must refuse it. */
export const tlsImpostor = declareProbe({
  id: 'tls.impostor',
  title: 'What the device does with an impostor',
  version: 1,
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
    connected: z.boolean().describe('Somebody connected while Lockstep listened'),
    connections: z.int().describe('Connections that came'),
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
        "True: the device saw the impostor's certificate and broke off before any application byte. False: it sent application data. Absent: inconclusive, e.g. nobody connected",
      ),
    how: z
      .enum(['alert', 'closed-without-data', 'application-data', 'clear-text'])
      .optional()
      .describe(
        'How it was decided. A device that hangs up without an alert counts as refusing only where its API was told to send',
      ),
    peers: z.array(z.string()).describe('Addresses that connected'),
  }),
  visible: ({ as, listen, seconds }) => [
    `Lockstep listens on ${listen.address} as ${as.serverName ?? as.host} with a certificate of an unknown CA for up to ${seconds} seconds.`,
    'The device is made to connect once and should log a refused certificate; what it sends is counted and discarded.',
  ],
  rights: "none on the network; the device's own credential where its API is the trigger",
  deadlineMs: 660_000,
});
