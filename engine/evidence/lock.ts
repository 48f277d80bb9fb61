import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../core/result.ts';
import { removeFile } from './file-system.ts';
import { writeError } from './files.ts';

type Holder = {
  readonly token: string;
  readonly pid: number;
  readonly host: string;
  readonly started: string;
  /** When it was taken, ISO 8601; absent in locks of earlier versions. */
  readonly since?: string;
};

/** Tokens of the locks that this process holds, to tell them from those of a dead process that had the same pid. */
const held = new Set<string>();

/** Releases the lock; safe to call twice. */
export type Release = () => Promise<void>;

/** Pauses between looks at a lock that is being made or taken over, and how many of them. */
const PAUSE_MS = 25;
const LOOKS = 80;
/** Looks after which a lock that holds nonsense is taken for the rest of a crash. */
const PATIENCE = 20;
/** A take-over lasts milliseconds; a mark older than this was left by a crash. */
const TAKEOVER_MS = 10_000;

/**
 * Takes the one writer's lock of a session folder. A lock whose process is gone is taken over; one from another
 * computer cannot be judged and is refused (`journal.locked`).
 */
export async function takeLock(dir: string): Promise<Result<Release>> {
  const file = join(dir, 'journal.lock');
  for (let look = 0; look < LOOKS; look++) {
    const mine: Holder = {
      token: randomUUID(),
      pid: process.pid,
      host: hostname(),
      started: processStart(process.pid),
      since: new Date().toISOString(),
    };
    held.add(mine.token);
    try {
      await place(file, JSON.stringify(mine));
      return ok(async () => {
        if (held.delete(mine.token)) await removeFile(file);
      });
    } catch (error) {
      held.delete(mine.token);
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
        return { ok: false, error: writeError('The lock', file, error) };
      }
    }
    const text = await readFile(file, 'utf8').catch(() => undefined);
    const other = text === undefined ? undefined : parseHolder(text);
    if (other !== undefined && isAlive(other)) {
      return fail('journal.locked', sentence(other), { place: file });
    }
    if (text !== undefined && (other !== undefined || look >= PATIENCE)) await removeStale(file, text);
    else await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return fail('journal.locked', 'Another process keeps taking this session.', { place: file });
}

/** Makes the lock with its content at once, or throws EEXIST. */
async function place(file: string, content: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}`;
  await writeFile(temporary, content, { flag: 'wx', mode: 0o600, flush: true });
  try {
    await link(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
    // A file system without hard links (FAT): others may see the lock empty for a moment, and wait.
    await writeFile(file, content, { flag: 'wx', mode: 0o600, flush: true });
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * Removes a stale lock, if it is still the one that was read. Under a mark of its own, so that nobody removes the fresh
 * lock of somebody who was quicker.
 */
async function removeStale(file: string, text: string): Promise<void> {
  const mark = `${file}.takeover`;
  try {
    await writeFile(mark, '', { flag: 'wx', mode: 0o600 });
  } catch {
    const since = await stat(mark).catch(() => undefined);
    if (since !== undefined && Date.now() - since.mtimeMs > TAKEOVER_MS) await rm(mark, { force: true });
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    return;
  }
  try {
    if ((await readFile(file, 'utf8').catch(() => undefined)) === text) await rm(file, { force: true });
  } finally {
    await rm(mark, { force: true });
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder>;
    if (typeof value.pid !== 'number' || typeof value.host !== 'string' || typeof value.token !== 'string')
      return undefined;
    const { token, pid, host, started = '', since } = value;
    return { token, pid, host, started, ...(typeof since === 'string' ? { since } : {}) };
  } catch {
    return undefined;
  }
}

function sentence({ host, pid, since }: Holder): string {
  const when = since === undefined ? '' : ` since ${since}`;
  return host === hostname()
    ? `This session is open in another window or program of this computer (process ${pid}${when}). Close it there first.`
    : `This session is open on another computer (${host}, process ${pid}${when}). Close it there first; if that computer is gone, or this is a copy, delete the lock file.`;
}

function isAlive(holder: Holder): boolean {
  if (holder.host !== hostname()) return true;
  if (holder.pid === process.pid) return held.has(holder.token);
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  const started = processStart(holder.pid);
  return holder.started === '' || started === '' || started === holder.started;
}

/** When the process began, in the kernel's ticks; '' where the system does not tell. Pids are used again. */
function processStart(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
