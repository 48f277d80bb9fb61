import type { Stripped } from './picture.ts';

/** What a decoder needs (ITU T.81 B.1.1.3): tables, frames, scans, restarts. */
const NEEDED = new Set([
  0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xda, 0xdb, 0xdc, 0xdd,
]);
const [SOI, EOI, SOS, COM, APP0, APP1, APP14] = [0xd8, 0xd9, 0xda, 0xfe, 0xe0, 0xe1, 0xee];
const JFIF = bytesOf('JFIF\0');
const EXIF = bytesOf('Exif\0\0');
const ADOBE = bytesOf('Adobe');

/**
 * A JPEG file (ITU T.81) without anything that a decoder does not need: no EXIF, XMP, IPTC, ICC, comment, thumbnail, and
 * nothing behind its end. The picture's own bytes stay as they are. Only the way up is kept, in a segment of its own that
 * says nothing else. Throws when it is not built as such a file is.
 */
export function stripJpeg(bytes: Uint8Array): Stripped {
  if (bytes[0] !== 0xff || bytes[1] !== SOI) throw new Error('it does not begin as a JPEG file does');
  const kept: Uint8Array[] = [bytes.subarray(0, 2)];
  const removed: string[] = [];
  let way: number | undefined;
  let at = 2;
  for (;;) {
    if (bytes[at] !== 0xff) throw new Error('it is damaged or cut off');
    while (bytes[at + 1] === 0xff) at++;
    const marker = bytes[at + 1] ?? 0;
    if (marker === EOI) {
      at += 2;
      break;
    }
    const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
    const end = at + 2 + length;
    if (length < 2 || end > bytes.length) throw new Error('it is damaged or cut off');
    const segment = bytes.subarray(at, end);
    const scanEnd = marker === SOS ? endOfScan(bytes, end) : end;
    if (NEEDED.has(marker) || isPlainHeader(marker, segment)) kept.push(bytes.subarray(at, scanEnd));
    else if (marker === COM || (marker & 0xf0) === 0xe0) {
      const found = marker === APP1 ? orientationOf(segment.subarray(4)) : undefined;
      way ??= found;
      // What says no more than this is written again below, and so it is nothing to take out.
      if (found === undefined || !same(segment, orientationSegment(found))) removed.push(nameOf(marker, segment));
    } else throw new Error(`it holds a part that such files do not have (${marker.toString(16)})`);
    at = scanEnd;
  }
  if (at < bytes.length) removed.push(`${bytes.length - at} bytes behind the picture`);
  if (way !== undefined) kept.splice(1, 0, orientationSegment(way));
  kept.push(Uint8Array.of(0xff, EOI));
  return { bytes: new Uint8Array(Buffer.concat(kept)), removed };
}

/** Where the compressed data ends: at a marker that is neither a stuffed byte nor a restart. */
function endOfScan(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1] ?? 0;
    if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at;
  }
  throw new Error('it is damaged or cut off');
}

/** The two application segments that decoders look at, when they hold nothing but what those need. */
function isPlainHeader(marker: number, segment: Uint8Array): boolean {
  const content = segment.subarray(4);
  if (marker === APP0) return content.length === 14 && starts(content, JFIF) && content[12] === 0 && content[13] === 0;
  return marker === APP14 && content.length === 12 && starts(content, ADOBE);
}

/** Tag 0x0112 of the first directory (Exif 2.3, 4.6.4), where it is not the usual one. */
function orientationOf(content: Uint8Array): number | undefined {
  if (!starts(content, EXIF)) return undefined;
  const tiff = content.subarray(6);
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  try {
    const little = view.getUint16(0) === 0x4949;
    const start = view.getUint32(4, little);
    for (let entry = 0; entry < view.getUint16(start, little); entry++) {
      const at = start + 2 + 12 * entry;
      if (view.getUint16(at, little) !== 0x0112) continue;
      const value = view.getUint16(at + 8, little);
      return value >= 2 && value <= 8 ? value : undefined;
    }
  } catch {
    // A directory that leads nowhere says nothing about the way up, and goes out with the rest.
  }
  return undefined;
}

/** An EXIF segment that holds the orientation alone. */
function orientationSegment(way: number): Uint8Array {
  const directory = [0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, way, 0, 0, 0, 0, 0, 0];
  return Uint8Array.of(0xff, APP1, 0, 34, ...EXIF, 0x4d, 0x4d, 0, 42, 0, 0, 0, 8, ...directory);
}

function nameOf(marker: number, segment: Uint8Array): string {
  if (marker === COM) return 'a comment';
  const content = segment.subarray(4);
  if (marker === APP1) return starts(content, EXIF) ? 'EXIF' : 'XMP';
  return marker === 0xe2 ? 'a colour profile' : marker === 0xed ? 'IPTC' : `an APP${marker & 15} segment`;
}

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function starts(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return same(bytes.subarray(0, prefix.length), prefix);
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
