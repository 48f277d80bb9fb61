import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fail, ok, type Result } from '../../core/result.ts';
import { isOfSite, type ListedSession, listSessions } from '../../engine/session/list.ts';
import { purgeRecordPath, purgeSession, sessionsToPurge } from '../../engine/session/purge.ts';
import { dataDir, EXIT } from '../host.ts';
import { addSessionMoveCommands } from './session-move.ts';
import { askYesNo, complain, isInteractive, print, printTable } from '../terminal.ts';

type ListOptions = { site?: string; data?: string; json?: boolean };
type PurgeOptions = { olderThan?: string; site?: string; yes?: boolean; data?: string };

/** `lockstep session list|purge|hand-over|take-over`. Resuming is `lockstep run --resume`. */
export function addSessionCommands(program: Command): void {
  const session = program.command('session').description('Sessions on this computer');
  session
    .command('list')
    .description('List sessions with their age; go on with one by `lockstep run --resume ID`')
    .option('--site <site>', 'only those of this site, by its id or name')
    .option('--data <folder>', 'where sessions are kept')
    .option('--json', 'print as JSON')
    .action(async (options: ListOptions) => {
      const now = new Date();
      const { site } = options;
      const all = await listSessions(sessionsDir(options));
      const sessions = site === undefined ? all : all.filter((one) => isOfSite(one, site));
      if (options.json === true)
        print(
          JSON.stringify(
            sessions.map((one) => ({ ...one, ageDays: ageInDays(one, now) })),
            null,
            2,
          ),
        );
      else if (sessions.length === 0)
        print(
          all.length === 0 ? 'No sessions yet. `lockstep run` starts one.' : `No session is of the site "${site}".`,
        );
      else
        printTable(
          ['session', 'guide', 'site', 'operator', 'opened', 'last event', 'events', 'sealed'],
          sessions.map((one) => [
            one.session,
            one.guide,
            one.site,
            one.operator,
            one.openedAt,
            age(one, now),
            String(one.events),
            one.handedOver === undefined ? (one.sealed ? 'yes' : 'no') : `handed over to ${one.handedOver}`,
          ]),
        );
    });
  session
    .command('purge')
    .description('Remove a session, or all old ones, for good; that it was there stays on record')
    .argument('[session]')
    .option('--older-than <duration>', 'all whose last event is older, such as P90D')
    .option('--site <site>', 'all of this site, by its id or name; with --older-than, the old ones of it')
    .option('--yes', 'do not ask')
    .option('--data <folder>', 'where sessions are kept')
    .action(async (id: string | undefined, options: PurgeOptions) => {
      const purged = await purge(id, options);
      if (!purged.ok) complain(purged.error);
      process.exitCode = purged.ok ? EXIT.done : EXIT.usage;
    });
  addSessionMoveCommands(session);
}

function sessionsDir(options: { data?: string }): string {
  return resolve(options.data ?? dataDir(), 'sessions');
}

function ageInDays(session: ListedSession, now: Date): number {
  return Math.floor((now.getTime() - Date.parse(session.lastAt)) / 86_400_000);
}

function age(session: ListedSession, now: Date): string {
  const days = ageInDays(session, now);
  return days < 1 ? 'today' : `${days} ${days === 1 ? 'day' : 'days'} ago`;
}

async function purge(id: string | undefined, options: PurgeOptions): Promise<Result<unknown>> {
  const { olderThan, site } = options;
  if ((id === undefined) === (olderThan === undefined && site === undefined))
    return fail('input.malformed', 'Say which session to purge, or --older-than or --site.');
  const folder = sessionsDir(options);
  const now = new Date();
  const many = { ...(olderThan === undefined ? {} : { olderThan }), ...(site === undefined ? {} : { site }) };
  const found = await sessionsToPurge(folder, id === undefined ? many : { id }, now);
  if (!found.ok) return found;
  if (found.value.length === 0) print('Nothing is that old.');
  let refused: Result<unknown> = ok(undefined);
  for (const one of found.value) {
    const what = `${one.session}: ${one.guide} at ${one.site}, last event ${age(one, now)}, ${one.sealed ? 'sealed' : 'NEVER SEALED'}`;
    if (options.yes !== true) {
      if (!isInteractive()) return fail('input.malformed', 'Nobody can be asked here; say --yes to purge.');
      if (!(await askYesNo(`Remove ${what}? This cannot be undone.`))) continue;
    }
    const purged = await purgeSession(folder, one, userInfo().username, new Date());
    if (purged.ok) print(`purged ${what}`);
    else {
      complain(purged.error);
      refused = purged;
    }
  }
  if (found.value.length > 0) print(`on record in ${purgeRecordPath(folder)}`);
  return refused;
}
