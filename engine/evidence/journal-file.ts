import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { appError, fail, ok, type Result } from '../../core/result.ts';
import { type ChainReading, encodeEvent, readChain, ZERO_HASH } from '../../core/session/chain.ts';
import {
  type EventData,
  type EventType,
  eventDataSchemas,
  type FactsFile,
  factsFileSchema,
  type JournalEvent,
} from '../../core/session/events.ts';
import type { Identity } from '../keys/identity.ts';
import { storeAttachment } from './attachments.ts';
import { syncDirectory, writeAtomically, writeError, writeFully } from './files.ts';
import { type Release, takeLock } from './lock.ts';
import { signHead } from './signer.ts';

export type JournalInput<T extends EventType> = z.input<(typeof eventDataSchemas)[T]>;

export type JournalOptions = {
  /** Id of the operator who writes. */
  readonly by: string;
  /** The only clock. */
  readonly now: () => Date;
};

/** The one writer of a session. Every method resolves only after the bytes are on the disk. */
export type Journal = {
  readonly dir: string;
  /** All events, oldest first; grows with every append. */
  readonly events: readonly JournalEvent[];
  /** SHA-256 of the last line. */
  readonly head: () => string;
  /** What was found on opening that the operator must be told, in whole sentences. */
  readonly notices: readonly string[];
  readonly append: <T extends EventType>(type: T, data: JournalInput<T>) => Promise<Result<JournalEvent<T>>>;
  /** Stores a facts file under the number of the event that names it, then appends that event. */
  readonly recordFacts: (
    about: { key: string; check: number; probe: string },
    facts: FactsFile,
  ) => Promise<Result<JournalEvent<'facts.recorded'>>>;
  /** Copies a file (path) or stream into the session, then appends the event that names it. */
  readonly attach: (about: {
    key: string;
    name: string;
    mediaType: string;
    source: string | AsyncIterable<Uint8Array>;
  }) => Promise<Result<JournalEvent<'attached'>>>;
  /** Signs the digest of the last line with the operator's key and appends the signature. */
  readonly signHead: (
    at: EventData<'head.signed'>['at'],
    identity: Identity,
  ) => Promise<Result<JournalEvent<'head.signed'>>>;
  readonly close: () => Promise<void>;
};

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
    handle = await open(journalPath(dir), 'wx+', 0o600);
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
    notices: [],
  });
  const first = await journal.append('session.opened', opened);
  if (first.ok) return ok(journal);
  await journal.close();
  return first;
}

/**
 * Opens a session again. A last line that was cut off is moved to `journal.<n>.torn` and reported in `notices`; any
 * other fault in the chain is `journal.broken` and nothing is written. Errors also: `session.not-found`,
 * `journal.locked`, `journal.write`.
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
 * `session.not-found`, `journal.broken`.
 */
export async function readJournal(
  dir: string,
): Promise<Result<{ events: readonly JournalEvent[]; reading: ChainReading; bytes: Uint8Array }>> {
  const path = journalPath(dir);
  const bytes = await readFile(path).catch(() => undefined);
  if (bytes === undefined) return fail('session.not-found', 'There is no session in this folder.', { place: dir });
  const reading = await readChain(new Uint8Array(bytes), hashLine);
  const fault = reading.faults.find((each) => each.code !== 'journal.clock-back' && each.code !== 'journal.torn');
  if (fault !== undefined) {
    return fail('journal.broken', `The journal was altered. ${fault.sentence}`, { place: `${path}:${fault.line + 1}` });
  }
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
      else if (fault.code !== 'journal.torn' && !(fault === last && reading.torn === undefined)) {
        return fail('journal.broken', `The journal was altered. ${fault.sentence}`, {
          place: `${path}:${fault.line + 1}`,
        });
      }
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
    const handle = await open(path, 'r+');
    if (length < bytes.length) {
      await handle.truncate(length);
      await handle.sync();
    }
    const lastAt = reading.events.at(-1)?.at ?? '';
    if (options.now().toISOString() < lastAt)
      notices.push(`This computer's clock is behind the journal, which ends at ${lastAt}.`);
    const state = { events: [...reading.events], head: hashes.at(-1) ?? ZERO_HASH, length, notices };
    return ok(makeJournal(dir, handle, release, options, state));
  } catch (error) {
    return { ok: false, error: writeError('The journal', path, error) };
  }
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

