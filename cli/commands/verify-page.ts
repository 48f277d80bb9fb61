import { copyFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { appError } from '../../core/result.ts';
import { EXIT, ROOT } from '../host.ts';
import { complain, print } from '../terminal.ts';

/**
 * Writes the page that verifies bundles in a browser, for people who install nothing. It is built with the app.
 * @returns exit code: 0 written, 2 not built or not writable
 */
export async function writeVerifierPage(out: string): Promise<number> {
  const built = join(ROOT, 'dist', 'verifier', 'verifier.html');
  try {
    await copyFile(built, resolve(out));
  } catch (error) {
    const cause = (error as NodeJS.ErrnoException).message;
    complain(
      appError('input.not-found', 'The verifier page cannot be written; npm start and npm test build it.', {
        place: resolve(out),
        cause,
      }),
    );
    return EXIT.usage;
  }
  print(resolve(out));
  return EXIT.done;
}
