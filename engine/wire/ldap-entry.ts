import type { WireValues } from './ldap-reader.ts';

/** An entry as it was read. Attribute names do not care about case; ranges (`member;range=…`) are resolved already. */
export type LdapEntry = {
  readonly dn: string;
  /** Names of the attributes that have a value, in lower case. */
  readonly names: readonly string[];
  readonly text: (attribute: string) => string | undefined;
  readonly texts: (attribute: string) => readonly string[];
  readonly bytes: (attribute: string) => readonly Buffer[];
};

const BINARY = new Set([
  'objectsid',
  'objectguid',
  'ntsecuritydescriptor',
  'tokengroups',
  'sidhistory',
  'msds-allowedtoactonbehalfofotheridentity',
]);

/** Whether an attribute's values are bytes. The name is in lower case. */
export function isBinary(name: string): boolean {
  return BINARY.has(name) || name.endsWith(';binary');
}

// A class, because tens of thousands are held at once and share their methods through it.
class ReadEntry implements LdapEntry {
  readonly dn: string;
  readonly names: readonly string[];
  private readonly values: readonly (string | readonly string[])[];

  constructor(dn: string, names: readonly string[], values: readonly (string | readonly string[])[]) {
    this.dn = dn;
    this.names = names;
    this.values = values;
  }

  text(attribute: string): string | undefined {
    return this.texts(attribute)[0];
  }

  texts(attribute: string): readonly string[] {
    const values = this.all(attribute);
    return isBinary(attribute.toLowerCase())
      ? values.map((value) => Buffer.from(value, 'latin1').toString('utf8'))
      : values;
  }

  bytes(attribute: string): readonly Buffer[] {
    const encoding = isBinary(attribute.toLowerCase()) ? 'latin1' : 'utf8';
    return this.all(attribute).map((value) => Buffer.from(value, encoding));
  }

  private all(attribute: string): readonly string[] {
    const value = this.values[this.names.indexOf(attribute.toLowerCase())];
    if (value === undefined) return [];
    return typeof value === 'string' ? [value] : value;
  }
}

/** The entry without some of its attributes; names are in lower case. */
export function without(entry: LdapEntry, attributes: readonly string[]): LdapEntry {
  const names = entry.names.filter((name) => !attributes.includes(name));
  const values = names.map((name) =>
    isBinary(name) ? entry.bytes(name).map((bytes) => bytes.toString('latin1')) : entry.texts(name),
  );
  return new ReadEntry(entry.dn, names, values);
}

/** Values of one attribute that are kept to be found again: flags, classes, dates. What is different in every entry is soon given up. */
const MOST_SHARED = 200;

/** Makes the entries of one search, keeping what they have in common once. */
export function entryMaker(): (dn: string, attributes: WireValues) => LdapEntry {
  const shared = new Map<string, Map<string, unknown>>();
  const once = <T>(kind: string, key: string, value: T): T => {
    let known = shared.get(kind);
    if (known === undefined) shared.set(kind, (known = new Map()));
    const before = known.get(key) as T | undefined;
    if (before !== undefined) return before;
    if (known.size < MOST_SHARED) known.set(key, value);
    return value;
  };
  return (dn, attributes) => {
    const names: string[] = [];
    const values: (string | readonly string[])[] = [];
    for (const [name, list] of attributes) {
      const [first] = list;
      if (first === undefined) continue;
      names.push(name);
      if (list.length === 1) values.push(once(name, first, first));
      else values.push(list.length < 10 ? once(name, list.join('\n'), list) : list);
    }
    // A list that was grown has room to spare; its copy has none.
    return new ReadEntry(dn, once('', names.join(), names), values.slice());
  };
}
