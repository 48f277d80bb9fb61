import { ok, type Result } from '../../core/result.ts';
import type { LdapEntry } from './ldap.ts';
import { without } from './ldap-entry.ts';
import { nameOf, type Wanted } from './ldap-lookup.ts';
import { escapeFilterValue, normalizeDn } from './ldap-names.ts';
import type { SiteDirectory } from './ldap-site.ts';

/** What is read of every member in an Active Directory. */
export const DOMAIN_MEMBER_ATTRIBUTES = [
  'objectClass',
  'objectSid',
  'sAMAccountName',
  'member',
  'userAccountControl',
  'msDS-User-Account-Control-Computed',
  'accountExpires',
  'lastLogonTimestamp',
  'pwdLastSet',
  'whenCreated',
  'servicePrincipalName',
];

/** What is read of every member, whichever directory it is. */
export const MEMBER_ATTRIBUTES = [
  ...DOMAIN_MEMBER_ATTRIBUTES,
  'cn',
  'uid',
  'uniqueMember',
  'memberUid',
  'pwdAccountLockedTime',
];

/** Who leads to whom: member keys by group key. `primary` also holds what is named by `memberUid`. Keys are normalised DNs. */
export type GroupWays = {
  readonly named: ReadonlyMap<string, readonly string[]>;
  readonly primary: ReadonlyMap<string, readonly string[]>;
};

/** A group and the groups below it, while they are being found. */
export type GroupTree = {
  readonly rootKey: string;
  /** The root first, then in order of discovery. */
  readonly groups: Map<string, LdapEntry>;
  readonly ways: { readonly named: Map<string, string[]>; readonly primary: Map<string, string[]> };
  /** Groups that show no member. */
  readonly silent: LdapEntry[];
  /** What is named and is no group as far as is known, by key. */
  readonly pending: Map<string, Wanted>;
};

/** Nested groups of a directory up to which they are all fetched in pages, rather than level by level. */
const ALL_NESTED = 3_000;
/** Groups per question when going level by level: servers take longer over a long filter than over several short ones. */
const LEVEL_BATCH = 10;

/** A tree with nothing but its root, which must have been read with MEMBER_ATTRIBUTES. */
export function plant(root: LdapEntry): GroupTree {
  const rootKey = normalizeDn(root.dn);
  const tree: GroupTree = {
    rootKey,
    groups: new Map(),
    ways: { named: new Map(), primary: new Map() },
    silent: [],
    pending: new Map(),
  };
  addGroup(tree, root);
  return tree;
}

/** DNs that a group names. groupOfNames must have a member, so an empty DN is put there to stand for nobody; NameAndOptionalUID may carry `#'…'B`. */
export function named(group: LdapEntry): string[] {
  const dns = [...group.texts('member'), ...group.texts('uniqueMember').map((dn) => dn.replace(/#'[01]*'B$/, ''))];
  return dns.filter((dn) => dn !== '');
}

/** Adds a group that was read with MEMBER_ATTRIBUTES, with what it names. */
export function addGroup(tree: GroupTree, group: LdapEntry): void {
  const key = normalizeDn(group.dn);
  if (tree.groups.has(key)) return;
  const dns = named(group);
  // The ways say who is in it; the list itself would be held twice.
  const slim = without(group, ['member', 'uniquemember']);
  if (slim.names.length === group.names.length && !group.names.includes('memberuid')) tree.silent.push(slim);
  tree.groups.set(key, slim);
  tree.pending.delete(key);
  const keys: string[] = [];
  for (const dn of dns) {
    const memberKey = normalizeDn(dn);
    keys.push(memberKey);
    if (!tree.groups.has(memberKey)) tree.pending.set(memberKey, { key: memberKey, dn });
  }
  tree.ways.named.set(key, keys);
}

/**
 * Adds the groups below those of the tree, as far as an Active Directory shows which they are by their `memberOf`. What
 * else is named stays pending; a group that hides its `memberOf` is among it.
 * @param maximum the walk stops when more members than this are pending
 * @param atOnce nested groups of the whole directory that are fetched together; with more it goes level by level
 */
export async function growNested(
  directory: SiteDirectory,
  tree: GroupTree,
  maximum: number,
  atOnce = ALL_NESTED,
): Promise<Result<void>> {
  if (directory.root.kind !== 'active-directory' || tree.pending.size === 0) return ok(undefined);
  const { session, baseDn } = directory;
  const all = await session.search({
    base: baseDn,
    filter: '(&(objectClass=group)(memberOf=*))',
    attributes: DOMAIN_MEMBER_ATTRIBUTES,
    limit: atOnce,
    wholeOnly: true,
  });
  if (!all.ok) return all;
  if (all.value.complete) {
    const byKey = new Map(all.value.entries.map((entry) => [normalizeDn(entry.dn), entry]));
    // The map grows while it is walked, so every level is visited.
    for (const [key] of tree.pending) {
      const entry = byKey.get(key);
      if (entry !== undefined) addGroup(tree, entry);
      if (tree.pending.size > maximum) break;
    }
    return ok(undefined);
  }
  let level = [...tree.groups.values()];
  while (level.length > 0 && tree.pending.size <= maximum) {
    const next: LdapEntry[] = [];
    for (let at = 0; at < level.length; at += LEVEL_BATCH) {
      const parents = level.slice(at, at + LEVEL_BATCH).map((group) => `(memberOf=${escapeFilterValue(group.dn)})`);
      const filter = `(&(objectClass=group)(|${parents.join('')}))`;
      const found = await session.search({ base: baseDn, filter, attributes: DOMAIN_MEMBER_ATTRIBUTES });
      if (!found.ok) return found;
      next.push(...found.value.entries.filter((entry) => !tree.groups.has(normalizeDn(entry.dn))));
    }
    for (const entry of next) addGroup(tree, entry);
    level = next;
  }
  return ok(undefined);
}

/** One path, of group names from the root down, for everything that the tree names: the shortest. */
export function pathsOf({ rootKey, groups, ways }: GroupTree): Map<string, readonly string[]> {
  const root = groups.get(rootKey);
  const paths = new Map<string, readonly string[]>([[rootKey, root === undefined ? [] : [nameOf(root)]]]);
  for (const [key, path] of paths) {
    for (const member of ways.named.get(key) ?? []) {
      if (paths.has(member)) continue;
      const entry = groups.get(member);
      // Who is no group ends a path, so all members of one group share it.
      paths.set(member, entry === undefined ? path : [...path, nameOf(entry)]);
    }
  }
  paths.delete(rootKey);
  return paths;
}
