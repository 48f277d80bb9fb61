import { z } from 'zod';
import { deviceSchema, idSchema } from '../site/schema.ts';
import { declareProbe } from './declaration.ts';

/** One HTTP request and what came back. HTTPS is always verified. */
export const httpRequest = declareProbe({
  id: 'http.request',
  title: 'Answer to an HTTP request',
  version: 1,
  params: z.strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .describe("Absolute URL; the host goes through the site's hosts"),
    method: z
      .enum(['GET', 'HEAD', 'POST'])
      .default('GET')
      .describe('POST only where the guide knows that it changes nothing'),
    credential: deviceSchema.shape.credential.describe(
      'User name, and the name of the secret, for HTTP Basic; absent: anonymous',
    ),
    anchors: z.array(idSchema).min(1).optional().describe('Anchors for HTTPS; default: all of the site'),
    body: z.string().max(65_536).optional().describe('Body of a POST, UTF-8; sent as application/json when it is JSON'),
  }),
  facts: z.strictObject({
    status: z.int().describe('HTTP status code'),
    tls: z.boolean().describe('The answer came over verified TLS'),
    tlsVersion: z.string().optional().describe('TLS version of the connection, HTTPS only'),
    headers: z
      .record(z.string(), z.string())
      .describe('Selected headers, names in lower case; never cookies or credentials'),
    location: z.string().optional().describe('Where a redirect points; redirects are not followed'),
    authenticate: z.string().optional().describe('Authentication scheme asked for with 401, without its parameters'),
    mediaType: z.string().optional().describe('Media type of the body'),
    bytes: z.int().optional().describe('Length of the body as read; absent where it was cut off'),
    json: z.json().optional().describe('The body parsed, where it is JSON of at most 256 kB'),
    text: z.string().optional().describe('First 2,000 characters, where the body is text and not JSON'),
    date: z.string().optional().describe("The server's clock from its Date header, ISO 8601 UTC"),
  }),
  visible: ({ url, method, credential }) => [
    `${method} ${url.split(/[?#]/)[0]}${credential === undefined ? ' without a login' : ` as ${credential.user}`}.`,
  ],
  rights: 'none, or the named account',
  deadlineMs: 30_000,
});
