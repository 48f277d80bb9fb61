import { fail, ok, type Result } from '../../core/result.ts';
import type { LdapEntry, LdapSession } from './ldap.ts';
import { domainName, escapeFilterValue, leafName, normalizeDn, parentDn, parseDn } from './ldap-names.ts';
import type { SiteDirectory } from './ldap-site.ts';
import { parseSid } from './ldap-values.ts';

const GROUP_CLASSES = ['group', 'groupOfNames', 'groupOfUniqueNames', 'posixGroup'];
const GROUP_FILTER = `(|${GROUP_CLASSES.map((name) => `(objectClass=${name})`).join('')})`;
const BATCH = 50;
const SWEEP_FROM = 250;
const SWEEP_FACTOR = 4;
const MAX_NAMES = 20_000;
const MAX_NEAR = 5;

/** Whether an entry is a group, of Active Directory or of another schema. */
export function isGroup(entry: LdapEntry): boolean {
  return hasGroupClass(entry.texts('objectClass').map((name) => name.toLowerCase()));
}

/** As `isGroup`, by the classes in lower case. */
export function hasGroupClass(classes: readonly string[]): boolean {
  return GROUP_CLASSES.some((name) => classes.includes(name.toLowerCase()));
}

/** Name by which people know an entry: sAMAccountName, else cn, else the leaf of the DN. */
export function nameOf(entry: LdapEntry): string {
  return entry.text('sAMAccountName') ?? entry.text('cn') ?? leafName(entry.dn);
}

/** `objectSid` of an entry, S-1-…; undefined outside Active Directory. */
export function sidOf(entry: LdapEntry): string | undefined {
  const [bytes] = entry.bytes('objectSid');
  return bytes === undefined ? undefined : parseSid(bytes);
}

/** Whether a text is written as a DN, so that it is read rather than searched for. */
function looksLikeDn(text: string): boolean {
  return text.includes('=') && (parseDn(text)?.length ?? 0) > 0;
}

/**
 * Finds a group by sAMAccountName, cn or DN. A sAMAccountName wins over a cn.
 * @returns the entry; undefined when there is none; `probe.inconclusive` when several groups have that name
 */
export async function findGroup(
  directory: SiteDirectory,
  group: string,
  attributes: readonly string[],
): Promise<Result<LdapEntry | undefined>> {
  const wanted = ['objectClass', 'sAMAccountName', 'cn', ...attributes];
  if (looksLikeDn(group)) {
    const read = await directory.session.read(group, wanted);
    if (!read.ok) return read;
    return ok(read.value !== undefined && isGroup(read.value) ? read.value : undefined);
  }
  const value = escapeFilterValue(group);
  const filter = `(&${GROUP_FILTER}(|(sAMAccountName=${value})(cn=${value})))`;
  return pickOne(
    await directory.session.search({ base: directory.baseDn, filter, attributes: wanted, limit: 50 }),
    group,
    'sAMAccountName',
  );
}

/**
 * Finds an account by sAMAccountName, `DOMAIN\name`, userPrincipalName, uid or DN; results as `findGroup`. `name@domain`
 * also finds an account without userPrincipalName, as a logon does (MS-ADTS 5.1.1.1.1).
 */
export async function findAccount(
  directory: SiteDirectory,
  account: string,
  attributes: readonly string[],
): Promise<Result<LdapEntry | undefined>> {
  const wanted = ['objectClass', 'sAMAccountName', 'userPrincipalName', 'uid', 'cn', ...attributes];
  if (looksLikeDn(account)) return directory.session.read(account, wanted);
  const [name = '', domain] = account.replace(/^[^\\]+\\/, '').split('@');
  const byUpn = domain === undefined ? [] : [`(userPrincipalName=${escapeFilterValue(`${name}@${domain}`)})`];
  const local = domain === undefined || domain.toLowerCase() === domainName(directory.baseDn);
  const byName = local ? [`(sAMAccountName=${escapeFilterValue(name)})`, `(uid=${escapeFilterValue(name)})`] : [];
  for (const keys of [byUpn, byName]) {
    if (keys.length === 0) continue;
    const filter = `(&(|(objectClass=user)(objectClass=person)(objectClass=account))(|${keys.join('')}))`;
    const search = { base: directory.baseDn, filter, attributes: wanted, limit: 50 };
    const found = pickOne(await directory.session.search(search), name, 'sAMAccountName');
    if (!found.ok || found.value !== undefined) return found;
  }
  return ok(undefined);
}

function pickOne(
  found: Result<{ entries: LdapEntry[] }>,
  name: string,
  preferred: string,
): Result<LdapEntry | undefined> {
  if (!found.ok) return found;
  const { entries } = found.value;
  const exact = entries.filter((entry) => entry.text(preferred)?.toLowerCase() === name.toLowerCase());
  const best = exact.length > 0 ? exact : entries;
  if (best.length <= 1) return ok(best[0]);
  return fail('probe.inconclusive', `${best.length} entries of the directory are called ${name}: give the DN.`);
}

/** Reads many entries by DN; those that cannot be read are left out. Keys are normalised DNs. */
export async function readMany(
  directory: SiteDirectory,
  dns: readonly string[],
  attributes: readonly string[],
): Promise<Result<Map<string, LdapEntry>>> {
  const byDn = new Map<string, LdapEntry>();
  const wanted = new Map(dns.map((dn): [string, Wanted] => [normalizeDn(dn), { key: normalizeDn(dn), dn }]));
  const read = await readEach(directory, wanted, attributes, (key, entry) => void byDn.set(key, entry));
  return read.ok ? ok(byDn) : read;
}

