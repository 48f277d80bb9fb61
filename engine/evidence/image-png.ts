import { crc32 } from 'node:zlib';
import type { Stripped } from './picture.ts';

/** Critical chunks, and those that say only how the picture's numbers become light (PNG 1.2, 4.2). */
const KEPT = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND', 'tRNS', 'gAMA', 'sRGB', 'cHRM', 'sBIT', 'bKGD']);
const NAMES: Readonly<Record<string, string>> = { eXIf: 'EXIF', tIME: 'a time', iCCP: 'a colour profile' };

/**
 * A PNG file without texts, EXIF, times, colour profiles and private chunks, and with nothing behind its end; the picture's
 * own bytes stay as they are. Throws when it is not built as such a file is.
 */
export function stripPng(bytes: Uint8Array): Stripped {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Uint8Array[] = [bytes.subarray(0, 8)];
  const removed: string[] = [];
  let at = 8;
  for (let first = true, type = ''; type !== 'IEND'; first = false) {
    if (at + 12 > bytes.length) throw new Error('it is damaged or cut off');
    const end = at + 12 + view.getUint32(at);
    if (end > bytes.length) throw new Error('it is damaged or cut off');
    const body = bytes.subarray(at + 4, end - 4);
    type = String.fromCharCode(...body.subarray(0, 4));
    if (crc32(body) !== view.getUint32(end - 4)) throw new Error(`the checksum of its part ${type} is wrong`);
    if (first !== (type === 'IHDR')) throw new Error('it does not begin as a PNG file does');
    if (KEPT.has(type)) kept.push(bytes.subarray(at, end));
    else if (/^[A-Z]/.test(type)) throw new Error(`it needs a part that is not known here (${type})`);
    else removed.push(NAMES[type] ?? (/^(?:tEXt|zTXt|iTXt)$/.test(type) ? 'a text' : `a part ${JSON.stringify(type)}`));
    at = end;
  }
  if (at < bytes.length) removed.push(`${bytes.length - at} bytes behind the picture`);
  return { bytes: new Uint8Array(Buffer.concat(kept)), removed };
}
