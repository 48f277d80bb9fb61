import type { Entry } from 'ldapts';

type Value = string | Buffer;

/** An entry as it was read. Attribute names do not care about case; ranges (`member;range=…`) are resolved already. */
export type LdapEntry = {
  readonly dn: string;
  /** Names of the attributes that have a value, in lower case. */
  readonly names: readonly string[];
  readonly text: (attribute: string) => string | undefined;
  readonly texts: (attribute: string) => readonly string[];
  readonly bytes: (attribute: string) => readonly Buffer[];
};

const asText = (value: Value): string => (typeof value === 'string' ? value : value.toString('utf8'));

// A class, because tens of thousands are held at once and share their methods through it.
class ReadEntry implements LdapEntry {
  readonly dn: string;
  readonly names: readonly string[];
  private readonly values: readonly (Value | readonly Value[])[];

  constructor(dn: string, names: readonly string[], values: readonly (Value | readonly Value[])[]) {
    this.dn = dn;
    this.names = names;
    this.values = values;
  }

  text(attribute: string): string | undefined {
    const [first] = this.all(attribute);
    return first === undefined ? undefined : asText(first);
  }

  texts(attribute: string): readonly string[] {
    return this.all(attribute).map(asText);
  }

  bytes(attribute: string): readonly Buffer[] {
    return this.all(attribute).map((value) => (typeof value === 'string' ? Buffer.from(value, 'utf8') : value));
  }

  private all(attribute: string): readonly Value[] {
    const value = this.values[this.names.indexOf(attribute.toLowerCase())];
    if (value === undefined) return [];
    return typeof value === 'string' || Buffer.isBuffer(value) ? [value] : value;
  }
}

/** Values up to this many characters are worth looking up in the memory of those seen before. */
const SHARED_LENGTH = 64;
const MAX_SHARED = 10_000;

/** Makes the entries of one search, keeping what they have in common once: names, classes, flags, dates. */
export function entryMaker(): (dn: string, attributes: Iterable<readonly [string, readonly Value[]]>) => LdapEntry {
  const shared = new Map<string, unknown>();
  const once = <T>(key: string, value: T): T => {
    const before = shared.get(key) as T | undefined;
    if (before !== undefined) return before;
    if (shared.size < MAX_SHARED) shared.set(key, value);
    return value;
  };
  const keep = (value: Value): Value => {
    // Bytes are a window on what came from the wire; copied, they do not keep all of it.
    if (typeof value !== 'string') return Buffer.from(value);
    return value.length <= SHARED_LENGTH ? once(`v${value}`, value) : value;
  };
  return (dn, attributes) => {
    const names: string[] = [];
    const values: (Value | readonly Value[])[] = [];
    for (const [name, list] of attributes) {
      if (list.length === 0) continue;
      names.push(once(`n${name}`, name.toLowerCase()));
      const [first] = list;
      if (list.length === 1 && first !== undefined) values.push(keep(first));
      else if (list.every((value) => typeof value === 'string' && value.length <= SHARED_LENGTH) && list.length < 10)
        values.push(once(`l${list.join('\n')}`, list.map(keep)));
      else values.push(list.map((value) => (typeof value === 'string' ? value : Buffer.from(value))));
    }
    return new ReadEntry(dn, once(`s${names.join()}`, names), values);
  };
}

/** Attributes of an entry as ldapts gives it: one value bare, several as a list, a requested but absent one as an empty list. */
export function* attributesOf(entry: Entry): Generator<readonly [string, readonly Value[]]> {
  for (const [name, value] of Object.entries(entry)) {
    if (name !== 'dn') yield [name, Array.isArray(value) ? value : [value]];
  }
}
