import { z } from 'zod';
import { idSchema } from '../site/schema.ts';
import { lacksSsh, legacySshSchema } from '../site/ssh.ts';
import { declareChange } from './declaration.ts';

const lineSchema = z
  .string()
  .max(4000)
  .regex(/^[^\r\n\0]*$/, 'one line');
const nameSchema = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\r\n\0=]+$/, 'a name without = and line breaks');
const commandSchema = z
  .string()
  .min(1)
  .max(1000)
  .regex(/^[^\r\n\0]+$/, 'one line of the shell');

/** What is done to a file. Each is exact: it says what it finds, and is refused where that is not there or there twice. */
export const fileEditSchema = z.union([
  z.strictObject({
    json: z
      .string()
      .regex(/^(\/([^~/]|~[01])*)+$/, 'a JSON pointer such as /RegisteredUsers (RFC 6901)')
      .describe(
        'JSON, comments allowed and kept: the member at this pointer gets the value; it is added where it is missing',
      ),
    value: z.unknown(),
  }),
  z.strictObject({
    key: nameSchema.describe(
      'The line of this key gets the value; it is added at the top (of its section) where it is missing',
    ),
    value: lineSchema,
    separator: z.enum([' ', '=', ' = ', ': ']).default(' ').describe('What stands between key and value'),
    section: nameSchema.optional().describe('Name of the [section] in an INI file'),
  }),
  z.strictObject({
    line: lineSchema.min(1).describe('This line, indentation apart, which stands there once'),
    with: z.string().max(4000).describe('What takes its place, one line or more; nothing takes it out'),
  }),
  z.strictObject({
    whole: z
      .string()
      .max(256 * 1024)
      .describe('The whole file; it is made where there is none'),
  }),
]);
export type FileEdit = z.output<typeof fileEditSchema>;

/** How a change that may cut off its own way is undone by the device itself. */
export const guardSchema = z.strictObject({
  seconds: z
    .int()
    .min(10)
    .max(600)
    .default(60)
    .describe('Unless the operator confirms from a new connection within this time, the device puts the old file back'),
  port: z.int().min(1).max(65535).optional().describe('SSH port of the new connection, where the change moves it'),
});

/**
 * `ssh.file`: a configuration file on a device, over SSH. The new version is written beside the old one, checked there, takes its
 * place in one step, and the old one stays on the device beside it. Its undo puts that back.
 */
export const sshFile = declareChange({
  id: 'ssh.file',
  title: 'Change a configuration file on the device',
  version: 1,
  params: z.strictObject({
    device: idSchema.describe('Id of the device in the site file; the site names its SSH access'),
    path: z
      .string()
      .max(500)
      .regex(/^\/[^\r\n\0]*[^\r\n\0/]$/, 'an absolute path')
      .describe('The file'),
    edits: z.array(fileEditSchema).min(1).max(50).describe('What is done to it, in this order'),
    fill: z
      .record(z.string().regex(/^[A-Za-z]\w*$/), z.union([lineSchema, z.number(), z.boolean()]))
      .default({})
      .describe('Values for {{ name }} in the edits'),
    secrets: z
      .record(z.string().regex(/^[A-Za-z]\w*$/), idSchema)
      .default({})
      .describe('Names of secrets whose values stand for {{ secret.name }} in the edits; never shown or recorded'),
    hide: z
      .array(z.string().min(1).max(80))
      .max(50)
      .default([])
      .describe('Further keys whose values are never shown or recorded; passwords, tokens and keys are hidden anyway'),
    mode: z
      .string()
      .regex(/^[0-7]{3}$/)
      .default('600')
      .describe('Mode of a file that is new; one that is there keeps mode and owner'),
    check: commandSchema
      .regex(/\{file\}/, 'the command has to name {file}')
      .optional()
      .describe('Command that checks the new version before it takes effect; {file} is where it lies'),
    restart: commandSchema.optional().describe('Command that makes the new version count'),
    verify: commandSchema.optional().describe('Command that ends with 0 when all is well afterwards'),
    seconds: z.int().min(1).max(120).default(30).describe('Time for each of these commands'),
    guard: guardSchema
      .optional()
      .describe('For a change that may cut off the connection it is made over; taken by itself where that can be seen'),
    legacy: legacySshSchema,
  }),
  visible: ({ device, path, restart }) => [
    `SSH log-ins to ${device} with the write credential, and a new version of ${path} beside the old one.`,
    ...(restart === undefined ? [] : [`On ${device}: ${restart}`]),
  ],
  rights: 'write the file and restart the service on the device (an administrator of the device, over SSH)',
  secrets: ({ path, secrets }) => Object.values(secrets).map((name) => ({ name, purpose: `Goes into ${path}` })),
  lacks: ({ device }, site) => lacksSsh(device, site),
});
