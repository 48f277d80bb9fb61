import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Outputs } from '../../core/ipc.ts';
import { parseEvent } from '../../core/session/events.ts';
import { journalPath } from '../evidence/journal-file.ts';

/** Sessions below a folder, newest first. What cannot be read is left out: it is not a session. */
export async function listSessions(sessionsDir: string): Promise<Outputs['session.list']> {
  const names = await readdir(sessionsDir).catch(() => []);
  const sessions: Outputs['session.list'][number][] = [];
  for (const name of names) {
    const summary = await summarizeSession(join(sessionsDir, name));
    if (summary !== undefined) sessions.push(summary);
  }
  return sessions.sort((a, b) => (a.openedAt < b.openedAt ? 1 : -1));
}

async function summarizeSession(dir: string): Promise<Outputs['session.list'][number] | undefined> {
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
      events: lines.length,
      sealed: lines.some((line) => line.includes('"type":"sealed"')),
    };
  } catch {
    return undefined;
  }
}
