import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  at,
  BerError,
  elementLength,
  encode,
  encodeInteger,
  encodeOctets,
  readElements,
  readInteger,
} from '../../../lab/ber.ts';

describe('BER', () => {
  it.each([
    [0, '020100'],
    [127, '02017f'],
    [128, '02020080'],
    [-1, '0201ff'],
    [-129, '0202ff7f'],
    [65_536, '0203010000'],
  ])('writes %d as %s and reads it back', (value, hex) => {
    expect(encodeInteger(value).toString('hex')).toBe(hex);
    expect(readInteger(at(readElements(Buffer.from(hex, 'hex')), 0))).toBe(value);
  });

  it.each([0, 1, 127, 128, 255, 256, 65_535, 65_536, 70_000])('carries %d bytes', (length) => {
    const content = Buffer.alloc(length, 7);
    const bytes = encodeOctets(content);
    expect(elementLength(bytes, 1_000_000)).toBe(bytes.length);
    expect(readElements(Buffer.concat([bytes, bytes])).map((element) => element.content)).toEqual([content, content]);
  });

  it('waits for more of what is cut short, and refuses what is too long or indefinite', () => {
    expect(elementLength(Buffer.from([0x30]), 100)).toBeUndefined();
    expect(elementLength(Buffer.from([0x30, 0x82, 1]), 100)).toBeUndefined();
    expect(() => elementLength(Buffer.from([0x30, 0x80]), 100)).toThrow(BerError);
    expect(() => elementLength(Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]), 100)).toThrow(BerError);
    expect(() => readElements(Buffer.from([0x30, 5, 1]))).toThrow(BerError);
    expect(() => readElements(Buffer.from([0x1f, 0x81, 0]))).toThrow(BerError);
    expect(() => at([], 0)).toThrow(BerError);
    expect(() => at(readElements(encode(4, Buffer.alloc(0))), 0, 0x30)).toThrow(BerError);
  });

  it('answers any bytes with elements or a BerError, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          const elements = readElements(Buffer.from(bytes));
          const total = elements.reduce((sum, element) => sum + element.content.length, 0);
          expect(total).toBeLessThanOrEqual(bytes.length);
        } catch (error) {
          expect(error).toBeInstanceOf(BerError);
        }
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});
