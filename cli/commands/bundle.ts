import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { REPORTS } from '../../core/report/index.ts';
import { countersignBundle, extractReports } from '../../engine/session/bundles.ts';
import { EXIT } from '../host.ts';
import { unlockIdentity } from '../keys.ts';
import { printSealed } from '../outcome.ts';
import { complain, print } from '../terminal.ts';

const FORMATS = REPORTS.map((report) => report.id);

/** `lockstep bundle countersign|report`. */
export function addBundleCommands(program: Command): void {
  const bundle = program.command('bundle').description('Countersign and read bundles');
  bundle
    .command('countersign')
    .description('Sign a bundle for the hospital, as accepted')
    .argument('<bundle>')
    .requiredOption('--identity <file>', "the hospital's PKCS#12 or PEM")
    .option('--passphrase <env:NAME>', 'its passphrase; without it, it is asked for')
    .requiredOption('--role <text>', 'role of the signer in the hospital')
    .option('--remark <text>', 'what the hospital says about it', '')
    .option('--accept-waiver <key...>', 'accept the waivers asked for at these steps; none are accepted unasked', [])
    .action(async (file: string, options: CountersignOptions) => {
      process.exitCode = await countersign(file, options);
    });
  bundle
    .command('report')
    .description('Write a report of a bundle beside it')
    .argument('<bundle>')
    .option('--format <name>', `${FORMATS.join(', ')}, or open-items for those of both parties`, 'html')
    .option('--out <folder>', 'folder to write it to; default: that of the bundle')
    .action(async (file: string, options: { format: string; out?: string }) => {
      const written = await extractReports(resolve(file), resolve(options.out ?? dirname(file)), options.format);
      if (written.ok) for (const path of written.value) print(path);
      else complain(written.error);
      process.exitCode = written.ok ? EXIT.done : EXIT.usage;
    });
}

type CountersignOptions = {
  identity: string;
  passphrase?: string;
  role: string;
  remark: string;
  acceptWaiver: string[];
};

async function countersign(file: string, options: CountersignOptions): Promise<number> {
  const identity = await unlockIdentity(options.identity, options.passphrase);
  if (!identity.ok) {
    complain(identity.error);
    return EXIT.usage;
  }
  const { role, remark, acceptWaiver } = options;
  const signed = await countersignBundle(
    resolve(file),
    identity.value,
    { role, remark, acceptedWaivers: acceptWaiver },
    new Date(),
  );
  if (!signed.ok) {
    complain(signed.error);
    return EXIT.usage;
  }
  printSealed(signed.value);
  return EXIT.done;
}
