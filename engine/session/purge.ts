import { createHash } from 'node:crypto';
import { lstat, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail, ok, type Result } from '../../core/result.ts';
import { addDuration } from '../../core/verdict/duration.ts';
import { syncDirectory } from '../evidence/file-system.ts';
import { writeError } from '../evidence/files.ts';
import { journalPath } from '../evidence/journal-file.ts';
import { takeLock } from '../evidence/lock.ts';
import { isOfSite, type ListedSession, listSessions } from './list.ts';

/** One line of purged.jsonl: what was here, and who removed it. */
export type PurgeRecord = {
  readonly at: string;
  readonly by: string;
  readonly session: string;
  readonly guide: string;
  readonly site: string;
  readonly openedAt: string;
  readonly lastAt: string;
  readonly sealed: boolean;
  readonly events: number;
  /** SHA-256 of the journal's last whole line: ties the record to a bundle sealed from it. */
  readonly head: string;
};

/** Where purges are recorded: beside the folder of the sessions. */
export function purgeRecordPath(sessionsDir: string): string {
  return join(dirname(sessionsDir), 'purged.jsonl');
}

/**
 * Sessions to purge: the one with this id, or all of a site (id or name) whose last event is older than a duration (ISO
 * 8601, such as P90D), or whichever of the two is given.
 * Errors: `session.not-found`, `input.malformed`.
 */
export async function sessionsToPurge(
  sessionsDir: string,
  which: { readonly id: string } | { readonly olderThan?: string; readonly site?: string },
  now: Date,
): Promise<Result<readonly ListedSession[]>> {
  const all = await listSessions(sessionsDir);
  if ('id' in which) {
    const one = all.find((session) => session.session === which.id);
    return one === undefined ? fail('session.not-found', `There is no session "${which.id}".`) : ok([one]);
  }
  const { olderThan, site } = which;
  const there = site === undefined ? all : all.filter((session) => isOfSite(session, site));
  if (site !== undefined && there.length === 0)
    return fail('session.not-found', `There is no session of a site "${site}".`);
  if (olderThan === undefined) return ok(site === undefined ? [] : there);
  try {
    // Nothing at all ("P") would be every session there is.
    if (addDuration(now, olderThan) <= now) throw new RangeError('no time');
    return ok(there.filter((session) => addDuration(new Date(session.lastAt), olderThan) <= now));
  } catch {
    return fail('input.malformed', `"${olderThan}" is no duration such as P90D or P1Y.`);
  }
}

/**
 * Removes a session with all its facts and attachments, and records that it was there before anything is removed. One
 * that is open anywhere is refused. Errors: `session.not-found`, `journal.locked`, `journal.write`.
 */
export async function purgeSession(
  sessionsDir: string,
  listed: ListedSession,
  by: string,
  now: Date,
): Promise<Result<PurgeRecord>> {
  const dir = join(sessionsDir, listed.session);
  const gone = fail('session.not-found', 'The session is not in a folder of its own name.', { place: dir });
  if (!/^[0-9A-Za-z-]+$/.test(listed.session)) return gone;
  // A link would lead out of the sessions' folder.
  const about = await lstat(dir).catch(() => undefined);
  if (about?.isDirectory() !== true) return gone;
  const release = await takeLock(dir);
  if (!release.ok) return release;
  try {
    const lines = (await readFile(journalPath(dir), 'utf8')).split('\n');
    const last = lines.at(-2) ?? '';
    const { session, guide, site, openedAt, lastAt, sealed } = listed;
    const head = createHash('sha256').update(last).digest('hex');
    const record = {
      at: now.toISOString(),
      by,
      session,
      guide,
      site,
      openedAt,
      lastAt,
      sealed,
      events: lines.length - 1,
      head,
    };
    await appendRecord(purgeRecordPath(sessionsDir), record);
    await rm(dir, { recursive: true, maxRetries: 10 });
    await syncDirectory(sessionsDir);
    return ok(record);
  } catch (error) {
    return { ok: false, error: writeError('The purge', dir, error) };
  } finally {
    await release.value();
  }
}

async function appendRecord(file: string, record: PurgeRecord): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const handle = await open(file, 'a', 0o600);
  try {
    await handle.appendFile(`${JSON.stringify(record)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncDirectory(dirname(file));
}
