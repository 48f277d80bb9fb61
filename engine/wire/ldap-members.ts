import { ok, type Result } from '../../core/result.ts';
import type { LdapEntry } from './ldap.ts';
import { isGroup, readMany, sidOf } from './ldap-lookup.ts';
import { escapeFilterValue, normalizeDn } from './ldap-names.ts';
import type { SiteDirectory } from './ldap-site.ts';
import { relativeId } from './ldap-values.ts';

type MemberKind = 'person' | 'computer' | 'group' | 'foreign' | 'other';
export type Member = { readonly kind: MemberKind; readonly entry: LdapEntry };

/** Everybody below a group. */
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
  /** False when the walk stopped at the maximum. */
  readonly complete: boolean;
};

/** What is read of every member. */
export const MEMBER_ATTRIBUTES = [
  'objectClass',
  'objectSid',
  'sAMAccountName',
  'cn',
  'uid',
  'member',
  'uniqueMember',
  'memberUid',
  'userAccountControl',
  'accountExpires',
  'lastLogonTimestamp',
  'whenCreated',
  'pwdAccountLockedTime',
];

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
 * Walks `member` from the group downwards, level by level, adding accounts whose primary group a group is (`member` omits
 * them). `group` must have been read with MEMBER_ATTRIBUTES.
 * @param maximum entries after which the walk stops
 */
export async function walkMembers(
  directory: SiteDirectory,
  group: LdapEntry,
  maximum: number,
): Promise<Result<Membership>> {
  const rootKey = normalizeDn(group.dn);
  const known = new Map<string, Member>([[rootKey, { kind: 'group', entry: group }]]);
  const edges = new Map<string, string[]>();
  const direct: Member[] = [];
  const unreadable = new Set<string>();
  let directUnread = 0;
  let complete = true;
  let level: LdapEntry[] = [group];
  while (level.length > 0 && complete) {
    const next: LdapEntry[] = [];
    for (const current of level) {
      const members = await membersOf(directory, current, known, maximum);
      if (!members.ok) return members;
      const key = normalizeDn(current.dn);
      edges.set(key, []);
      for (const dn of members.value.unread) unreadable.add(dn);
      if (key === rootKey) directUnread = members.value.unread.length;
      for (const [memberKey, member] of members.value.found) {
        if (key === rootKey) direct.push(member);
        if (member.kind === 'group') edges.get(key)?.push(memberKey);
        if (known.has(memberKey)) continue;
        known.set(memberKey, member);
        if (member.kind === 'group') next.push(member.entry);
      }
      complete = members.value.complete && known.size <= maximum;
      if (!complete) break;
    }
    level = next;
  }
  const nested = [...known].filter(([key, { kind }]) => kind === 'group' && key !== rootKey);
  const { depth, cyclic } = shapeOf(rootKey, edges);
  return ok({
    direct,
    directUnread,
    leaves: [...known.values()].filter(({ kind }) => kind !== 'group'),
    groups: nested.map(([, { entry }]) => entry),
    unread: unreadable.size,
    depth,
    cycles: cyclic.flatMap((key) => known.get(key)?.entry ?? []),
    complete,
  });
}

type Found = { readonly found: Map<string, Member>; readonly unread: string[]; readonly complete: boolean };

async function membersOf(
  directory: SiteDirectory,
  group: LdapEntry,
  known: ReadonlyMap<string, Member>,
  maximum: number,
): Promise<Result<Found>> {
  const found = new Map<string, Member>();
  // groupOfNames must have a member, so an empty DN is put there to stand for nobody; NameAndOptionalUID may carry `#'…'B`.
  const named = [
    ...group.texts('member'),
    ...group.texts('uniqueMember').map((dn) => dn.replace(/#'[01]*'B$/, '')),
  ].filter((dn) => dn !== '');
  if (named.length > maximum) return ok({ found, unread: [], complete: false });
  const missing: string[] = [];
  for (const dn of named) {
    const key = normalizeDn(dn);
    const member = known.get(key);
    if (member === undefined) missing.push(dn);
    else found.set(key, member);
  }
  const read = await readMany(directory, missing, MEMBER_ATTRIBUTES);
  if (!read.ok) return read;
  for (const [key, entry] of read.value) found.set(key, { kind: kindOf(entry), entry });
  const unread = missing.filter((dn) => !found.has(normalizeDn(dn)));
  const more = await indirectly(directory, group, maximum);
  if (!more.ok) return more;
  for (const entry of more.value.entries) {
    const key = normalizeDn(entry.dn);
    if (!found.has(key)) found.set(key, known.get(key) ?? { kind: kindOf(entry), entry });
  }
  return ok({ found, unread: [...unread, ...more.value.unread], complete: more.value.complete });
}

/** Members that are not named by DN: by primary group, or by `memberUid` (RFC 2307). */
async function indirectly(
  { session, baseDn }: SiteDirectory,
  group: LdapEntry,
  maximum: number,
): Promise<Result<{ entries: LdapEntry[]; unread: string[]; complete: boolean }>> {
  const sid = sidOf(group);
  if (sid !== undefined) {
    if (!sid.startsWith('S-1-5-21-')) return ok({ entries: [], unread: [], complete: true });
    const filter = `(primaryGroupID=${relativeId(sid)})`;
    const found = await session.search({ base: baseDn, filter, attributes: MEMBER_ATTRIBUTES, limit: maximum });
    return found.ok ? ok({ ...found.value, unread: [] }) : found;
  }
  const entries: LdapEntry[] = [];
  const unread: string[] = [];
  const uids = group.texts('memberUid');
  if (uids.length > maximum) return ok({ entries, unread, complete: false });
  for (const uid of uids) {
    const found = await session.search({
      base: baseDn,
      filter: `(uid=${escapeFilterValue(uid)})`,
      attributes: MEMBER_ATTRIBUTES,
      limit: 10,
    });
    if (!found.ok) return found;
    entries.push(...found.value.entries);
    if (found.value.entries.length === 0) unread.push(`uid=${uid}`);
  }
  return ok({ entries, unread, complete: true });
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
