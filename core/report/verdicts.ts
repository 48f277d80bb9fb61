import { z } from 'zod';
import { ownerSchema, verdictSchema } from '../session/events.ts';
import type { ReportModel } from './model.ts';

export const VERDICTS_FILE = 'reports/verdicts.json';
const VERDICTS_FORMAT = 'lockstep-verdicts/1';
const PRACTICE = 'PRACTICE: this comes from a practice hospital and proves nothing about a real one.';
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const time = z.iso.datetime();

/** What came of every step, without what the hospital keeps: no name, no address, no sentence, no fact. */
export const verdictsSchema = z.strictObject({
  format: z.literal(VERDICTS_FORMAT),
  practice: z.boolean(),
  notice: z.literal(PRACTICE).optional(),
  guide: z.strictObject({
    id: z.string(),
    version: z.string(),
    sha256,
    trust: z.enum(['trusted', 'untrusted', 'unsigned']),
    publisherSha256: sha256.optional(),
  }),
  product: z.string().optional(),
  /** Version of the product, and where it is known from. */
  gate: z
    .strictObject({
      basis: z.enum(['observed', 'typed', 'unknown']),
      version: z.string().optional(),
      inRange: z.boolean(),
      overridden: z.boolean(),
    })
    .optional(),
  site: z.strictObject({ id: z.string(), sha256 }),
  session: z.strictObject({ id: z.uuid(), openedAt: time, lastAt: time, lockstep: z.string() }),
  journal: z.strictObject({ upTo: z.int().min(0), sha256 }),
  items: z.array(
    z.strictObject({
      key: z.string(),
      control: z.string(),
      revision: z.int(),
      owner: ownerSchema,
      target: z.strictObject({ kind: z.string(), id: z.string() }),
      verdict: verdictSchema,
      judgedAt: time.optional(),
      goodUntil: time.optional(),
      waiverUntil: time.optional(),
    }),
  ),
});
export type Verdicts = z.output<typeof verdictsSchema>;

/** The verdicts alone, for an edition that leaves out the rest; ids stand for what the site calls by name. */
export function renderVerdicts(model: ReportModel): string {
  const { guide, site, session, generatedFrom, gate } = model;
  const verdicts: Verdicts = {
    format: VERDICTS_FORMAT,
    practice: model.practice,
    ...(model.practice ? { notice: PRACTICE } : {}),
    guide: {
      id: guide.id,
      version: guide.version,
      sha256: guide.sha256,
      trust: guide.trust,
      ...(guide.publisherSha256 === undefined ? {} : { publisherSha256: guide.publisherSha256 }),
    },
    ...(guide.product === undefined ? {} : { product: guide.product }),
    ...(gate === undefined
      ? {}
      : {
          gate: {
            basis: gate.basis,
            ...(gate.version === undefined ? {} : { version: gate.version }),
            inRange: gate.inRange,
            overridden: gate.overridden,
          },
        }),
    site: { id: site.id, sha256: site.sha256 },
    session: { id: session.id, openedAt: session.openedAt, lastAt: session.lastAt, lockstep: session.lockstep },
    journal: generatedFrom,
    items: model.items.map(({ key, control, target, verdict, judgedAt, goodUntil, waiver }) => ({
      key,
      control: control.id,
      revision: control.revision,
      owner: control.owner,
      target: { kind: target.kind, id: target.id },
      verdict,
      ...(judgedAt === undefined ? {} : { judgedAt }),
      ...(goodUntil === undefined ? {} : { goodUntil }),
      ...(waiver === undefined ? {} : { waiverUntil: waiver.until }),
    })),
  };
  return `${JSON.stringify(verdicts, null, 2)}\n`;
}
