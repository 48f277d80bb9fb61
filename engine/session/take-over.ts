import { randomBytes } from 'node:crypto';
import { cp, mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { collect } from '../../core/bundle/finding.ts';
import { checkHeads } from '../../core/bundle/verify-heads.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { ChainReading } from '../../core/session/chain.ts';
import type { EventData } from '../../core/session/events.ts';
import { relate } from '../../core/session/fork.ts';
import { reduceAll } from '../../core/session/state.ts';
import { nodeHost, withContainer } from '../evidence/container-reader.ts';
import { decryptFile, type Opener } from '../evidence/decrypt.ts';
import { moveOver, syncDirectory } from '../evidence/file-system.ts';
import { writeError } from '../evidence/files.ts';
import { journalPath, openJournal, readJournal } from '../evidence/journal-file.ts';
import { takeLock } from '../evidence/lock.ts';
import { hashFile } from '../evidence/seal.ts';
import { findFault, unpackFiles } from '../evidence/session-package.ts';
import type { Identity } from '../keys/identity.ts';
import { operatorOf } from './operator.ts';

export type TakeOverOptions = {
  readonly opener: Opener;
  readonly operator: string;
  /** Signs the head as the operator joins; without one the session goes on unsigned. */
  readonly identity?: Identity;
  /** Roots (PEM) of engineers; with none it is not known who handed over. */
  readonly engineers: readonly string[];
  readonly computer: string;
  readonly now: () => Date;
};

export type TakenSession = {
  readonly session: string;
  /** Names of all who walked it so far, the new operator last. */
  readonly operators: readonly string[];
  /** What the operator must be told, in whole sentences. */
  readonly notices: readonly string[];
};

type Opened = EventData<'session.opened'>;

/**
 * Takes a session over that was handed over: opens the file, checks the chain, the signed heads and every digest, and
 * records who goes on and where. A session that is here already is replaced only where the file goes on from it.
 * Errors: those of opening the file, `input.malformed` (no session), `journal.broken` (altered on the way),
 * `identity.invalid`, `session.state` (taken over already, or a fork), `journal.locked`, `journal.write`.
 */
export async function takeOverSession(
  sessionsDir: string,
  file: string,
  options: TakeOverOptions,
): Promise<Result<TakenSession>> {
  const name = `.${randomBytes(6).toString('hex')}.tmp`;
  const dir = join(sessionsDir, name);
  const packed = join(sessionsDir, `${name}.zip`);
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const opened = await decryptFile(file, options.opener, packed);
    if (!opened.ok) return opened;
    const unpacked = await withContainer(packed, (container, source) => unpackFiles(container, source, dir));
    await rm(packed, { force: true });
    if (!unpacked.ok) return unpacked;
    const checked = await checkSession(dir, options);
    if (!checked.ok) return checked;
    return await settle(sessionsDir, dir, checked.value, options);
  } catch (error) {
    return { ok: false, error: writeError('The session', sessionsDir, error) };
  } finally {
    await rm(packed, { force: true });
    await rm(dir, { recursive: true, force: true });
  }
}

type Checked = { readonly opened: Opened; readonly reading: ChainReading; readonly notices: readonly string[] };

async function checkSession(dir: string, options: TakeOverOptions): Promise<Result<Checked>> {
  const journal = await readJournal(dir);
  if (!journal.ok) return journal;
  const { reading } = journal.value;
  const [first] = reading.events;
  const [over, signed] = reading.events.slice(-2);
  if (first?.type !== 'session.opened')
    return fail('input.malformed', 'This is not a session: its journal does not open one.');
  const whole = over?.type === 'handed-over' && signed?.type === 'head.signed' && signed.data.at === 'hand-over';
  if (!whole || reading.torn !== undefined || signed.data.upTo !== over.n)
    return fail(
      'input.malformed',
      'This session was not handed over: its journal does not end with a signed hand-over.',
    );
  const fault = await findFault(dir, reading.events, hashFile);
  if (fault !== undefined)
    return fail('journal.broken', 'A file of this session is not the one that its journal names.', { place: fault });
  const found = collect();
  const trust = { engineer: options.engineers };
  await checkHeads(reading.events, reading.hashes, [], trust, options.now(), nodeHost, found);
  const known = options.engineers.length > 0;
  const bad = found.list.find(({ severity, code }) => severity === 'bad' && (known || !code.startsWith('trust.')));
  if (bad !== undefined)
    return fail('journal.broken', bad.sentence, bad.place === undefined ? {} : { place: bad.place });
  const notices = [
    ...(known ? [] : ['No root of engineers was given, so nothing shows whose signature the hand-over carries.']),
    ...reading.faults.filter(({ code }) => code === 'journal.clock-back').map(({ sentence }) => sentence),
  ];
  return ok({ opened: first.data, reading, notices });
}

