import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { appError, type AppError } from '../../core/result.ts';
import { checkName, type FileSystem, moveOver, realFiles, removeFile, syncDirectory } from './file-system.ts';

/** Turns what the file system threw into an error the operator can act on. */
export function writeError(what: string, place: string, error: unknown): AppError {
  const code = (error as NodeJS.ErrnoException).code;
  const why =
    code === 'ENOSPC' || code === 'EDQUOT'
      ? 'The disk is full'
      : code === 'EBUSY'
        ? 'Another program has it open'
        : code === 'EROFS' || code === 'EACCES' || code === 'EPERM'
          ? `This folder cannot be written${process.platform === 'win32' ? ', or another program has the file open' : ''}`
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

/**
 * Writes through a temporary file beside `file`, synced and renamed over it, so that a reader sees the whole file or
 * none. `write` gets the open handle; when it throws, nothing is left behind.
 */
export async function writeAtomically<T>(
  file: string,
  write: (handle: FileHandle) => Promise<T>,
  files: FileSystem = realFiles,
): Promise<T> {
  const dir = dirname(file);
  checkName(file, files);
  await files.mkdir(dir);
  const temporary = join(dir, `.${randomBytes(6).toString('hex')}.tmp`);
  const handle = await files.open(temporary, 'wx+', 0o600);
  try {
    const value = await write(handle);
    await handle.sync();
    await handle.close();
    await moveOver(temporary, file, files);
    await syncDirectory(dir, files);
    return value;
  } catch (error) {
    await handle.close().catch(() => {});
    await removeFile(temporary, files).catch(() => {});
    throw error;
  }
}
