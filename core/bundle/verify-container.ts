import type { Result } from '../result.ts';
import type { Found } from './finding.ts';
import { type Edition, EDITION_FILE, makeEditionNote, parseEdition, renderEdition } from './edition.ts';
import { BUNDLE_ENTRIES, GUIDE_ENTRIES, META_KINDS, metaEntry, metaName, MIMETYPE } from './layout.ts';
import { type ManifestFile, parseManifest, parseSums, type Protection } from './manifest.ts';
import type { Container } from './zip-reader.ts';

export type Kind = 'bundle' | 'guide';

/** A container whose digests were computed once. */
export type Opened = {
  readonly container: Container;
  readonly kind: Kind;
  readonly digests: ReadonlyMap<string, string>;
  /** Content of an entry held in memory; undefined (and a finding) when it is missing or unreadable. */
  readonly bytes: (name: string) => Promise<Uint8Array<ArrayBuffer> | undefined>;
  readonly text: (name: string) => Promise<string | undefined>;
  /** Numbers of the signatures of which any part is there, ascending. */
  readonly numbers: readonly number[];
  /** Of an edition: what it says of itself. */
  readonly edition?: Edition;
};

/** Digests of all that was sealed: of what is here, and of what an edition leaves out, as it says. */
function sealed({ digests, edition }: Pick<Opened, 'digests' | 'edition'>): ReadonlyMap<string, string> {
  const leftOut = edition?.leftOut ?? [];
  // What is here counts; that it is listed as left out is a finding of its own.
  return new Map([...leftOut.map(({ name, sha256 }) => [name, sha256] as const), ...digests]);
}

/**
 * Payload entries in the order in which containers are written: the mimetype first, the sums last, the others by code
 * unit.
 */
export function payloadOrder(names: readonly string[]): string[] {
  const rank = (name: string) => (name === 'mimetype' ? 0 : name === 'SHA256SUMS' ? 2 : 1);
  return names.toSorted((a, b) => rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0));
}

/** Checks the rules of the container and every digest in it (ETSI EN 319 162-1); collects, never stops early. */
export async function checkContainer(container: Container, found: Found): Promise<Opened> {
  const names = container.entries.map((entry) => entry.name);
  const digests = new Map<string, string>();
  for (const entry of container.entries) {
    const digest = await container.digest(entry);
    if (!digest.ok) found.bad('container.entry', digest.error.message, entry.name);
    else {
      digests.set(entry.name, digest.value.sha256);
      if (!digest.value.crcHolds)
        found.bad(
          'container.crc',
          'The checksum that the container states for this entry does not fit it.',
          entry.name,
        );
    }
  }
  const edition = names.includes(EDITION_FILE) ? await readEdition(container, found) : undefined;
  const opened: Opened = {
    container,
    ...(edition === undefined ? {} : { edition }),
    kind: names.includes('guide.yaml') && !names.includes('journal.jsonl') ? 'guide' : 'bundle',
    digests,
    bytes: (name) => bytesOf(container, name, found),
    text: (name) => textOf(container, name, found),
    numbers: [...new Set(names.flatMap((name) => metaEntry(name)?.number ?? []))].sort((a, b) => a - b),
  };
  await checkMimetype(opened, found);
  checkNames(opened, names, found);
  await checkSums(opened, found);
  return opened;
}

async function checkMimetype(opened: Opened, found: Found): Promise<void> {
  const first = opened.container.entries[0];
  if (first?.name !== 'mimetype') found.bad('container.mimetype', 'The first entry is not the mimetype.', first?.name);
  else if (first.compressed) found.bad('container.mimetype', 'The mimetype is compressed.', 'mimetype');
  else if ((await opened.text('mimetype')) !== MIMETYPE)
    found.bad('container.mimetype', `The mimetype is not ${MIMETYPE}.`, 'mimetype');
}

function checkNames(opened: Opened, names: readonly string[], found: Found): void {
  for (const name of opened.kind === 'bundle' ? BUNDLE_ENTRIES : GUIDE_ENTRIES) {
    if (!sealed(opened).has(name)) found.bad('container.missing', 'This entry is missing.', name);
  }
  for (const name of names) {
    if (name.startsWith('META-INF/') && metaEntry(name) === undefined && name !== EDITION_FILE)
      found.bad('container.unexpected', 'This entry has no business in META-INF.', name);
  }
  const meta = opened.numbers.flatMap((n) => META_KINDS.map((kind) => metaName(kind, n)));
  const payload = payloadOrder(names.filter((name) => !name.startsWith('META-INF/')));
  const expected = [...payload, ...meta, EDITION_FILE].filter((name) => names.includes(name));
  const actual = names.filter((name) => expected.includes(name));
  const at = actual.findIndex((name, index) => name !== expected[index]);
  if (at >= 0)
    found.bad(
      'container.order',
      `The entries are not in the order in which they are written; ${expected[at]} should stand here.`,
      actual[at],
    );
}

