import { readFile, rmdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fail, ok, type Result } from '../core/result.ts';

/**
 * Stands before everything else in the file, so that it binds the whole page: a report comes out of a bundle that anyone
 * may have made, and is about to be opened in the person's browser, where it shall run nothing and load nothing.
 */
const GUARD =
  '<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" ' +
  `content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; base-uri 'none'; form-action 'none'">\n`;

/** A policy does not keep a page from sending its reader elsewhere (`refresh`), so only the metas of a report are let in. */
const STRANGE_META =
  /<meta(?! charset="utf-8">| http-equiv="Content-Security-Policy" content="[^"<>]*">| name="(?:viewport|referrer)" content="[^"<>]*">)/i;

const extracted = new Set<string>();

/**
 * Puts the guard before the extracted report at `path`, in place. Errors: `bundle.malformed` where it holds what no
 * report holds, `internal`.
 */
export async function guardReport(path: string): Promise<Result<null>> {
  try {
    extracted.add(path);
    const html = await readFile(path, 'utf8');
    if (STRANGE_META.test(html))
      return fail('bundle.malformed', 'The report in this bundle is none of Lockstep’s, so it is not opened.', {
        place: 'report.html',
        cause: 'it would send its reader somewhere else, or declares what no report declares',
      });
    if (!html.startsWith(GUARD)) await writeFile(path, GUARD + html.replace(/^\uFEFF/, ''));
    return ok(null);
  } catch (error) {
    return fail('internal', 'The report could not be prepared for opening.', {
      place: path,
      cause: (error as Error).message,
    });
  }
}

/** Removes an extracted report: it holds a hospital's evidence and lies in a temporary folder. */
export async function removeReport(path: string): Promise<void> {
  extracted.delete(path);
  await rm(path, { force: true }).catch(() => undefined);
  await rmdir(dirname(path)).catch(() => undefined);
}

/** Removes all that were extracted and are still there. */
export async function removeReports(): Promise<void> {
  for (const path of extracted) await removeReport(path);
}
