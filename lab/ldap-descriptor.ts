import { at, readElements, readInteger, TAG } from './ber.ts';
import { CONTROL, type Control } from './ldap-messages.ts';
import { sidToBytes } from './ldap-values.ts';

/** Parts of a descriptor that the SD_FLAGS control asks for (MS-ADTS 3.1.1.3.4.1.11). */
const PART = { owner: 1, group: 2, dacl: 4 } as const;
const FULL_CONTROL = 0x000f_01ff;
const READ = 0x0002_0094;
const WRITE_PROPERTY = 0x20;
const ALLOWED = 0x00;
const ALLOWED_OBJECT = 0x05;
const DENIED = 0x01;
const DACL_PRESENT = 0x0004;
const SELF_RELATIVE = 0x8000;
const HEADER = 20;
const EVERYONE = 'S-1-1-0';
/** `member`, bf9679c0-0de6-11d0-a285-00aa003049e2, as it is stored. */
const MEMBER = Buffer.from('c07996bfe60dd011a28500aa003049e2', 'hex');
/** What deleting needs: on the object itself, or on what it lies in. */
export const DELETION = { object: 0x0001_0000, parent: 0x0000_0002 } as const;

type Descriptor = {
  readonly control: number;
  readonly owner: Buffer | undefined;
  readonly group: Buffer | undefined;
  readonly dacl: Buffer | undefined;
};

/**
 * Who may do what with an object of the practice domain, as AD sets it up.
 * @param delegates may besides write its members
 * @param denied rights that everyone is denied
 */
export function ordinaryDescriptor(domainSid: string, delegates: readonly string[] = [], denied = 0): Buffer {
  const admins = `${domainSid}-512`;
  const entries = [
    ...(denied === 0 ? [] : [entry(DENIED, denied, EVERYONE)]),
    entry(ALLOWED, FULL_CONTROL, admins),
    entry(ALLOWED, FULL_CONTROL, 'S-1-5-32-548'),
    entry(ALLOWED, FULL_CONTROL, 'S-1-5-18'),
    entry(ALLOWED, READ, 'S-1-5-11'),
    ...delegates.map((sid) => entry(ALLOWED_OBJECT, WRITE_PROPERTY, sid, MEMBER)),
  ];
  const header = Buffer.alloc(8);
  header.writeUInt8(4, 0);
  header.writeUInt16LE(8 + entries.reduce((sum, one) => sum + one.length, 0), 2);
  header.writeUInt16LE(entries.length, 4);
  const owner = sid(admins);
  return write({
    control: SELF_RELATIVE | DACL_PRESENT,
    owner,
    group: owner,
    dacl: Buffer.concat([header, ...entries]),
  });
}

/** Which parts a request asks for; undefined without the control, and then an ordinary account is shown none. */
export function descriptorFlags(controls: readonly Control[]): number | undefined {
  const value = controls.find((control) => control.oid === CONTROL.sdFlags)?.value;
  return value === undefined
    ? undefined
    : readInteger(at(readElements(at(readElements(value), 0, TAG.sequence).content), 0, TAG.integer));
}

/** The parts of a stored descriptor that were asked for. */
export function shownDescriptor(stored: Buffer, flags: number): Buffer {
  return write(chosen(read(stored) ?? EMPTY, flags));
}

/** A stored descriptor with the parts replaced that were asked for; undefined where what was sent is none. */
export function replacedDescriptor(stored: Buffer, sent: Buffer, flags: number): Buffer | undefined {
  const next = read(sent);
  if (next === undefined || ((flags & PART.dacl) !== 0 && next.dacl === undefined)) return undefined;
  return write({ ...(read(stored) ?? EMPTY), ...chosen(next, flags), control: next.control });
}

/** Whether everyone is denied any of these rights. */
export function isDenied(stored: Buffer, rights: number): boolean {
  const dacl: Buffer = read(stored)?.dacl ?? Buffer.alloc(8);
  const everyone = sid(EVERYONE);
  let at = 8;
  for (let index = 0; index < dacl.readUInt16LE(4) && at + 8 <= dacl.length; index += 1) {
    const size = dacl.readUInt16LE(at + 2);
    if (size < 8) return false;
    const meant = (dacl.readUInt32LE(at + 4) & rights) !== 0 && dacl.subarray(at + 8, at + size).equals(everyone);
    if (dacl[at] === DENIED && meant) return true;
    at += size;
  }
  return false;
}

const EMPTY: Descriptor = { control: SELF_RELATIVE, owner: undefined, group: undefined, dacl: undefined };

function chosen({ owner, group, dacl, control }: Descriptor, flags: number): Descriptor {
  return {
    control,
    ...Object.fromEntries(
      Object.entries({ owner, group, dacl }).filter(([name]) => (flags & PART[name as keyof typeof PART]) !== 0),
    ),
  } as Descriptor;
}

function entry(type: number, rights: number, who: string, object?: Buffer): Buffer {
  const name = sid(who);
  const fixed = Buffer.alloc(object === undefined ? 8 : 12);
  const body = object === undefined ? name : Buffer.concat([object, name]);
  fixed.writeUInt8(type, 0);
  fixed.writeUInt16LE(fixed.length + body.length, 2);
  fixed.writeUInt32LE(rights, 4);
  if (object !== undefined) fixed.writeUInt32LE(1, 8);
  return Buffer.concat([fixed, body]);
}

function sid(text: string): Buffer {
  const bytes = sidToBytes(text);
  if (bytes === undefined) throw new Error(`${text} is no SID`);
  return bytes;
}

/** Self-relative form (MS-DTYP 2.4.6). */
function write({ control, owner, group, dacl }: Descriptor): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt8(1, 0);
  header.writeUInt16LE((control | SELF_RELATIVE) & (dacl === undefined ? ~DACL_PRESENT : ~0), 2);
  const parts: Buffer[] = [header];
  let end = HEADER;
  for (const [offset, part] of [
    [4, owner],
    [8, group],
    [16, dacl],
  ] as const) {
    if (part === undefined) continue;
    header.writeUInt32LE(end, offset);
    parts.push(part);
    end += part.length;
  }
  return Buffer.concat(parts);
}

function read(bytes: Buffer): Descriptor | undefined {
  if (bytes.length < HEADER || bytes[0] !== 1) return undefined;
  const part = (offset: number, length: (start: number) => number): Buffer | undefined => {
    const start = bytes.readUInt32LE(offset);
    if (start === 0 || start + 8 > bytes.length) return undefined;
    const end = start + length(start);
    return end > bytes.length ? undefined : Buffer.from(bytes.subarray(start, end));
  };
  const sidLength = (start: number): number => 8 + 4 * (bytes[start + 1] ?? 0);
  return {
    control: bytes.readUInt16LE(2),
    owner: part(4, sidLength),
    group: part(8, sidLength),
    dacl: part(16, (start) => bytes.readUInt16LE(start + 2)),
  };
}