/** An entry that is to be read: its DN as spelt, and the normalised one, under which it is found again without holding it twice. */
export type Wanted = { readonly key: string; readonly dn: string };

/**
 * Reads many entries by DN and takes them out of `wanted`, which has them by key; what stays there cannot be read. Where one
 * container holds many of them it is read in pages, for a server takes longer over a filter of names than over its
 * neighbours.
 * @param between another way to read some of what no container brought
 */
export async function readEach(
  directory: SiteDirectory,
  wanted: Map<string, Wanted>,
  attributes: readonly string[],
  found: (key: string, entry: LdapEntry) => void,
  between?: () => Promise<Result<unknown>>,
): Promise<Result<void>> {
  const { session, baseDn, root } = directory;
  const take = (entry: LdapEntry) => {
    const one = wanted.get(normalizeDn(entry.dn));
    if (one !== undefined && wanted.delete(one.key)) found(one.key, entry);
  };
  const swept = await readContainers(directory, wanted, attributes, take);
  if (!swept.ok) return swept;
  const other = await between?.();
  if (other?.ok === false) return other;
  const rest = [...wanted.values()];
  for (let at = 0; at < rest.length; at += BATCH) {
    const batch = rest.slice(at, at + BATCH);
    if (batch.length > 2) {
      const filter = byNames(root.kind, batch);
      const search = await session.search({ base: baseDn, filter, attributes, each: take });
      if (!search.ok) return search;
    }
    for (const { key, dn } of batch.filter((one) => wanted.has(one.key))) {
      const one = await readQuietly(session, dn, attributes);
      if (!one.ok) return one;
      if (one.value !== undefined && wanted.delete(key)) found(key, one.value);
    }
  }
  return ok(undefined);
}

/** A filter for entries by their DN. */
export function byNames(kind: SiteDirectory['root']['kind'], entries: readonly Wanted[]): string {
  const attribute = kind === 'active-directory' ? 'distinguishedName' : 'entryDN';
  return `(|${entries.map(({ dn }) => `(${attribute}=${escapeFilterValue(dn)})`).join('')})`;
}

/** Reads the containers in which at least SWEEP_FROM of the entries lie, unless they turn out to hold far more than those. */
async function readContainers(
  { session }: SiteDirectory,
  wanted: ReadonlyMap<string, Wanted>,
  attributes: readonly string[],
  take: (entry: LdapEntry) => void,
): Promise<Result<void>> {
  if (wanted.size < SWEEP_FROM) return ok(undefined);
  const containers = new Map<string, number>();
  for (const { dn } of wanted.values()) {
    const container = parentDn(dn);
    if (container !== undefined) containers.set(container, (containers.get(container) ?? 0) + 1);
  }
  for (const [base, count] of containers) {
    if (count < SWEEP_FROM) continue;
    const found = await session.search({
      base,
      scope: 'one',
      attributes,
      limit: count * SWEEP_FACTOR + SWEEP_FROM,
      wanted: (dn) => wanted.has(normalizeDn(dn)),
      each: take,
    });
    // A container that may not be listed can still hold entries that may be read.
    if (!found.ok && found.error.code !== 'ldap.result' && found.error.code !== 'ldap.no-right') return found;
  }
  return ok(undefined);
}

/** One entry; undefined also where the server answers with another result than success, for that entry is simply not readable. */
async function readQuietly(
  session: LdapSession,
  dn: string,
  attributes: readonly string[],
): Promise<Result<LdapEntry | undefined>> {
  const read = await session.read(dn, attributes);
  if (read.ok || (read.error.code !== 'ldap.result' && read.error.code !== 'ldap.no-right')) return read;
  return ok(undefined);
}

/** Names of groups that are spelt much like `name`, nearest first. */
export async function nearMatches(directory: SiteDirectory, name: string): Promise<Result<string[]>> {
  const wanted = looksLikeDn(name) ? leafName(name) : name;
  const found = await directory.session.search({
    base: directory.baseDn,
    filter: GROUP_FILTER,
    attributes: ['sAMAccountName', 'cn'],
    limit: MAX_NAMES,
  });
  if (!found.ok) return found;
  return ok(nearest(wanted, found.value.entries.map(nameOf)));
}

/** The candidates nearest to `wanted`: few letters apart, or one contained in the other. */
export function nearest(wanted: string, candidates: readonly string[]): string[] {
  const plain = (text: string) => text.toLowerCase().replace(/[\s._-]+/g, '');
  const target = plain(wanted);
  const tolerance = Math.max(2, Math.floor(target.length / 4));
  return candidates
    .map((candidate) => {
      const other = plain(candidate);
      const contained =
        Math.min(other.length, target.length) >= 4 && (other.includes(target) || target.includes(other));
      const distance =
        Math.abs(other.length - target.length) > tolerance ? Number.POSITIVE_INFINITY : editDistance(target, other);
      return { candidate, distance: contained ? Math.min(distance, tolerance) : distance };
    })
    .filter(({ distance }) => distance <= tolerance)
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, MAX_NEAR)
    .map(({ candidate }) => candidate);
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
