import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../core/result.ts';
import { type ChainReading, readChain } from '../../core/session/chain.ts';
import type { JournalEvent } from '../../core/session/events.ts';
import { type Relation, relate } from '../../core/session/fork.ts';
import { readEntry } from '../evidence/container-reader.ts';
import { journalPath } from '../evidence/journal-file.ts';
import { hashLine } from '../evidence/journal-writer.ts';

export type Comparison = {
  readonly session: string;
  readonly relation: Relation;
  /** In a fork: the first line of each that the other does not have. */
  readonly first?: JournalEvent;
  readonly second?: JournalEvent;
};

/**
 * Compares two records of one session, each a bundle or a session's folder: whether they are one line of events or two.
 * Errors: `input.not-found`, `bundle.malformed`, `journal.broken`, `input.malformed` (of different sessions).
 */
export async function compareRecords(first: string, second: string): Promise<Result<Comparison>> {
  const readings: ChainReading[] = [];
  for (const path of [first, second]) {
    const reading = await readRecord(path);
    if (!reading.ok) return reading;
    readings.push(reading.value);
  }
  const [one, other] = readings;
  const [a, b] = [sessionOf(one), sessionOf(other)];
  if (one === undefined || other === undefined || a === undefined || a !== b)
    return fail('input.malformed', 'These are records of different sessions, so there is nothing to compare.');
  const relation = relate(one.hashes, other.hashes);
  if (relation.kind !== 'fork') return ok({ session: a, relation });
  const [here, there] = [one.events[relation.line], other.events[relation.line]];
  return ok({
    session: a,
    relation,
    ...(here === undefined ? {} : { first: here }),
    ...(there === undefined ? {} : { second: there }),
  });
}

async function readRecord(path: string): Promise<Result<ChainReading>> {
  const about = await stat(path).catch(() => undefined);
  let bytes: Uint8Array<ArrayBuffer>;
  if (about?.isDirectory() === true) {
    const journal = await readFile(journalPath(path)).catch(() => undefined);
    if (journal === undefined) return fail('input.not-found', 'There is no session in this folder.', { place: path });
    bytes = new Uint8Array(journal);
  } else {
    const entry = await readEntry(path, 'journal.jsonl');
    if (!entry.ok) return entry;
    bytes = entry.value;
  }
  const reading = await readChain(bytes, hashLine);
  const fault = reading.faults.find(({ code }) => code !== 'journal.clock-back' && code !== 'journal.torn');
  return fault === undefined
    ? ok(reading)
    : fail('journal.broken', fault.sentence, { place: join(path, `journal.jsonl:${fault.line + 1}`) });
}

function sessionOf(reading: ChainReading | undefined): string | undefined {
  const opened = reading?.events[0];
  return opened?.type === 'session.opened' ? opened.data.session : undefined;
}
