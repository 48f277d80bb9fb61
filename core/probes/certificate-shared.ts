import { z } from 'zod';
import { endpointSchema, idSchema } from '../site/schema.ts';
import { declareProbe } from './declaration.ts';

const whereSchema = z.strictObject({
  device: z.string().describe('Id of the device'),
  endpoint: z.string().describe('Name of the endpoint in the site file'),
});

/** `certificate.shared`: whether devices that should each have a key of their own share one. */
export const certificateShared = declareProbe({
  id: 'certificate.shared',
  title: 'Keys that several devices share',
  version: 1,
  params: z.strictObject({
    devices: z
      // What else the site says about a device does not matter here.
      .array(z.object({ id: idSchema, endpoints: z.record(idSchema, endpointSchema).default({}) }))
      .min(1)
      .max(1000)
      .describe('The devices to compare, e.g. $devices'),
    endpoints: z
      .array(idSchema)
      .min(1)
      .max(20)
      .optional()
      .describe('Names of the endpoints to look at; default: every one that the site gives'),
  }),
  facts: z.strictObject({
    distinct: z
      .boolean()
      .optional()
      .describe('No key was seen on two devices; absent where none was and an endpoint could not be read'),
    shared: z
      .array(
        z.strictObject({
          publicKey: z.string().describe('SHA-256 of the SubjectPublicKeyInfo'),
          subject: z.string().describe('Subject of one of the certificates'),
          devices: z.array(z.string()).describe('Ids of the devices that have it'),
          sameCertificate: z
            .boolean()
            .describe('The very same certificate on all of them; else other ones of the same key'),
        }),
      )
      .describe('Keys that were seen on more than one device'),
    seen: z
      .array(whereSchema.extend({ fingerprint: z.string(), publicKey: z.string() }))
      .describe('What each endpoint presented, as SHA-256'),
    unread: z.array(whereSchema.extend({ reason: z.string() })).describe('Endpoints whose certificate was not seen'),
  }),
  visible: ({ devices }) => [`One or two TLS handshakes with each of the endpoints of ${devices.length} devices.`],
  rights: 'none',
  deadlineMs: 300_000,
});
