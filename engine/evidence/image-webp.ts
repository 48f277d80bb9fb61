import type { Stripped } from './picture.ts';

const KEPT = new Set(['VP8 ', 'VP8L', 'VP8X', 'ALPH']);
/** Flags of VP8X that announce a colour profile, EXIF and XMP (RFC 9649 2.7). */
const ANNOUNCED = 0x20 | 0x08 | 0x04;

/**
 * A WebP file (RFC 9649) without EXIF, XMP, colour profile and unknown chunks, and with nothing behind its end; the
 * picture's own bytes stay as they are. Throws when it is not built as such a file is, or moves.
 */
export function stripWebp(bytes: Uint8Array): Stripped {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = 8 + view.getUint32(4, true);
  if (size > bytes.length) throw new Error('it is damaged or cut off');
  const kept: Uint8Array[] = [];
  const removed: string[] = [];
  let at = 12;
  while (at < size) {
    if (at + 8 > size) throw new Error('it is damaged or cut off');
    const type = String.fromCharCode(...bytes.subarray(at, at + 4));
    const length = view.getUint32(at + 4, true);
    const end = at + 8 + length + (length & 1);
    if (end > size) throw new Error('it is damaged or cut off');
    if (type === 'ANIM' || type === 'ANMF') throw new Error('it is a moving picture');
    if (KEPT.has(type)) {
      const chunk = bytes.slice(at, end);
      if (type === 'VP8X') chunk[8] = (chunk[8] ?? 0) & ~ANNOUNCED;
      kept.push(chunk);
    } else removed.push(/^(?:EXIF|XMP )$/.test(type) ? type.trim() : `a part ${JSON.stringify(type)}`);
    at = end;
  }
  if (bytes.length > size) removed.push(`${bytes.length - size} bytes behind the picture`);
  const body = Buffer.concat(kept);
  const head = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1');
  head.writeUInt32LE(body.length + 4, 4);
  return { bytes: new Uint8Array(Buffer.concat([head, body])), removed };
}
