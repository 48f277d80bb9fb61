import { hostname, userInfo } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fail, ok, type Result } from '../../core/result.ts';
import type { JournalEvent } from '../../core/session/events.ts';
import type { Opener } from '../../engine/evidence/decrypt.ts';
import type { Identity } from '../../engine/keys/identity.ts';
import { compareRecords } from '../../engine/session/compare.ts';
import { type HandOverTo, handOverSession, withdrawHandOver } from '../../engine/session/hand-over.ts';
import { readSmallFile } from '../../engine/session/load-site.ts';
import { takeOverSession } from '../../engine/session/take-over.ts';
import { dataDir, EXIT } from '../host.ts';
import { readTrust, unlockDecryptionKey, unlockIdentity } from '../keys.ts';
import { complain, note, print, readSecret } from '../terminal.ts';

type HandOverOptions = {
  to?: string[];
  passphrase?: string;
  identity?: string;
  identityPassphrase?: string;
  operator: string;
  out?: string;
  withdraw?: string;
  data?: string;
};
type TakeOverOptions = {
  key?: string;
  certificate?: string;
  passphrase?: string;
  identity?: string;
  identityPassphrase?: string;
  operator: string;
  trust?: string[];
  data?: string;
};

/** `lockstep session hand-over|take-over|compare`. */
export function addSessionMoveCommands(session: Command): void {
  session
    .command('hand-over')
    .description('Move a session to another laptop or shift, as one encrypted file; here it can then only be read')
    .argument('<session>')
    .option('--to <file...>', "the next operator's certificates (PEM): who has the key opens it")
    .option('--passphrase <env:NAME>', 'or a passphrase that the next operator is told')
    .option('--identity <file>', 'your PKCS#12 or PEM: it signs the state in which the session leaves')
    .option('--identity-passphrase <env:NAME>', 'passphrase of the identity; without it, it is asked for')
    .option('--operator <name>', 'who hands over', userInfo().username)
    .option('--out <file>', 'file to write (.p7m)')
    .option('--withdraw <reason>', 'go on here after all, because nobody took the session over')
    .option('--data <folder>', 'where sessions are kept')
    .action(async (id: string, options: HandOverOptions) => {
      process.exitCode = finish(await handOver(id, options));
    });
  session
    .command('take-over')
    .description('Go on with a session that was handed over: checks all of it, then adds you as its operator')
    .argument('<file>')
    .option('--key <file>', 'your PKCS#12 or PEM, where it was encrypted to your certificate')
    .option('--certificate <file>', 'your certificate, where it is not beside the key')
    .option('--passphrase <env:NAME>', 'passphrase of the key, or of the file where there is no --key')
    .option('--identity <file>', 'your PKCS#12 or PEM for signing: it signs that you go on from here')
    .option('--identity-passphrase <env:NAME>', 'passphrase of the identity; without it, it is asked for')
    .option('--operator <name>', 'who takes over', userInfo().username)
    .option('--trust <role=file...>', 'engineer=ROOT.pem shows whose signature the hand-over carries')
    .option('--data <folder>', 'where sessions are kept')
    .action(async (file: string, options: TakeOverOptions) => {
      process.exitCode = finish(await takeOver(resolve(file), options));
    });
  session
    .command('compare')
    .description('Say whether two records of one session are one, or forked because it went on in two places')
    .argument('<first>', 'bundle, or folder of a session')
    .argument('<second>', 'bundle, or folder of a session')
    .action(async (first: string, second: string) => {
      process.exitCode = await compare(resolve(first), resolve(second));
    });
}

async function compare(first: string, second: string): Promise<number> {
  const compared = await compareRecords(first, second);
  if (!compared.ok) {
    complain(compared.error);
    return EXIT.usage;
  }
  const { session, relation } = compared.value;
  if (relation.kind === 'fork') {
    const told = ({ at, by, type }: JournalEvent) => `${type} at ${at} by ${by}`;
    const lines = [compared.value.first, compared.value.second].map((event) =>
      event === undefined ? '?' : told(event),
    );
    print(`Session ${session} went on in two places: its records differ from line ${relation.line} on.`);
    print(`first:  ${lines[0]}\nsecond: ${lines[1]}`);
    return EXIT.findings;
  }
  const words = {
    same: 'Both hold the same.',
    'first-goes-on': 'The first goes on where the second ends.',
    'second-goes-on': 'The second goes on where the first ends.',
  };
  print(`One record of session ${session}. ${words[relation.kind]}`);
  return EXIT.done;
}

