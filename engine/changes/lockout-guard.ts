import { fail, ok, type Result } from '../../core/result.ts';
import type { LdapEntry } from '../wire/ldap.ts';
import { findAccount, nameOf, readMany, sidOf } from '../wire/ldap-lookup.ts';
import { kindOf } from '../wire/ldap-kind.ts';
import { normalizeDn } from '../wire/ldap-names.ts';
import { isAdministrative } from '../wire/ldap-principals.ts';
import type { SiteDirectory } from '../wire/ldap-site.ts';
import { parseNumber, relativeId } from '../wire/ldap-values.ts';

const ATTRIBUTES = [
  'objectClass',
  'objectSid',
  'sAMAccountName',
  'cn',
  'member',
  'memberOf',
  'userAccountControl',
  'primaryGroupID',
];
const MAX_ENTRIES = 20_000;
const DISABLED = 2;
/** Domain, Schema and Enterprise Admins, and the built-in Administrators: somebody must be left in each that has anybody. */
const NEVER_EMPTIED = [512, 518, 519];

/** Members that are about to leave a group. */
export type Removal = { readonly group: LdapEntry; readonly members: readonly string[] };

/** Keys of the members that leave, by the key of the group. */
type Gone = Map<string, ReadonlySet<string>>;

/**
 * Refuses removals that would together lock somebody out: after which an administrators' group has no enabled account any
 * more, or which take an administrators' group from an account that Lockstep itself uses here.
 * @param accounts names of the bind account and, once it is known, of the one that writes
 * @returns `change.refused` with the group; also where it cannot be told
 */
export async function guardAdministrators(
  directory: SiteDirectory,
  removals: readonly Removal[],
  accounts: readonly string[],
): Promise<Result<void>> {
  const affected = new Map<string, LdapEntry>();
  const gone: Gone = new Map();
  for (const { group, members } of removals) {
    const above = await upwards(directory, group);
    if (!above.ok) return above;
    for (const entry of above.value)
      if (isAdministrative(sidOf(entry) ?? '')) affected.set(normalizeDn(entry.dn), entry);
    gone.set(normalizeDn(group.dn), new Set(members.map(normalizeDn)));
  }
  if (affected.size === 0) return ok(undefined);
  const own = await ownAccounts(directory, accounts);
  if (!own.ok) return own;
  for (const admins of affected.values()) {
    const before = await reach(directory, admins);
    if (!before.ok) return before;
    const after = await reach(directory, admins, gone);
    if (!after.ok) return after;
    const name = nameOf(admins);
    const lost = own.value.find(({ key }) => before.value.has(key) && !after.value.has(key));
    if (lost !== undefined)
      return fail(
        'change.refused',
        `This would take ${name} from ${lost.account}, an account that this very work is done with. Let somebody else do it.`,
      );
    if (neverEmptied(admins) && enabled(before.value) > 0 && enabled(after.value) === 0)
      return fail('change.refused', `This would leave ${name} without anybody who can log in.`);
  }
  return ok(undefined);
}

/** Whether a group makes its members administrators, itself or through the groups that it is nested in. */
export async function isAdministrators(directory: SiteDirectory, group: LdapEntry): Promise<Result<boolean>> {
  const above = await upwards(directory, group);
  return above.ok ? ok(above.value.some((entry) => isAdministrative(sidOf(entry) ?? ''))) : above;
}

/** The group and every group that it is in. */
export async function upwards(directory: SiteDirectory, group: LdapEntry): Promise<Result<readonly LdapEntry[]>> {
  const known = new Map<string, LdapEntry>();
  let level = [group.dn];
  while (level.length > 0) {
    const missing = [...new Set(level)].filter((dn) => !known.has(normalizeDn(dn)));
    const read = await readMany(directory, missing, ATTRIBUTES);
    if (!read.ok) return read;
    if (read.value.size < missing.length || known.size > MAX_ENTRIES)
      return fail(
        'change.refused',
        `Not every group that ${nameOf(group)} is nested in can be read, so nobody can tell whom this locks out.`,
      );
    for (const [key, entry] of read.value) known.set(key, entry);
    level = [...read.value.values()].flatMap((entry) => [...entry.texts('memberOf')]);
  }
  return ok([...known.values()]);
}

/** Accounts below a group that can log in, through nesting and primary groups. */
export async function countEnabled(directory: SiteDirectory, group: LdapEntry): Promise<Result<number>> {
  const read = await directory.session.read(group.dn, ATTRIBUTES);
  if (!read.ok || read.value === undefined) return read.ok ? ok(0) : read;
  const people = await reach(directory, read.value);
  return people.ok ? ok(enabled(people.value)) : people;
}

async function ownAccounts(
  directory: SiteDirectory,
  accounts: readonly string[],
): Promise<Result<{ account: string; key: string }[]>> {
  const found: { account: string; key: string }[] = [];
  for (const account of new Set(accounts)) {
    const entry = await findAccount(directory, account, []);
    if (!entry.ok) return entry;
    if (entry.value === undefined)
      return fail(
        'change.refused',
        `The account ${account} was not found in the directory, so nobody can tell whether this locks it out.`,
      );
    found.push({ account, key: normalizeDn(entry.value.dn) });
  }
  return ok(found);
}

function neverEmptied(group: LdapEntry): boolean {
  const sid = sidOf(group) ?? '';
  return sid === 'S-1-5-32-544' || (sid.startsWith('S-1-5-21-') && NEVER_EMPTIED.includes(relativeId(sid)));
}

function enabled(people: ReadonlyMap<string, LdapEntry>): number {
  const flags = (entry: LdapEntry) => parseNumber(entry.text('userAccountControl')) ?? DISABLED;
  return [...people.values()].filter((entry) => kindOf(entry) === 'person' && (flags(entry) & DISABLED) === 0).length;
}

/** Everything below a group by key, through nesting and primary groups, as if the members that leave were gone. */
async function reach(
  directory: SiteDirectory,
  group: LdapEntry,
  gone: Gone = new Map(),
): Promise<Result<Map<string, LdapEntry>>> {
  const known = new Map<string, LdapEntry>();
  let level: LdapEntry[] = [group];
  while (level.length > 0) {
    const next: LdapEntry[] = [];
    for (const current of level) {
      const skip = gone.get(normalizeDn(current.dn));
      const named = current
        .texts('member')
        .filter((dn) => skip?.has(normalizeDn(dn)) !== true && !known.has(normalizeDn(dn)));
      const read = await readMany(directory, named, ATTRIBUTES);
      if (!read.ok) return read;
      const primary = await byPrimaryGroup(directory, current);
      if (!primary.ok) return primary;
      for (const [key, entry] of [...read.value, ...primary.value]) {
        if (known.has(key)) continue;
        known.set(key, entry);
        if (kindOf(entry) === 'group') next.push(entry);
      }
      if (known.size > MAX_ENTRIES)
        return fail('change.refused', `${nameOf(group)} has too many members to tell whom this locks out.`);
    }
    level = next;
  }
  return ok(known);
}

async function byPrimaryGroup(
  { session, baseDn }: SiteDirectory,
  group: LdapEntry,
): Promise<Result<Map<string, LdapEntry>>> {
  const sid = sidOf(group);
  if (sid === undefined || !sid.startsWith('S-1-5-21-')) return ok(new Map());
  const filter = `(primaryGroupID=${relativeId(sid)})`;
  const found = await session.search({ base: baseDn, filter, attributes: ATTRIBUTES, limit: MAX_ENTRIES });
  return found.ok ? ok(new Map(found.value.entries.map((entry) => [normalizeDn(entry.dn), entry]))) : found;
}
