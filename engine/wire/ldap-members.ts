import { ok, type Result } from '../../core/result.ts';
import type { LdapEntry } from './ldap.ts';
import { hiddenGroups } from './ldap-hidden.ts';
import { type HowRead, readInChain, SHORT_WALK } from './ldap-in-chain.ts';
import { kindOf, type MemberKind } from './ldap-kind.ts';
import { nameOf, readEach, sidOf } from './ldap-lookup.ts';
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
import { domainName, escapeFilterValue, normalizeDn } from './ldap-names.ts';
import { isBroad, wellKnownName } from './ldap-principals.ts';
import { shapeOf } from './ldap-shape.ts';
import type { SiteDirectory } from './ldap-site.ts';
import { domainOf, relativeId } from './ldap-values.ts';
import { keepHeapSmall } from './young-heap.ts';

export type Member = { readonly kind: MemberKind; readonly entry: LdapEntry };

/** Everybody below a group. Keys are normalised DNs. */
export type Membership = {
  /** Members that the group itself names, and accounts with it as primary group. */
  readonly direct: readonly Member[];
  readonly directUnread: number;
  /** Every account and other entry once, however many ways lead to it. */
  readonly leaves: readonly Member[];
  /** The same, by key. */
  readonly byKey: ReadonlyMap<string, Member>;
  /** Every nested group once, without the group itself, in order of discovery. */
  readonly groups: readonly LdapEntry[];
  /** Members that are named and could not be read, over all groups. */
  readonly unread: number;
  /** DNs of members in other domains, over all groups. */
  readonly outside: readonly string[];
  /** Groups whose members the bind account has no right to read. */
  readonly hidden: readonly LdapEntry[];
  readonly depth: number;
  /** Groups that contain themselves through others. */
  readonly cycles: readonly LdapEntry[];
  /** What each group names, and who has it as primary group. */
  readonly ways: GroupWays;
  readonly how: HowRead;
  /** False when the walk stopped at the maximum. */
  readonly complete: boolean;
};

/** Members up to which a group is read before the directory is asked for its nested groups. */
const FEW = 100;
const PRIMARY_BATCH = 100;

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
  const outside = new Map<string, string>();
  const isDomain = directory.root.kind === 'active-directory';
  const domain = normalizeDn(directory.root.defaultNamingContext ?? directory.baseDn);
  let how = SHORT_WALK;
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
    const { pending } = tree;
    for (const [key, { dn }] of pending) {
      if (isDomain && !key.endsWith(`,${domain}`)) outside.set(key, dn);
      if (known.has(key) || unreadable.has(key) || outside.has(key)) pending.delete(key);
    }
    complete = more.value.complete && known.size + tree.groups.size + pending.size <= maximum + 1;
    if (!complete) break;
    keepHeapSmall(pending.size);
    const groups: LdapEntry[] = [];
    const attributes = isDomain ? DOMAIN_MEMBER_ATTRIBUTES : MEMBER_ATTRIBUTES;
    const take = (key: string, entry: LdapEntry) => {
      // An entry that does not show what it is may be a person or a group.
      if (!entry.names.includes('objectclass')) return void unreadable.add(key);
      const kind = kindOf(entry);
      if (kind === 'group') groups.push(entry);
      else known.set(key, { kind, entry });
    };
    const read = await readEach(directory, pending, attributes, take, async () => {
      const asked = await readInChain(directory, group, pending, attributes, take);
      if (asked.ok && asked.value !== SHORT_WALK) how = asked.value;
      return asked;
    });
    if (!read.ok) return read;
    for (const [key, { dn }] of pending) {
      // A domain below this one has its name at the end of its DNs too.
      if (isDomain && domainName(dn) !== domainName(domain)) outside.set(key, dn);
      else unreadable.add(key);
    }
    pending.clear();
    for (const entry of groups) addGroup(tree, entry);
    fresh = groups;
  }
  const hidden = await hiddenGroups(directory, tree.silent);
  if (!hidden.ok) return hidden;
  const hiding = hidden.value.flatMap((key) => tree.groups.get(key) ?? []);
  const found = summarize(tree, known, unreadable, complete);
  return ok({ ...found, outside: [...outside.values()], hidden: hiding, how });
}

function summarize(
  tree: GroupTree,
  known: ReadonlyMap<string, Member>,
  unreadable: ReadonlySet<string>,
  complete: boolean,
): Omit<Membership, 'outside' | 'hidden' | 'how'> {
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
    byKey: known,
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
export function uncounted({ unread, leaves, outside, hidden }: Membership): string | undefined {
  if (hidden.length > 0)
    return `the bind account has no right to read the members of ${hidden.map(nameOf).join(', ')}: it needs Read on the property member`;
  if (unread > 0) return `${unread} members could not be read, so nobody knows how many people stand behind them`;
  const foreign = leaves.filter(({ kind }) => kind === 'foreign').length + outside.length;
  return foreign > 0
    ? `${foreign} members are principals of other domains or stand for everybody, and cannot be counted`
    : undefined;
}

/** Names of those that stand for more or less everybody: the group, nested ones, well-known principals. */
export function broadGroups(group: LdapEntry, { groups, leaves }: Membership): string[] {
  const wide = [group, ...groups].filter((entry) => isBroad(sidOf(entry) ?? ''));
  const wellKnown = foreignSids(leaves).flatMap((sid) => wellKnownName(sid) ?? []);
  return [...new Set([...wide.map(nameOf), ...wellKnown])].sort();
}

/** Domains of members that are of another one, by SID or name, each with how many it has. What tells a person is left out. */
export function foreignMembers({ leaves, outside }: Membership): string[] {
  const sids = foreignSids(leaves).filter((sid) => wellKnownName(sid) === undefined);
  const domains = new Map<string, number>();
  for (const domain of [...sids.map(domainOf), ...outside.map(domainName)])
    domains.set(domain, (domains.get(domain) ?? 0) + 1);
  return [...domains].map(([domain, count]) => `${domain} (${count})`).sort();
}

function foreignSids(leaves: readonly Member[]): string[] {
  return leaves.filter(({ kind }) => kind === 'foreign').map(({ entry }) => sidOf(entry) ?? nameOf(entry));
}

/** Those of `broadGroups` and `foreignMembers` together. */
export function broadNames(group: LdapEntry, membership: Membership): string[] {
  return [...broadGroups(group, membership), ...foreignMembers(membership)].sort();
}
