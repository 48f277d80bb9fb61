/** What a server answers to a search (RFC 4511, 4.5.2), read without making anything of what nobody asks for. */

/** A place in a message. It throws on what is no BER (X.690): the connection is then worth nothing any more. */
type Cursor = { readonly bytes: Buffer; at: number };

/** Value of an attribute as it came: text, or for an attribute that is binary each byte as one character (latin1). */
export type WireValues = readonly (readonly [name: string, values: readonly string[]])[];

export type SearchDone = { readonly code: number; readonly diagnostic: string; readonly cookie: Buffer };
type OnEntry = (dn: string, attributes: () => WireValues) => void;

const TAG = {
  integer: 0x02,
  octets: 0x04,
  enumerated: 0x0a,
  sequence: 0x30,
  set: 0x31,
  entry: 0x64,
  done: 0x65,
  controls: 0xa0,
} as const;
const PAGED = '1.2.840.113556.1.4.319';

/**
 * Length in bytes of the message that begins at `at`; undefined when more bytes are needed to tell.
 * @throws when no LDAP message begins there
 */
export function messageLength(bytes: Buffer, at: number): number | undefined {
  if (at >= bytes.length) return undefined;
  if (bytes[at] !== TAG.sequence) throw new Error('what came is no LDAP message');
  const first = bytes[at + 1];
  if (first === undefined) return undefined;
  if (first < 0x80) return 2 + first;
  const size = first & 0x7f;
  if (size === 0 || size > 4) throw new Error('what came is no LDAP message');
  return at + 2 + size > bytes.length ? undefined : 2 + size + bytes.readUIntBE(at + 2, size);
}

/** Id of a whole message. */
export function messageId(message: Buffer): number {
  const cursor = { bytes: message, at: 0 };
  open(cursor, TAG.sequence);
  return readInteger(cursor, TAG.integer);
}

/**
 * Reads one message that answers a search. An entry goes to `onEntry`, its attributes only as far as that asks for them.
 * @param isBinary whether the values of an attribute are bytes; names are in lower case
 * @returns how the search ended; undefined when it goes on
 */
export function readSearchMessage(
  message: Buffer,
  isBinary: (name: string) => boolean,
  onEntry: OnEntry,
): SearchDone | undefined {
  const cursor = { bytes: message, at: 0 };
  const end = open(cursor, TAG.sequence);
  readInteger(cursor, TAG.integer);
  const operation = message[cursor.at];
  if (operation === TAG.done) return readDone(cursor, end);
  // References to other servers are left alone, and nothing else belongs to a search.
  if (operation !== TAG.entry) return undefined;
  open(cursor, TAG.entry);
  const dn = readText(cursor);
  onEntry(dn, () => readAttributes(cursor, isBinary));
  return undefined;
}

function readAttributes(cursor: Cursor, isBinary: (name: string) => boolean): WireValues {
  const attributes: [string, string[]][] = [];
  const end = open(cursor, TAG.sequence);
  while (cursor.at < end) {
    open(cursor, TAG.sequence);
    const name = readText(cursor).toLowerCase();
    const binary = isBinary(name);
    const values: string[] = [];
    const last = open(cursor, TAG.set);
    while (cursor.at < last) values.push(binary ? readBytes(cursor) : readText(cursor));
    attributes.push([name, values]);
  }
  return attributes;
}

function readDone(cursor: Cursor, end: number): SearchDone {
  const last = open(cursor, TAG.done);
  const code = readInteger(cursor, TAG.enumerated);
  readText(cursor);
  const diagnostic = readText(cursor);
  cursor.at = last;
  let cookie: Buffer = Buffer.alloc(0);
  if (cursor.at < end && cursor.bytes[cursor.at] === TAG.controls) {
    open(cursor, TAG.controls);
    while (cursor.at < end) {
      const after = open(cursor, TAG.sequence);
      const isPaged = readText(cursor) === PAGED;
      while (cursor.at < after && cursor.bytes[cursor.at] !== TAG.octets) skip(cursor);
      if (isPaged && cursor.at < after) cookie = readCookie(cursor);
      cursor.at = after;
    }
  }
  return { code, diagnostic, cookie };
}

function readCookie(cursor: Cursor): Buffer {
  open(cursor, TAG.octets);
  open(cursor, TAG.sequence);
  readInteger(cursor, TAG.integer);
  return Buffer.from(readBytes(cursor), 'latin1');
}

/** Steps into an element. Returns where it ends. */
function open(cursor: Cursor, tag: number): number {
  const { bytes } = cursor;
  if (bytes[cursor.at] !== tag) throw new Error('an LDAP message is malformed');
  let length = bytes[cursor.at + 1] ?? 0;
  cursor.at += 2;
  if (length >= 0x80) {
    const size = length & 0x7f;
    if (size === 0 || size > 4 || cursor.at + size > bytes.length) throw new Error('an LDAP message is malformed');
    length = bytes.readUIntBE(cursor.at, size);
    cursor.at += size;
  }
  const end = cursor.at + length;
  if (end > bytes.length) throw new Error('an LDAP message is malformed');
  return end;
}

function skip(cursor: Cursor): void {
  cursor.at = open(cursor, cursor.bytes[cursor.at] ?? 0);
}

function readInteger(cursor: Cursor, tag: number): number {
  const end = open(cursor, tag);
  const size = end - cursor.at;
  if (size < 1 || size > 4) throw new Error('an LDAP message is malformed');
  const value = cursor.bytes.readIntBE(cursor.at, size);
  cursor.at = end;
  return value;
}

function readText(cursor: Cursor): string {
  const end = open(cursor, TAG.octets);
  const text = cursor.bytes.toString('utf8', cursor.at, end);
  cursor.at = end;
  return text;
}

function readBytes(cursor: Cursor): string {
  const end = open(cursor, TAG.octets);
  const text = cursor.bytes.toString('latin1', cursor.at, end);
  cursor.at = end;
  return text;
}
