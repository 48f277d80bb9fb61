import { resolve } from 'node:path';
import type { Command } from 'commander';
import { listSessions } from '../../engine/session/list.ts';
import { dataDir } from '../host.ts';
import { print, printTable } from '../terminal.ts';

/** `lockstep session list`. Resuming is `lockstep run --resume`. */
export function addSessionCommands(program: Command): void {
  program
    .command('session')
    .description('Sessions on this computer')
    .command('list')
    .description('List sessions; go on with one by `lockstep run --resume ID`')
    .option('--data <folder>', 'where sessions are kept')
    .option('--json', 'print as JSON')
    .action(async (options: { data?: string; json?: boolean }) => {
      const sessions = await listSessions(resolve(options.data ?? dataDir(), 'sessions'));
      if (options.json === true) print(JSON.stringify(sessions, null, 2));
      else if (sessions.length === 0) print('No sessions yet. `lockstep run` starts one.');
      else
        printTable(
          ['session', 'guide', 'site', 'operator', 'opened', 'events', 'sealed'],
          sessions.map((one) => [
            one.session,
            one.guide,
            one.site,
            one.operator,
            one.openedAt,
            String(one.events),
            one.sealed ? 'yes' : 'no',
          ]),
        );
    });
}
