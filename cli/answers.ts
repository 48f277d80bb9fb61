import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { fail, ok, type Result } from '../core/result.ts';
import { parseYaml } from '../core/yaml.ts';
import { readSmallFile } from '../engine/session/load-site.ts';

const answersSchema = z.strictObject({
  answers: z.record(
    z.string().max(400),
    z.strictObject({
      answer: z.string().min(1).max(40),
      note: z.string().max(8000).default(''),
      attachments: z.array(z.string().max(500)).max(20).default([]),
    }),
  ),
});

/** Answers to manual questions by control id or by `control@kind:id`; attachment paths are absolute. */
export type Answers = z.output<typeof answersSchema>['answers'];

/**
 * Reads an answers file. Attachments are looked for beside it.
 * Errors: `input.not-found`, `input.malformed` with every fault as `line:column path: message`.
 */
export async function loadAnswers(path: string): Promise<Result<Answers>> {
  const text = await readSmallFile(path, 'answers file');
  if (!text.ok) return text;
  const parsed = parseYaml(text.value, answersSchema);
  if (!parsed.ok) {
    const cause = parsed.faults
      .map((fault) => `${path}:${fault.line}:${fault.column} ${fault.path}: ${fault.message}`)
      .join('\n');
    return fail('input.malformed', 'The answers file has faults.', { place: path, cause });
  }
  const folder = dirname(resolve(path));
  return ok(
    Object.fromEntries(
      Object.entries(parsed.value.answers).map(([key, answer]) => [
        key,
        { ...answer, attachments: answer.attachments.map((file) => resolve(folder, file)) },
      ]),
    ),
  );
}