function makeJournal(
  dir: string,
  handle: FileHandle,
  release: Release,
  options: JournalOptions,
  state: { events: JournalEvent[]; head: string; length: number; notices: string[] },
): Journal {
  let broken = false;
  let closed = false;
  let queue: Promise<unknown> = Promise.resolve();

  // One at a time, so that an event's number is settled before its files are written.
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = queue.then(work);
    queue = turn.catch(() => {});
    return turn;
  };

  const write = async <T extends EventType>(type: T, input: JournalInput<T>): Promise<Result<JournalEvent<T>>> => {
    if (closed) return fail('session.state', 'The session is closed.', { place: dir });
    if (broken)
      return fail(
        'journal.write',
        'An earlier write failed in a way that leaves the file uncertain. Open the session again.',
        { place: dir },
      );
    const data = eventDataSchemas[type].safeParse(input);
    if (!data.success)
      return fail('internal', `An event ${type} is malformed.`, { cause: z.prettifyError(data.error) });
    const event = {
      n: state.events.length,
      at: options.now().toISOString(),
      prev: state.head,
      by: options.by,
      type,
      data: data.data,
    };
    let line: Uint8Array;
    try {
      line = new TextEncoder().encode(`${encodeEvent(event as JournalEvent)}\n`);
    } catch (error) {
      return fail('internal', `An event ${type} is malformed.`, { cause: String(error) });
    }
    try {
      await writeFully(handle, line, state.length);
      await handle.datasync();
    } catch (error) {
      // What was half written must not be taken for an event by the next reader.
      try {
        await handle.truncate(state.length);
        await handle.datasync();
      } catch {
        broken = true;
      }
      return { ok: false, error: writeError('The last step', journalPath(dir), error) };
    }
    state.length += line.length;
    state.head = hashLine(line.subarray(0, -1));
    // As a reader will parse it, so that the state in memory is the state on disk.
    const stored = JSON.parse(encodeEvent(event as JournalEvent)) as JournalEvent<T>;
    state.events.push(stored as JournalEvent);
    return ok(stored);
  };

  return {
    dir,
    events: state.events,
    head: () => state.head,
    notices: state.notices,
    append: (type, data) => inTurn(() => write(type, data)),
    recordFacts: (about, facts) =>
      inTurn(async () => {
        const file = `facts/${state.events.length}.json`;
        const parsed = factsFileSchema.safeParse(facts);
        if (!parsed.success)
          return {
            ok: false,
            error: appError('internal', 'Facts are malformed.', { cause: z.prettifyError(parsed.error) }),
          };
        const bytes = new TextEncoder().encode(`${JSON.stringify(parsed.data, null, 2)}\n`);
        try {
          await writeAtomically(join(dir, file), (target) => writeFully(target, bytes, 0));
        } catch (error) {
          return { ok: false, error: writeError('What a probe saw', join(dir, file), error) };
        }
        return write('facts.recorded', { ...about, file, sha256: hashLine(bytes) });
      }),
    attach: async ({ key, name, mediaType, source }) => {
      // Outside the turn: a large file must not hold up the probes.
      const stored = await storeAttachment(dir, name, source);
      if (!stored.ok) return stored;
      return inTurn(() => write('attached', { key, name: name.slice(-200), mediaType, ...stored.value }));
    },
    signHead: (at, identity) =>
      inTurn(async () => {
        const signed = await signHead(identity, state.head);
        if (!signed.ok) return signed;
        return write('head.signed', { at, upTo: state.events.length - 1, sha256: state.head, ...signed.value });
      }),
    close: () =>
      inTurn(async () => {
        if (closed) return;
        closed = true;
        await handle.close();
        await release();
      }),
  };
}

function hashLine(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
