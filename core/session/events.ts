import { z } from 'zod';
import { keyIdSchema } from '../people/key-id.ts';
import { ERROR_CODES, type ErrorCode } from '../result.ts';
import { JOURNAL_VERSION, upgradeEvent, versionOf } from './versions.ts';

/** Journal format; line 0 names it. */
export const JOURNAL_FORMAT = 'lockstep-journal/2';

export const verdictSchema = z.enum(['pass', 'fail', 'error', 'not-reviewed', 'not-applicable']);
export type Verdict = z.output<typeof verdictSchema>;

export const ownerSchema = z.enum(['manufacturer', 'hospital', 'shared']);
export type Owner = z.output<typeof ownerSchema>;

const sha256Schema = z.string().regex(/^[0-9a-f]{64}$/);
const timeSchema = z.iso.datetime();

export const appErrorSchema = z.strictObject({
  code: z.enum(Object.keys(ERROR_CODES) as [ErrorCode, ...ErrorCode[]]),
  message: z.string(),
  fixBy: z.enum(['operator', 'hospital', 'manufacturer', 'lockstep']),
  place: z.string().optional(),
  cause: z.string().optional(),
});

/** What a control is applied to. `kind` is the input type; a control without `forEach` has the site itself. */
export const targetSchema = z.strictObject({
  kind: z.enum(['site', 'role', 'link', 'device']),
  id: z.string(),
  name: z.string(),
});
export type Target = z.output<typeof targetSchema>;

/** `control@kind:id`: one row of verdicts, journal, diff and carry-over. */
export function itemKey(control: string, target: Target): string {
  return `${control}@${target.kind}:${target.id}`;
}

/** One sentence that a judgement found. */
export const findingSchema = z.strictObject({
  verdict: verdictSchema,
  sentence: z.string(),
  severity: z.enum(['high', 'medium', 'low']).default('high'),
  /** Index of the check; absent for control-level expectations and answers. */
  check: z.int().min(0).optional(),
  fixBy: z.string().optional(),
});
export type Finding = z.output<typeof findingSchema>;

const item = { key: z.string() };
const trust = z.enum(['trusted', 'untrusted', 'unsigned']);

/** `data` by event type. A later version adds types and optional fields, never changes a meaning. */
export const eventDataSchemas = {
  'session.opened': z.strictObject({
    format: z.enum(['lockstep-journal/1', JOURNAL_FORMAT]),
    session: z.uuid(),
    lockstep: z.string(),
    guide: z.strictObject({
      id: z.string(),
      version: z.string(),
      sha256: sha256Schema,
      trust,
      publisher: z.string().optional(),
      publisherSha256: sha256Schema.optional(),
    }),
    site: z.strictObject({ id: z.string(), name: z.string(), sha256: sha256Schema, practice: z.boolean() }),
    operator: z.strictObject({ id: z.string(), name: z.string() }),
    runtime: z.record(z.string(), z.string()),
    computer: z.string().optional().describe('Name of the computer on which the session lies'),
  }),
  'operator.joined': z.strictObject({
    id: z.string(),
    name: z.string(),
    how: z.enum(['resumed', 'taken-over']).describe('Opened where it lay, or taken over after a hand-over'),
    computer: z.string().optional().describe('Name of the computer on which the session lies from here on'),
  }),
  'handed-over': z.strictObject({ to: z.string().min(1).describe('Who can open the file that it left in') }),
  'hand-over.withdrawn': z.strictObject({ reason: z.string().min(1) }),
  'gate.checked': z.strictObject({
    basis: z.enum(['observed', 'typed', 'unknown']),
    version: z.string().optional(),
    range: z.string(),
    inRange: z.boolean(),
    reason: z
      .string()
      .optional()
      .describe("Why the observation failed, or the operator's reason to go on outside the range"),
    overridden: z.boolean(),
  }),
  'preflight.accepted': z.strictObject({ visible: z.array(z.string()) }),
  'people.keyed': z.strictObject({
    keyId: keyIdSchema.describe('From here on people appear as HMACs under the site key of this id'),
  }),
  'people.names': z.strictObject({
    agreed: z.boolean().describe('Whether the operator agreed that people are named where the guide asks for it'),
    asking: z.array(z.string()).describe('Keys of the items that ask for names'),
  }),
  'baseline.chosen': z.strictObject({
    bundle: sha256Schema.describe('SHA-256 of the earlier bundle'),
    session: z.uuid().describe('Its session'),
    guide: z.string().describe('Version of its guide'),
    lastAt: timeSchema.describe('Its last event'),
    provisional: z.boolean().describe('The engineer and the hospital have not both signed it'),
    keyId: keyIdSchema.optional().describe('Site key under which it has people'),
    facts: sha256Schema.describe('SHA-256 of the file that keeps, beside the journal, what is compared'),
  }),
  'probe.started': z.strictObject({ ...item, check: z.int().min(0), probe: z.string(), params: z.unknown() }),
  'facts.recorded': z.strictObject({
    ...item,
    check: z.int().min(0),
    probe: z.string(),
    file: z.string(),
    sha256: sha256Schema,
  }),
  'probe.failed': z.strictObject({ ...item, check: z.int().min(0), probe: z.string(), error: appErrorSchema }),
  judged: z.strictObject({
    ...item,
    control: z.string(),
    revision: z.int(),
    target: targetSchema,
    verdict: verdictSchema,
    findings: z.array(findingSchema),
    goodUntil: timeSchema.optional(),
    basis: z.array(z.int()).describe('Numbers of the events it was judged from'),
  }),
  answered: z.strictObject({
    ...item,
    answer: z.string(),
    note: z.string().max(8000),
    attachments: z.array(sha256Schema),
  }),
  attached: z.strictObject({
    ...item,
    sha256: sha256Schema,
    file: z.string(),
    name: z.string(),
    mediaType: z.string(),
    size: z.int(),
    redacted: z
      .strictObject({
        from: sha256Schema.describe('SHA-256 of the file as it was chosen'),
        boxes: z.int().min(0).max(1000).describe('Boxes burnt into the picture; its metadata went out in any case'),
        kept: z.boolean().describe('The file as it was chosen is attached, too, because the operator asked for it'),
      })
      .optional(),
  }),
  'change.planned': z.strictObject({
    ...item,
    change: z.string(),
    kind: z.string(),
    summary: z.string(),
    diff: z.string(),
    operations: z.unknown(),
    undo: z.boolean(),
    undoOf: z.string().optional(),
  }),
  'change.approved': z.strictObject({
    ...item,
    change: z.string(),
    ticket: z.string().min(1),
    approver: z.string().min(1),
    notBefore: timeSchema.optional().describe('The change may be made from here on'),
    notAfter: timeSchema.optional().describe('The change may be made until here'),
  }),
  'change.preimage': z.strictObject({ ...item, change: z.string(), preImage: z.unknown() }),
  'change.applied': z.strictObject({
    ...item,
    change: z.string(),
    /** From a new connection, within the time after which the device would have undone the change by itself. */
    confirmed: z.strictObject({ seconds: z.int().min(1), at: timeSchema }).optional(),
  }),
  'change.failed': z.strictObject({ ...item, change: z.string(), error: appErrorSchema }),
  'change.readback': z.strictObject({
    ...item,
    change: z.string(),
    asPlanned: z.boolean(),
    differences: z.array(z.string()),
    state: z.unknown(),
  }),
  'change.undone': z.strictObject({ ...item, change: z.string(), by: z.string() }),
  waived: z.strictObject({ ...item, reason: z.string().min(1), compensating: z.string().min(1), until: timeSchema }),
  deferred: z.strictObject({ ...item, to: ownerSchema, note: z.string() }),
  'head.signed': z.strictObject({
    at: z.enum(['open', 'close', 'hand-over']),
    upTo: z.int().min(0).describe('Number of the line that is signed'),
    sha256: sha256Schema.describe('SHA-256 of that line'),
    signature: z
      .string()
      .describe('ECDSA P-256 or RSA PKCS#1 v1.5 with SHA-256 over the 32 digest bytes, base64 (ECDSA: DER)'),
    certificate: z.string().describe("PEM of the operator's certificate"),
  }),
  sealed: z.strictObject({ upTo: z.int().min(0), file: z.string(), sha256: sha256Schema }),
} as const;

