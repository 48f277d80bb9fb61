import { z } from 'zod';
import { certificateTemplateSchema } from '../certificate-template.ts';
import { endpointParameter } from '../probes/tls-endpoint.ts';
import { credentialSchema, idSchema } from '../site/schema.ts';
import { enrolmentFaults } from '../enrolment-faults.ts';
import { lacksSsh, legacySshSchema } from '../site/ssh.ts';
import { declareChange } from './declaration.ts';

const pathSchema = z
  .string()
  .max(1024)
  .regex(/^\/(?:[^\p{Cc}/]+\/)*[^\p{Cc}/]+$/u, 'an absolute path of a file');
const commandSchema = z.string().min(1).max(1000);

/** Ciphers of a PKCS#12 file (RFC 7292). */
const pkcs12FormatSchema = z.enum(['modern', 'legacy']);
export type Pkcs12Format = z.output<typeof pkcs12FormatSchema>;
const pkcs12Parts = {
  format: pkcs12FormatSchema
    .default('modern')
    .describe('modern: AES-256, SHA-256. legacy: 3DES, SHA-1, for products that read nothing newer'),
  friendlyName: z
    .string()
    .max(64)
    .regex(/^[^\p{Cc}\s](?:[^\p{Cc}]*[^\p{Cc}\s])?$/u, 'no control characters, no blank at the ends')
    .optional()
    .describe('Name of the key in the file, which Java calls alias'),
};

/** How the device gets its certificate over SSH: files that stock programs read. */
export const sshEnrolmentSchema = z.strictObject({
  device: idSchema.describe('Device of the site file; its ssh says where and as whom, e.g. $device.id'),
  keyFile: pathSchema.optional().describe('Private key of the service, PEM; not needed where it reads PKCS#12'),
  certificateFile: pathSchema
    .optional()
    .describe('Certificate of the service, PEM, followed by the chain unless it has a file of its own'),
  chainFile: pathSchema
    .optional()
    .describe('The authorities above the certificate, where the service reads them from elsewhere'),
  pkcs12: z
    .strictObject({
      ...pkcs12Parts,
      file: pathSchema.describe('Key, certificate and chain of the service in one file'),
      password: idSchema.describe('Name of the secret that opens it; the service knows it from its own configuration'),
    })
    .optional()
    .describe('For a service that reads PKCS#12, instead of or beside the PEM files; the key is made here'),
  check: commandSchema
    .optional()
    .describe('Looks at the files before the restart, e.g. nginx -t; what fails is put back'),
  restart: commandSchema.describe('Makes the service read its files again, e.g. systemctl reload nginx'),
  legacy: legacySshSchema,
});
export type SshEnrolment = z.output<typeof sshEnrolmentSchema>;

const secureUrl = z.url({ protocol: /^https$/ });
const bodySchema = z
  .record(z.string(), z.unknown())
  .default({})
  .describe(
    'JSON. <chain>, <certificate>, <intermediates>, <key>, <pkcs12>, <pkcs12-password>, <common-name>, <organization>, <unit>, <names>, <key-kind>, <same-key> are filled in',
  );

/** The same by a device's own administration API. */
export const httpsEnrolmentSchema = z.strictObject({
  credential: credentialSchema.optional().describe('Account that reads'),
  anchors: z.array(idSchema).min(1).optional().describe('Anchors for the administration API; default: all of the site'),
  request: z
    .strictObject({
      url: secureUrl.describe('POST makes key and request, GET shows the request, 404 where there is none'),
      body: bodySchema,
      csr: z.string().min(1).max(100).describe('Field of the answer that holds the request in PEM'),
    })
    .optional()
    .describe('Needed where the key is made on the device'),
  discard: z
    .strictObject({ url: secureUrl, method: z.enum(['POST', 'PUT']), body: bodySchema })
    .optional()
    .describe('Drops the key and the request that wait on the device; without it a request is not undone'),
  install: z.strictObject({ url: secureUrl, method: z.enum(['POST', 'PUT']), body: bodySchema }),
  pkcs12: z
    .strictObject({
      ...pkcs12Parts,
      password: idSchema
        .optional()
        .describe('Name of the secret that opens it; default: one made for this request, sent as <pkcs12-password>'),
    })
    .optional()
    .describe('For a device that takes PKCS#12: <pkcs12> in the body of install, in base64; the key is made here'),
  restore: z
    .strictObject({ url: secureUrl, method: z.enum(['POST', 'PUT']), body: bodySchema })
    .optional()
    .describe('Puts the former certificate back, which the device keeps; without it there is no undo'),
});
export type HttpsEnrolment = z.output<typeof httpsEnrolmentSchema>;

/**
 * `certificate.enroll`: a device's certificate from key to renewal. It has two steps with a wait in between: a request is made
 * and handed to the hospital's authority; what comes back is checked, put on the device, and seen there. Each step is planned,
 * approved, read back and undone like any other change.
 */
export const certificateEnroll = declareChange({
  id: 'certificate.enroll',
  title: "Have the device's certificate issued by the hospital, and install it",
  version: 1,
  params: z.strictObject({
    endpoint: endpointParameter.describe(
      'Where the certificate is seen, before and after, e.g. $device.endpoints.admin',
    ),
    template: certificateTemplateSchema.describe('What is asked for'),
    made: z
      .enum(['device', 'here'])
      .default('device')
      .describe(
        'Where the key is made. On the device it never leaves it; here it is locked with a passphrase and carried there',
      ),
    renew: z
      .enum(['new-key', 'same-key'])
      .default('new-key')
      .describe('At a renewal: a new key, or the one that the device has, where the hospital issued its certificate'),
    anchors: z
      .array(idSchema)
      .min(1)
      .optional()
      .describe('Anchors that the other side holds; default: those of the endpoint, else all of the site'),
    by: z
      .union([z.strictObject({ ssh: sshEnrolmentSchema }), z.strictObject({ https: httpsEnrolmentSchema })])
      .describe('The way onto the device'),
  }),
  visible: ({ endpoint, by }) => [
    'ssh' in by
      ? `Two SSH log-ins to the device ${by.ssh.device} with the write account, and a restart of its service.`
      : `Requests such as ${by.https.install.method} ${by.https.install.url} with the write credential: entries in the device's own log.`,
    `Up to 40 TLS handshakes with ${endpoint.host}:${endpoint.port}, to see which certificate it shows.`,
  ],
  rights: "replace the device's certificate and key (an administrator of the device)",
  faults: enrolmentFaults,
  secrets: ({ by, endpoint }) => {
    const name = 'ssh' in by ? by.ssh.pkcs12?.password : by.https.pkcs12?.password;
    return name === undefined ? [] : [{ name, purpose: `Password of the PKCS#12 file of ${endpoint.host}` }];
  },
  lacks: ({ by }, site) => ('ssh' in by ? lacksSsh(by.ssh.device, site) : undefined),
});
