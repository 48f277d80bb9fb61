import { ok, type Result } from '../../core/result.ts';
import { type MembershipRight, membershipRights } from './ldap-descriptor.ts';
import type { LdapEntry } from './ldap.ts';
import { isGroup, nameOf, sidOf } from './ldap-lookup.ts';
import { escapeFilterValue } from './ldap-names.ts';
import { isPrivileged, wellKnownName } from './ldap-principals.ts';
import type { SiteDirectory } from './ldap-site.ts';

type Writer = {
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
 * Reads who may change the membership of a group, with names for what has one.
 * @returns the writers, or a sentence saying why they are not known
 */
export async function readWriters(directory: SiteDirectory, groupDn: string): Promise<Result<Writer[] | string>> {
  if (directory.root.kind !== 'active-directory') return ok('only Active Directory shows who may change a group');
  const read = await directory.session.read(groupDn, ['nTSecurityDescriptor'], OWNER_AND_DACL);
  if (!read.ok)
    return read.error.code === 'ldap.no-right' || read.error.code === 'ldap.result'
      ? ok(`the access control list could not be read: ${read.error.message}`)
      : read;
  const [descriptor] = read.value?.bytes('nTSecurityDescriptor') ?? [];
  if (descriptor === undefined) return ok('the bind account may not read the access control list');
  const rights = membershipRights(descriptor);
  if (rights === undefined) return ok('the access control list could not be understood');
  const names = await resolveSids(
    directory,
    rights.map(({ sid }) => sid).filter((sid) => wellKnownName(sid) === undefined),
  );
  return names.ok ? ok(rights.map((right) => describe(right, names.value.get(right.sid)))) : names;
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
