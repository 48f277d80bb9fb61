import { ordinaryDescriptor } from './ldap-descriptor.ts';
import { dnKey, parentDn, parseDn } from './ldap-names.ts';
import { attributeType } from './ldap-schema.ts';
import { fileTime, generalizedTime, guidFor, sidToBytes } from './ldap-values.ts';

export type Value = string | Buffer;
export type Entry = {
  readonly dn: string;
  readonly key: string;
  /** By lower-case name. */
  readonly attributes: Map<string, { readonly name: string; values: Value[] }>;
};

/** The entries of one directory, with the attributes that AD keeps by itself. Nothing here knows a socket. */
export type PracticeDirectory = {
  readonly baseDn: string;
  readonly domainSid: string;
  readonly now: () => Date;
  readonly get: (dn: string) => Entry | undefined;
  readonly all: () => Iterable<Entry>;
  /** Adds an entry without asking for rights; replaces what was there. Values of `unicodePwd` become the password. */
  readonly put: (dn: string, attributes: Readonly<Record<string, Value | readonly Value[]>>) => Entry;
  readonly remove: (dn: string) => void;
  readonly set: (dn: string, attribute: string, values: readonly Value[]) => void;
  readonly first: (entry: Entry, attribute: string) => string | undefined;
  readonly values: (entry: Entry, attribute: string) => readonly Value[];
  /** Groups that `entry` is in, through any nesting, primary group included: keys of DNs. */
  readonly groupsOf: (entry: Entry) => ReadonlySet<string>;
  readonly isBelow: (entry: Entry, base: string, scope: 'base' | 'one' | 'subtree') => boolean;
  readonly children: (dn: string) => boolean;
  readonly password: (dn: string) => string | undefined;
  readonly setPassword: (dn: string, password: string) => void;
  readonly findByName: (name: string) => Entry | undefined;
  readonly nextRid: () => number;
};

