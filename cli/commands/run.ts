import { VERSION } from '../../core/version.ts';
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fail, ok, type Result } from '../../core/result.ts';
import type { Identity } from '../../engine/keys/identity.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { openSession, resumeSession } from '../../engine/session/open-session.ts';
import type { Session, SessionOptions } from '../../engine/session/session.ts';
import { type Answers, loadAnswers, loadWaivers, type Waivers } from '../answers.ts';
import { type HeadlessOptions, walkHeadless } from '../headless.ts';
import { dataDir, EXIT, RUNTIME } from '../host.ts';
import { readTrust, unlockIdentity } from '../keys.ts';
import { printOutcome } from '../outcome.ts';
import { addPeopleOptions, type PeopleOptions, readSiteKeyText, usePeople } from '../people.ts';
import { askYesNo, complain, note, readSecret } from '../terminal.ts';
import { readApply } from '../write-access.ts';

type RunOptions = PeopleOptions & {
  guide: string;
  site: string;
  resume?: string;
  answers?: string;
  waive?: string[];
  only?: string[];
  apply?: string[];
  undo?: string[];
  ticket?: string;
  approver?: string;
  windowFrom?: string;
  windowUntil?: string;
  writeUser?: string;
  writePassword?: string;
  writeFor?: string[];
  identity?: string;
  revocation: string[];
  passphrase?: string;
  secret?: string[];
  trust?: string[];
  operator: string;
  productVersion?: string;
  notInClinicalUse?: boolean;
  overrideReason?: string;
  out?: string;
  data?: string;
  json?: boolean;
  quiet?: boolean;
};

/** `lockstep run`: a whole walk without a screen. */
export function addRunCommand(program: Command): void {
  addPeopleOptions(program.command('run'))
    .description('Walk a guide at a site: probe, judge, change what is named, seal and sign')
    .requiredOption('--guide <file>', 'guide as YAML or as a signed container')
    .requiredOption('--site <file>', 'site file')
    .option('--resume <session>', 'go on with a session instead of starting one')
    .option('--operator <name>', 'who walks', process.env.USER ?? process.env.USERNAME ?? 'operator')
    .option('--answers <file>', 'answers to the manual questions, and waivers')
    .option('--waive <id=file...>', 'ask for a waiver where this control fails: reason, compensating, until')
    .option('--only <id...>', 'only these controls')
    .option('--apply <id...>', 'apply the changes of these controls')
    .option('--undo <id...>', 'undo the changes of these controls that this session made (with --resume)')
    .option('--ticket <id>', 'ticket under which changes are made')
    .option('--approver <name>', 'who approved them')
    .option('--window-from <time>', 'changes may be made from here on (2026-11-24T20:00 or with an offset)')
    .option('--window-until <time>', 'changes may be made until here')
    .option('--write-user <name>', 'account that writes')
    .option('--write-password <env:NAME>', 'its password; without it, it is asked for')
    .option(
      '--write-for <what=user=env:NAME...>',
      'another account for a control, or for what is changed: directory, device',
    )
    .option('--secret <name=env:NAME...>', 'passwords that the site names')
    .option('--identity <file>', 'sign with this PKCS#12 or PEM')
    .option('--passphrase <env:NAME>', 'passphrase of the identity; without it, it is asked for')
    .option('--revocation <file...>', 'CRLs and OCSP answers about the identity, for its signature to carry', [])
    .option('--baseline <bundle>', 'say what changed since this bundle; it is verified first, by --trust')
    .option(
      '--trust <role=file...>',
      'publisher=ROOT.pem lets a signed guide change things; engineer= and hospital= are for --baseline',
    )
    .option(
      '--not-in-clinical-use',
      'confirm that no device of the site is; else it is asked before a device is fooled',
    )
    .option('--product-version <version>', 'typed version, used only where the guide cannot observe it')
    .option(
      '--override-reason <text>',
      "walk although the product version is outside the guide's range, and record why",
    )
    .option('--out <file>', 'bundle to write')
    .option('--data <folder>', 'where sessions are kept')
    .option('--json', 'print the result as JSON')
    .option('--quiet', 'no progress')
    .action(async (options: RunOptions) => {
      process.exitCode = await runCommand(options);
    });
}

