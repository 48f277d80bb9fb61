import { type FileHandle, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../core/result.ts';
import { type ChainFault, type ChainReading, readChain, ZERO_HASH } from '../../core/session/chain.ts';
import type { JournalEvent } from '../../core/session/events.ts';
import { JOURNAL_VERSION } from '../../core/session/versions.ts';
import { journalFlags, syncDirectory } from './file-system.ts';
import { writeError } from './files.ts';
import { hashLine, type Journal, type JournalInput, type JournalOptions, makeJournal } from './journal-writer.ts';
import { type Release, takeLock } from './lock.ts';

export type { Journal, JournalInput, JournalOptions } from './journal-writer.ts';

const FILE = 'journal.jsonl';

/** Path of the journal in a session folder. */
export function journalPath(dir: string): string {
  return join(dir, FILE);
}

/**
 * Starts a session in `dir`, made if missing, with line 0. Errors: `session.state` when a journal is there already,
 * `journal.locked`, `journal.write`.
 */
export async function createJournal(
  dir: string,
  opened: JournalInput<'session.opened'>,
  options: JournalOptions,
): Promise<Result<Journal>> {
  try {
    await mkdir(dir, { recursive: true });
  } catch (error) {
    return { ok: false, error: writeError('The session', dir, error) };
  }
  const lock = await takeLock(dir);
  if (!lock.ok) return lock;
  let handle: FileHandle;
  try {
    handle = await open(journalPath(dir), journalFlags('make'), 0o600);
    await syncDirectory(dir);
  } catch (error) {
    await lock.value();
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      return fail('session.state', 'There is a session in this folder already.', { place: dir });
    }
    return { ok: false, error: writeError('The journal', dir, error) };
  }
  const journal = makeJournal(dir, handle, lock.value, options, {
    events: [],
    head: ZERO_HASH,
    length: 0,
    version: JOURNAL_VERSION,
    notices: [],
  });
  const first = await journal.append('session.opened', opened);
  if (first.ok) return ok(journal);
  await journal.close();
  return first;
}

/**
 * Opens a session again. A last line that was cut off is moved to `journal.<n>.torn` and reported in `notices`; any
 * other fault in the chain is `journal.broken`, a line of a later version `journal.later-version`, and nothing is
 * written. Errors also: `session.not-found`, `journal.locked`, `journal.write`.
 */
export async function openJournal(dir: string, options: JournalOptions): Promise<Result<Journal>> {
  const path = journalPath(dir);
  if ((await readFile(path).catch(() => undefined)) === undefined) {
    return fail('session.not-found', 'There is no session in this folder.', { place: dir });
  }
  const lock = await takeLock(dir);
  if (!lock.ok) return lock;
  const opened = await openLocked(dir, path, lock.value, options);
  if (!opened.ok) await lock.value();
  return opened;
}

/**
 * Reads a session without taking its lock, for lists and for sealing. A cut-off last line is left out. Errors:
 * `session.not-found`, `journal.broken`, `journal.later-version`.
 */
export async function readJournal(
  dir: string,
): Promise<Result<{ events: readonly JournalEvent[]; reading: ChainReading; bytes: Uint8Array }>> {
  const path = journalPath(dir);
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined) return fail('session.not-found', 'There is no session in this folder.', { place: dir });
  const reading = await readChain(new Uint8Array(bytes), hashLine);
  const fault = reading.faults.find((each) => each.code !== 'journal.clock-back' && each.code !== 'journal.torn');
  if (fault !== undefined) return faulty(fault, path);
  return ok({ events: reading.events, reading, bytes: bytes.subarray(0, reading.ends.at(-1) ?? 0) });
}

async function openLocked(
  dir: string,
  path: string,
  release: Release,
  options: JournalOptions,
): Promise<Result<Journal>> {
  const notices: string[] = [];
  try {
    const bytes = new Uint8Array(await readFile(path));
    const reading = await readChain(bytes, hashLine);
    let length = reading.ends.at(-1) ?? 0;
    let hashes = reading.hashes;
    // A last line that is whole but no JSON was written by a system that died before its blocks reached the disk.
    const last = reading.faults.find(
      (fault) => fault.code === 'journal.not-json' && fault.line === reading.hashes.length - 1,
    );
    if (last !== undefined && reading.torn === undefined) {
      length = reading.ends.at(-2) ?? 0;
      hashes = hashes.slice(0, -1);
    }
    for (const fault of reading.faults) {
      if (fault.code === 'journal.clock-back') notices.push(fault.sentence);
      else if (fault.code !== 'journal.torn' && !(fault === last && reading.torn === undefined))
        return faulty(fault, path);
    }
    if (hashes.length === 0) {
      return fail('journal.broken', 'The journal holds no whole line, so nothing was recorded yet.', { place: path });
    }
    if (length < bytes.length) {
      const aside = await keepAside(dir, hashes.length, bytes.subarray(length));
      notices.push(
        `The last write was cut off before it was acknowledged. Its ${bytes.length - length} bytes are kept in ${aside}.`,
      );
    }
    const handle = await open(path, journalFlags('open'));
    if (length < bytes.length) {
      await handle.truncate(length);
      await handle.sync();
    }
    const lastAt = reading.events.at(-1)?.at ?? '';
    if (options.now().toISOString() < lastAt)
      notices.push(`This computer's clock is behind the journal, which ends at ${lastAt}.`);
    const { version } = reading;
    const state = { events: [...reading.events], head: hashes.at(-1) ?? ZERO_HASH, length, version, notices };
    return ok(makeJournal(dir, handle, release, options, state));
  } catch (error) {
    return { ok: false, error: writeError('The journal', path, error) };
  }
}

function faulty(fault: ChainFault, path: string): Result<never> {
  const place = { place: `${path}:${fault.line + 1}` };
  return fault.code === 'journal.later-version'
    ? fail('journal.later-version', fault.sentence, place)
    : fail('journal.broken', `The journal was altered. ${fault.sentence}`, place);
}

async function keepAside(dir: string, line: number, bytes: Uint8Array): Promise<string> {
  for (let copy = 0; ; copy++) {
    const name = copy === 0 ? `journal.${line}.torn` : `journal.${line}-${copy}.torn`;
    try {
      await writeFile(join(dir, name), bytes, { flag: 'wx', flush: true });
      await syncDirectory(dir);
      return name;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || copy > 1000) throw error;
    }
  }
}
