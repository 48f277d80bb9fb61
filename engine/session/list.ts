import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Outputs } from '../../core/ipc.ts';
import { parseEvent } from '../../core/session/events.ts';
import { journalPath } from '../evidence/journal-file.ts';

/** A session, with the time of its last event and the id of its site. */
export type ListedSession = Outputs['session.list'][number] & { readonly lastAt: string; readonly siteId: string };

/** Sessions below a folder, newest first. What cannot be read is left out: it is not a session. */
export async function listSessions(sessionsDir: string): Promise<ListedSession[]> {
  // One with a dot is being taken over, or was when the program ended.
  const names = (await readdir(sessionsDir).catch(() => [])).filter((name) => !name.startsWith('.'));
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
      siteId: site.id,
      operator: operator.name,
      openedAt: first.at,
      lastAt: lastTime(lines) ?? first.at,
      events: lines.length,
      ...handedOverTo(lines),
      sealed: lines.some((line) => line.includes('"type":"sealed"')),
    };
  } catch {
    return undefined;
  }
}

/** Whether a session is of the site with this id or name. */
export function isOfSite(session: ListedSession, site: string): boolean {
  return session.siteId === site || session.site.toLowerCase() === site.toLowerCase();
}

/** To whom it was handed over, where it was not taken over or withdrawn since. */
function handedOverTo(lines: readonly string[]): { handedOver?: string } {
  const line = lines.findLast((each) => /"type":"(?:handed-over|hand-over\.withdrawn|operator\.joined)"/.test(each));
  if (line === undefined) return {};
  const event = JSON.parse(line) as { type: string; data: { to?: string } };
  return event.type === 'handed-over' && event.data.to !== undefined ? { handedOver: event.data.to } : {};
}

/** Time of the last line that can be read; a torn one at the end is none. */
function lastTime(lines: readonly string[]): string | undefined {
  for (const line of lines.toReversed()) {
    try {
      const { at } = JSON.parse(line) as { at?: unknown };
      if (typeof at === 'string' && !Number.isNaN(Date.parse(at))) return at;
    } catch {
      // Cut off by a crash: the one before it counts.
    }
  }
  return undefined;
}
