/** Binary and textual values of directory attributes. Pure functions; nothing here touches a network. */

const TICKS_PER_MS = 10_000;
const EPOCH_MS = 11_644_473_600_000;
const NEVER_TICKS = 0x7fff_ffff_ffff_ffffn;
const NEVER = String(NEVER_TICKS);

/**
 * Reads a security identifier (MS-DTYP 2.4.2.2).
 * @returns `S-1-…`, or undefined when the bytes are not exactly one SID
 */
export function parseSid(bytes: Uint8Array): string | undefined {
  const length = sidLength(bytes, 0);
  return length === bytes.length ? readSid(bytes, 0) : undefined;
}

/** Length in bytes of the SID at `offset`, or undefined when none fits there. */
export function sidLength(bytes: Uint8Array, offset: number): number | undefined {
  if (offset < 0 || offset + 8 > bytes.length || bytes[offset] !== 1) return undefined;
  const count = bytes[offset + 1] ?? 0;
  const length = 8 + 4 * count;
  return count <= 15 && offset + length <= bytes.length ? length : undefined;
}

/** Reads the SID at `offset`; undefined when none fits there. */
export function readSid(bytes: Uint8Array, offset: number): string | undefined {
  const length = sidLength(bytes, offset);
  if (length === undefined) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, length);
  const authority = view.getUint16(2) * 0x1_0000_0000 + view.getUint32(4);
  const parts = [authority];
  for (let at = 8; at < length; at += 4) parts.push(view.getUint32(at, true));
  return `S-1-${parts.join('-')}`;
}

/** The last part of a SID, its relative identifier. */
export function relativeId(sid: string): number {
  return Number(sid.slice(sid.lastIndexOf('-') + 1));
}

/** Everything of a SID but its last part: the domain it belongs to. */
export function domainOf(sid: string): string {
  return sid.slice(0, sid.lastIndexOf('-'));
}

/** Reads a GUID in its little-endian wire form (MS-DTYP 2.3.4.2); undefined when there are not 16 bytes. */
export function readGuid(bytes: Uint8Array, offset = 0): string | undefined {
  if (offset < 0 || offset + 16 > bytes.length) return undefined;
  const hex = (...order: number[]) =>
    order.map((at) => (bytes[offset + at] ?? 0).toString(16).padStart(2, '0')).join('');
  return `${hex(3, 2, 1, 0)}-${hex(5, 4)}-${hex(7, 6)}-${hex(8, 9)}-${hex(10, 11, 12, 13, 14, 15)}`;
}

function integer(text: string | undefined): bigint | undefined {
  return text !== undefined && /^-?\d{1,20}$/.test(text) ? BigInt(text) : undefined;
}

/**
 * Reads a FILETIME: 100-nanosecond ticks since 1601, as decimal text.
 * @returns a date; `never` for 0 and for the largest number; undefined when it is not a number
 */
export function parseFileTime(text: string | undefined): Date | 'never' | undefined {
  if (text === undefined || !/^\d{1,20}$/.test(text)) return undefined;
  if (/^0+$/.test(text) || text === NEVER) return 'never';
  // Exact to two microseconds, which is more than a Date holds; thousands are read at once.
  const date = new Date(Math.floor(Number(text) / TICKS_PER_MS - EPOCH_MS));
  return Number.isNaN(date.getTime()) ? 'never' : date;
}

/**
 * Reads a negative interval in ticks, as in `maxPwdAge`.
 * @returns milliseconds; `never` for the smallest number; undefined when it is not such a number
 */
export function parseInterval(text: string | undefined): number | 'never' | undefined {
  const ticks = integer(text);
  if (ticks === undefined || ticks > 0n) return undefined;
  return ticks <= -NEVER_TICKS ? 'never' : Number(-ticks / BigInt(TICKS_PER_MS));
}

/** Reads a GeneralizedTime (RFC 4517, 3.3.13) that names seconds, in UTC or with an offset. */
export function parseGeneralizedTime(text: string | undefined): Date | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:[.,](\d{1,9}))?(?:Z|([+-])(\d\d)(\d\d)?)$/.exec(text ?? '');
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '0', sign, hours = '0', minutes = '0'] = match;
  const base = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second));
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000 * (sign === '-' ? -1 : sign === '+' ? 1 : 0);
  const date = new Date(base + Math.round(Number(`0.${fraction}`) * 1000) - offset);
  const valid =
    Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && new Date(base).getUTCDate() === Number(day);
  return valid && Number(hour) < 24 && Number(minute) < 60 && Number(second) <= 60 ? date : undefined;
}

/** Reads a decimal attribute that fits an ordinary number, `userAccountControl` and its like. */
export function parseNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
}
