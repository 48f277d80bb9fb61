import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';
import { fail, ok, type Result } from '../core/result.ts';

const MAX_BYTES = 1024 * 1024;

/** A small JSON file of the app's own. */
export type JsonStore<T> = {
  readonly read: () => Promise<T>;
  /** Writes what `change` makes of the present value; changes happen one after the other. */
  readonly update: (change: (present: T) => T) => Promise<Result<null>>;
};

/**
 * Opens the file at `path`. A missing file reads as `empty`. So does a damaged one, which is then kept beside it: what
 * is kept here (pins, trust) gives rights, so losing it is safe and guessing it is not.
 */
export function createJsonStore<S extends z.ZodType>(
  path: string,
  schema: S,
  empty: z.output<S>,
): JsonStore<z.output<S>> {
  let queue: Promise<unknown> = Promise.resolve();

  const read = async (): Promise<z.output<S>> => {
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch {
      return empty;
    }
    const parsed = text.length > MAX_BYTES ? undefined : schema.safeParse(parseJson(text));
    if (parsed?.success === true) return parsed.data;
    await rename(path, `${path}.damaged`).catch(() => undefined);
    return empty;
  };

  const write = async (value: z.output<S>): Promise<void> => {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const beside = `${path}.${randomBytes(6).toString('hex')}`;
    try {
      const file = await open(beside, 'wx', 0o600);
      try {
        await file.writeFile(`${JSON.stringify(value, undefined, 2)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(beside, path);
    } catch (error) {
      await rm(beside, { force: true });
      throw error;
    }
  };

  return {
    read,
    update: (change) => {
      const step = queue.then(async (): Promise<Result<null>> => {
        try {
          await write(change(await read()));
          return ok(null);
        } catch (error) {
          return fail('internal', 'The settings could not be written.', {
            place: path,
            cause: (error as Error).message,
            fixBy: 'operator',
          });
        }
      });
      queue = step;
      return step;
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
