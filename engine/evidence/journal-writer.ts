import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { appError, fail, ok, type Result } from '../../core/result.ts';
import { encodeEvent } from '../../core/session/chain.ts';
import {
  type EventData,
  type EventType,
  eventDataSchemas,
  type FactsFile,
  factsFileSchema,
  type JournalEvent,
} from '../../core/session/events.ts';
import { JOURNAL_VERSION } from '../../core/session/versions.ts';
import type { Identity } from '../keys/identity.ts';
import { storeAttachment } from './attachments.ts';
import { writeAtomically, writeError, writeFully } from './files.ts';
import { WRITES_ARE_SYNCED } from './file-system.ts';
import type { Release } from './lock.ts';
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
    redacted?: EventData<'attached'>['redacted'];
  }) => Promise<Result<JournalEvent<'attached'>>>;
  /** Signs the digest of the last line with the operator's key and appends the signature. */
  readonly signHead: (
    at: EventData<'head.signed'>['at'],
    identity: Identity,
  ) => Promise<Result<JournalEvent<'head.signed'>>>;
  readonly close: () => Promise<void>;
};

/** What is on the disk; grows with every append. */
export type JournalState = {
  readonly events: JournalEvent[];
  head: string;
  /** Bytes of the file that are acknowledged. */
  length: number;
  /** Version of the last line. */
  version: number;
  readonly notices: readonly string[];
};

/** The writer over an open file whose lock is held. */
export function makeJournal(
  dir: string,
  handle: FileHandle,
  release: Release,
  options: JournalOptions,
  state: JournalState,
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
      ...(state.version < JOURNAL_VERSION ? { v: JOURNAL_VERSION } : {}),
      data: data.data,
    };
    let text: string;
    try {
      text = encodeEvent(event as JournalEvent);
    } catch (error) {
      return fail('internal', `An event ${type} is malformed.`, { cause: String(error) });
    }
    const line = new TextEncoder().encode(`${text}\n`);
    try {
      await writeFully(handle, line, state.length);
      if (!WRITES_ARE_SYNCED) await handle.datasync();
    } catch (error) {
      // What was half written must not be taken for an event by the next reader.
      try {
        await handle.truncate(state.length);
        await handle.datasync();
      } catch {
        broken = true;
      }
      return { ok: false, error: writeError('The last step', join(dir, 'journal.jsonl'), error) };
    }
    state.length += line.length;
    state.version = JOURNAL_VERSION;
    state.head = hashLine(line.subarray(0, -1));
    // As a reader will parse it, so that the state in memory is the state on disk.
    const stored = JSON.parse(text) as JournalEvent<T>;
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
    attach: async ({ key, name, mediaType, source, redacted }) => {
      // Outside the turn: a large file must not hold up the probes.
      const stored = await storeAttachment(dir, name, source);
      if (!stored.ok) return stored;
      const about = { key, name: name.slice(-200), mediaType, ...stored.value };
      return inTurn(() => write('attached', { ...about, ...(redacted === undefined ? {} : { redacted }) }));
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

/** SHA-256 of bytes, hex. */
export function hashLine(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
