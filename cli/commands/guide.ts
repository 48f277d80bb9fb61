import { extname, resolve } from 'node:path';
import type { Command } from 'commander';
import { CHANGE_DECLARATIONS } from '../../core/changes/index.ts';
import { checkGuide } from '../../core/guide/check.ts';
import { PROBE_DECLARATIONS } from '../../core/probes/index.ts';
import type { Fault } from '../../core/yaml.ts';
import { readSmallFile } from '../../engine/session/load-site.ts';
import { readGuideText, signGuideFile } from '../../engine/session/load-guide.ts';
import { EXIT } from '../host.ts';
import { unlockIdentity } from '../keys.ts';
import { complain, note, print } from '../terminal.ts';

/** `lockstep guide check|sign`. */
export function addGuideCommands(program: Command): void {
  const guide = program.command('guide').description('Check and sign guides');
  guide
    .command('check')
    .description('Check a guide; every fault with line and column')
    .argument('<file>')
    .option('--json', 'print as JSON')
    .action(async (file: string, options: { json?: boolean }) => {
      process.exitCode = await check(file, options.json === true);
    });
  guide
    .command('sign')
    .description('Sign a guide into a container')
    .argument('<file>', 'guide as YAML')
    .requiredOption('--identity <file>', "publisher's PKCS#12 or PEM")
    .option('--passphrase <env:NAME>', 'its passphrase; without it, it is asked for')
    .option('--out <file>', 'container to write; default: the guide with .asice')
    .action(async (file: string, options: { identity: string; passphrase?: string; out?: string }) => {
      process.exitCode = await sign(file, options);
    });
}

/** Prints faults as `file:line:column path: message`, or as JSON. */
export function printFaults(file: string, faults: readonly Fault[], json: boolean): void {
  if (json) print(JSON.stringify({ file, faults }, null, 2));
  else
    for (const { line, column, path, message } of faults)
      print(`${file}:${line}:${column} ${path === '' ? '' : `${path}: `}${message}`);
}

async function check(file: string, json: boolean): Promise<number> {
  const text = await readGuideText(resolve(file));
  if (!text.ok) {
    complain(text.error);
    return EXIT.usage;
  }
  const { guide, faults } = checkGuide(text.value, { probes: PROBE_DECLARATIONS, changes: CHANGE_DECLARATIONS });
  printFaults(file, faults, json);
  if (faults.length > 0 || guide === undefined) return EXIT.usage;
  if (!json) print(`${file}: ${guide.guide} ${guide.version}, ${guide.controls.length} controls, no faults`);
  return EXIT.done;
}

async function sign(file: string, options: { identity: string; passphrase?: string; out?: string }): Promise<number> {
  const text = await readSmallFile(resolve(file), 'guide', 2_000_000);
  if (!text.ok) {
    complain(text.error);
    return EXIT.usage;
  }
  const { faults } = checkGuide(text.value, { probes: PROBE_DECLARATIONS, changes: CHANGE_DECLARATIONS });
  if (faults.length > 0) {
    printFaults(file, faults, false);
    note('A guide with faults is not signed.');
    return EXIT.usage;
  }
  const identity = await unlockIdentity(options.identity, options.passphrase);
  if (!identity.ok) {
    complain(identity.error);
    return EXIT.usage;
  }
  const out = resolve(options.out ?? `${file.slice(0, file.length - extname(file).length)}.asice`);
  const signed = await signGuideFile(text.value, identity.value, out, new Date());
  if (!signed.ok) {
    complain(signed.error);
    return EXIT.usage;
  }
  print(out);
  return EXIT.done;
}