/** Puts a checked session in its place, with the operator already in its journal. */
async function settle(
  sessionsDir: string,
  dir: string,
  { opened, reading, notices }: Checked,
  options: TakeOverOptions,
): Promise<Result<TakenSession>> {
  const home = join(sessionsDir, opened.session);
  const aside = `${dir}.old`;
  const present = (await readJournal(home)).ok;
  const release = present ? await takeLock(home) : ok(async () => {});
  if (!release.ok) return release;
  try {
    const here = await readJournal(home);
    if (!here.ok && here.error.code !== 'session.not-found') return here;
    const refused = here.ok ? refuse(here.value.reading, reading, home) : undefined;
    if (refused !== undefined) return refused;
    const operators = await joinTaken(dir, options);
    if (!operators.ok) return operators;
    if (here.ok) {
      // What stays on a laptop and is in no file, such as the keys of requests that were made here.
      const own = (path: string) => !basename(path).startsWith('journal.lock');
      await cp(home, dir, { recursive: true, force: false, filter: own });
      await moveOver(home, aside);
      // Before the new folder stands: its lock is not ours to remove.
      await release.value();
    }
    await moveOver(dir, home);
    await syncDirectory(sessionsDir);
    return ok({ session: opened.session, operators: operators.value, notices });
  } finally {
    await release.value();
    // Either it took its place, and the old one holds nothing that it does not, or the old one goes back.
    if ((await readJournal(home)).ok) await rm(aside, { recursive: true, force: true, maxRetries: 10 });
    else await moveOver(aside, home).catch(() => {});
  }
}

/** Why what is here must not be replaced by what the file holds; undefined when the file goes on from it. */
function refuse(here: ChainReading, file: ChainReading, home: string): Result<never> | undefined {
  const relation = relate(here.hashes, file.hashes);
  if (relation.kind === 'same' || relation.kind === 'second-goes-on') return undefined;
  const line = relation.kind === 'fork' ? relation.line : file.hashes.length;
  const [ours, theirs] = [here.events[line], file.events[line]];
  const place = { place: `${journalPath(home)}:${line + 1}` };
  if (theirs === undefined && ours?.type === 'operator.joined' && ours.data.how === 'taken-over')
    return fail(
      'session.state',
      `This file was taken over here already, at ${ours.at} by ${ours.data.name}. Go on with that session.`,
      place,
    );
  const there = theirs === undefined ? '' : `, and elsewhere at ${theirs.at} by ${theirs.by}`;
  return fail(
    'session.state',
    `This session went on here although it was handed over: from line ${line} on, at ${ours?.at} by ${ours?.by}${there}. These are two different records of one session, and neither may replace the other. Nothing was changed.`,
    place,
  );
}

async function joinTaken(dir: string, options: TakeOverOptions): Promise<Result<readonly string[]>> {
  const operator = operatorOf(options.operator);
  const journal = await openJournal(dir, { by: operator.id, now: options.now });
  if (!journal.ok) return journal;
  try {
    const how = { how: 'taken-over', computer: options.computer } as const;
    const joined = await journal.value.append('operator.joined', { ...operator, ...how });
    if (!joined.ok) return joined;
    if (options.identity !== undefined) {
      const signed = await journal.value.signHead('open', options.identity);
      if (!signed.ok) return signed;
    }
    return ok(reduceAll(journal.value.events).operators.map(({ name }) => name));
  } finally {
    await journal.value.close();
  }
}
