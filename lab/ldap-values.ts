import { createHash } from 'node:crypto';

/** Ticks of 100 ns between 1601 and 1970: AD's FILETIME epoch. */
const FILETIME_OFFSET = 116_444_736_000_000_000n;

/** A date as AD's large-integer time. */
export function fileTime(date: Date): string {
  return (BigInt(date.getTime()) * 10_000n + FILETIME_OFFSET).toString();
}

/** A date in LDAP's generalized time, in the form that AD writes. */
export function generalizedTime(date: Date): string {
  return `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}.0Z`;
}

/** A duration in days as AD stores it in a domain policy: negative ticks of 100 ns. */
export function negativeTicks(milliseconds: number): string {
  return (BigInt(milliseconds) * -10_000n).toString();
}

/** Binary form (MS-DTYP 2.4.2.2) of `S-1-5-21-…`; undefined when the text is no SID. */
export function sidToBytes(sid: string): Buffer | undefined {
  const match = /^S-1-(\d{1,10})((?:-\d{1,10}){1,15})$/i.exec(sid);
  if (match === null) return undefined;
  const parts = (match[2] ?? '').slice(1).split('-').map(Number);
  if (parts.some((part) => part > 0xffffffff)) return undefined;
  const bytes = Buffer.alloc(8 + 4 * parts.length);
  bytes[0] = 1;
  bytes[1] = parts.length;
  bytes.writeUIntBE(Number(match[1]), 2, 6);
  parts.forEach((part, index) => bytes.writeUInt32LE(part, 8 + 4 * index));
  return bytes;
}

/** A GUID that is the same on every run for the same seed. */
export function guidFor(seed: string): Buffer {
  const bytes = createHash('sha256').update(`lockstep practice ${seed}`).digest().subarray(0, 16);
  bytes[7] = ((bytes[7] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return Buffer.from(bytes);
}
