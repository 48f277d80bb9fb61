import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Outputs } from '../../core/ipc.ts';
import { parseEvent } from '../../core/session/events.ts';
import { journalPath } from '../evidence/journal-file.ts';

/** A session, with the time of its last event. */
export type ListedSession = Outputs['session.list'][number] & { readonly lastAt: string };

/** Sessions below a folder, newest first. What cannot be read is left out: it is not a session. */
export async function listSessions(sessionsDir: string): Promise<ListedSession[]> {
  const names = await readdir(sessionsDir).catch(() => []);
  const sessions: ListedSession[] = [];
  for (const name of names) {
    const summary = await summarizeSession(join(sessionsDir, name));
    if (summary !== undefined) sessions.push(summary);
  }
  return sessions.sort((a, b) => (a.openedAt < b.openedAt ? 1 : -1));
}

async function summarizeSession(dir: string): Promise<ListedSession | undefined> {
  try {
    const lines = (await readFile(journalPath(dir), 'utf8')).split('\n').filter((line) => line !== '');
    const first = parseEvent(JSON.parse(lines[0] ?? ''));
    if (first.type !== 'session.opened') return undefined;
    const { session, guide, site, operator } = first.data;
    return {
      session,
      guide: `${guide.id} ${guide.version}`,
      site: site.name,
      operator: operator.name,
      openedAt: first.at,
      lastAt: lastTime(lines) ?? first.at,
      events: lines.length,
      sealed: lines.some((line) => line.includes('"type":"sealed"')),
    };
  } catch {
    return undefined;
  }
}

/** Time of the last line that can be read; a torn one at the end is none. */
function lastTime(lines: readonly string[]): string | undefined {
  for (const line of lines.toReversed()) {
    try {
      return parseEvent(JSON.parse(line)).at;
    } catch {
      // Cut off by a crash, or of a later version: the one before it counts.
    }
  }
  return undefined;
}
