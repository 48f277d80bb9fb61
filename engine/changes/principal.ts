import { fail, ok, type Result } from '../../core/result.ts';
import type { LdapEntry } from '../wire/ldap.ts';
import { isGroup, sidOf } from '../wire/ldap-lookup.ts';
import { kindOf } from '../wire/ldap-kind.ts';
import type { Member } from '../wire/ldap-members.ts';
import { escapeFilterValue, isWithin, parseDn } from '../wire/ldap-names.ts';
import type { SiteDirectory } from '../wire/ldap-site.ts';
import { readGuid } from '../wire/ldap-values.ts';

/** Somebody or something with a SID, as a change deals with it. */
export type Principal = {
  readonly dn: string;
  readonly sid: string;
  readonly kind: Member['kind'];
  readonly entry: LdapEntry;
};

const ATTRIBUTES = ['objectClass', 'objectSid', 'objectGUID', 'sAMAccountName', 'cn', 'memberOf', 'primaryGroupID'];
const PRINCIPALS = '(|(objectClass=group)(objectClass=user)(objectClass=foreignSecurityPrincipal))';
const DOMAIN_RELATIVE = /^S-1-5-21-domain-(\d{1,10})$/i;

/**
 * Finds a group or account by sAMAccountName, cn, userPrincipalName, DN or SID. `S-1-5-21-domain-513` is the SID with that
 * relative identifier in the site's own domain, whatever the group is called in its language.
 * @returns undefined when there is none; `probe.inconclusive` when several have that name
 */
export async function findPrincipal(directory: SiteDirectory, term: string): Promise<Result<Principal | undefined>> {
  const { session, baseDn } = directory;
  if (term.includes('=') && parseDn(term) !== undefined) {
    const read = await session.read(term, ATTRIBUTES);
    return read.ok ? principalOf(read.value) : read;
  }
  const value = await filterFor(directory, term);
  if (!value.ok) return value;
  const found = await session.search({ base: baseDn, filter: value.value, attributes: ATTRIBUTES, limit: 50 });
  if (!found.ok) return found;
  const { entries } = found.value;
  const exact = entries.filter((entry) => entry.text('sAMAccountName')?.toLowerCase() === term.toLowerCase());
  const best = exact.length > 0 ? exact : entries;
  return best.length > 1
    ? fail('probe.inconclusive', `${best.length} entries of the directory are called ${term}: give the DN or the SID.`)
    : principalOf(best[0]);
}

async function filterFor({ session, baseDn }: SiteDirectory, term: string): Promise<Result<string>> {
  const relative = DOMAIN_RELATIVE.exec(term)?.[1];
  if (relative !== undefined) {
    const domain = await session.read(baseDn, ['objectSid']);
    if (!domain.ok) return domain;
    const sid = domain.value === undefined ? undefined : sidOf(domain.value);
    return sid === undefined
      ? fail('ldap.no-right', `The bind account may not read the SID of ${baseDn}.`)
      : ok(`(objectSid=${sid}-${relative})`);
  }
  if (/^S-1-[\d-]+$/i.test(term)) return ok(`(objectSid=${term.toUpperCase()})`);
  const value = escapeFilterValue(term);
  return ok(`(&${PRINCIPALS}(|(sAMAccountName=${value})(cn=${value})(userPrincipalName=${value})))`);
}

function principalOf(entry: LdapEntry | undefined): Result<Principal | undefined> {
  if (entry === undefined) return ok(undefined);
  const sid = sidOf(entry);
  return sid === undefined
    ? fail('change.refused', `${isGroup(entry) ? entry.dn : 'An entry that the change names'} has no SID.`)
    : ok({ dn: entry.dn, sid, kind: kindOf(entry), entry });
}

/** The group that a change is about; `change.refused` where there is none of that name. */
export async function findTargetGroup(
  directory: SiteDirectory,
  term: string,
): Promise<Result<Principal & { guid: string }>> {
  const found = await findPrincipal(directory, term);
  if (!found.ok) return found;
  if (found.value === undefined || found.value.kind !== 'group')
    return fail('change.refused', `There is no group ${term}.`);
  const guid = guidOf(found.value.entry);
  return guid === undefined
    ? fail('ldap.no-right', `The bind account may not read the identifiers of ${found.value.dn}.`)
    : ok({ ...found.value, guid });
}

/** A group by any of its names, or what a DN below the base names, as long as it is a group or an organizational unit. */
export async function findGroupOrUnit(directory: SiteDirectory, object: string): Promise<Result<string>> {
  const isDn = object.includes('=') && parseDn(object) !== undefined;
  if (isDn && !isWithin(object, directory.baseDn))
    return fail('change.refused', `${object} does not lie below the base DN of the site.`);
  if (!isDn) {
    const found = await findPrincipal(directory, object);
    if (!found.ok) return found;
    return found.value?.kind === 'group' ? ok(found.value.dn) : fail('change.refused', `There is no group ${object}.`);
  }
  const read = await directory.session.read(object, ['objectClass']);
  if (!read.ok) return read;
  return read.value !== undefined && (isGroup(read.value) || isUnit(read.value))
    ? ok(read.value.dn)
    : fail('change.refused', `${object} is no group and no organizational unit.`);
}

function isUnit(entry: LdapEntry): boolean {
  return entry.texts('objectClass').some((name) => name.toLowerCase() === 'organizationalunit');
}

/** `objectGUID` of an entry. */
export function guidOf(entry: LdapEntry): string | undefined {
  const [bytes] = entry.bytes('objectGUID');
  return bytes === undefined ? undefined : readGuid(bytes);
}

/**
 * How a plan names an entry: groups, computers and well-known principals by DN; people by `<SID=…>` (MS-ADTS 3.1.1.3.1.2.4),
 * because plans go to the journal and a person's DN is their name.
 */
export function referenceOf({ dn, sid, kind }: Principal): string {
  return kind === 'person' || kind === 'other' ? `<SID=${sid}>` : dn;
}
