import { z } from 'zod';
import { idSchema } from '../site/schema.ts';
import { declareProbe } from './declaration.ts';

const certificateSchema = z.strictObject({
  subject: z.string().describe('Subject, one line'),
  issuer: z.string().describe('Issuer, one line'),
  notBefore: z.iso.datetime().describe('Start of validity, UTC'),
  notAfter: z.iso.datetime().describe('End of validity, UTC'),
  daysLeft: z.number().describe('Days until the end of validity by the laptop clock; negative when over'),
  sha256: z.string().describe('SHA-256 of the DER certificate, lower-case hex'),
  key: z.string().describe('Kind and size of the public key, e.g. "rsa 2048" or "ec prime256v1"'),
});

const channelSchema = z.strictObject({
  state: z
    .enum(['verified', 'refuted'])
    .describe(
      'verified: TLS came up, chain and name hold against the site anchors, and LDAP answered; refuted: it did not',
    ),
  port: z.int().describe('TCP port that was dialled'),
  code: z.string().optional().describe('When refuted: the stage that failed, e.g. tls.chain, tls.name, tls.expired'),
  reason: z.string().optional().describe('When refuted: why, in a sentence'),
  protocol: z.string().optional().describe('TLS version agreed, e.g. TLSv1.3'),
  cipher: z.string().optional().describe('Suite agreed, by its standard name'),
  certificate: certificateSchema.optional().describe('The certificate of the server, when it was verified'),
});

const serverSchema = z.strictObject({
  id: z.string().describe('Id of the server in the site file; of one that only DNS names, its host'),
  host: z.string().describe('Host as the site or DNS names it'),
  reachable: z.boolean().describe('At least one of its ports took a connection'),
  ldaps: channelSchema.optional().describe('LDAP over TLS from the first byte; absent when not tested'),
  startTls: channelSchema.optional().describe('StartTLS (RFC 4511, 4.14) on the LDAP port; absent when not tested'),
  verified: z.array(z.enum(['ldaps', 'starttls'])).describe('Ways in that are verified'),
  outdatedTls: z
    .array(z.enum(['TLS 1.0', 'TLS 1.1']))
    .optional()
    .describe('Outdated TLS versions that it still agrees to, each offered alone with a hand-built ClientHello'),
  daysLeft: z
    .number()
    .optional()
    .describe('The smallest number of days that any of its verified certificates has left'),
  anonymousSearch: z
    .enum(['refused', 'allowed'])
    .optional()
    .describe('Whether a search under the base DN is answered without a bind'),
  clearBind: z
    .enum(['refused', 'accepted'])
    .optional()
    .describe(
      'Whether a simple bind without TLS is processed. Tried with a test name and a random password, never a real one',
    ),
  clearBindResult: z
    .int()
    .optional()
    .describe('LDAP result of that bind: 8 or 13 refuse it, 49 means the password was looked at'),
  clockOffsetSeconds: z.number().optional().describe('Server clock minus laptop clock, in seconds'),
  adSite: z.string().optional().describe('Site of the forest that the domain controller lies in'),
  controllerFunctionality: z.int().optional().describe('Functional level of the domain controller itself'),
  globalCatalog: z.boolean().optional().describe('It is ready to serve as a global catalogue'),
  synchronized: z.boolean().optional().describe('It says that its first replication has come to an end'),
});

const differenceSchema = z.strictObject({
  what: z
    .enum([
      'naming-context',
      'domain-level',
      'forest-level',
      'controller-level',
      'ad-site',
      'global-catalog',
      'synchronized',
      'ways-in',
      'tls-version',
      'certificate-issuer',
      'outdated-tls',
      'anonymous-search',
      'clear-bind',
    ])
    .describe('In what they differ'),
  values: z
    .array(
      z.strictObject({
        value: z.string().describe('What was seen, as text'),
        servers: z.array(z.string()).min(1).describe('Hosts at which it was seen'),
      }),
    )
    .min(2)
    .describe('Each thing seen, by the servers'),
});
export type ServerDifference = z.output<typeof differenceSchema>;

const dnsSchema = z.strictObject({
  domain: z.string().describe('Domain that was asked about'),
  servers: z.array(z.string()).describe('Hosts that DNS names for the directory'),
  notInSite: z.array(z.string()).describe('Of these, hosts that the site file does not list though it lists others'),
  notInDns: z.array(z.string()).describe('Hosts of the site file that DNS does not name'),
  outside: z
    .array(z.string())
    .describe('Hosts that DNS names and that do not lie below the domain; they are not contacted'),
});

/** `directory.connection`: how the directory servers of the site can be reached, and whether they prove who they are. */
export const directoryConnection = declareProbe({
  id: 'directory.connection',
  title: 'Connection to the directory',
  version: 2,
  params: z.strictObject({
    server: idSchema.optional().describe('Only this server of the site; default: every one'),
  }),
  facts: z.strictObject({
    kind: z.enum(['active-directory', 'ldap']).optional().describe('What the root DSE says the directory is'),
    servers: z
      .array(serverSchema)
      .min(1)
      .describe('One entry per server of the site file, and per server that DNS names besides'),
    dns: dnsSchema.optional().describe('What DNS says; absent where the site does not look servers up'),
    differences: z
      .array(differenceSchema)
      .optional()
      .describe(
        'In what the servers differ from each other; absent where none was seen and not every one could be compared',
      ),
    clockSpreadSeconds: z
      .number()
      .optional()
      .describe(
        'Seconds between the earliest and the latest clock of the servers; absent unless every one told its time',
      ),
    verifiedEverywhere: z.boolean().describe('Every server has at least one verified way in'),
    baseDnServed: z
      .boolean()
      .optional()
      .describe('The base DN of the site lies within a naming context of every verified server'),
    bind: z.literal('accepted').optional().describe('The bind account was let in, over a verified connection'),
    domainFunctionality: z
      .int()
      .optional()
      .describe('Functional level of the domain: 4 is 2008 R2, 5 is 2012, 7 is 2016'),
    forestFunctionality: z.int().optional().describe('Functional level of the forest, same numbers'),
    signing: z.enum(['required', 'not-required']).optional().describe('LDAP signing on SASL binds'),
    channelBinding: z.enum(['required', 'not-required']).optional().describe('Channel binding on LDAP over TLS'),
    tlsEngine: z.string().describe('TLS library that made the connections'),
  }),
  visible: () => [
    'Where the site says so, the queries for the SRV records of the directory at the name server.',
    'One TLS connection per directory server and way in (LDAPS, StartTLS), and one bind of the bind account.',
    'A few TLS greetings per server that offer TLS 1.0 and TLS 1.1 alone and hang up after the answer.',
    'One anonymous search under the base DN per server.',
    'One clear-text simple bind per server, under a test name with a random password: a failed logon of an unknown account, and on Windows event 2889 where it is logged.',
  ],
  rights: 'an ordinary domain user',
  deadlineMs: 120_000,
});
