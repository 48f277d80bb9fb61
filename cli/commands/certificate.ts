import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fail, ok, type Result } from '../../core/result.ts';
import { applyChange, planChange, type ShownChange } from '../../engine/session/changes.ts';
import { exportAnchors, handOffRequest, importCertificate } from '../../engine/session/enrol.ts';
import type { Session } from '../../engine/session/session.ts';
import { EXIT } from '../host.ts';
import { complain, note, print, readSecret } from '../terminal.ts';
import { openFor, type OpenOptions } from './change.ts';

type StepOptions = OpenOptions & {
  control: string;
  out: string;
  ticket: string;
  approver: string;
  writeUser?: string;
  writePassword?: string;
  keyPassphrase?: string;
  passphrase?: string;
};

/** `lockstep certificate …`: a device's certificate, from its request to what the device shows. */
export function addCertificateCommands(program: Command): void {
  const certificate = program
    .command('certificate')
    .description("A device's certificate: ask the hospital's authority for it, install what comes back");
  approved(common(certificate.command('request')))
    .description('Make key and request as the guide says, and write the request for the authority')
    .requiredOption('--out <file>', 'request to write, NAME.csr; what to do with it lies beside it')
    .option('--resume <session>', 'go on with a session instead of starting one')
    .action((options: StepOptions) => finish(options, requestStep));
  approved(common(certificate.command('import')))
    .description('Check what the authority sent, install it on the device, and see that the device shows it')
    .argument('<file>', 'PEM, DER, PKCS#7 (.p7b) or PKCS#12 (.pfx)')
    .requiredOption('--resume <session>', 'the session in which the request was made')
    .option('--passphrase <env:NAME>', 'passphrase of a PKCS#12 file')
    .action((file: string, options: StepOptions) =>
      finish(options, (session, key, given) => importStep(session, key, given, resolve(file))),
    );
  common(certificate.command('anchor'))
    .description('Write what the other side must trust to believe the certificate of the device')
    .requiredOption('--out <file>', 'PEM file to write, NAME.crt; DER and fingerprints lie beside it')
    .option('--resume <session>', 'a session of that site; without it a new one')
    .action((options: StepOptions) =>
      finish(options, (session, key, { out }) => shown(exportAnchors(session, key, resolve(out)))),
    );
}

function common(command: Command): Command {
  return command
    .requiredOption('--guide <file>', 'guide as a signed container')
    .requiredOption('--site <file>', 'site file')
    .requiredOption('--control <id>', 'the step, as CONTROL or CONTROL@device:ID')
    .option('--operator <name>', 'who does it', process.env.USER ?? process.env.USERNAME ?? 'operator')
    .option('--secret <name=env:NAME...>', 'passwords that the site names')
    .option('--trust <role=file...>', 'publisher=ROOT.pem: only a guide that is trusted changes anything')
    .option('--data <folder>', 'where sessions are kept');
}

function approved(command: Command): Command {
  return command
    .requiredOption('--ticket <id>', 'ticket under which it is done')
    .requiredOption('--approver <name>', 'who approved it')
    .option('--write-user <name>', 'account that writes to the device; not needed for a key that is made here')
    .option('--write-password <env:NAME>', 'its password, or the text of its private key for SSH')
    .option('--key-passphrase <env:NAME>', 'locks the key that is made here, and opens it again');
}

type Work = (session: Session, key: string, options: StepOptions) => Promise<Result<unknown>>;

async function finish(options: StepOptions, work: Work): Promise<void> {
  const done = await inSession(options, work);
  if (!done.ok) complain(done.error);
  process.exitCode = done.ok ? EXIT.done : EXIT.usage;
}

async function inSession(options: StepOptions, work: Work): Promise<Result<unknown>> {
  const opened = await openFor(options);
  if (!opened.ok) return opened;
  const session = opened.value;
  try {
    const named = session.plan.items.filter(
      ({ key, control }) => key === options.control || control.id === options.control,
    );
    const [item] = named;
    if (item === undefined || named.length > 1)
      return fail(
        'input.malformed',
        item === undefined
          ? `The guide has no control "${options.control}".`
          : `${options.control} has several targets. Name one: ${named.map(({ key }) => key).join(', ')}.`,
      );
    note(`session ${session.id}`);
    return await work(session, item.key, options);
  } finally {
    await session.close();
  }
}

async function requestStep(session: Session, key: string, options: StepOptions): Promise<Result<unknown>> {
  const planned = await planChange(session, key);
  const made = planned.ok ? await apply(session, key, planned.value, options) : planned;
  if (!made.ok) return made;
  const written = await shown(handOffRequest(session, key, resolve(options.out)));
  if (written.ok) note(`When the authority has answered: lockstep certificate import --resume ${session.id} …`);
  return written;
}

async function importStep(session: Session, key: string, options: StepOptions, file: string): Promise<Result<unknown>> {
  const passphrase =
    options.passphrase === undefined ? ok(undefined) : await readSecret(options.passphrase, `passphrase of ${file}`);
  if (!passphrase.ok) return passphrase;
  const planned = await importCertificate(session, key, file, passphrase.value);
  return planned.ok ? apply(session, key, planned.value, options) : planned;
}

/** Shows the plan, makes it, and says what was read back; what is not as planned is an error. */
async function apply(
  session: Session,
  key: string,
  { change, plan }: ShownChange,
  options: StepOptions,
): Promise<Result<void>> {
  note(`${plan.summary}\n${plan.diff}`);
  const { ticket, approver, writeUser } = options;
  const password =
    writeUser === undefined ? ok('') : await readSecret(options.writePassword, `password of ${writeUser}`);
  if (!password.ok) return password;
  const step = session.state().items[key]?.changes.find(({ id }) => id === change)?.step;
  const local = step?.made === 'here' && step.do === 'request';
  if (writeUser === undefined && !local)
    return fail('input.malformed', 'This writes to the device: give --write-user.');
  const lock =
    step?.made === 'here' ? await readSecret(options.keyPassphrase, 'passphrase of the new key') : ok(undefined);
  if (!lock.ok) return lock;
  const credential = {
    user: writeUser ?? '',
    password: password.value,
    ...(lock.value === undefined ? {} : { keyPassphrase: lock.value }),
  };
  const applied = await applyChange(session, key, change, { ticket, approver, credential });
  if (!applied.ok) return applied;
  if (!applied.value.asPlanned)
    return fail('change.failed', `It was not read back as planned: ${applied.value.differences.join(' ')}`);
  note(`${change}: read back as planned`);
  return ok(undefined);
}

async function shown(files: Promise<Result<readonly string[]>>): Promise<Result<void>> {
  const written = await files;
  if (!written.ok) return written;
  for (const name of written.value) print(name);
  return ok(undefined);
}
