import { readFile, rmdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail, ok, type Result } from '../core/result.ts';

/**
 * Stands before everything else in the file, so that it binds the whole page: a report comes out of a bundle that anyone
 * may have made, and is about to be opened in the person's browser, where it shall run nothing and load nothing.
 */
const GUARD =
  '<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" ' +
  `content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:">\n`;

const extracted = new Set<string>();

/** Puts the guard before the extracted report at `path`, in place. */
export async function guardReport(path: string): Promise<Result<null>> {
  try {
    extracted.add(path);
    const html = await readFile(path, 'utf8');
    if (!html.startsWith(GUARD)) await writeFile(path, GUARD + html.replace(/^\uFEFF/, ''));
    return ok(null);
  } catch (error) {
    return fail('internal', 'The report could not be prepared for opening.', {
      place: path,
      cause: (error as Error).message,
    });
  }
}

/** Removes the extracted reports: they hold a hospital's evidence and lie in a temporary folder. */
export async function removeReports(): Promise<void> {
  for (const path of extracted) {
    await rm(path, { force: true }).catch(() => undefined);
    await rmdir(dirname(path)).catch(() => undefined);
  }
  extracted.clear();
}
