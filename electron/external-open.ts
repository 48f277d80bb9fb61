import { realpath } from 'node:fs/promises';
import { shell } from 'electron';
import { fail, ok, type Result } from '../core/result.ts';

/** Hands files to the system's own programs: the only place that may, and only what main itself produced. */
export type ExternalOpen = {
  /** Remembers a file as one that was produced here. */
  readonly produced: (path: string) => Promise<void>;
  /** Opens a report with the system's program for HTML. */
  readonly openReport: (path: string) => Promise<Result<null>>;
  readonly showInFolder: (path: string) => Promise<Result<null>>;
};

/** Errors: `input.not-found` when the file is gone or was not produced here, `internal` when the system has no program for it. */
export function createExternalOpen(): ExternalOpen {
  const known = new Set<string>();
  const resolve = async (path: string): Promise<Result<string>> => {
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined) return fail('input.not-found', 'The file is no longer there.', { place: path });
    return known.has(real)
      ? ok(real)
      : fail('input.not-found', 'Only files that were chosen or produced here are opened.', { place: path });
  };
  return {
    produced: async (path) => {
      const real = await realpath(path).catch(() => undefined);
      if (real !== undefined) known.add(real);
    },
    openReport: async (path) => {
      const real = await resolve(path);
      if (!real.ok) return real;
      if (!real.value.endsWith('.html'))
        return fail('input.malformed', 'Only reports in HTML are opened.', { place: path });
      const problem = await shell.openPath(real.value);
      return problem === ''
        ? ok(null)
        : fail('internal', 'The system could not open the report.', { place: path, cause: problem, fixBy: 'operator' });
    },
    showInFolder: async (path) => {
      const real = await resolve(path);
      if (!real.ok) return real;
      shell.showItemInFolder(real.value);
      return ok(null);
    },
  };
}
