import { type JournalEvent, LaterVersion, parseEvent } from './events.ts';
import { JOURNAL_VERSION, versionOf } from './versions.ts';

/** SHA-256 of bytes, as lower-case hex. Passed in, because core has no cryptography of its own. */
export type Sha256 = (bytes: Uint8Array<ArrayBuffer>) => string | Promise<string>;

/** `prev` of line 0. */
export const ZERO_HASH = '0'.repeat(64);

export type ChainFault = {
  readonly code:
    | 'journal.torn'
    | 'journal.not-json'
    | 'journal.not-canonical'
    | 'journal.schema'
    | 'journal.later-version'
    | 'journal.number'
    | 'journal.chain'
    | 'journal.clock-back'
    | 'journal.first-line';
  readonly sentence: string;
  /** Line, counted from 0. */
  readonly line: number;
};

export type ChainReading = {
  /** Every line that is a known event, also those behind a fault. */
  readonly events: readonly JournalEvent[];
  /** SHA-256 per whole line, by line number. */
  readonly hashes: readonly string[];
  /** Byte offset behind each whole line's newline, by line number. */
  readonly ends: readonly number[];
  readonly faults: readonly ChainFault[];
  /** Bytes behind the last newline: a write that was cut off. */
  readonly torn?: { readonly offset: number; readonly length: number };
  /** Version in which the last whole line is written. */
  readonly version: number;
};

/**
 * The one encoding of an event: a line without its newline. Throws a TypeError for a number JSON cannot hold, which
 * would silently become null.
 */
export function encodeEvent(event: JournalEvent): string {
  const { n, at, prev, by, type, v, data } = event;
  const line = { n, at, prev, by, type, ...(v === undefined ? {} : { v }), data };
  return JSON.stringify(line, (key, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value))
      throw new TypeError(`${key} is not a number that JSON can hold`);
    return value;
  });
}

/**
 * Reads a whole journal: UTF-8, one event per line, each line ending with a newline and holding the SHA-256 of the
 * line before it. Collects every fault instead of stopping at the first.
 */
export async function readChain(bytes: Uint8Array<ArrayBuffer>, sha256: Sha256): Promise<ChainReading> {
  const events: JournalEvent[] = [];
  const hashes: string[] = [];
  const ends: number[] = [];
  const faults: ChainFault[] = [];
  let offset = 0;
  let previousAt = '';
  let version: number | undefined;
  while (offset < bytes.length) {
    const newline = bytes.indexOf(0x0a, offset);
    if (newline < 0) break;
    const line = hashes.length;
    const raw = bytes.subarray(offset, newline);
    const parsed = parseLine(raw, line, faults);
    const event = parsed === undefined ? undefined : readLine(parsed, line, version, faults);
    if (parsed !== undefined) version = versionOf(parsed.value, version);
    const expected = line === 0 ? ZERO_HASH : hashes[line - 1];
    if (event !== undefined) {
      if (event.n !== line)
        faults.push({ code: 'journal.number', line, sentence: `Line ${line} carries the number ${event.n}.` });
      if (event.prev !== expected) {
        faults.push({
          code: 'journal.chain',
          line,
          sentence: `Line ${line} does not hold the digest of the line before it.`,
        });
      }
      if (event.at < previousAt) {
        const sentence = `The clock went back between line ${line - 1} (${previousAt}) and line ${line} (${event.at}).`;
        faults.push({ code: 'journal.clock-back', line, sentence });
      }
      if ((event.type === 'session.opened') !== (line === 0)) {
        faults.push({
          code: 'journal.first-line',
          line,
          sentence: `Line ${line} is ${event.type}; a journal opens its session on line 0, once.`,
        });
      }
      previousAt = event.at;
      events.push(event);
    }
    hashes.push(await sha256(raw));
    offset = newline + 1;
    ends.push(offset);
  }
  const rest = bytes.length - offset;
  if (rest > 0) {
    faults.push({
      code: 'journal.torn',
      line: hashes.length,
      sentence: `Line ${hashes.length} was cut off after ${rest} bytes.`,
    });
  }
  return {
    events,
    hashes,
    ends,
    faults,
    version: version ?? JOURNAL_VERSION,
    ...(rest > 0 ? { torn: { offset, length: rest } } : {}),
  };
}

type Line = { readonly text: string; readonly value: unknown };

function parseLine(raw: Uint8Array<ArrayBuffer>, line: number, faults: ChainFault[]): Line | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw);
    return { text, value: JSON.parse(text) };
  } catch (error) {
    faults.push({ code: 'journal.not-json', line, sentence: `Line ${line} cannot be read: ${message(error)}.` });
    return undefined;
  }
}

function readLine(
  { text, value }: Line,
  line: number,
  inherited: number | undefined,
  faults: ChainFault[],
): JournalEvent | undefined {
  let event: JournalEvent;
  try {
    event = parseEvent(value, inherited);
  } catch (error) {
    faults.push(
      error instanceof LaterVersion
        ? {
            code: 'journal.later-version',
            line,
            sentence: `Line ${line} was written by a later version of Lockstep: ${message(error)}, and this one reads up to ${JOURNAL_VERSION}. Open it with the later one.`,
          }
        : {
            code: 'journal.schema',
            line,
            sentence: `Line ${line} is not an event that this version knows: ${message(error)}.`,
          },
    );
    return undefined;
  }
  // Of the line as parsed, not of the schema's output: defaults that a schema fills in are not on the line.
  if (encodeEvent(value as JournalEvent) !== text) {
    faults.push({
      code: 'journal.not-canonical',
      line,
      sentence: `Line ${line} is not written in the one form that events have.`,
    });
  }
  return event;
}

function message(error: unknown): string {
  return error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error);
}
