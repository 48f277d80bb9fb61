import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { fail, ok, type Result } from '../core/result.ts';
import { parseYaml } from '../core/yaml.ts';
import { readSmallFile } from '../engine/session/load-site.ts';

const waiverSchema = z.strictObject({
  reason: z.string().min(1).max(8000),
  compensating: z.string().min(1).max(8000),
  /** A day counts to its end, in UTC. */
  until: z.union([
    z.iso.date().transform((day) => `${day}T23:59:59.999Z`),
    z.iso.datetime({ error: 'takes a day such as 2027-03-31, or a time in UTC such as 2027-03-31T12:00:00Z' }),
  ]),
});

/** A path; or one with `keepOriginal`, which keeps a picture also as it was, metadata and all. */
const attachmentSchema = z.union([
  z
    .string()
    .max(500)
    .transform((file) => ({ file, keepOriginal: false })),
  z.strictObject({ file: z.string().max(500), keepOriginal: z.boolean().default(false) }),
]);

const answersSchema = z.strictObject({
  answers: z
    .record(
      z.string().max(400),
      z.strictObject({
        answer: z.string().min(1).max(40),
        note: z.string().max(8000).default(''),
        attachments: z.array(attachmentSchema).max(20).default([]),
      }),
    )
    .default({}),
  waivers: z.record(z.string().max(400), waiverSchema).default({}),
});

/** Answers to manual questions by control id or by `control@kind:id`; attachment paths are absolute. */
export type Answers = z.output<typeof answersSchema>['answers'];
/** Waivers asked for, by control id or by `control@kind:id`. */
export type Waivers = z.output<typeof answersSchema>['waivers'];

/**
 * Reads an answers file. Attachments are looked for beside it.
 * Errors: `input.not-found`, `input.malformed` with every fault as `line:column path: message`.
 */
export async function loadAnswers(path: string): Promise<Result<{ answers: Answers; waivers: Waivers }>> {
  const parsed = await loadYaml(path, 'answers file', answersSchema);
  if (!parsed.ok) return parsed;
  const folder = dirname(resolve(path));
  const answers = Object.fromEntries(
    Object.entries(parsed.value.answers).map(([key, answer]) => [
      key,
      { ...answer, attachments: answer.attachments.map((each) => ({ ...each, file: resolve(folder, each.file) })) },
    ]),
  );
  return ok({ answers, waivers: parsed.value.waivers });
}

/**
 * Reads `KEY=FILE` options: a waiver (reason, compensating, until) in a file of its own. Errors: `input.malformed`,
 * `input.not-found`.
 */
export async function loadWaivers(entries: readonly string[]): Promise<Result<Waivers>> {
  const waivers: Waivers = {};
  for (const entry of entries) {
    const at = entry.indexOf('=');
    if (at < 1 || at === entry.length - 1)
      return fail('input.malformed', `--waive takes CONTROL=FILE; got "${entry}".`);
    const waiver = await loadYaml(entry.slice(at + 1), 'waiver', waiverSchema);
    if (!waiver.ok) return waiver;
    waivers[entry.slice(0, at)] = waiver.value;
  }
  return ok(waivers);
}

async function loadYaml<S extends z.ZodType>(path: string, what: string, schema: S): Promise<Result<z.output<S>>> {
  const text = await readSmallFile(path, what);
  if (!text.ok) return text;
  const parsed = parseYaml(text.value, schema);
  if (parsed.ok) return ok(parsed.value);
  const cause = parsed.faults
    .map((fault) => `${path}:${fault.line}:${fault.column} ${fault.path}: ${fault.message}`)
    .join('\n');
  return fail('input.malformed', `The ${what} has faults.`, { place: path, cause });
}