export type EventType = keyof typeof eventDataSchemas;
export type EventData<T extends EventType> = z.output<(typeof eventDataSchemas)[T]>;

/** One line of the journal. `prev` is the SHA-256 of the line before (of its bytes without the newline); zeros on line 0. */
export type JournalEvent<T extends EventType = EventType> = {
  [K in T]: {
    readonly n: number;
    readonly at: string;
    readonly prev: string;
    readonly by: string;
    readonly type: K;
    /** Version from this line on, where it is higher than the one before. */
    readonly v?: number;
    readonly data: EventData<K>;
  };
}[T];

const envelope = z.strictObject({
  n: z.int().min(0),
  at: timeSchema,
  prev: sha256Schema,
  by: z.string(),
  type: z.string(),
  v: z.int().min(2).optional(),
  data: z.unknown(),
});

/** What a line of a later version throws: this program must not guess at its meaning. */
export class LaterVersion extends Error {}

/**
 * Checks one parsed journal line and brings it to the present version. Throws a ZodError naming the field, or
 * LaterVersion.
 * @param inherited the version of the line before; it may be left out for line 0
 */
export function parseEvent(line: unknown, inherited?: number): JournalEvent {
  const version = versionOf(line, inherited);
  if (version > JOURNAL_VERSION) throw new LaterVersion(`it is of version ${version}`);
  const event = upgradeEvent(envelope.parse(line), version);
  if (event.v !== undefined && event.v <= (inherited ?? 0)) throw new Error(`it repeats the version ${event.v}`);
  const schema = eventDataSchemas[event.type as EventType];
  if (schema === undefined) throw new Error(`unknown event type ${JSON.stringify(event.type)}`);
  return { ...event, data: schema.parse(event.data) } as JournalEvent;
}

/** What a facts file holds: `facts/<n>.json`, n being the number of its `facts.recorded` event. */
export const factsFileSchema = z.strictObject({
  probe: z.string(),
  version: z.int(),
  params: z.unknown(),
  startedAt: timeSchema,
  finishedAt: timeSchema,
  runtime: z.record(z.string(), z.string()),
  connections: z.int().min(0),
  /** Devices that were asked whether they are well, with the time of each answer around this probe. */
  heartbeats: z.array(z.strictObject({ device: z.string(), before: timeSchema, after: timeSchema })).optional(),
  /** Exactly one of the two. */
  facts: z.unknown().optional(),
  notApplicable: z.string().optional(),
  absent: z.array(z.strictObject({ path: z.string(), reason: z.string(), notApplicable: z.literal(true).optional() })),
});
export type FactsFile = z.output<typeof factsFileSchema>;
