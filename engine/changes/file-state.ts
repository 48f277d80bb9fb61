import { z } from 'zod';
import { fail, ok, type Result } from '../../core/result.ts';
import { digestOf, type RemoteFile } from '../wire/ssh-files.ts';
import type { Hide } from './hidden-values.ts';

/**
 * What a file was, without anything of a secret in it: the digest is that of the text with secrets hidden. A change of a
 * secret alone shows in the time of writing, which is kept where something is hidden.
 */
export const fileStateSchema = z.strictObject({
  path: z.string(),
  file: z
    .strictObject({ digest: z.string(), mode: z.string(), owner: z.string(), modified: z.string().optional() })
    .optional(),
});
export type FileState = z.output<typeof fileStateSchema>;

/** The text of a configuration file. Error: `change.refused` (not UTF-8, so an edit could harm it). */
export function textOf(file: RemoteFile): Result<string> {
  try {
    return ok(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file.bytes));
  } catch {
    return fail('change.refused', 'The file is not UTF-8 text.', { place: file.path });
  }
}

/** The state of a file that was read, or of none at `path`. Error: `change.refused` (not UTF-8). */
export function stateOf(file: RemoteFile | undefined, path: string, hide: Hide): Result<FileState> {
  if (file === undefined) return ok({ path });
  const text = textOf(file);
  if (!text.ok) return text;
  const { text: shown, hidden } = hide(text.value);
  const { mode, uid, gid, modified } = file;
  return ok({
    path: file.path,
    file: {
      digest: digestOf(Buffer.from(shown)),
      mode,
      owner: `${uid}:${gid}`,
      ...(hidden === 0 ? {} : { modified }),
    },
  });
}
