import { z } from 'zod';

/** Kinds of key that a device's certificate may have. */
export const KEY_KINDS = ['P-256', 'P-384', 'rsa-2048', 'rsa-3072', 'rsa-4096'] as const;

/** Part of a subject: no control characters, no blank at its ends, so that it is the same in every notation. */
const partSchema = z
  .string()
  .max(64)
  .regex(/^[^\p{Cc}\s](?:[^\p{Cc}]*[^\p{Cc}\s])?$/u, 'no control characters, no blank at the ends');

/** A host name (a wildcard at most as the first label) or an IP address. */
const altNameSchema = z
  .string()
  .max(253)
  .regex(/^(?:\*\.)?[A-Za-z0-9_:-][A-Za-z0-9._:-]*$/, 'a host name or an IP address');

/** What a certificate is asked for; the same request can be made again from it at every renewal. */
export const certificateTemplateSchema = z.strictObject({
  key: z.enum(KEY_KINDS).default('P-256').describe('Kind of key; RSA for products that cannot do EC'),
  commonName: partSchema.describe('CN of the subject; nobody who checks properly looks for a name in it'),
  organization: partSchema.optional().describe('O of the subject'),
  unit: partSchema.optional().describe('OU of the subject'),
  names: z
    .array(altNameSchema)
    .min(1)
    .max(50)
    .describe('Host names and IP addresses by which the device is dialled (subjectAltName)'),
  purposes: z
    .array(z.enum(['server', 'client']))
    .min(1)
    .max(2)
    .default(['server'])
    .describe('Whether the device is asked (server), asks (client), or both'),
});
export type CertificateTemplate = z.output<typeof certificateTemplateSchema>;