/** Makes an empty directory for `baseDn`. */
export function createDirectory(options: { baseDn: string; domainSid: string; now: () => Date }): PracticeDirectory {
  const entries = new Map<string, Entry>();
  const passwords = new Map<string, string>();
  let rid = 1103;
  let usn = 12_000;
  const baseKey = dnKey(options.baseDn);

  const first = (entry: Entry, attribute: string): string | undefined => {
    const value = entry.attributes.get(attribute.toLowerCase())?.values[0];
    return value === undefined ? undefined : value.toString();
  };
  const values = (entry: Entry, attribute: string): readonly Value[] => {
    if (attribute.toLowerCase() === 'memberof') return backLinks(entries, entry, 'member');
    return entry.attributes.get(attribute.toLowerCase())?.values ?? [];
  };
  const touch = (entry: Entry): void => {
    usn += 1;
    store(entry, 'uSNChanged', [String(usn)]);
    store(entry, 'whenChanged', [generalizedTime(options.now())]);
  };

  return {
    ...options,
    get: (dn) => entries.get(dnKey(dn)),
    all: () => entries.values(),
    put: (dn, attributes) => {
      const entry: Entry = { dn, key: dnKey(dn), attributes: new Map() };
      const rdn = parseDn(dn)?.[0];
      const now = generalizedTime(options.now());
      usn += 1;
      const own: Record<string, Value | readonly Value[]> = {
        distinguishedName: dn,
        ...(rdn === undefined ? {} : { [rdn.type.toLowerCase()]: rdn.value, name: rdn.value }),
        instanceType: '4',
        whenCreated: now,
        whenChanged: now,
        uSNCreated: String(usn),
        uSNChanged: String(usn),
        objectGUID: guidFor(`${dnKey(dn)} ${usn}`),
        nTSecurityDescriptor: ordinaryDescriptor(options.domainSid),
      };
      for (const [name, value] of Object.entries({ ...own, ...attributes })) {
        if (name.toLowerCase() === 'unicodepwd') passwords.set(entry.key, value as string);
        else store(entry, name, Array.isArray(value) ? value : [value as Value]);
      }
      entries.set(entry.key, entry);
      return entry;
    },
    remove: (dn) => {
      const key = dnKey(dn);
      entries.delete(key);
      passwords.delete(key);
      for (const entry of entries.values()) {
        const members = entry.attributes.get('member');
        if (members === undefined) continue;
        const kept = members.values.filter((member) => dnKey(member.toString()) !== key);
        if (kept.length !== members.values.length) store(entry, 'member', kept);
      }
    },
    set: (dn, attribute, newValues) => {
      const entry = entries.get(dnKey(dn));
      if (entry === undefined) throw new Error(`the practice directory has no ${dn}`);
      store(entry, attribute, [...newValues]);
      touch(entry);
    },
    first,
    values,
    groupsOf: (entry) => {
      const found = new Set<string>();
      const pending = backLinks(entries, entry, 'member').map(dnKey);
      const primary = first(entry, 'primaryGroupID');
      if (primary !== undefined) pending.push(...withRid(entries, options.domainSid, Number(primary)));
      for (let key = pending.pop(); key !== undefined; key = pending.pop()) {
        if (found.has(key)) continue;
        found.add(key);
        const group = entries.get(key);
        if (group !== undefined) pending.push(...backLinks(entries, group, 'member').map(dnKey));
      }
      return found;
    },
    isBelow: (entry, base, scope) => {
      const key = dnKey(base);
      if (scope === 'base') return entry.key === key;
      if (scope === 'one') return entry.key !== baseKey && dnKey(parentDn(entry.dn)) === key;
      return entry.key === key || entry.key.endsWith(`,${key}`);
    },
    children: (dn) => [...entries.keys()].some((key) => key.endsWith(`,${dnKey(dn)}`)),
    password: (dn) => passwords.get(dnKey(dn)),
    setPassword: (dn, password) => {
      passwords.set(dnKey(dn), password);
      const entry = entries.get(dnKey(dn));
      if (entry !== undefined) store(entry, 'pwdLastSet', [fileTime(options.now())]);
    },
    findByName: (name) => {
      const wanted = name.toLowerCase();
      const account = wanted.includes('\\') ? wanted.slice(wanted.indexOf('\\') + 1) : undefined;
      for (const entry of entries.values()) {
        if (account !== undefined && first(entry, 'sAMAccountName')?.toLowerCase() === account) return entry;
        if (account === undefined && first(entry, 'userPrincipalName')?.toLowerCase() === wanted) return entry;
      }
      return account === undefined ? entries.get(dnKey(name)) : undefined;
    },
    nextRid: () => {
      rid += 1;
      return rid;
    },
  };
}

function store(entry: Entry, attribute: string, values: Value[]): void {
  const name = attributeType(attribute)?.name ?? attribute;
  if (values.length === 0) entry.attributes.delete(name.toLowerCase());
  else entry.attributes.set(name.toLowerCase(), { name, values });
}

function backLinks(entries: ReadonlyMap<string, Entry>, target: Entry, attribute: string): string[] {
  const found: string[] = [];
  for (const entry of entries.values()) {
    const links = entry.attributes.get(attribute)?.values ?? [];
    if (links.some((link) => dnKey(link.toString()) === target.key)) found.push(entry.dn);
  }
  return found;
}

function withRid(entries: ReadonlyMap<string, Entry>, domainSid: string, rid: number): string[] {
  const sid = sidToBytes(`${domainSid}-${rid}`);
  return [...entries.values()]
    .filter((entry) => sid?.equals(asBuffer(entry.attributes.get('objectsid')?.values[0])) === true)
    .map((entry) => entry.key);
}

function asBuffer(value: Value | undefined): Buffer {
  return value === undefined ? Buffer.alloc(0) : Buffer.isBuffer(value) ? value : Buffer.from(value);
}
