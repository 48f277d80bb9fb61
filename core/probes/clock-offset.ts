import { z } from 'zod';
import { hostSchema, portSchema } from '../site/schema.ts';
import { declareProbe } from './declaration.ts';

/** How far this computer's clock is from others: every date of a certificate is judged by it. */
export const clockOffset = declareProbe({
  id: 'clock.offset',
  title: "This computer's clock against others",
  version: 1,
  params: z
    .strictObject({
      http: z
        .array(z.url({ protocol: /^https?$/ }).max(2000))
        .max(500)
        .default([])
        .describe(
          'Servers that tell the time in the Date of their answers; asked without a password, and whatever their certificate is, as a wrong clock would refuse a good one',
        ),
      ntp: z
        .array(z.strictObject({ host: hostSchema, port: portSchema.default(123) }))
        .max(16)
        .default([])
        .describe('Time servers, asked by SNTP (RFC 4330)'),
      enough: z.int().min(1).max(16).default(3).describe('Asked one after the other, until so many told the time'),
    })
    .refine(({ http, ntp }) => http.length + ntp.length > 0, 'name at least one clock'),
  facts: z.strictObject({
    offsetSeconds: z.number().describe("The other clocks minus this computer's, their median"),
    spreadSeconds: z.number().describe('Between the earliest and the latest of them'),
    clocks: z
      .array(
        z.strictObject({
          place: z.string().describe('Who told the time'),
          by: z.enum(['http', 'ntp']),
          offsetSeconds: z.number().describe("That clock minus this computer's"),
          uncertaintySeconds: z.number().describe('By so much it may be more or less'),
          stratum: z.int().optional().describe('Steps to a reference clock, NTP only'),
        }),
      )
      .min(1)
      .describe('Those that told the time'),
    silent: z
      .array(z.strictObject({ place: z.string(), reason: z.string() }))
      .describe('Those that did not, with the reason'),
  }),
  visible: ({ http, ntp, enough }) => [
    ...ntp.slice(0, enough).map(({ host, port }) => `One or two SNTP requests to ${host}, UDP port ${port}.`),
    ...http
      .slice(0, Math.max(0, enough - ntp.length))
      .map((url) => `HEAD ${url.split(/[?#]/)[0]} without a login; to others where these do not tell the time.`),
  ],
  rights: 'none',
  deadlineMs: 60_000,
});
