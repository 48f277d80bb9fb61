/** Thrown for what is not BER of the form that is read, or ends too early; anything else comes from the source itself. */
export class Damage extends Error {}

/** A tag and length (X.690 8.1.2 and 8.1.3). `length` is undefined for the indefinite form. */
export type BerHeader = {
  readonly tag: number;
  readonly length: number | undefined;
  readonly raw: Uint8Array<ArrayBuffer>;
};

/** Reads BER from a stream, in order, without holding more than it was asked for. Each throws `Damage`. */
export type BerReader = {
  readonly position: () => number;
  readonly header: () => Promise<BerHeader>;
  /** Exactly `length` bytes. */
  readonly take: (length: number) => Promise<Uint8Array<ArrayBuffer>>;
  /** The next `length` bytes in the parts in which they arrive. */
  readonly parts: (length: number) => AsyncGenerator<Uint8Array>;
  /** A whole element with its header, bounded. */
  readonly element: (header?: BerHeader) => Promise<Uint8Array<ArrayBuffer>>;
  readonly atEnd: () => Promise<boolean>;
};

/** Largest element that is held whole, in bytes, and how deep indefinite forms may nest. */
const MAX_ELEMENT = 1024 * 1024;
const MAX_NESTING = 16;

/** Bytes in; see `BerReader`. */
export function berReader(source: AsyncIterable<Uint8Array>): BerReader {
  const input = source[Symbol.asyncIterator]();
  let buffer: Uint8Array = new Uint8Array(0);
  let position = 0;
  let ended = false;

  async function fill(): Promise<boolean> {
    while (buffer.length === 0 && !ended) {
      const next = await input.next();
      if (next.done === true) ended = true;
      else buffer = next.value;
    }
    return buffer.length > 0;
  }

  async function* parts(length: number): AsyncGenerator<Uint8Array> {
    let left = length;
    while (left > 0) {
      if (!(await fill())) throw new Damage('it was cut off');
      const part = buffer.subarray(0, left);
      buffer = buffer.subarray(part.length);
      position += part.length;
      left -= part.length;
      yield part;
    }
  }

  async function take(length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (length > MAX_ELEMENT) throw new Damage('a part of it is larger than such a part may be');
    const bytes = new Uint8Array(length);
    let at = 0;
    for await (const part of parts(length)) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  async function header(): Promise<BerHeader> {
    const start = await take(2);
    const [tag = 0, first = 0] = start;
    if ((tag & 0x1f) === 0x1f) throw new Damage('it holds a tag that such files do not have');
    if (first < 0x80) return { tag, length: first, raw: start };
    if (first === 0x80) return { tag, length: undefined, raw: start };
    const count = first & 0x7f;
    if (count > 6) throw new Damage('it states a length that no file has');
    const more = await take(count);
    return { tag, length: more.reduce((value, byte) => value * 256 + byte, 0), raw: join([start, more]) };
  }

  async function element(given?: BerHeader, depth = 0): Promise<Uint8Array<ArrayBuffer>> {
    const head = given ?? (await header());
    if (head.length !== undefined) return join([head.raw, await take(head.length)]);
    if ((head.tag & 0x20) === 0 || depth > MAX_NESTING) throw new Damage('its parts are nested in no known way');
    const inside: Uint8Array[] = [head.raw];
    let size = 0;
    for (;;) {
      const child = await element(undefined, depth + 1);
      inside.push(child);
      size += child.length;
      if (size > MAX_ELEMENT) throw new Damage('a part of it is larger than such a part may be');
      if (child.length === 2 && child[0] === 0 && child[1] === 0) return join(inside);
    }
  }

  return {
    position: () => position,
    header,
    take,
    parts,
    element: (head) => element(head),
    atEnd: async () => !(await fill()),
  };
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat(parts));
}
