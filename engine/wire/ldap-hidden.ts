import { ok, type Result } from '../../core/result.ts';
import { mayReadMembers } from './ldap-descriptor.ts';
import type { LdapEntry } from './ldap.ts';
import { findAccount, sidOf } from './ldap-lookup.ts';
import { normalizeDn } from './ldap-names.ts';
import type { SiteDirectory } from './ldap-site.ts';
import { parseSid } from './ldap-values.ts';
import { readLists } from './ldap-writers.ts';

/** Everyone, Network, Authenticated Users, This Organization: in every token of a bind with a password. */
const IN_EVERY_TOKEN = ['S-1-1-0', 'S-1-5-2', 'S-1-5-11', 'S-1-5-15'];
/** Classes whose groups must have a member (RFC 4519, 3.5 and 3.6). */
const NEVER_EMPTY = ['groupofnames', 'groupofuniquenames'];

/**
 * Which of these groups, all of which show no member, hide theirs from the bind account: a directory leaves out what may
 * not be read, so they look the same as empty ones. One whose access control list may not be read counts as hidden.
 * @returns keys of groups, normalised DNs
 */
export async function hiddenGroups(directory: SiteDirectory, groups: readonly LdapEntry[]): Promise<Result<string[]>> {
  if (groups.length === 0) return ok([]);
  if (directory.root.kind !== 'active-directory') {
    const mustHaveSome = (entry: LdapEntry) =>
      entry.texts('objectClass').some((name) => NEVER_EMPTY.includes(name.toLowerCase())) &&
      !entry.names.some((name) => name === 'member' || name === 'uniquemember');
    return ok(groups.filter(mustHaveSome).map(({ dn }) => normalizeDn(dn)));
  }
  const own = await ownSids(directory);
  if (!own.ok) return own;
  const sids = own.value;
  const readable = await readLists(
    directory,
    groups.map(({ dn }) => dn),
    (list) => sids !== undefined && mayReadMembers(list, sids) === true,
  );
  if (!readable.ok) return readable;
  return ok(groups.map(({ dn }) => normalizeDn(dn)).filter((key) => readable.value.get(key) !== true));
}

/** SIDs by which the directory judges what the bind account may do; undefined where it does not show them. */
async function ownSids(directory: SiteDirectory): Promise<Result<Set<string> | undefined>> {
  const account = await findAccount(directory, directory.user, ['objectSid']);
  if (!account.ok || account.value === undefined) return account.ok ? ok(undefined) : account;
  const read = await directory.session.read(account.value.dn, ['tokenGroups']);
  if (!read.ok) return read;
  const own = sidOf(account.value);
  const groups = (read.value?.bytes('tokenGroups') ?? []).flatMap((bytes) => parseSid(bytes) ?? []);
  if (own === undefined || groups.length === 0) return ok(undefined);
  return ok(new Set([own, ...groups, ...IN_EVERY_TOKEN]));
}
