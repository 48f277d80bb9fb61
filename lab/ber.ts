/** A BER element as LDAP uses it (RFC 4511 5.1): definite lengths, one-byte tags. */
export type Element = { readonly tag: number; readonly content: Buffer };

export const TAG = { boolean: 0x01, integer: 0x02, octets: 0x04, enumerated: 0x0a, sequence: 0x30, set: 0x31 } as const;

/** Raised on input that is not BER as LDAP wants it; the server answers with a notice of disconnection. */
export class BerError extends Error {}

/**
 * Length of the first whole element in `buffer`, header included; undefined when more bytes must come.
 * Throws BerError for an indefinite length or more than `limit` bytes.
 */
export function elementLength(buffer: Buffer, limit: number): number | undefined {
  const first = buffer[1];
  if (first === undefined) return undefined;
  if (first < 0x80) return 2 + first;
  const count = first & 0x7f;
  if (count === 0 || count > 4) throw new BerError('indefinite or oversized length');
  if (buffer.length < 2 + count) return undefined;
  const total = 2 + count + buffer.readUIntBE(2, count);
  if (total > limit) throw new BerError(`a message of ${total} bytes is over the limit`);
  return total;
}

/** Splits `buffer` into the elements that lie side by side in it. */
export function readElements(buffer: Buffer): Element[] {
  const elements: Element[] = [];
  let rest = buffer;
  while (rest.length > 0) {
    if (((rest[0] ?? 0) & 0x1f) === 0x1f) throw new BerError('multi-byte tag');
    const total = elementLength(rest, buffer.length);
    if (total === undefined || total > rest.length) throw new BerError('truncated element');
    const lengthByte = rest[1] ?? 0;
    const header = lengthByte < 0x80 ? 2 : 2 + (lengthByte & 0x7f);
    elements.push({ tag: rest[0] ?? 0, content: rest.subarray(header, total) });
    rest = rest.subarray(total);
  }
  return elements;
}

/** The element at `index`, with `tag` when one is asked for. */
export function at(elements: readonly Element[], index: number, tag?: number): Element {
  const element = elements[index];
  if (element === undefined) throw new BerError('missing element');
  if (tag !== undefined && element.tag !== tag) throw new BerError(`tag ${element.tag} where ${tag} belongs`);
  return element;
}

export function readInteger(element: Element): number {
  const { length } = element.content;
  if (length < 1 || length > 6) throw new BerError('integer out of range');
  return element.content.readIntBE(0, length);
}

export function readText(element: Element): string {
  return element.content.toString('utf8');
}

/** Encodes tag, definite length and content. */
export function encode(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const size = length < 0x100 ? 1 : length < 0x10000 ? 2 : length < 0x1000000 ? 3 : 4;
  const header = Buffer.alloc(2 + size);
  header[0] = tag;
  header[1] = 0x80 | size;
  header.writeUIntBE(length, 2, size);
  return Buffer.concat([header, content]);
}

export function encodeInteger(value: number, tag: number = TAG.integer): Buffer {
  let size = 1;
  while (size < 6 && (value < -(2 ** (8 * size - 1)) || value >= 2 ** (8 * size - 1))) size += 1;
  const content = Buffer.alloc(size);
  content.writeIntBE(value, 0, size);
  return encode(tag, content);
}

export function encodeOctets(value: string | Buffer, tag: number = TAG.octets): Buffer {
  return encode(tag, typeof value === 'string' ? Buffer.from(value, 'utf8') : value);
}
