import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../core/result.ts';
import { writeError } from './files.ts';

type Holder = { readonly token: string; readonly pid: number; readonly host: string; readonly started: string };

/** Tokens of the locks that this process holds, to tell them from those of a dead process that had the same pid. */
const held = new Set<string>();

/** Releases the lock; safe to call twice. */
export type Release = () => Promise<void>;

/**
 * Takes the one writer's lock of a session folder. A lock whose process is gone is taken over; one from another
 * computer cannot be judged and is refused (`journal.locked`).
 */
export async function takeLock(dir: string): Promise<Result<Release>> {
  const file = join(dir, 'journal.lock');
  for (let attempt = 0; attempt < 5; attempt++) {
    const mine: Holder = {
      token: randomUUID(),
      pid: process.pid,
      host: hostname(),
      started: processStart(process.pid),
    };
    try {
      const handle = await open(file, 'wx', 0o600);
      try {
        await handle.writeFile(JSON.stringify(mine));
      } finally {
        await handle.close();
      }
      held.add(mine.token);
      return ok(async () => {
        if (held.delete(mine.token)) await rm(file, { force: true });
      });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
        return { ok: false, error: writeError('The lock', file, error) };
    }
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    const other = parseHolder(text);
    // An empty or torn lock: its process died between creating and writing it, or is about to write it.
    if (other === undefined && attempt < 2) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      continue;
    }
    if (other !== undefined && isAlive(other)) {
      const where = other.host === hostname() ? `process ${other.pid}` : `process ${other.pid} on ${other.host}`;
      return fail('journal.locked', `This session is open in another window or on another computer (${where}).`, {
        place: file,
      });
    }
    await putAside(file, text);
  }
  return fail('journal.locked', 'Another process keeps taking this session.', { place: file });
}

/** Removes a stale lock, unless somebody else replaced it since it was read. */
async function putAside(file: string, text: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch {
    return;
  }
  const moved = await readFile(aside, 'utf8').catch(() => text);
  if (moved !== text) await rename(aside, file).catch(() => {});
  await rm(aside, { force: true });
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder>;
    if (typeof value.pid !== 'number' || typeof value.host !== 'string' || typeof value.token !== 'string')
      return undefined;
    return { token: value.token, pid: value.pid, host: value.host, started: value.started ?? '' };
  } catch {
    return undefined;
  }
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
