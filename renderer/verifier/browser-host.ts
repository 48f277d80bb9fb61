import { type ByteSource, type Host, sha256Hex } from '../../core/bundle/host.ts';
import { createSha256 } from './sha256.ts';

const CHUNK = 4 * 1024 ** 2;
/** Up to here WebCrypto, which is faster, may hold a part whole. */
const WHOLE = 256 * 1024 ** 2;

const TABLE = Int32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 (ISO 3309), carried on from part to part. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let value = ~before;
  // Several times as fast as an iterator.
  for (let at = 0; at < bytes.length; at++)
    value = (TABLE[(value ^ (bytes[at] as number)) & 0xff] as number) ^ (value >>> 8);
  return ~value >>> 0;
}

/** What core's verification needs, as a browser has it. */
export const browserHost: Host = {
  webCrypto: globalThis.crypto as unknown as Host['webCrypto'],
  inflateRaw: async (bytes, limit) => {
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw')).getReader();
    const content = new Uint8Array(limit);
    let length = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return content.subarray(0, length);
      if (length + value.length > limit) {
        await reader.cancel();
        throw new Error('more comes out than was stated');
      }
      content.set(value, length);
      length += value.length;
    }
  },
  crc32: (bytes) => crc32(bytes),
};

/**
 * Random access to a chosen file; large parts are streamed.
 * @param whole size in bytes up to which a part is hashed in one go
 */
export function blobSource(blob: Blob, whole = WHOLE): ByteSource {
  const read = async (offset: number, length: number) => {
    const bytes = new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    if (bytes.length !== length) throw new Error('the file ends too early');
    return bytes;
  };
  return {
    size: blob.size,
    read,
    digest: async (offset, length) => {
      if (length <= whole) {
        const bytes = await read(offset, length);
        return { sha256: await sha256Hex(browserHost.webCrypto, bytes), crc32: crc32(bytes) };
      }
      const hash = createSha256();
      let crc = 0;
      for (let done = 0; done < length; done += CHUNK) {
        const part = await read(offset + done, Math.min(CHUNK, length - done));
        hash.update(part);
        crc = crc32(part, crc);
      }
      return { sha256: hash.hex(), crc32: crc };
    },
  };
}
