import type { Result } from '../../core/result.ts';
import { ok } from '../../core/result.ts';
import { writeAtomically, writeError, writeFully } from '../evidence/files.ts';

/** Writes a whole small file or nothing. Errors: `journal.write`. */
export async function saveFile(path: string, content: string | Uint8Array): Promise<Result<void>> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  try {
    await writeAtomically(path, (handle) => writeFully(handle, bytes, 0));
    return ok(undefined);
  } catch (error) {
    return { ok: false, error: writeError('The file', path, error) };
  }
}
