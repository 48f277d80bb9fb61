import { type AppError, appError, fail, ok, type Result } from '../result.ts';
import type { ByteSource, Host } from './host.ts';
import { LIMITS, nameFault } from './layout.ts';

export type ContainerEntry = {
  readonly name: string;
  /** Uncompressed, in bytes. */
  readonly size: number;
  readonly compressed: boolean;
  readonly crc32: number;
  /** Where the stored bytes lie in the file. */
  readonly dataOffset: number;
  readonly storedSize: number;
};

export type Container = {
  /** In the order of the file. */
  readonly entries: readonly ContainerEntry[];
  readonly get: (name: string) => ContainerEntry | undefined;
  /** The whole content; `bundle.too-large` above what may be held in memory. */
  readonly read: (entry: ContainerEntry) => Promise<Result<Uint8Array<ArrayBuffer>>>;
  /** SHA-256 of the content, and whether its CRC-32 is the one that the container states. */
  readonly digest: (entry: ContainerEntry) => Promise<Result<{ sha256: string; crcHolds: boolean }>>;
  /** Where the central directory begins: the end of the last entry. */
  readonly directoryOffset: number;
};

const END = 0x06054b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const DESCRIPTOR = 0x08074b50;
/** Extra fields that other tools write and that change nothing: NTFS times, Unix times, Unix ids. */
const HARMLESS_EXTRA = new Set([0x000a, 0x5455, 0x7875, 0x5855, 0x7855]);
/** Compression level bits, data descriptor, UTF-8. */
const KNOWN_FLAGS = 0b1000_0000_1110;

/** Thrown inside and turned into a Result at the border of this file. */
class Refusal extends Error {
  readonly error: AppError;
  constructor(error: AppError) {
    super(error.message);
    this.error = error;
  }
}

/**
 * Reads the structure of a ZIP container (APPNOTE 6.3) so strictly that every reader must see the same entries: one
 * central directory at the very end, entries in its order, one after the other without gap or overlap, local headers
 * that say the same, safe and distinct names, no encryption, no 64-bit extensions. Errors: `bundle.malformed`,
 * `bundle.too-large`, with the place.
 */
export async function readContainer(source: ByteSource, host: Host): Promise<Result<Container>> {
  try {
    return ok(await read(source, host));
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, error: error.error };
    return fail('bundle.malformed', 'The container cannot be read.', {
      cause: error instanceof Error ? error.message : String(error),
    });
  }
}

function refuse(
  sentence: string,
  place?: string,
  code: 'bundle.malformed' | 'bundle.too-large' = 'bundle.malformed',
): never {
  throw new Refusal(appError(code, sentence, place === undefined ? {} : { place }));
}

