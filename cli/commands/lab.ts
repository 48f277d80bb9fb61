import { spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { dataDir, ROOT } from '../host.ts';
import { practiceWalk } from '../practice-walk.ts';

/** `lockstep lab …`: the practice hospital, and a whole walk in it. */
export function addLabCommands(program: Command): void {
  const lab = program
    .command('lab')
    .description('The practice hospital: insecure as shipped, hardened by following the guide');
  lab
    .command('walk')
    .description('Start it, walk the reference guide as shipped, then with its changes made, sign and countersign')
    .option('--dir <folder>', 'where it lives and bundles go; emptied first')
    .option('--once', 'only the walk as shipped')
    .option('--quiet', 'no progress')
    .action(async (options: { dir?: string; once?: boolean; quiet?: boolean }) => {
      const dir = resolve(options.dir ?? join(dataDir(), 'practice-walk'));
      await rm(dir, { recursive: true, force: true });
      await mkdir(dir, { recursive: true, mode: 0o700 });
      process.exitCode = await practiceWalk(dir, { once: options.once === true, quiet: options.quiet === true });
    });
  // Its own process and its own arguments: nobody imports lab.
  for (const [name, description] of [
    ['start', 'Start it in the foreground and print its site file, ports and faults'],
    ['stop', 'Stop the one that runs'],
    ['status', 'Say which faults are on'],
    ['fault', 'Turn one fault on or off: lab fault ID on|off'],
    ['harden', 'Mend every fault'],
    ['secrets', 'Print the passwords that its site names'],
    ['reset', 'Bring it back to as shipped'],
  ] as const) {
    lab
      .command(name)
      .description(description)
      .argument('[arguments...]')
      .allowUnknownOption()
      .action(async (given: string[], _options: unknown, command: Command) => {
        process.exitCode = await runLabScript([name, ...(command.args.length > 0 ? command.args : given)]);
      });
  }
}

function runLabScript(given: readonly string[]): Promise<number> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [join(ROOT, 'lab', 'main.ts'), ...given], { stdio: 'inherit' });
    // The terminal sends the signal to both; waiting here lets the lab stop its servers.
    const ignore = () => {};
    process.on('SIGINT', ignore);
    child.on('exit', (code, signal) => {
      process.removeListener('SIGINT', ignore);
      done(code ?? (signal === null ? 2 : 130));
    });
  });
}
