import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fail, type Result } from '../../core/result.ts';
import { importCountersignature, prepareCountersignature } from '../../engine/evidence/countersign-outside.ts';
import { checkAccepted, countersignBundle } from '../../engine/session/bundles.ts';
import { EXIT } from '../host.ts';
import { unlockIdentity } from '../keys.ts';
import { printSealed } from '../outcome.ts';
import { complain, print } from '../terminal.ts';
import { addEditionCommand } from './bundle-edition.ts';
import { addBundleReportCommand } from './bundle-report.ts';
import { addEncryptCommands } from './bundle-encrypt.ts';
import { addTimestampCommand } from './bundle-timestamp.ts';

/** `lockstep bundle countersign|timestamp|edition|encrypt|decrypt|report`. */
export function addBundleCommands(program: Command): void {
  const bundle = program.command('bundle').description('Countersign, time-stamp, shorten, encrypt and read bundles');
  bundle
    .command('countersign')
    .description('Sign a bundle for the hospital, as accepted: here, or elsewhere with --prepare and --import')
    .argument('<bundle>')
    .option('--identity <file>', "the hospital's PKCS#12 or PEM")
    .option('--passphrase <env:NAME>', 'its passphrase; without it, it is asked for')
    .option('--revocation <file...>', 'CRLs and OCSP answers about it, for the signature to carry', [])
    .option('--role <text>', 'role of the signer in the hospital')
    .option('--remark <text>', 'what the hospital says about it', '')
    .option('--accept-waiver <key...>', 'accept the waivers asked for at these steps; none are accepted unasked', [])
    .option('--prepare <folder>', 'write what is to be signed, and how, for a key that stays where it is')
    .option('--name <text>', 'with --prepare: who will sign')
    .option('--import <file>', 'add the signature that came back')
    .option('--from <folder>', 'with --import: the folder that --prepare wrote')
    .action(async (file: string, options: CountersignOptions) => {
      process.exitCode = await countersign(resolve(file), options);
    });
  addTimestampCommand(bundle);
  addEditionCommand(bundle);
  addEncryptCommands(bundle);
  addBundleReportCommand(bundle);
}

type CountersignOptions = {
  identity?: string;
  passphrase?: string;
  revocation: string[];
  role?: string;
  remark: string;
  acceptWaiver: string[];
  prepare?: string;
  name?: string;
  import?: string;
  from?: string;
};

async function countersign(file: string, options: CountersignOptions): Promise<number> {
  const done = await doCountersign(file, options);
  if (done.ok) return EXIT.done;
  complain(done.error);
  return EXIT.usage;
}

async function doCountersign(file: string, options: CountersignOptions): Promise<Result<unknown>> {
  const { identity, role, remark, acceptWaiver, prepare, name, from } = options;
  const ways = [identity, prepare, options.import].filter((way) => way !== undefined);
  if (ways.length !== 1)
    return fail('input.malformed', 'Say one of --identity (sign here), --prepare (sign elsewhere) and --import.');
  if (options.import !== undefined) {
    if (from === undefined) return fail('input.malformed', '--import needs --from: the folder that --prepare wrote.');
    const added = await importCountersignature({
      bundle: file,
      signature: resolve(options.import),
      from: resolve(from),
      now: new Date(),
    });
    if (added.ok) printSealed({ ...added.value, path: added.value.file });
    return added;
  }
  if (role === undefined) return fail('input.malformed', 'Say in which --role the hospital signs.');
  const accepted = await checkAccepted(file, acceptWaiver);
  if (!accepted.ok) return accepted;
  const statement = { role, remark, acceptedWaivers: accepted.value };
  if (prepare !== undefined) {
    if (name === undefined) return fail('input.malformed', '--prepare needs --name: who will sign.');
    const prepared = await prepareCountersignature({
      bundle: file,
      dir: resolve(prepare),
      statement: { ...statement, name },
      now: new Date(),
    });
    if (prepared.ok) print(`To be signed: ${prepared.value.manifest}\nHow: ${prepared.value.readme}`);
    return prepared;
  }
  const unlocked = await unlockIdentity(identity ?? '', options.passphrase, options.revocation);
  if (!unlocked.ok) return unlocked;
  const signed = await countersignBundle(file, unlocked.value, statement, new Date());
  if (signed.ok) printSealed(signed.value);
  return signed;
}
