import { ok, type Result } from '../../core/result.ts';
import type { LdapEntry } from './ldap.ts';
import { isGroup, nameOf, readMany, sidOf } from './ldap-lookup.ts';
import {
  addGroup,
  DOMAIN_MEMBER_ATTRIBUTES,
  type GroupTree,
  type GroupWays,
  growNested,
  MEMBER_ATTRIBUTES,
  named,
  plant,
} from './ldap-nesting.ts';
import { escapeFilterValue, normalizeDn } from './ldap-names.ts';
import { isBroad, wellKnownName } from './ldap-principals.ts';
import type { SiteDirectory } from './ldap-site.ts';
import { relativeId } from './ldap-values.ts';

type MemberKind = 'person' | 'computer' | 'group' | 'foreign' | 'other';
export type Member = { readonly kind: MemberKind; readonly entry: LdapEntry };

/** Everybody below a group. Keys are normalised DNs. */
export type Membership = {
  /** Members that the group itself names, and accounts with it as primary group. */
  readonly direct: readonly Member[];
  readonly directUnread: number;
  /** Every account and other entry once, however many ways lead to it. */
  readonly leaves: readonly Member[];
  /** Every nested group once, without the group itself, in order of discovery. */
  readonly groups: readonly LdapEntry[];
  /** Members that are named and could not be read, over all groups. */
  readonly unread: number;
  readonly depth: number;
  /** Groups that contain themselves through others. */
  readonly cycles: readonly LdapEntry[];
  /** What each group names, and who has it as primary group. */
  readonly ways: GroupWays;
  /** False when the walk stopped at the maximum. */
  readonly complete: boolean;
};

/** Members up to which a group is read before the directory is asked for its nested groups. */
const FEW = 100;
const PRIMARY_BATCH = 100;
const PERSON_CLASSES = ['user', 'person', 'organizationalperson', 'inetorgperson', 'account', 'posixaccount'];

/** What an entry is to a membership. */
export function kindOf(entry: LdapEntry): MemberKind {
  const classes = entry.texts('objectClass').map((name) => name.toLowerCase());
  if (isGroup(entry)) return 'group';
  if (classes.includes('foreignsecurityprincipal')) return 'foreign';
  if (classes.includes('computer')) return 'computer';
  if (classes.includes('contact')) return 'other';
  // OpenLDAP lists only the classes that were written, not those above them.
  return PERSON_CLASSES.some((name) => classes.includes(name)) || entry.text('uid') !== undefined ? 'person' : 'other';
}

/**
 * Walks `member` from the group downwards, adding accounts whose primary group a group is (`member` omits them). `group`
 * must have been read with MEMBER_ATTRIBUTES.
 * @param maximum entries after which the walk stops
 */
export async function walkMembers(
  directory: SiteDirectory,
  group: LdapEntry,
  maximum: number,
): Promise<Result<Membership>> {
  const tree = plant(group);
  const known = new Map<string, Member>();
  const unreadable = new Set<string>();
  let complete = true;
  let fresh = [group];
  for (let round = 0; fresh.length > 0 && complete; round += 1) {
    // A small group is read faster than every nested group of the directory.
    if (round > 0 || fresh.some((one) => named(one).length > FEW)) {
      const grown = await growNested(directory, tree, maximum);
      if (!grown.ok) return grown;
    }
    const more = await indirectly(directory, tree, known, maximum);
    if (!more.ok) return more;
    for (const uid of more.value.unread) unreadable.add(uid);
    const pending = [...tree.pending].filter(([key]) => !known.has(key) && !unreadable.has(key));
    tree.pending.clear();
    complete = more.value.complete && known.size + tree.groups.size + pending.length <= maximum + 1;
    if (!complete) break;
    const dns = pending.map(([, dn]) => dn);
    const isDomain = directory.root.kind === 'active-directory';
    const read = await readMany(directory, dns, isDomain ? DOMAIN_MEMBER_ATTRIBUTES : MEMBER_ATTRIBUTES);
    if (!read.ok) return read;
    fresh = [];
    for (const [key] of pending) {
      const entry = read.value.get(key);
      if (entry === undefined) unreadable.add(key);
      else if (isGroup(entry)) fresh.push(entry);
      else known.set(key, { kind: kindOf(entry), entry });
    }
    for (const entry of fresh) addGroup(tree, entry);
  }
  return ok(summarize(tree, known, unreadable, complete));
}

function summarize(
  tree: GroupTree,
  known: ReadonlyMap<string, Member>,
  unreadable: ReadonlySet<string>,
  complete: boolean,
): Membership {
  const { rootKey, groups, ways } = tree;
  const edges = new Map(
    [...groups.keys()].map((key) => [key, (ways.named.get(key) ?? []).filter((to) => groups.has(to))]),
  );
  const { depth, cyclic } = shapeOf(rootKey, edges);
  const first = [...new Set([...(ways.named.get(rootKey) ?? []), ...(ways.primary.get(rootKey) ?? [])])];
  const memberOf = (key: string): Member | undefined => {
    const entry = groups.get(key);
    return entry === undefined ? known.get(key) : { kind: 'group', entry };
  };
  return {
    direct: first.flatMap((key) => memberOf(key) ?? []),
    directUnread: first.filter((key) => unreadable.has(key)).length,
    leaves: [...known.values()],
    groups: [...groups].filter(([key]) => key !== rootKey).map(([, entry]) => entry),
    unread: unreadable.size,
    depth,
    cycles: cyclic.flatMap((key) => groups.get(key) ?? []),
    ways,
    complete,
  };
}

type Indirect = { readonly unread: readonly string[]; readonly complete: boolean };

