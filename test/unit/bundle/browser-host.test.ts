import { createHash } from 'node:crypto';
import { crc32 as zlibCrc32, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { nodeHost } from '../../../engine/evidence/container-reader.ts';
import { blobSource, browserHost, crc32 } from '../../../renderer/verifier/browser-host.ts';
import { createSha256 } from '../../../renderer/verifier/sha256.ts';

const content = Uint8Array.from({ length: 10_000_000 }, (_, index) => (index * index) >> 7);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('what the verifier page uses in the place of Node', () => {
  it('hashes as SHA-256 does, whatever the length and wherever it is parted', () => {
    for (const length of [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 1000]) {
      for (const part of [1, 7, 63, 64, 65, 1000]) {
        const hash = createSha256();
        for (let at = 0; at < length; at += part) hash.update(content.subarray(at, Math.min(length, at + part)));
        expect(hash.hex(), `${length} by ${part}`).toBe(sha256(content.subarray(0, length)));
      }
    }
  });

  it('reads, hashes and sums up a file, at once or in parts', async () => {
    const blob = new Blob([content]);
    for (const whole of [0, 256 * 1024 ** 2]) {
      const source = blobSource(blob, whole);
      const part = content.subarray(3, content.length - 5);
      expect(await source.digest(3, part.length)).toEqual({ sha256: sha256(part), crc32: zlibCrc32(part) });
    }
    expect(await blobSource(blob).read(7, 9)).toEqual(content.slice(7, 16));
    await expect(blobSource(blob).read(content.length - 1, 2)).rejects.toThrow('ends too early');
    expect(crc32(new TextEncoder().encode('123456789'))).toBe(0xcbf43926);
  });

  it.each([
    ['Node', nodeHost],
    ['a browser', browserHost],
  ])('unpacks in %s exactly what is there, and refuses more, less, or bytes behind it', async (_, host) => {
    const part = content.slice(0, 5000);
    const packed = new Uint8Array(deflateRawSync(part));
    expect(await host.inflateRaw(packed, 5000)).toEqual(part);
    await expect(Promise.resolve(host.inflateRaw(packed, 4999))).rejects.toThrow();
    await expect(Promise.resolve(host.inflateRaw(packed.slice(0, -3), 5000))).rejects.toThrow();
    await expect(Promise.resolve(host.inflateRaw(new Uint8Array([...packed, 1, 2]), 5000))).rejects.toThrow();
    expect(await host.inflateRaw(new Uint8Array(deflateRawSync(new Uint8Array())), 0)).toEqual(new Uint8Array());
  });
});