function finish(done: Result<unknown>): number {
  if (!done.ok) complain(done.error);
  return done.ok ? EXIT.done : EXIT.usage;
}

function sessionsDir(options: { data?: string }): string {
  return resolve(options.data ?? dataDir(), 'sessions');
}

async function handOver(id: string, options: HandOverOptions): Promise<Result<unknown>> {
  if (!/^[0-9A-Za-z-]+$/.test(id)) return fail('session.not-found', `There is no session "${id}".`);
  const dir = resolve(sessionsDir(options), id);
  const now = () => new Date();
  if (options.withdraw !== undefined) {
    const withdrawn = await withdrawHandOver(dir, options.withdraw, { operator: options.operator, now });
    if (withdrawn.ok) print('The session goes on here. Destroy the file, if there is one.');
    return withdrawn;
  }
  if (options.out === undefined || options.identity === undefined)
    return fail('input.malformed', 'A hand-over needs --out, and --identity to sign it with.');
  const to = await readTo(options);
  if (!to.ok) return to;
  const identity = await unlockIdentity(options.identity, options.identityPassphrase);
  if (!identity.ok) return identity;
  const { operator, out } = options;
  const done = await handOverSession(dir, {
    to: to.value,
    identity: identity.value,
    operator,
    out: resolve(out),
    now,
  });
  if (done.ok) print(`${done.value.file}, for ${done.value.to}. The session goes on where it is taken over.`);
  return done;
}

async function readTo({ to, passphrase }: HandOverOptions): Promise<Result<HandOverTo>> {
  if ((to === undefined) === (passphrase === undefined))
    return fail('input.malformed', 'Say who can open the file: --to CERTIFICATE, or --passphrase env:NAME.');
  if (to === undefined) {
    const secret = await readSecret(passphrase, 'passphrase for the file');
    return secret.ok ? ok({ passphrase: secret.value }) : secret;
  }
  const certificates: string[] = [];
  for (const path of to) {
    const pem = await readSmallFile(resolve(path), "recipient's certificate");
    if (!pem.ok) return pem;
    certificates.push(pem.value);
  }
  return ok({ certificates });
}

async function takeOver(file: string, options: TakeOverOptions): Promise<Result<unknown>> {
  const trust = await readTrust(options.trust ?? []);
  if (!trust.ok) return trust;
  let identity: Identity | undefined;
  if (options.identity !== undefined) {
    const unlocked = await unlockIdentity(options.identity, options.identityPassphrase);
    if (!unlocked.ok) return unlocked;
    identity = unlocked.value;
  }
  const opener = await readOpener(options);
  if (!opener.ok) return opener;
  const done = await takeOverSession(sessionsDir(options), file, {
    opener: opener.value,
    operator: options.operator,
    ...(identity === undefined ? {} : { identity }),
    engineers: trust.value.engineer,
    computer: hostname(),
    now: () => new Date(),
  });
  if ('key' in opener.value) opener.value.key.pkcs8.fill(0);
  if (!done.ok) return done;
  const { session, operators, notices } = done.value;
  for (const notice of notices) note(notice);
  print(`session ${session}, walked by ${operators.join(', ')}. Go on with: lockstep run --resume ${session}`);
  return done;
}

async function readOpener({ key, certificate, passphrase }: TakeOverOptions): Promise<Result<Opener>> {
  if (key === undefined) {
    const secret = await readSecret(passphrase, 'passphrase of the file');
    return secret.ok ? ok({ passphrase: secret.value }) : secret;
  }
  const opened = await unlockDecryptionKey({
    key,
    ...(certificate === undefined ? {} : { certificate }),
    ...(passphrase === undefined ? {} : { passphrase }),
  });
  return opened.ok ? ok({ key: opened.value }) : opened;
}
