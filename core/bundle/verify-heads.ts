import type { EventData, JournalEvent } from '../session/events.ts';
import { verifyHead } from './cms.ts';
import type { Found } from './finding.ts';
import { cryptoEngine, type Host } from './host.ts';
import { base64ToBytes } from './manifest.ts';
import { certificatesFromPem, commonName, same, type Trust } from './trust.ts';
import { checkTrust, type Signer } from './verify-signatures.ts';

/**
 * Checks every signed head of a journal: that it names the line that it signs, its signature, and the path of its
 * certificate to a root of engineers. Then where heads should be signed and are not.
 * @param hashes SHA-256 of each line, hex
 */
export async function checkHeads(
  events: readonly JournalEvent[],
  hashes: readonly string[],
  signers: readonly Signer[],
  trust: Trust,
  at: Date,
  host: Host,
  found: Found,
): Promise<void> {
  const engine = cryptoEngine(host.webCrypto);
  const trusted = new Set<string>();
  // Who walked before it was taken over signs the head, and need not sign the bundle.
  const taken =
    events.findLast(({ type, data }) => type === 'operator.joined' && 'how' in data && data.how === 'taken-over')?.n ??
    -1;
  for (const event of events) {
    if (event.type !== 'head.signed') continue;
    const { data } = event as { data: EventData<'head.signed'> };
    const place = `journal.jsonl:${event.n + 1}`;
    if (data.upTo >= event.n || hashes[data.upTo] !== data.sha256) {
      found.bad('journal.head', 'A signed head does not name the line that it says it signs.', place);
    }
    try {
      const [leaf, ...others] = certificatesFromPem(data.certificate);
      if (leaf === undefined) throw new Error('there is no certificate in it');
      const digest = Uint8Array.from(data.sha256.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
      if (!(await verifyHead(leaf, digest, base64ToBytes(data.signature), engine))) {
        found.bad(
          'journal.head',
          `The head signed at ${data.at} does not carry a signature of ${commonName(leaf)}.`,
          place,
        );
      }
      const engineer = signers.find((signer) => signer.role === 'engineer');
      if (engineer !== undefined && same(engineer.certificate, leaf)) continue;
      if (engineer !== undefined && event.n < taken)
        found.info(
          'journal.earlier-signer',
          `${commonName(leaf)} signed the journal's head before the session was handed over.`,
          place,
        );
      else if (engineer !== undefined)
        found.warn(
          'journal.other-signer',
          `${commonName(leaf)} signed the journal's head, but ${engineer.name} signed the bundle.`,
          place,
        );
      if (trusted.has(data.certificate)) continue;
      trusted.add(data.certificate);
      const intermediates = signers.length === 0 ? others : [...others, ...signers.map((signer) => signer.certificate)];
      await checkTrust(
        { certificates: intermediates, signedAt: new Date(event.at) },
        leaf,
        'engineer',
        trust,
        at,
        host,
        place,
        found,
      );
    } catch (error) {
      found.bad(
        'journal.head',
        `The certificate of a signed head cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
        place,
      );
    }
  }
  for (const { at: moment, place } of unsignedHeads(events))
    found.warn('journal.unsigned-head', `The journal's head was not signed at ${moment}.`, place);
}

/** Where the head should be signed and is not: at open, at each hand-over, and as the last line of all. */
function unsignedHeads(events: readonly JournalEvent[]): { at: string; place: string }[] {
  const signedAt = (event: JournalEvent | undefined) =>
    event?.type === 'head.signed' ? (event.data as EventData<'head.signed'>).at : undefined;
  const missing: { at: string; place: string }[] = [];
  if (!events.some((event) => signedAt(event) === 'open')) missing.push({ at: 'open', place: 'journal.jsonl' });
  for (const [index, { type, n }] of events.entries()) {
    if (type === 'handed-over' && signedAt(events[index + 1]) !== 'hand-over')
      missing.push({ at: 'hand-over', place: `journal.jsonl:${n + 1}` });
  }
  if (signedAt(events.at(-1)) !== 'close') missing.push({ at: 'close', place: 'journal.jsonl' });
  return missing;
}
