import { constants, type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { windowsFault } from '../../core/bundle/layout.ts';

/** What writing evidence needs of a file system; passed in, so that the rules of another one can be tried. */
export type FileSystem = {
  readonly platform: NodeJS.Platform;
  readonly open: (path: string, flags: string, mode?: number) => Promise<FileHandle>;
  readonly rename: (from: string, to: string) => Promise<void>;
  readonly mkdir: (path: string) => Promise<unknown>;
  readonly remove: (path: string) => Promise<void>;
  readonly pause: (milliseconds: number) => Promise<unknown>;
};

/**
 * On Linux a file can be opened so that every write is on the disk when it returns, which saves a second call. Elsewhere that
 * mode leaves data in the disk's own cache, which `datasync` does not.
 */
export const WRITES_ARE_SYNCED = process.platform === 'linux';

/** Flags for a journal that is made, or that is opened again. */
export function journalFlags(how: 'make' | 'open'): number {
  const { O_CREAT, O_DSYNC, O_EXCL, O_RDWR } = constants;
  return O_RDWR | (how === 'make' ? O_CREAT | O_EXCL : 0) | (WRITES_ARE_SYNCED ? O_DSYNC : 0);
}

export const realFiles: FileSystem = {
  platform: process.platform,
  open,
  rename,
  mkdir: (path) => mkdir(path, { recursive: true }),
  remove: (path) => rm(path, { force: true }),
  pause: sleep,
};

/** What Windows answers while a virus scanner, a backup or another window has the file open. */
const SHARED = new Set(['EPERM', 'EACCES', 'EBUSY']);
const PAUSE_MS = 20;
/** Tries, each pause longer than the one before: two seconds in all. */
const TRIES = 14;

/** Throws where the system would keep a file under another name than this, or not as a file at all. */
export function checkName(path: string, files: FileSystem = realFiles): void {
  const fault = files.platform === 'win32' ? windowsFault(basename(path)) : undefined;
  if (fault !== undefined) throw new Error(`the name ${JSON.stringify(basename(path))} ${fault}`);
}

/** Renames over what is there; on Windows again and again for a while, where another program has it open. */
export async function moveOver(from: string, to: string, files: FileSystem = realFiles): Promise<void> {
  await insist(() => files.rename(from, to), files);
}

/** Removes a file, if there is one, with the same patience. */
export async function removeFile(path: string, files: FileSystem = realFiles): Promise<void> {
  await insist(() => files.remove(path), files);
}

/** Makes a rename or a new name in `dir` durable. Windows has no such call and does not need it. */
export async function syncDirectory(dir: string, files: FileSystem = realFiles): Promise<void> {
  if (files.platform === 'win32') return;
  const handle = await files.open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function insist(work: () => Promise<void>, files: FileSystem): Promise<void> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await work();
    } catch (error) {
      const shared = files.platform === 'win32' && SHARED.has((error as NodeJS.ErrnoException).code ?? '');
      if (!shared || tried >= TRIES) throw error;
      await files.pause(PAUSE_MS * tried);
    }
  }
}
