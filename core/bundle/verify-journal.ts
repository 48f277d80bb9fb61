import { readChain } from '../session/chain.ts';
import { type EventData, type FactsFile, factsFileSchema, type JournalEvent } from '../session/events.ts';
import type { Found } from './finding.ts';
import { type Host, sha256Hex } from './host.ts';
import type { Trust } from './trust.ts';
import type { Opened } from './verify-container.ts';
import { checkHandOvers } from './verify-hand-overs.ts';
import { checkHeads } from './verify-heads.ts';
import type { Signer } from './verify-signatures.ts';

export type JournalCheck = {
  readonly events: readonly JournalEvent[];
  /** By the number of the event that names the file. */
  readonly facts: ReadonlyMap<number, FactsFile>;
  /** SHA-256 of the last line, hex; empty without one. */
  readonly head: string;
};

/** Checks the chain, the signed heads, and every file that the journal names or fails to name. */
export async function checkJournal(
  opened: Opened,
  signers: readonly Signer[],
  trust: Trust,
  at: Date,
  host: Host,
  found: Found,
): Promise<JournalCheck> {
  const bytes = await opened.bytes('journal.jsonl');
  if (bytes === undefined) return { events: [], facts: new Map(), head: '' };
  const reading = await readChain(bytes, (line) => sha256Hex(host.webCrypto, line));
  for (const fault of reading.faults) {
    const add = fault.code === 'journal.clock-back' ? found.warn : found.bad;
    add(fault.code, fault.sentence, `journal.jsonl:${fault.line + 1}`);
  }
  if (reading.events.length === 0) found.bad('journal.empty', 'The journal holds no event.', 'journal.jsonl');
  await checkHeads(reading.events, reading.hashes, signers, trust, at, host, found);
  checkHandOvers(reading.events, found);
  const last = reading.events.at(-1);
  const first = signers[0];
  // Signing times carry whole seconds only.
  if (last !== undefined && first?.signedAt !== undefined && first.signedAt < `${last.at.slice(0, 19)}.000Z`) {
    found.bad(
      'signature.back-dated',
      `The signature of ${first.name} claims ${first.signedAt}, before the journal's last event (${last.at}).`,
      'journal.jsonl',
    );
  }
  return {
    events: reading.events,
    facts: await checkFiles(opened, reading.events, found),
    head: reading.hashes.at(-1) ?? '',
  };
}

async function checkFiles(
  opened: Opened,
  events: readonly JournalEvent[],
  found: Found,
): Promise<Map<number, FactsFile>> {
  const facts = new Map<number, FactsFile>();
  const named = new Map<string, string>();
  const attachments = new Set<string>();
  for (const event of events) {
    const place = `journal.jsonl:${event.n + 1}`;
    if (event.type === 'facts.recorded') {
      const data = event.data as EventData<'facts.recorded'>;
      if (data.file !== `facts/${event.n}.json`)
        found.bad('facts.name', `The facts of event ${event.n} are said to lie in ${data.file}.`, place);
      named.set(data.file, data.sha256);
      const file = await readFacts(opened, data, found);
      if (file !== undefined) facts.set(event.n, file);
    } else if (event.type === 'attached') {
      const data = event.data as EventData<'attached'>;
      if (!data.file.startsWith(`attachments/${data.sha256}.`))
        found.bad(
          'attachment.name',
          `An attachment is said to lie in ${data.file}, which is not named by its digest.`,
          place,
        );
      named.set(data.file, data.sha256);
      attachments.add(data.sha256);
      if (data.redacted?.kept === true && !attachments.has(data.redacted.from))
        found.bad('attachment.original', 'The original of this picture is said to be kept, but is not here.', place);
      const entry = opened.container.get(data.file);
      if (entry !== undefined && entry.size !== data.size)
        found.bad('attachment.size', 'The attachment has another size than the journal says.', data.file);
    } else if (event.type === 'answered') {
      for (const sha256 of (event.data as EventData<'answered'>).attachments) {
        if (!attachments.has(sha256))
          found.bad('attachment.unknown', 'An answer rests on an attachment that the journal does not hold.', place);
      }
    }
  }
  for (const [name, sha256] of named) {
    const actual = opened.digests.get(name);
    if (actual === undefined)
      found.bad('journal.file-missing', 'The journal names this file, but it is not there.', name);
    else if (actual !== sha256)
      found.bad('journal.file-digest', 'This file is not the one that the journal names.', name);
  }
  for (const name of opened.digests.keys()) {
    if (/^(?:facts|attachments)\//.test(name) && !named.has(name))
      found.bad('journal.file-unnamed', 'The journal does not name this file.', name);
  }
  return facts;
}

async function readFacts(
  opened: Opened,
  data: EventData<'facts.recorded'>,
  found: Found,
): Promise<FactsFile | undefined> {
  if (!opened.digests.has(data.file)) return undefined;
  const text = await opened.text(data.file);
  if (text === undefined) return undefined;
  try {
    const file = factsFileSchema.parse(JSON.parse(text));
    if (file.probe !== data.probe)
      found.bad('facts.probe', `These facts come from ${file.probe}, not from ${data.probe}.`, data.file);
    return file;
  } catch (error) {
    found.bad(
      'facts.form',
      `The facts cannot be read: ${error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error)}`,
      data.file,
    );
    return undefined;
  }
}