async function read(source: ByteSource, host: Host): Promise<Container> {
  if (source.size < 22) refuse('This file is too short to be a container.');
  if (source.size > LIMITS.total) refuse('This file is larger than a container may be.', undefined, 'bundle.too-large');
  const directory = await findDirectory(source);
  const bytes = await source.read(directory.offset, directory.length);
  const entries: ContainerEntry[] = [];
  const names = new Set<string>();
  let at = 0;
  let cursor = 0;
  for (let index = 0; index < directory.count; index++) {
    const central = parseCentral(bytes, at, index);
    at = central.end;
    const folded = central.name.toLowerCase();
    if (names.has(folded)) refuse('Two entries have the same name.', central.name);
    names.add(folded);
    if (central.offset !== cursor) refuse('Bytes lie between two entries, or two entries overlap.', central.name);
    const { dataOffset, end } = await checkLocal(source, central, directory.offset);
    cursor = end;
    const { name, size, crc32, storedSize } = central;
    entries.push({ name, size, crc32, storedSize, dataOffset, compressed: central.method === 8 });
  }
  if (at !== bytes.length) refuse('The central directory holds more than its entries.');
  if (cursor !== directory.offset) refuse('Bytes lie between the last entry and the central directory.');
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const readEntry = (entry: ContainerEntry) => readContent(source, host, entry);
  return {
    entries,
    get: (name) => byName.get(name),
    read: readEntry,
    digest: async (entry) => {
      if (!entry.compressed) {
        const { sha256, crc32 } = await source.digest(entry.dataOffset, entry.storedSize);
        return ok({ sha256, crcHolds: crc32 === entry.crc32 });
      }
      const content = await readEntry(entry);
      if (!content.ok) return content;
      const digest = new Uint8Array(await host.webCrypto.subtle.digest('SHA-256', content.value));
      const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
      return ok({ sha256, crcHolds: host.crc32(content.value) === entry.crc32 });
    },
    directoryOffset: directory.offset,
  };
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

async function findDirectory(source: ByteSource): Promise<{ offset: number; length: number; count: number }> {
  const end = view(await source.read(source.size - 22, 22));
  if (end.getUint32(0, true) !== END || end.getUint16(20, true) !== 0) {
    refuse('This is not a container, or it was cut off, or something was added behind its end.');
  }
  const count = end.getUint16(10, true);
  const length = end.getUint32(12, true);
  const offset = end.getUint32(16, true);
  if (end.getUint16(4, true) !== 0 || end.getUint16(6, true) !== 0 || end.getUint16(8, true) !== count) {
    refuse('The container claims to lie on several disks.');
  }
  if (offset === 0xffff_ffff || length === 0xffff_ffff || count === 0xffff) {
    refuse('The container uses 64-bit extensions.', undefined, 'bundle.too-large');
  }
  if (count > LIMITS.entries) refuse(`The container has ${count} entries.`, undefined, 'bundle.too-large');
  if (length > LIMITS.centralDirectory) refuse('The central directory is too large.', undefined, 'bundle.too-large');
  if (offset + length !== source.size - 22)
    refuse('The central directory does not lie directly before the end; there may be a second one.');
  return { offset, length, count };
}

type Central = {
  name: string;
  flags: number;
  method: number;
  crc32: number;
  storedSize: number;
  size: number;
  offset: number;
  end: number;
};

function parseCentral(bytes: Uint8Array, at: number, index: number): Central {
  const place = `entry ${index + 1}`;
  if (at + 46 > bytes.length) refuse('The central directory was cut off.', place);
  const header = view(bytes.subarray(at, at + 46));
  if (header.getUint32(0, true) !== CENTRAL) refuse('The central directory is damaged.', place);
  const nameLength = header.getUint16(28, true);
  const extraLength = header.getUint16(30, true);
  const end = at + 46 + nameLength + extraLength + header.getUint16(32, true);
  if (end > bytes.length) refuse('The central directory was cut off.', place);
  const name = decodeName(bytes.subarray(at + 46, at + 46 + nameLength), place);
  if (header.getUint16(32, true) !== 0) refuse('An entry carries a comment.', name);
  checkExtra(bytes.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength), name);
  // Upper half of the external attributes: the Unix mode, whatever system the entry claims to come from.
  if (((header.getUint32(38, true) >>> 16) & 0xf000) === 0xa000) refuse('An entry is a symbolic link.', name);
  const central = {
    name,
    flags: header.getUint16(8, true),
    method: header.getUint16(10, true),
    crc32: header.getUint32(16, true),
    storedSize: header.getUint32(20, true),
    size: header.getUint32(24, true),
    offset: header.getUint32(42, true),
    end,
  };
  if ((central.flags & ~KNOWN_FLAGS) !== 0) refuse('An entry is encrypted or patched.', name);
  if (central.method !== 0 && central.method !== 8) refuse('An entry uses an unknown compression.', name);
  if (central.method === 0 && central.size !== central.storedSize) refuse('A stored entry has two sizes.', name);
  if (central.size > LIMITS.ratio * Math.max(central.storedSize, 64)) {
    refuse('An entry grows too much when unpacked.', name, 'bundle.too-large');
  }
  return central;
}