async function runCommand(options: RunOptions): Promise<number> {
  const ready = await prepare(options);
  if (!ready.ok) {
    complain(ready.error);
    return EXIT.usage;
  }
  const { session, walk, cancel } = ready.value;
  let neverBegan = false;
  const interrupt = () => cancel.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    note(`session ${session.id}`);
    for (const notice of session.journal.notices) note(notice);
    if (session.guide.trust !== 'trusted')
      note(`The guide is ${session.guide.trust}: it reads and never changes anything.`);
    const result = await walkHeadless(session, walk);
    if (!result.ok) {
      complain(result.error);
      if (result.error.code !== 'guide.out-of-range') return EXIT.usage;
      // The guide of another product is the wrong input; a version that nobody could tell is undecided, and kept.
      neverBegan = options.resume === undefined && session.state().gate?.version !== undefined;
      return neverBegan ? EXIT.usage : EXIT.undecided;
    }
    return printOutcome(session, result.value, options.json === true);
  } finally {
    process.removeListener('SIGINT', interrupt);
    process.removeListener('SIGTERM', interrupt);
    await session.close();
    if (neverBegan) await rm(session.dir, { recursive: true, force: true });
  }
}

type Ready = { session: Session; walk: HeadlessOptions; cancel: AbortController };

/** Reads everything that the walk needs before the session starts, so that a typing error leaves nothing behind. */
async function prepare(options: RunOptions): Promise<Result<Ready>> {
  const trust = await readTrust(options.trust ?? []);
  if (!trust.ok) return trust;
  const guide = await loadGuide(resolve(options.guide), { roots: trust.value.publisher });
  if (!guide.ok) return guide;
  const site = await loadSite(resolve(options.site));
  if (!site.ok) return site;
  const secrets = await readSecrets(options.secret ?? []);
  if (!secrets.ok) return secrets;
  let answers: Answers | undefined;
  let fromAnswers: Waivers = {};
  if (options.answers !== undefined) {
    const read = await loadAnswers(options.answers);
    if (!read.ok) return read;
    answers = read.value.answers;
    fromAnswers = read.value.waivers;
  }
  const single = await loadWaivers(options.waive ?? []);
  if (!single.ok) return single;
  const waivers = { ...fromAnswers, ...single.value };
  const past = Object.entries(waivers).find(([, waiver]) => Date.parse(waiver.until) <= Date.now());
  if (past !== undefined)
    return fail('input.malformed', `The waiver of ${past[0]} ends in the past, on ${past[1].until}.`);
  let identity: Identity | undefined;
  if (options.identity !== undefined) {
    const unlocked = await unlockIdentity(options.identity, options.passphrase, options.revocation);
    if (!unlocked.ok) return unlocked;
    identity = unlocked.value;
  }
  const apply = await readApply(options);
  if (!apply.ok) return apply;
  const siteKey = await readSiteKeyText(options.siteKey);
  if (!siteKey.ok) return siteKey;

  const cancel = new AbortController();
  const sessions = resolve(options.data ?? dataDir(), 'sessions');
  const host: SessionOptions = {
    now: () => new Date(),
    lockstep: VERSION,
    runtime: RUNTIME,
    operator: options.operator,
    ask: (question, more) =>
      options.notInClinicalUse === true && more?.kind === 'free' ? Promise.resolve(true) : askYesNo(question, more),
    onProgress: ({ line, done, total, key }) => {
      if (options.quiet !== true) note(`[${String(done + 1).padStart(String(total).length)}/${total}] ${key}: ${line}`);
    },
  };
  const session =
    options.resume === undefined
      ? await openSession(sessions, guide.value, site.value, host)
      : await resumeSession(resolve(sessions, options.resume), { roots: trust.value.publisher }, host);
  if (!session.ok) return session;
  for (const [name, value] of secrets.value) session.value.secrets.set(name, value);
  const people = await usePeople(session.value, siteKey.value, options, trust.value);
  if (!people.ok) {
    await session.value.close();
    if (options.resume === undefined) await rm(session.value.dir, { recursive: true, force: true });
    return people;
  }
  const walk: HeadlessOptions = {
    cancel: cancel.signal,
    show: note,
    ...(options.productVersion === undefined ? {} : { typedVersion: options.productVersion }),
    ...(options.overrideReason === undefined ? {} : { overrideReason: options.overrideReason }),
    ...(options.only === undefined ? {} : { only: options.only }),
    ...(apply.value === undefined ? {} : { apply: apply.value }),
    ...(answers === undefined ? {} : { answers }),
    waivers,
    ...(identity === undefined ? {} : { identity }),
    ...(options.out === undefined ? {} : { out: resolve(options.out) }),
  };
  return ok({ session: session.value, walk, cancel });
}

/** `name=env:NAME`, or `name` alone to be asked for it. */
export async function readSecrets(entries: readonly string[]): Promise<Result<ReadonlyMap<string, string>>> {
  const secrets = new Map<string, string>();
  for (const entry of entries) {
    const at = entry.indexOf('=');
    const name = at < 0 ? entry : entry.slice(0, at);
    const value = await readSecret(at < 0 ? undefined : entry.slice(at + 1), `password for ${name}`);
    if (!value.ok) return value;
    secrets.set(name, value.value);
  }
  return ok(secrets);
}