async function checkSums(opened: Opened, found: Found): Promise<void> {
  if (!opened.digests.has('SHA256SUMS')) return;
  const text = await opened.text('SHA256SUMS');
  if (text === undefined) return;
  const sums = parseSums(text);
  if (sums === undefined) {
    found.bad('sums.form', 'SHA256SUMS is not in the form that sha256sum writes.', 'SHA256SUMS');
    return;
  }
  const payload = payloadOrder(
    [...sealed(opened).keys()].filter((name) => !name.startsWith('META-INF/') && name !== 'SHA256SUMS'),
  );
  checkDigests(opened, sums, payload, 'SHA256SUMS', 'sums', found);
  if (opened.edition !== undefined) checkEdition(opened, opened.edition, sums, found);
}

/** An edition leaves out what the rules say, all of it and nothing else, so that nobody can pick what others see. */
function checkEdition({ digests }: Opened, edition: Edition, sums: readonly ManifestFile[], found: Found): void {
  const expected = makeEditionNote(sums, edition.at);
  if (renderEdition(edition) !== renderEdition(expected))
    found.bad('edition.rules', 'This edition does not leave out what its rules say, or says so wrongly.', EDITION_FILE);
  for (const { name } of edition.leftOut) {
    if (digests.has(name)) found.bad('edition.not-left-out', 'This entry is said to be left out, but is here.', name);
  }
}

async function readEdition(container: Container, found: Found): Promise<Edition | undefined> {
  const text = await textOf(container, EDITION_FILE, found);
  const edition = text === undefined ? undefined : parseEdition(text);
  if (text !== undefined && edition === undefined)
    found.bad('edition.form', 'What this edition says of itself is not in the form that editions have.', EDITION_FILE);
  return edition;
}

/** Compares a list of digests with the entries, in both directions. */
export function checkDigests(
  opened: Opened,
  files: readonly ManifestFile[],
  covered: readonly string[],
  place: string,
  code: string,
  found: Found,
): void {
  const listed = new Set<string>();
  const digests = sealed(opened);
  for (const { name, sha256 } of files) {
    if (listed.has(name)) found.bad(`${code}.twice`, `${place} lists ${name} twice.`, place);
    listed.add(name);
    const actual = digests.get(name);
    if (actual === undefined) found.bad(`${code}.missing`, `${place} lists this entry, but it is not there.`, name);
    else if (actual !== sha256)
      found.bad(`${code}.digest`, `This entry was changed: its digest is not the one in ${place}.`, name);
    if (!covered.includes(name) && actual !== undefined)
      found.bad(`${code}.covers`, `${place} lists ${name}, which it may not cover.`, place);
  }
  for (const name of covered) {
    if (!listed.has(name)) found.bad(`${code}.unlisted`, `This entry is not listed in ${place}.`, name);
  }
}

/** All that the nth manifest must cover: the payload, every earlier signature and time-stamp, and its own statement. */
export function coveredBy(opened: Pick<Opened, 'digests' | 'numbers' | 'edition'>, number: number): string[] {
  const payload = payloadOrder(
    [...sealed(opened).keys()].filter((name) => !name.startsWith('META-INF/') && name !== 'mimetype'),
  );
  const earlier = opened.numbers
    .filter((each) => each < number)
    .flatMap((each) => META_KINDS.map((kind) => metaName(kind, each)));
  return [...payload, ...[...earlier, metaName('statement', number)].filter((name) => opened.digests.has(name))];
}

/** Reads the manifest of the nth signature or time-stamp, checks its digests and that it covers all that it must. */
export async function checkManifest(
  opened: Opened,
  number: number,
  protection: Protection,
  found: Found,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const place = metaName('manifest', number);
  const bytes = await opened.bytes(place);
  if (bytes === undefined) return undefined;
  const manifest = parseManifest(decode(bytes) ?? '', number, protection);
  if (manifest === undefined) {
    found.bad(
      'manifest.form',
      'The manifest is not in the form that Lockstep writes, so its meaning is not certain.',
      place,
    );
    return bytes;
  }
  checkDigests(opened, manifest.files, coveredBy(opened, number), place, 'manifest', found);
  return bytes;
}

async function bytesOf(container: Container, name: string, found: Found): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const entry = container.get(name);
  if (entry === undefined) {
    found.bad('container.missing', 'This entry is missing.', name);
    return undefined;
  }
  const content: Result<Uint8Array<ArrayBuffer>> = await container.read(entry);
  if (content.ok) return content.value;
  found.bad('container.entry', content.error.message, name);
  return undefined;
}

async function textOf(container: Container, name: string, found: Found): Promise<string | undefined> {
  const bytes = await bytesOf(container, name, found);
  if (bytes === undefined) return undefined;
  const text = decode(bytes);
  if (text === undefined) found.bad('container.encoding', 'This entry is not UTF-8.', name);
  return text;
}

function decode(bytes: Uint8Array<ArrayBuffer>): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    // The caller says so with the place.
    return undefined;
  }
}
