import { Command, CommanderError } from 'commander';
import { addBundleCommands } from './commands/bundle.ts';
import { addGuideCommands } from './commands/guide.ts';
import { addIdentityCommands } from './commands/identity.ts';
import { addLabCommands } from './commands/lab.ts';
import { addProbeCommands } from './commands/probe.ts';
import { addRunCommand } from './commands/run.ts';
import { addSessionCommands } from './commands/session.ts';
import { addSiteCommands } from './commands/site.ts';
import { addVerifyCommand } from './commands/verify.ts';
import { EXIT, VERSION } from './host.ts';
import { note } from './terminal.ts';

const program = new Command('lockstep')
  .description('Walks a hardening guide for a medical device, checks it against the real thing, and seals signed evidence.')
  .version(VERSION)
  .showHelpAfterError('(lockstep --help lists the commands)')
  .exitOverride();

for (const add of [addRunCommand, addVerifyCommand, addBundleCommands, addGuideCommands, addSiteCommands, addProbeCommands, addIdentityCommands, addSessionCommands, addLabCommands]) {
  add(program);
}

try {
  await program.parseAsync();
} catch (error) {
  // Commander has printed its own message; help and version end well.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
  else {
    note(`Lockstep broke down: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    process.exitCode = EXIT.usage;
  }
}
