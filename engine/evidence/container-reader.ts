import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import type { ByteSource, Host } from '../../core/bundle/host.ts';
import { type Verification, type VerifyOptions, verifyContainer } from '../../core/bundle/verify.ts';
import { type Container, readContainer } from '../../core/bundle/zip-reader.ts';
import { fail, ok, type Result } from '../../core/result.ts';

/** Bytes at a time: few enough to stay in the processor's cache while they are hashed and summed up. */
const CHUNK = 256 * 1024;
/** With `info`, zlib also says how much of its input it used. */
const inflate = promisify(inflateRaw) as unknown as (
  bytes: Uint8Array,
  options: { maxOutputLength: number; info: true },
) => Promise<{ buffer: Buffer; engine: { bytesWritten: number } }>;

/** What core's verification needs, as Node has it. */
export const nodeHost: Host = {
  webCrypto: globalThis.crypto as Host['webCrypto'],
  inflateRaw: async (bytes, limit) => {
    const { buffer, engine } = await inflate(bytes, { maxOutputLength: Math.max(limit, 1), info: true });
    // Browsers refuse bytes behind the end of the compressed data; zlib alone would pass them over.
    if (engine.bytesWritten !== bytes.length) throw new Error('bytes follow the end of the compressed data');
    return new Uint8Array(buffer);
  },
  crc32: (bytes) => crc32(bytes),
};

/** Random access to an open file. Digests are streamed. */
export function fileSource(handle: FileHandle, size: number): ByteSource {
  const readInto = async (target: Uint8Array, offset: number) => {
    let done = 0;
    while (done < target.length) {
      const { bytesRead } = await handle.read(target, done, target.length - done, offset + done);
      if (bytesRead === 0) throw new Error('the file ends too early');
      done += bytesRead;
    }
  };
  return {
    size,
    read: async (offset, length) => {
      const bytes = new Uint8Array(length);
      await readInto(bytes, offset);
      return bytes;
    },
    digest: async (offset, length) => {
      const hash = createHash('sha256');
      // One part is read while the other is hashed.
      const buffers = [0, 1].map(() => Buffer.allocUnsafe(Math.min(CHUNK, length)));
      const start = async (at: number) => {
        const buffer = buffers[(at / CHUNK) % 2] ?? Buffer.alloc(0);
        const part = buffer.subarray(0, Math.min(CHUNK, length - at));
        await readInto(part, offset + at);
        return part;
      };
      let crc = 0;
      let reading = start(0);
      for (let done = 0; done < length; done += CHUNK) {
        const part = await reading;
        // A fault of it is seen in the next round.
        reading = done + CHUNK < length ? start(done + CHUNK) : reading;
        hash.update(part);
        crc = crc32(part, crc);
      }
      return { sha256: hash.digest('hex'), crc32: crc };
    },
  };
}

/**
 * Opens a container file for the time that `use` runs. Errors: `input.not-found`, `bundle.malformed`,
 * `bundle.too-large`, and those of `use`.
 */
export async function withContainer<T>(
  file: string,
  use: (container: Container, source: ByteSource) => Promise<Result<T>>,
): Promise<Result<T>> {
  return withSource(file, async (source) => {
    const container = await readContainer(source, nodeHost);
    return container.ok
      ? use(container.value, source)
      : { ok: false, error: { ...container.error, place: place(file, container.error.place) } };
  });
}

/** Verifies a bundle or a signed guide on disk; as `verifyContainer`, with `input.not-found` besides. */
export async function verifyFile(file: string, options: VerifyOptions): Promise<Result<Verification>> {
  return withSource(file, async (source) => {
    const result = await verifyContainer(source, nodeHost, options);
    return result.ok ? result : { ok: false, error: { ...result.error, place: place(file, result.error.place) } };
  });
}

/** Content of one entry of a container on disk. */
export async function readEntry(file: string, name: string): Promise<Result<Uint8Array<ArrayBuffer>>> {
  return withContainer(file, async (container) => {
    const entry = container.get(name);
    return entry === undefined
      ? fail('input.not-found', `There is no ${name} in this container.`, { place: file })
      : container.read(entry);
  });
}

function place(file: string, inside: string | undefined): string {
  return inside === undefined ? file : `${file}: ${inside}`;
}

async function withSource<T>(file: string, use: (source: ByteSource) => Promise<Result<T>>): Promise<Result<T>> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    return fail('input.not-found', 'The file cannot be opened.', { place: file, cause: (error as Error).message });
  }
  try {
    const info = await handle.stat();
    if (!info.isFile()) return fail('bundle.malformed', 'This is not a file.', { place: file });
    return await use(fileSource(handle, info.size));
  } catch (error) {
    return fail('bundle.malformed', 'The file cannot be read.', { place: file, cause: (error as Error).message });
  } finally {
    await handle.close();
  }
}

/** Reads a small file whole, up to `limit` bytes. */
export async function readSmallFile(file: string, limit: number): Promise<Result<Uint8Array<ArrayBuffer>>> {
  return withSource(file, async (source) => {
    if (source.size > limit)
      return fail('input.too-large', `This file is larger than ${limit} bytes.`, { place: file });
    return ok(await source.read(0, source.size));
  });
}
