import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { LIMITS, nameFault } from '../../core/bundle/layout.ts';
import { writeFully } from './files.ts';

/** Bytes at a time: few enough to stay in the processor's cache while they are hashed, summed up and written. */
const CHUNK = 256 * 1024;
/** 1 January 1980, the first day that a ZIP can name: the time of writing must not change the bytes. */
const DOS_DATE = 0x0021;
/** A plain file, readable by all, as Unix writes it. */
const ATTRIBUTES = (0o100644 << 16) >>> 0;

export type Written = { readonly sha256: string; readonly size: number };

export type ContainerWriter = {
  /** Adds an entry from bytes, or from a file that is streamed and hashed once. */
  readonly add: (name: string, content: Uint8Array | { readonly file: string }) => Promise<Written>;
  /** Writes the central directory. Nothing may be added afterwards. */
  readonly finish: () => Promise<{ readonly size: number }>;
};

/** An existing container that is added to: where its entries end, and its central directory. */
export type Existing = { readonly offset: number; readonly directory: Uint8Array; readonly count: number };

/**
 * Writes a ZIP container whose bytes depend on its content alone: entries stored, no times, no extra fields. With
 * `existing`, `handle` holds a copy of that container and its entries stay as they are. Throws RangeError when the
 * container grows beyond what it may hold.
 * @param onWritten told after each entry up to which offset the bytes are as they will stay
 */
export function writeContainer(
  handle: FileHandle,
  existing?: Existing,
  onWritten: (to: number) => void = () => {},
): ContainerWriter {
  let offset = existing?.offset ?? 0;
  let count = existing?.count ?? 0;
  const directory: Uint8Array[] = existing === undefined ? [] : [existing.directory];
  const room = (bytes: number) => {
    if (offset + bytes > LIMITS.total || count >= LIMITS.entries) throw new RangeError('the container is full');
  };
  return {
    add: async (name, content) => {
      const fault = nameFault(name);
      if (fault !== undefined) throw new RangeError(`the entry name ${JSON.stringify(name)} ${fault}`);
      const start = offset;
      const headerLength = 30 + name.length;
      let facts: Written & { crc: number };
      if (content instanceof Uint8Array) {
        room(headerLength + content.length);
        facts = {
          sha256: createHash('sha256').update(content).digest('hex'),
          crc: crc32(content),
          size: content.length,
        };
        await writeFully(handle, Buffer.concat([localHeader(name, facts.crc, facts.size), content]), start);
      } else {
        // The header needs the checksum, which is known only when the content was copied: it is written last.
        facts = await copyIn(content.file, handle, start + headerLength, room);
        await writeFully(handle, localHeader(name, facts.crc, facts.size), start);
      }
      directory.push(centralHeader(name, facts.crc, facts.size, start));
      offset = start + headerLength + facts.size;
      count++;
      onWritten(offset);
      return { sha256: facts.sha256, size: facts.size };
    },
    finish: async () => {
      const central = Buffer.concat(directory);
      room(central.length + 22);
      await writeFully(handle, Buffer.concat([central, endRecord(count, central.length, offset)]), offset);
      const size = offset + central.length + 22;
      await handle.truncate(size);
      return { size };
    },
  };
}

/** Copies a file in, one part being read and one written while a third is hashed. */
async function copyIn(
  file: string,
  target: FileHandle,
  at: number,
  room: (bytes: number) => void,
): Promise<Written & { crc: number }> {
  const source = await open(file, 'r');
  let writing: Promise<void> = Promise.resolve();
  try {
    const hash = createHash('sha256');
    const buffers = Array.from({ length: 3 }, () => Buffer.allocUnsafe(CHUNK));
    const readInto = (count: number, position: number) => {
      const buffer = buffers[count % buffers.length] ?? Buffer.alloc(0);
      return noted(source.read(buffer, 0, buffer.length, position));
    };
    let crc = 0;
    let size = 0;
    let reading = readInto(0, 0);
    for (let count = 1; ; count++) {
      const { bytesRead, buffer } = await reading;
      if (bytesRead === 0) break;
      const part = buffer.subarray(0, bytesRead);
      room(size + bytesRead);
      reading = readInto(count, size + bytesRead);
      await writing;
      writing = noted(writeFully(target, part, at + size));
      hash.update(part);
      crc = crc32(part, crc);
      size += bytesRead;
    }
    await writing;
    return { sha256: hash.digest('hex'), crc, size };
  } finally {
    // Nothing may still be under way when the files are closed.
    await Promise.allSettled([writing]);
    await source.close();
  }
}

/** For work that goes on meanwhile: its fault is seen where it is waited for, not before. */
function noted<T>(work: Promise<T>): Promise<T> {
  work.catch(() => {});
  return work;
}

function localHeader(name: string, crc: number, size: number): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(10, 4);
  header.writeUInt16LE(DOS_DATE, 12);
  header.writeUInt32LE(crc, 14);
  header.writeUInt32LE(size, 18);
  header.writeUInt32LE(size, 22);
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, Buffer.from(name, 'ascii')]);
}

function centralHeader(name: string, crc: number, size: number, offset: number): Buffer {
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(0x030a, 4);
  header.writeUInt16LE(10, 6);
  header.writeUInt16LE(DOS_DATE, 14);
  header.writeUInt32LE(crc, 16);
  header.writeUInt32LE(size, 20);
  header.writeUInt32LE(size, 24);
  header.writeUInt16LE(name.length, 28);
  header.writeUInt32LE(ATTRIBUTES, 38);
  header.writeUInt32LE(offset, 42);
  return Buffer.concat([header, Buffer.from(name, 'ascii')]);
}

function endRecord(count: number, length: number, offset: number): Buffer {
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(count, 8);
  record.writeUInt16LE(count, 10);
  record.writeUInt32LE(length, 12);
  record.writeUInt32LE(offset, 16);
  return record;
}
