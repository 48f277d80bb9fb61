import { z } from 'zod';
import { keyIdSchema } from '../people/key-id.ts';

/** Ids in guides and sites: lower case, digits, dots and dashes, so that they are safe in file names and URLs. */
export const idSchema = z
  .string()
  .max(80)
  .regex(/^[a-z0-9]+(?:[.-][a-z0-9]+)*$/, 'use lower-case letters, digits, dots and dashes');

export const hostSchema = z
  .string()
  .min(1)
  .max(253)
  .regex(/^[A-Za-z0-9._:-]+$/, 'a host name or an IP address')
  .describe('Host name or IP address, as the other end dials it');
export const portSchema = z.int().min(1).max(65535);

/** A TCP service. The name is what certificates are checked against, unless `serverName` says otherwise. */
export const endpointSchema = z.strictObject({
  host: hostSchema,
  port: portSchema,
  serverName: hostSchema.optional().describe('Name that the certificate must carry; default: host'),
  starttls: z
    .enum(['ldap'])
    .optional()
    .describe('The protocol in which TLS is started; absent: TLS from the first byte'),
  anchors: z
    .array(idSchema)
    .min(1)
    .optional()
    .describe('Anchors that the peer of this endpoint holds; default: all of the site'),
});
export type Endpoint = z.output<typeof endpointSchema>;

/** A PEM file beside the site file; its text once the site is loaded, so that a bundle stands alone. */
const pemSchema = z.string().min(1).max(65536);

/** A trust anchor: `pem` inline, or a `file` beside the site file (read and inlined when the site is loaded). */
export const anchorSchema = z
  .strictObject({ id: idSchema, pem: z.string().max(65536).optional(), file: z.string().max(500).optional() })
  .refine((anchor) => (anchor.pem === undefined) !== (anchor.file === undefined), 'give either pem or file');

export const CLIENT_IDENTITY_KINDS = ['good', 'expired', 'revoked', 'wrong-subject'] as const;
export const SERVER_IDENTITY_KINDS = ['server-good', 'server-wrong-name', 'server-expired', 'server-revoked'] as const;

/**
 * An identity made by the hospital for trials: of a server, which a client presents; or of a device, to which Lockstep
 * plays the server. Files lie beside the site file; the key is read at run time, never stored. `kind` says how a peer that
 * checks properly must treat it.
 */
export const trialIdentitySchema = z.strictObject({
  id: idSchema,
  kind: z.enum([...CLIENT_IDENTITY_KINDS, ...SERVER_IDENTITY_KINDS]),
  certificate: z.string().max(500).describe('PEM file with the certificate and its chain'),
  key: z.string().max(500).describe('PEM file with the private key'),
});
export type TrialIdentity = z.output<typeof trialIdentitySchema>;

export const roleSchema = z.strictObject({
  id: idSchema,
  name: z.string().min(1).max(120),
  group: z.string().min(1).max(256).describe('sAMAccountName or cn of the directory group'),
});

/** Credentials are named, never given: `secret` is the name under which the operator supplies the password. */
export const credentialSchema = z.strictObject({ user: z.string().min(1).max(256), secret: idSchema });

/** Where a device shows something over its REST interface; always encrypted and verified. */
export const deviceUrlSchema = z.url({ protocol: /^https$/, error: 'only https:// is taken here' }).max(2000);

/** What a healthy device answers: asked before the first and after every probe that touched it. */
export const heartbeatSchema = z.union([
  z.strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .describe('Answered with any status below 500 while the device is well; asked without a password'),
  }),
  z.strictObject({
    host: hostSchema.optional().describe('Default: the host of the device'),
    port: portSchema.describe('TCP port that accepts a connection while the device is well'),
  }),
]);
export type HeartbeatQuestion = z.output<typeof heartbeatSchema>;

/** How files get onto a device and services are restarted there. The host key is what the device is known by. */
export const sshAccessSchema = z.strictObject({
  host: hostSchema.optional().describe('Default: the host of the device'),
  port: portSchema.default(22),
  user: z.string().min(1).max(256).describe('Account on the device'),
  hostKey: z
    .string()
    .regex(/^SHA256:[A-Za-z0-9+/]{43}$/, "SHA256: and 43 characters, as 'ssh-keygen -l' prints it")
    .describe(
      "Fingerprint of the device's host key, read at the device: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
    ),
  secret: idSchema.describe('Name under which the password, or the text of a private key, is supplied'),
  passphrase: idSchema.optional().describe('Name under which the passphrase of the private key is supplied'),
});
export type SshAccess = z.output<typeof sshAccessSchema>;

export const deviceSchema = z.strictObject({
  id: idSchema,
  name: z.string().min(1).max(120),
  host: hostSchema,
  adminUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Base URL of the administration API, without a slash at the end'),
  credential: credentialSchema.optional(),
  endpoints: z.record(idSchema, endpointSchema).default({}),
  allowedPorts: z
    .array(portSchema)
    .max(200)
    .default([])
    .describe('Ports that the guide and the hospital agreed to leave open'),
  heartbeat: heartbeatSchema
    .optional()
    .describe('How to see that the device is still well between probes; without an answer it is left alone'),
  ssh: sshAccessSchema.optional().describe('SSH access, for changes of files on the device'),
  aeTitle: z.string().max(16).optional().describe('DICOM application entity title of the device'),
  certificate: pemSchema.optional().describe('PEM file of the certificate that the device should present'),
});