/** Members that are not named by DN: by primary group, or by `memberUid` (RFC 2307). Asked once for every group of the tree. */
async function indirectly(
  { session, baseDn }: SiteDirectory,
  { groups, ways }: GroupTree,
  known: Map<string, Member>,
  maximum: number,
): Promise<Result<Indirect>> {
  const asked = [...groups].filter(([key]) => !ways.primary.has(key));
  for (const [key] of asked) ways.primary.set(key, []);
  const unread: string[] = [];
  const add = (entry: LdapEntry, groupKey: string | undefined) => {
    const key = normalizeDn(entry.dn);
    if (groupKey !== undefined) ways.primary.get(groupKey)?.push(key);
    if (!known.has(key) && !groups.has(key)) known.set(key, { kind: kindOf(entry), entry });
  };
  const byRelativeId = new Map<string, string>();
  for (const [key, entry] of asked) {
    const sid = sidOf(entry);
    if (sid?.startsWith('S-1-5-21-')) byRelativeId.set(String(relativeId(sid)), key);
    if (sid !== undefined) continue;
    const uids = entry.texts('memberUid');
    if (uids.length > maximum) return ok({ unread, complete: false });
    for (const uid of uids) {
      const filter = `(uid=${escapeFilterValue(uid)})`;
      const found = await session.search({ base: baseDn, filter, attributes: MEMBER_ATTRIBUTES, limit: 10 });
      if (!found.ok) return found;
      for (const person of found.value.entries) add(person, key);
      if (found.value.entries.length > 0) continue;
      unread.push(`uid=${uid}`);
      ways.primary.get(key)?.push(`uid=${uid}`);
    }
  }
  const ids = [...byRelativeId.keys()];
  for (let at = 0; at < ids.length; at += PRIMARY_BATCH) {
    const filter = `(|${ids
      .slice(at, at + PRIMARY_BATCH)
      .map((id) => `(primaryGroupID=${id})`)
      .join('')})`;
    const attributes = [...DOMAIN_MEMBER_ATTRIBUTES, 'primaryGroupID'];
    const found = await session.search({ base: baseDn, filter, attributes, limit: maximum });
    if (!found.ok) return found;
    for (const entry of found.value.entries) add(entry, byRelativeId.get(entry.text('primaryGroupID') ?? ''));
    if (!found.value.complete) return ok({ unread, complete: false });
  }
  return ok({ unread, complete: true });
}

/** Why a complete membership still cannot be counted in people; undefined when it can. */
export function uncounted({ unread, leaves }: Membership): string | undefined {
  if (unread > 0) return `${unread} members could not be read, so nobody knows how many people stand behind them`;
  const foreign = leaves.filter(({ kind }) => kind === 'foreign').length;
  return foreign > 0
    ? `${foreign} members are principals of other domains or stand for everybody, and cannot be counted`
    : undefined;
}

/** Names of those that stand for more or less everybody or come from another domain: the group, nested ones, foreign members. */
export function broadNames(group: LdapEntry, { groups, leaves }: Membership): string[] {
  const wide = [group, ...groups].filter((entry) => isBroad(sidOf(entry) ?? ''));
  const outside = leaves
    .filter(({ kind }) => kind === 'foreign')
    .map(({ entry }) => {
      const sid = sidOf(entry) ?? nameOf(entry);
      return wellKnownName(sid) ?? sid;
    });
  return [...new Set([...wide.map(nameOf), ...outside])].sort();
}

/** Longest chain below `root` and the nodes that reach themselves. Iterative: a directory may nest thousands deep. */
export function shapeOf(
  root: string,
  edges: ReadonlyMap<string, readonly string[]>,
): { depth: number; cyclic: string[] } {
  const incoming = new Map<string, number>();
  for (const targets of edges.values())
    for (const target of new Set(targets)) incoming.set(target, (incoming.get(target) ?? 0) + 1);
  const depthOf = new Map<string, number>([[root, 0]]);
  const ready = [...edges.keys()].filter((key) => (incoming.get(key) ?? 0) === 0);
  const done = new Set<string>();
  for (let key = ready.pop(); key !== undefined; key = ready.pop()) {
    done.add(key);
    for (const target of new Set(edges.get(key) ?? [])) {
      depthOf.set(target, Math.max(depthOf.get(target) ?? 0, (depthOf.get(key) ?? 0) + 1));
      incoming.set(target, (incoming.get(target) ?? 0) - 1);
      if (incoming.get(target) === 0) ready.push(target);
    }
  }
  const rest = [...edges.keys()].filter((key) => !done.has(key));
  const cyclic = rest.filter((key) => reaches(key, edges));
  for (const [key, level] of levels(root, edges))
    if (!done.has(key)) depthOf.set(key, Math.max(depthOf.get(key) ?? 0, level));
  return { depth: Math.max(...depthOf.values()), cyclic };
}

function reaches(start: string, edges: ReadonlyMap<string, readonly string[]>): boolean {
  const seen = new Set<string>();
  const queue = [...(edges.get(start) ?? [])];
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    if (key === start) return true;
    if (seen.has(key)) continue;
    seen.add(key);
    queue.push(...(edges.get(key) ?? []));
  }
  return false;
}

function levels(root: string, edges: ReadonlyMap<string, readonly string[]>): Map<string, number> {
  const found = new Map<string, number>([[root, 0]]);
  const queue = [root];
  for (const key of queue) {
    for (const target of edges.get(key) ?? []) {
      if (found.has(target)) continue;
      found.set(target, (found.get(key) ?? 0) + 1);
      queue.push(target);
    }
  }
  return found;
}
