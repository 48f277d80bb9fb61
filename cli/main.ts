import { VERSION } from '../core/version.ts';
import { Command, CommanderError } from 'commander';
import { EXIT } from './host.ts';
import { note } from './terminal.ts';

/** Each command in its own module, loaded only when it is asked for: the libraries behind them are large. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  run: async () => (await import('./commands/run.ts')).addRunCommand,
  verify: async () => (await import('./commands/verify.ts')).addVerifyCommand,
  bundle: async () => (await import('./commands/bundle.ts')).addBundleCommands,
  guide: async () => (await import('./commands/guide.ts')).addGuideCommands,
  site: async () => (await import('./commands/site.ts')).addSiteCommands,
  probe: async () => (await import('./commands/probe.ts')).addProbeCommands,
  change: async () => (await import('./commands/change.ts')).addChangeCommands,
  certificate: async () => (await import('./commands/certificate.ts')).addCertificateCommands,
  identity: async () => (await import('./commands/identity.ts')).addIdentityCommands,
  session: async () => (await import('./commands/session.ts')).addSessionCommands,
  lab: async () => (await import('./commands/lab.ts')).addLabCommands,
};

const program = new Command('lockstep')
  .description(
    'Walks a hardening guide for a medical device, checks it against the real thing, and seals signed evidence.',
  )
  .version(VERSION)
  .showHelpAfterError('(lockstep --help lists the commands)')
  .exitOverride();

try {
  const wanted = COMMANDS[process.argv[2] ?? ''];
  for (const load of wanted === undefined ? Object.values(COMMANDS) : [wanted]) (await load())(program);
  await program.parseAsync();
} catch (error) {
  // Commander has printed its own message; help and version end well.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  else {
    note(`Lockstep broke down: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exitCode = EXIT.usage;
  }
}