function decodeName(bytes: Uint8Array, place: string): string {
  let name = '';
  for (const byte of bytes) name += String.fromCharCode(byte);
  const fault = nameFault(name);
  if (fault !== undefined)
    refuse(`The name of an entry ${fault}.`, `${place}: ${JSON.stringify(name.slice(0, LIMITS.nameLength))}`);
  return name;
}

function checkExtra(extra: Uint8Array, name: string): void {
  let at = 0;
  while (at < extra.length) {
    if (at + 4 > extra.length) refuse('An extra field is damaged.', name);
    const header = view(extra.subarray(at, at + 4));
    // A Unicode path in an extra field would give the entry a second name.
    if (!HARMLESS_EXTRA.has(header.getUint16(0, true)))
      refuse('An entry carries an extra field that could change its meaning.', name);
    at += 4 + header.getUint16(2, true);
  }
  if (at !== extra.length) refuse('An extra field is damaged.', name);
}

/** Checks the local header against the central one; returns where the data lies and where the entry ends. */
async function checkLocal(
  source: ByteSource,
  central: Central,
  limit: number,
): Promise<{ dataOffset: number; end: number }> {
  const { name } = central;
  if (central.offset + 30 > limit) refuse('An entry lies outside the container.', name);
  const header = view(await source.read(central.offset, 30));
  if (header.getUint32(0, true) !== LOCAL) refuse('An entry is not where the central directory says.', name);
  const nameLength = header.getUint16(26, true);
  const extraLength = header.getUint16(28, true);
  const dataOffset = central.offset + 30 + nameLength + extraLength;
  let end = dataOffset + central.storedSize;
  if (end > limit) refuse('An entry reaches beyond the container.', name);
  const rest = await source.read(central.offset + 30, nameLength + extraLength);
  if (decodeName(rest.subarray(0, nameLength), name) !== name) refuse('An entry has two names.', name);
  checkExtra(rest.subarray(nameLength), name);
  const described = (central.flags & 8) !== 0;
  const same = (offset: number, value: number) =>
    header.getUint32(offset, true) === value || (described && header.getUint32(offset, true) === 0);
  if (header.getUint16(6, true) !== central.flags || header.getUint16(8, true) !== central.method)
    refuse('An entry has two headers that differ.', name);
  if (!same(14, central.crc32) || !same(18, central.storedSize) || !same(22, central.size))
    refuse('An entry has two headers that differ.', name);
  if (described) end = await skipDescriptor(source, central, end, limit);
  return { dataOffset, end };
}

async function skipDescriptor(source: ByteSource, central: Central, at: number, limit: number): Promise<number> {
  const descriptor = view(await source.read(at, Math.min(16, limit - at)));
  const signed = descriptor.byteLength === 16 && descriptor.getUint32(0, true) === DESCRIPTOR;
  const start = signed ? 4 : 0;
  if (descriptor.byteLength < start + 12) refuse('An entry was cut off.', central.name);
  const fields = [central.crc32, central.storedSize, central.size];
  if (fields.some((value, index) => descriptor.getUint32(start + 4 * index, true) !== value))
    refuse('An entry has two headers that differ.', central.name);
  return at + start + 12;
}

async function readContent(
  source: ByteSource,
  host: Host,
  entry: ContainerEntry,
): Promise<Result<Uint8Array<ArrayBuffer>>> {
  if (entry.size > LIMITS.inMemory)
    return fail('bundle.too-large', 'An entry is too large to be read whole.', { place: entry.name });
  const stored = await source.read(entry.dataOffset, entry.storedSize);
  if (!entry.compressed) return ok(stored);
  try {
    const content = await host.inflateRaw(stored, entry.size);
    if (content.length === entry.size) return ok(content);
    return fail('bundle.malformed', 'An entry unpacks to another size than it states.', { place: entry.name });
  } catch (error) {
    return fail('bundle.malformed', 'An entry cannot be unpacked.', { place: entry.name, cause: String(error) });
  }
}
