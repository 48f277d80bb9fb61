import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type AppError, describeError } from '../core/result.ts';
import { controlLab, type LabCommand, type LabSecrets } from './control.ts';
import { faultTable, runLab } from './run-lab.ts';

const USAGE = `lockstep lab start [--dir FOLDER] [--hardened]   start it in the foreground
lockstep lab stop|status|harden|reset            steer the one that runs
lockstep lab harden ID…                          mend some faults only
lockstep lab fault ID on|off                     bring a fault back, or mend it
lockstep lab secrets                             its passwords, as shell exports
                                                 (all with the same --dir)`;

const EXIT = { done: 0, usage: 2 } as const;

/** The practice hospital's own command line, in a process of its own: nobody imports lab. Returns the exit code. */
async function main(given: readonly string[]): Promise<number> {
  let parsed: {
    values: { dir?: string | undefined; hardened?: boolean | undefined; help?: boolean | undefined };
    positionals: string[];
  };
  try {
    parsed = parseArgs({
      args: [...given],
      allowPositionals: true,
      options: { dir: { type: 'string' }, hardened: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
  const [name, ...rest] = parsed.positionals;
  if (parsed.values.help === true) {
    print(USAGE);
    return EXIT.done;
  }
  const dir = resolve(parsed.values.dir ?? join(dataDir(), 'practice-hospital'));
  if (name === 'start' && rest.length === 0) return start(dir, parsed.values.hardened !== true);
  const command = readCommand(name, rest);
  return command === undefined ? usage('This is not a command of the practice hospital.') : steer(dir, command);
}

async function start(dir: string, shipped: boolean): Promise<number> {
  const running = await runLab({ dir, shipped, print });
  if (!running.ok) return complain(running.error);
  print('');
  print('It runs until Ctrl-C, or `lockstep lab stop` elsewhere. Its passwords: `lockstep lab secrets`.');
  const stop = () => void running.value.stop();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  await running.value.finished;
  return EXIT.done;
}

function readCommand(name: string | undefined, rest: readonly string[]): LabCommand | undefined {
  if (name === 'fault') {
    const [id, state] = rest;
    return rest.length === 2 && id !== undefined && (state === 'on' || state === 'off')
      ? { command: 'fault', id, on: state === 'on' }
      : undefined;
  }
  if (name === 'harden') return rest.length === 0 ? { command: 'harden' } : { command: 'harden', ids: [...rest] };
  if (rest.length > 0) return undefined;
  return name === 'stop' || name === 'status' || name === 'reset' || name === 'secrets' ? { command: name } : undefined;
}

async function steer(dir: string, command: LabCommand): Promise<number> {
  const answer = await controlLab(dir, command);
  if (!answer.ok) return complain(answer.error);
  if (command.command === 'secrets' && answer.value.secrets !== undefined)
    secretLines(answer.value.secrets).forEach(print);
  else if (command.command === 'stop') print('The practice hospital has stopped.');
  else [`Site file ${answer.value.siteFile}`, ...faultTable(answer.value.faults)].forEach(print);
  return EXIT.done;
}

/** Names that the command line's `--secret name=env:NAME` can point at. */
function secretLines({ secrets, siteKey, writeCredential, passphrase }: LabSecrets): string[] {
  const named = Object.entries(secrets).map(([name, value]) => [
    `PRACTICE_${name.toUpperCase().replaceAll('-', '_')}`,
    value,
  ]);
  const all = [
    ...named,
    ['PRACTICE_WRITE_USER', writeCredential.user],
    ['PRACTICE_WRITE_PASSWORD', writeCredential.password],
    ['PRACTICE_PASSPHRASE', passphrase],
    ['PRACTICE_SITE_KEY', siteKey],
  ];
  return all.map(([name, value]) => `export ${name}='${value}'`);
}

/** The same place as the command line's own data. */
function dataDir(): string {
  const { LOCKSTEP_DATA_DIR, APPDATA, XDG_DATA_HOME } = process.env;
  if (LOCKSTEP_DATA_DIR !== undefined && LOCKSTEP_DATA_DIR !== '') return LOCKSTEP_DATA_DIR;
  if (process.platform === 'win32') return join(APPDATA ?? join(homedir(), 'AppData', 'Roaming'), 'Lockstep');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Lockstep');
  return join(XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'lockstep');
}

function usage(message: string): number {
  process.stderr.write(`${message}\n\n${USAGE}\n`);
  return EXIT.usage;
}

function complain(error: AppError): number {
  process.stderr.write(`${describeError(error)}\n`);
  return EXIT.usage;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

// A reader such as `head` may close the pipe early; that is no fault of the lab.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});
process.exitCode = await main(process.argv.slice(2));