export const linkSchema = z.strictObject({
  id: idSchema,
  name: z.string().min(1).max(120),
  protocol: z.enum(['hl7-mllp', 'dicom', 'https', 'ldap', 'other']),
  client: z.strictObject({ device: idSchema.describe('Device at the client end') }),
  server: endpointSchema.describe('Server end, as the device dials it'),
  pinned: pemSchema.optional().describe('PEM file: the copy of the server certificate or anchor that the device holds'),
  clearPorts: z
    .array(portSchema)
    .max(20)
    .default([])
    .describe('Ports of the server end where a clear-text twin would listen'),
  identities: z.array(idSchema).default([]).describe('Trial identities to use against the server end'),
  impostor: z
    .strictObject({
      address: z.string().max(64).describe('Local address to listen on'),
      port: z.int().min(0).max(65535).default(0).describe('Port to listen on; 0 takes a free one'),
      trigger: z
        .union([
          z.literal('operator'),
          z.strictObject({
            url: z
              .url({ protocol: /^https?$/ })
              .describe('Device API that sends one synthetic test message to { host, port }'),
            credential: credentialSchema.optional(),
          }),
        ])
        .describe('How the device is made to connect'),
      from: z
        .array(z.string().max(64))
        .max(8)
        .default([])
        .describe(
          "Addresses that the device connects from; whoever else connects is listed and not counted. None: the address of the device's API or of the device",
        ),
      identities: z
        .array(idSchema)
        .max(8)
        .default([])
        .describe("Server identities that the hospital's CA made for this trial; best with a good one among them"),
    })
    .optional(),
});

export const directorySchema = z.strictObject({
  kind: z.enum(['active-directory', 'ldap']),
  baseDn: z.string().min(3).max(1024),
  servers: z
    .array(
      z.strictObject({
        id: idSchema,
        host: hostSchema,
        ldaps: portSchema.optional().describe('LDAPS port'),
        ldap: portSchema.optional().describe('LDAP port, used with StartTLS and for the refused clear-text trials'),
      }),
    )
    .max(50)
    .default([])
    .describe('Directory servers; none: those that DNS names'),
  dns: z
    .strictObject({
      domain: hostSchema.optional().describe('Domain to look servers up in; default: that of the base DN'),
      nameServers: z
        .array(
          z
            .string()
            .regex(/^(?:[0-9.]+|\[[0-9A-Fa-f:]+\]|[0-9A-Fa-f:]+)(?::\d{1,5})?$/, 'an IP address, or address:port'),
        )
        .max(4)
        .default([])
        .describe('Name servers to ask; default: those of this computer'),
    })
    .optional()
    .describe('Look the servers up in DNS (SRV records); where `servers` lists some too, the two are compared'),
  anchors: z.array(idSchema).min(1),
  bindAccount: z
    .string()
    .min(1)
    .max(1024)
    .describe('DN or userPrincipalName that Lockstep binds as; the password is asked for'),
  secret: idSchema.default('directory-bind').describe('Name under which the bind password is supplied'),
  canary: z
    .strictObject({
      account: credentialSchema.describe('Account of somebody who consented to one logon of theirs being tried'),
      mustRefuse: credentialSchema.optional().describe('Disabled or expired account, with its right password'),
      lockoutAfter: z
        .int()
        .min(0)
        .max(1000)
        .optional()
        .describe(
          'Failed logons after which these accounts are locked out, as the hospital states it (0: never); needed where the bind account may not see which policy holds for them',
        ),
    })
    .optional()
    .describe('Accounts with which a sign-in is tried; absent: it is not tried'),
});

/** One hospital installation. Holds no secret. */
export const siteSchema = z.strictObject({
  site: idSchema,
  name: z.string().min(1).max(120),
  practice: z.boolean().default(false).describe('A practice hospital: every page and certificate is marked PRACTICE'),
  hosts: z
    .record(hostSchema, z.string().max(64))
    .default({})
    .describe('Addresses for names that this network cannot resolve'),
  directory: directorySchema.optional(),
  anchors: z.array(anchorSchema).default([]),
  identities: z.array(trialIdentitySchema).default([]),
  people: z
    .strictObject({ keyId: keyIdSchema.describe('Id of the site key; a session takes no other') })
    .optional()
    .describe('How people are recorded'),
  roles: z.array(roleSchema).default([]),
  devices: z.array(deviceSchema).default([]),
  links: z.array(linkSchema).default([]),
  inputs: z.record(z.string().max(80), z.unknown()).default({}).describe("Values for the guide's other inputs"),
});
export type Site = z.output<typeof siteSchema>;
export type Role = z.output<typeof roleSchema>;
export type Device = z.output<typeof deviceSchema>;
export type Link = z.output<typeof linkSchema>;
export type Directory = z.output<typeof directorySchema>;
