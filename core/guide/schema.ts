import { z } from 'zod';
import { ownerSchema, verdictSchema } from '../session/events.ts';
import { idSchema } from '../site/schema.ts';

const durationSchema = z
  .string()
  .regex(/^P(?=\d|T\d)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?$/, 'an ISO 8601 duration such as P90D');
const sentenceSchema = z.string().min(1).max(2000);
const inputNameSchema = z.string().regex(/^[a-z][A-Za-z0-9]*$/, 'a letter, then letters and digits');

/** Names that expressions use for something else. */
export const RESERVED_NAMES = ['facts', 'link', 'site', 'session', 'answer', 'true', 'false', 'null', 'in'] as const;

export const expectationSchema = z.strictObject({
  that: z.string().min(1).max(4000).describe('CEL over facts, the target, inputs and site; must be true'),
  else: sentenceSchema.describe('What to say when it does not hold; {{ expression }} is filled in'),
  severity: z.enum(['high', 'medium', 'low']).default('high'),
});
export type Expectation = z.output<typeof expectationSchema>;

export const checkSchema = z.strictObject({
  probe: z.string().max(80),
  with: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('Parameters; a string that begins with $ is an expression'),
  expect: z.array(expectationSchema).max(50).default([]),
});
export type Check = z.output<typeof checkSchema>;

export const manualSchema = z.strictObject({
  question: sentenceSchema,
  evidence: z
    .array(z.enum(['text', 'photo', 'file']))
    .max(3)
    .default([]),
  required: z.boolean().default(false).describe('Whether at least one piece of evidence must be attached for a pass'),
  answers: z
    .record(z.string().min(1).max(40), verdictSchema.exclude(['error', 'not-reviewed']))
    .refine((answers) => Object.keys(answers).length >= 2, 'give at least two answers'),
});

export const inputSchema = z.strictObject({
  type: z.enum(['directory-group', 'link', 'device', 'text', 'number', 'boolean', 'url', 'date', 'list']),
  many: z.boolean().default(false),
  optional: z.boolean().default(false),
  default: z.unknown().optional(),
  owner: ownerSchema.default('hospital'),
  title: z.string().min(1).max(200),
  help: z.string().max(1000).optional(),
});
export type GuideInput = z.output<typeof inputSchema>;

export const controlSchema = z.strictObject({
  id: idSchema,
  revision: z.int().min(1).describe('Raised when the meaning changes, not the wording'),
  title: z.string().min(1).max(200),
  owner: ownerSchema,
  group: idSchema.optional().describe('Heading under which the walk shows it; default: the id up to the first dot'),
  forEach: z
    .string()
    .regex(/^\$[a-z][A-Za-z0-9]* as [a-z][A-Za-z0-9]*$/, 'write: $input as name')
    .optional(),
  why: sentenceSchema,
  instructions: z.string().max(20000).default('').describe('Markdown'),
  applies: z
    .strictObject({ when: z.string().min(1).max(2000), else: sentenceSchema })
    .optional()
    .describe('When it does not hold, the control is not applicable, with the sentence'),
  checks: z.array(checkSchema).max(20).default([]),
  expect: z
    .array(expectationSchema)
    .max(20)
    .default([])
    .describe('Expectations over `link`, derived from several checks'),
  requires: z
    .array(z.enum(['server', 'client', 'device']))
    .min(1)
    .optional()
    .describe('Ends of the link that must be proved; default: all'),
  manual: manualSchema.optional(),
  change: z.strictObject({ kind: z.string().max(80), with: z.record(z.string(), z.unknown()).default({}) }).optional(),
  validFor: durationSchema.optional().describe('How long the evidence stays good'),
  references: z.record(idSchema, z.array(z.string().max(60)).max(50)).default({}),
});
export type Control = z.output<typeof controlSchema>;

const connectionsSchema = z.int().min(1).max(10000);
const perSecondSchema = z.number().min(0.1).max(200);
const budgetSchema = z.strictObject({
  connections: connectionsSchema.default(600).describe('Connections to one host in one session'),
  perSecond: perSecondSchema.default(50),
  devices: z
    .record(
      inputNameSchema,
      z.strictObject({ connections: connectionsSchema.optional(), perSecond: perSecondSchema.optional() }),
    )
    .optional()
    .describe('Less (or more) for the devices of an input of the type device, by its name'),
});

/** A guide, as an author writes it in YAML. */
export const guideSchema = z.strictObject({
  guide: idSchema,
  version: z.string().regex(/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/, 'a semantic version such as 3.3.0'),
  title: z.string().min(1).max(200),
  summary: z.string().max(2000).default(''),
  publisher: z.strictObject({ name: z.string().min(1).max(200), contact: z.string().max(200) }),
  product: z.strictObject({
    vendor: z.string().min(1).max(200),
    name: z.string().min(1).max(200),
    versions: z.string().min(1).max(200).describe('Range of product versions, as node-semver writes it'),
    observe: z
      .strictObject({
        probe: z.string(),
        with: z.record(z.string(), z.unknown()).default({}),
        version: z.string().min(1),
      })
      .optional()
      .describe('How the version is observed; absent: typed by the operator, and marked so'),
  }),
  languages: z
    .array(z.string().regex(/^[a-z]{2}(-[A-Z]{2})?$/))
    .min(1)
    .default(['en']),
  reminders: z
    .array(z.string().regex(/^P[1-9]\d{0,3}[DW]$/, 'days or weeks, such as P30D'))
    .max(5)
    .default(['P30D', 'P7D'])
    .describe('How long before its end the calendar reminds of a certificate, of evidence, of a waiver'),
  budget: budgetSchema.default({ connections: 600, perSecond: 50 }),
  inputs: z.record(inputNameSchema, inputSchema).default({}),
  controls: z.array(controlSchema).min(1).max(500),
});
export type Guide = z.output<typeof guideSchema>;
