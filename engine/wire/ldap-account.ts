import { ok, type Result } from '../../core/result.ts';
import type { LdapEntry } from './ldap.ts';
import { nameOf, readMany, sidOf } from './ldap-lookup.ts';
import { normalizeDn } from './ldap-names.ts';
import { isAdministrative } from './ldap-principals.ts';
import type { SiteDirectory } from './ldap-site.ts';
import { domainOf, parseNumber } from './ldap-values.ts';
import { resolveSids } from './ldap-writers.ts';

const MAX_GROUPS = 5_000;

type Upwards = { readonly count: number; readonly administrative: readonly string[] };

/**
 * Every group an account is in, upwards through nesting, its primary group included (`memberOf` omits that one).
 * @param account read with memberOf, primaryGroupID and objectSid
 * @returns the groups, or a sentence saying why they are not known
 */
export async function groupsUpwards(directory: SiteDirectory, account: LdapEntry): Promise<Result<Upwards | string>> {
  const known = new Map<string, LdapEntry>();
  const unread = new Set<string>();
  let level = [...account.texts('memberOf')];
  const primary = await primaryGroup(directory, account);
  if (!primary.ok) return primary;
  if (primary.value === undefined) return ok('its primary group could not be read');
  known.set(normalizeDn(primary.value.dn), primary.value);
  level.push(...primary.value.texts('memberOf'));
  while (level.length > 0) {
    const missing = [...new Set(level)].filter((dn) => !known.has(normalizeDn(dn)) && !unread.has(normalizeDn(dn)));
    const read = await readMany(directory, missing, ['objectClass', 'objectSid', 'sAMAccountName', 'cn', 'memberOf']);
    if (!read.ok) return read;
    for (const dn of missing) if (!read.value.has(normalizeDn(dn))) unread.add(normalizeDn(dn));
    for (const [key, entry] of read.value) known.set(key, entry);
    if (known.size > MAX_GROUPS) return ok(`it is in more than ${MAX_GROUPS} groups`);
    level = [...read.value.values()].flatMap((entry) => [...entry.texts('memberOf')]);
  }
  if (unread.size > 0) return ok(`${unread.size} of its groups could not be read`);
  const groups = [...known.values()];
  return ok({
    count: groups.length,
    administrative: groups
      .filter((entry) => isAdministrative(sidOf(entry) ?? ''))
      .map(nameOf)
      .sort(),
  });
}

async function primaryGroup(directory: SiteDirectory, account: LdapEntry): Promise<Result<LdapEntry | undefined>> {
  const sid = sidOf(account);
  const relative = parseNumber(account.text('primaryGroupID'));
  if (sid === undefined || relative === undefined) return ok(undefined);
  const wanted = `${domainOf(sid)}-${relative}`;
  const found = await resolveSids(directory, [wanted]);
  if (!found.ok) return found;
  const entry = found.value.get(wanted);
  if (entry === undefined) return ok(undefined);
  return directory.session.read(entry.dn, ['objectClass', 'objectSid', 'sAMAccountName', 'cn', 'memberOf']);
}
