import { ok, type Result } from '../../core/result.ts';
import { type MembershipRight, membershipRights } from './ldap-descriptor.ts';
import type { LdapEntry } from './ldap.ts';
import { isGroup, nameOf, sidOf } from './ldap-lookup.ts';
import { escapeFilterValue, normalizeDn } from './ldap-names.ts';
import { isPrivileged, wellKnownName } from './ldap-principals.ts';
import type { SiteDirectory } from './ldap-site.ts';

export type Writer = {
  readonly type: 'group' | 'person' | 'well-known' | 'unresolved';
  /** Absent for a person. */
  readonly name?: string;
  readonly sid: string;
  readonly rights: readonly string[];
  readonly privileged: boolean;
};

/** Owner and DACL: the parts that an ordinary user may read (MS-ADTS 3.1.1.3.4.1.11). */
const OWNER_AND_DACL = 5;
const BATCH = 25;

/**
 * Reads who may change the membership of groups, with names for what has one.
 * @returns by normalised DN the writers, or a sentence saying why they are not known
 */
export async function readWritersOf(
  directory: SiteDirectory,
  groupDns: readonly string[],
): Promise<Result<Map<string, Writer[] | string>>> {
  const keys = groupDns.map(normalizeDn);
  if (directory.root.kind !== 'active-directory')
    return ok(new Map(keys.map((key) => [key, 'only Active Directory shows who may change a group'])));
  // Most groups of a directory have the same list: it is taken apart once.
  const parsed = new Map<string, MembershipRight[] | string>();
  const read = await readLists(directory, groupDns, (list) => {
    const text = list.toString('latin1');
    const rights = parsed.get(text) ?? membershipRights(list) ?? 'the access control list could not be understood';
    parsed.set(text, rights);
    return rights;
  });
  if (!read.ok) return read;
  const sids = new Set([...parsed.values()].flatMap((rights) => (typeof rights === 'string' ? [] : rights)).map(sidIn));
  const named = await resolveSids(
    directory,
    [...sids].filter((sid) => wellKnownName(sid) === undefined),
  );
  if (!named.ok) return named;
  const writersIn = (rights: MembershipRight[] | string | undefined) =>
    typeof rights === 'object' ? rights.map((right) => describe(right, named.value.get(right.sid))) : rights;
  return ok(new Map(keys.map((key) => [key, writersIn(read.value.get(key)) ?? NO_LIST])));
}

const NO_LIST = 'the bind account may not read the access control list';
const sidIn = ({ sid }: MembershipRight): string => sid;

/** Owner and access control list of groups, each put through `keep` at once; those that may not be read are left out. Keys are normalised DNs. */
export async function readLists<T>(
  { session, baseDn }: SiteDirectory,
  groupDns: readonly string[],
  keep: (descriptor: Buffer) => T,
): Promise<Result<Map<string, T>>> {
  const found = new Map<string, T>();
  for (let at = 0; at < groupDns.length; at += BATCH) {
    const batch = groupDns.slice(at, at + BATCH);
    const [first = ''] = batch;
    const filter = `(|${batch.map((dn) => `(distinguishedName=${escapeFilterValue(dn)})`).join('')})`;
    const search = await session.search({
      ...(batch.length === 1 ? { base: first, scope: 'base' as const } : { base: baseDn, filter }),
      attributes: ['nTSecurityDescriptor'],
      securityDescriptor: OWNER_AND_DACL,
    });
    if (!search.ok && search.error.code !== 'ldap.no-right' && search.error.code !== 'ldap.result') return search;
    for (const entry of search.ok ? search.value.entries : []) {
      const [descriptor] = entry.bytes('nTSecurityDescriptor');
      if (descriptor !== undefined) found.set(normalizeDn(entry.dn), keep(descriptor));
    }
  }
  return ok(found);
}

function describe({ sid, rights }: MembershipRight, entry: LdapEntry | undefined): Writer {
  const common = { sid, rights, privileged: isPrivileged(sid) };
  const wellKnown = wellKnownName(sid);
  if (wellKnown !== undefined) return { type: 'well-known', name: wellKnown, ...common };
  if (entry === undefined) return { type: 'unresolved', name: sid, ...common };
  return isGroup(entry) ? { type: 'group', name: nameOf(entry), ...common } : { type: 'person', ...common };
}

/** Finds the entries of SIDs, in batches. */
export async function resolveSids(
  { session, baseDn }: SiteDirectory,
  sids: readonly string[],
): Promise<Result<Map<string, LdapEntry>>> {
  const found = new Map<string, LdapEntry>();
  for (let at = 0; at < sids.length; at += BATCH) {
    // Controllers take the written form of a SID in a filter, and turn it into bytes themselves.
    const parts = sids.slice(at, at + BATCH).map((sid) => `(objectSid=${escapeFilterValue(sid)})`);
    const search = await session.search({
      base: baseDn,
      filter: `(|${parts.join('')})`,
      attributes: ['objectSid', 'objectClass', 'sAMAccountName', 'cn'],
    });
    if (!search.ok) return search;
    for (const entry of search.value.entries) {
      const sid = sidOf(entry);
      if (sid !== undefined) found.set(sid, entry);
    }
  }
  return ok(found);
}
