import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { appError, type AppError } from '../../core/result.ts';

/** Turns what the file system threw into an error the operator can act on. */
export function writeError(what: string, place: string, error: unknown): AppError {
  const code = (error as NodeJS.ErrnoException).code;
  const why =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'The disk is full'
      : code === 'EROFS' || code === 'EACCES' || code === 'EPERM'
        ? 'This folder cannot be written'
        : 'The file system refused';
  return appError('journal.write', `${what} could not be saved. ${why}.`, {
    place,
    cause: error instanceof Error ? error.message : String(error),
  });
}

/** Writes all of `bytes` at `position`; a short write (a disk that fills up) goes on until the system says why. */
export async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    if (bytesWritten === 0) throw new Error('nothing was written');
    done += bytesWritten;
  }
}

/** Makes a rename or a new name in `dir` durable. Windows has no such call and does not need it. */
export async function syncDirectory(dir: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Writes through a temporary file beside `file`, synced and renamed over it, so that a reader sees the whole file or
 * none. `write` gets the open handle; when it throws, nothing is left behind.
 */
export async function writeAtomically<T>(file: string, write: (handle: FileHandle) => Promise<T>): Promise<T> {
  const dir = dirname(file);
  await mkdir(dir, { recursive: true });
  const temporary = join(dir, `.${randomBytes(6).toString('hex')}.tmp`);
  const handle = await open(temporary, 'wx+', 0o600);
  try {
    const value = await write(handle);
    await handle.sync();
    await handle.close();
    await rename(temporary, file);
    await syncDirectory(dir);
    return value;
  } catch (error) {
    await handle.close().catch(() => {});
    await rm(temporary, { force: true });
    throw error;
  }
}
