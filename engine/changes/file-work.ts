import { z } from 'zod';
import { sshFile as declaration } from '../../core/changes/ssh-file.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { readFile } from '../wire/ssh-files.ts';
import type { SshConnection } from '../wire/ssh.ts';
import type { ChangePlan } from './change.ts';
import type { Values } from './file-edits.ts';
import { type FileState, fileStateSchema, stateOf, textOf } from './file-state.ts';
import { type Hide, makeHider } from './hidden-values.ts';

/** Plans come back from a journal, so what they hold is checked before it is executed. `path` has no symbolic links. */
const operationsSchema = declaration.params.extend({
  do: z.enum(['edit', 'restore']),
  /** Where the version that is replaced stays, in the same folder. */
  keep: z.string(),
  /** Of a restore: where the former version lies; absent where there was no file. */
  from: z.string().optional(),
  /** The port by which this change was made; where it moves SSH, its undo comes back to this one. */
  port: z.int(),
});
export type FileOperations = z.output<typeof operationsSchema>;

/** A plan with what it takes to carry it out. */
export type FileWork = {
  readonly operations: FileOperations;
  readonly preImage: FileState;
  readonly values: Values;
  readonly hider: () => Hide;
};

const MAX_FILE = 1024 * 1024;

/** The file as it is, its text, and its state without secrets. */
export async function look(
  ssh: SshConnection,
  path: string,
  hider: FileWork['hider'],
): Promise<Result<{ text: string | undefined; state: FileState; sha256: string | undefined }>> {
  const file = await readFile(ssh, path, { maxBytes: MAX_FILE });
  if (!file.ok) return file;
  const text = file.value === undefined ? ok(undefined) : textOf(file.value);
  if (!text.ok) return text;
  const state = stateOf(file.value, path, hider());
  return state.ok ? ok({ text: text.value, state: state.value, sha256: file.value?.sha256 }) : state;
}

/** Values for the edits, and what hides them again. Error: `secret.missing`. */
export async function prepare(
  { fill, secrets, hide }: Pick<FileOperations, 'fill' | 'secrets' | 'hide'>,
  context: ProbeContext,
): Promise<Result<Pick<FileWork, 'values' | 'hider'>>> {
  const known: Record<string, string> = {};
  for (const [name, secret] of Object.entries(secrets)) {
    const value = await context.secret(secret);
    if (!value.ok) return value;
    known[`secret.${name}`] = value.value;
  }
  return ok({ values: { ...fill, ...known }, hider: makeHider(hide, Object.values(known)) });
}

/** A plan as the journal keeps it, ready to be carried out. Errors: `change.refused`, `secret.missing`. */
export async function readPlan(change: ChangePlan, context: ProbeContext): Promise<Result<FileWork>> {
  const operations = operationsSchema.safeParse(change.operations);
  const preImage = fileStateSchema.safeParse(change.preImage);
  if (change.kind !== declaration.id || !operations.success || !preImage.success)
    return fail('change.refused', 'The plan is not one that this change has made.');
  const prepared = await prepare(operations.data, context);
  if (!prepared.ok) return prepared;
  return ok({ operations: operations.data, preImage: preImage.data, ...prepared.value });
}
