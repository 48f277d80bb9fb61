/** Denials for everyone in the access control list of a directory object (MS-DTYP 2.4.4, 2.4.5, 2.4.6). Pure functions. */

const DELETE_CHILD = 0x0000_0002;
const DELETE_TREE = 0x0000_0040;
const DELETE = 0x0001_0000;
/** What "protect from accidental deletion" denies on the object, and on what it lies in. */
export const DENIED = { object: DELETE | DELETE_TREE, parent: DELETE_CHILD } as const;

const ACCESS_DENIED = 0x01;
const INHERITED = 0x10;
const INHERIT_ONLY = 0x08;
const DACL_PRESENT = 0x0004;
const SELF_RELATIVE = 0x8000;
/** SE_DACL_AUTO_INHERITED and SE_DACL_PROTECTED: how the list takes part in inheritance stays as it was. */
const DACL_FLAGS = 0x0400 | 0x1000;
const HEADER = 20;
const EVERYONE = Buffer.from('010100000000000100000000', 'hex');

type Acl = { readonly control: number; readonly revision: number; readonly entries: readonly Buffer[] };

/** Whether everyone is denied all of these rights by an entry that counts for the object itself; undefined when malformed. */
export function isDenied(descriptor: Buffer, rights: number): boolean | undefined {
  return readDacl(descriptor)?.entries.some((entry) => denies(entry, rights));
}

/** The descriptor with an explicit denial in front; just the list, as the SD_FLAGS control for a DACL takes it. */
export function withDenial(descriptor: Buffer, rights: number): Buffer | undefined {
  const acl = readDacl(descriptor);
  return acl === undefined ? undefined : writeDacl({ ...acl, entries: [denial(rights), ...acl.entries] });
}

/** The descriptor without the explicit denial of exactly these rights; undefined when there is none to take away. */
export function withoutDenial(descriptor: Buffer, rights: number): Buffer | undefined {
  const acl = readDacl(descriptor);
  const at = acl?.entries.findIndex((entry) => entry.equals(denial(rights))) ?? -1;
  if (acl === undefined || at < 0) return undefined;
  return writeDacl({ ...acl, entries: acl.entries.filter((_, index) => index !== at) });
}

function denial(rights: number): Buffer {
  const entry = Buffer.alloc(8 + EVERYONE.length);
  entry.writeUInt8(ACCESS_DENIED, 0);
  entry.writeUInt16LE(entry.length, 2);
  entry.writeUInt32LE(rights, 4);
  EVERYONE.copy(entry, 8);
  return entry;
}

function denies(entry: Buffer, rights: number): boolean {
  const flags = entry.readUInt8(1);
  return (
    entry.readUInt8(0) === ACCESS_DENIED &&
    (flags & (INHERIT_ONLY | INHERITED)) === 0 &&
    entry.length >= 20 &&
    (entry.readUInt32LE(4) & rights) === rights &&
    entry.subarray(8, 20).equals(EVERYONE)
  );
}

function readDacl(descriptor: Buffer): Acl | undefined {
  if (descriptor.length < HEADER || descriptor[0] !== 1) return undefined;
  const control = descriptor.readUInt16LE(2);
  const start = descriptor.readUInt32LE(16);
  // Without a list everybody may do everything: that is not a state to add to.
  if ((control & DACL_PRESENT) === 0 || start === 0 || start + 8 > descriptor.length) return undefined;
  const end = start + descriptor.readUInt16LE(start + 2);
  const count = descriptor.readUInt16LE(start + 4);
  if (end > descriptor.length) return undefined;
  const entries: Buffer[] = [];
  let at = start + 8;
  for (let index = 0; index < count; index += 1) {
    if (at + 8 > end) return undefined;
    const size = descriptor.readUInt16LE(at + 2);
    if (size < 8 || at + size > end) return undefined;
    entries.push(Buffer.from(descriptor.subarray(at, at + size)));
    at += size;
  }
  return { control, revision: descriptor.readUInt8(start), entries };
}

function writeDacl({ control, revision, entries }: Acl): Buffer | undefined {
  const size = 8 + entries.reduce((sum, entry) => sum + entry.length, 0);
  if (size > 0xffff) return undefined;
  const header = Buffer.alloc(HEADER + 8);
  header.writeUInt8(1, 0);
  header.writeUInt16LE(SELF_RELATIVE | DACL_PRESENT | (control & DACL_FLAGS), 2);
  header.writeUInt32LE(HEADER, 16);
  header.writeUInt8(revision, HEADER);
  header.writeUInt16LE(size, HEADER + 2);
  header.writeUInt16LE(entries.length, HEADER + 4);
  return Buffer.concat([header, ...entries]);
}
