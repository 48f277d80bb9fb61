import { fail, ok, type Result } from '../../core/result.ts';
import type { LdapEntry } from '../wire/ldap.ts';
import { isGroup, nameOf, readMany } from '../wire/ldap-lookup.ts';
import { normalizeDn } from '../wire/ldap-names.ts';
import type { SiteDirectory } from '../wire/ldap-site.ts';
import type { Principal } from './principal.ts';

/** A group below another one that names a member itself. */
export type Naming = {
  readonly group: LdapEntry;
  /** Names from the upper group down to this one. */
  readonly path: readonly string[];
};

const ATTRIBUTES = ['objectClass', 'objectSid', 'sAMAccountName', 'cn', 'memberOf'];
const MAX_GROUPS = 5_000;

/**
 * The groups nested in `top` that name `member` themselves, each with the shortest way down to it; `top` itself is not among
 * them. Walked upwards from the member, since groups are in few groups and have many members.
 */
export async function namingBelow(
  directory: SiteDirectory,
  top: Principal,
  member: Principal,
): Promise<Result<Naming[]>> {
  const known = await groupsAbove(directory, member.entry);
  if (!known.ok) return known;
  const groups = known.value;
  const topKey = normalizeDn(top.dn);
  const naming: Naming[] = [];
  for (const dn of member.entry.texts('memberOf')) {
    const group = groups.get(normalizeDn(dn));
    if (group === undefined || normalizeDn(dn) === topKey) continue;
    const path = wayUp(groups, group, topKey);
    if (path !== undefined) naming.push({ group, path: path.map(nameOf) });
  }
  return ok(naming);
}

/** Names of the groups that `group` is directly in, besides `without`. */
export async function alsoIn(
  directory: SiteDirectory,
  group: LdapEntry,
  without: readonly string[],
): Promise<Result<string[]>> {
  const parents = await readMany(directory, group.texts('memberOf'), ATTRIBUTES);
  if (!parents.ok) return parents;
  return ok([...parents.value.values()].map(nameOf).filter((name) => !without.includes(name)));
}

async function groupsAbove(directory: SiteDirectory, entry: LdapEntry): Promise<Result<Map<string, LdapEntry>>> {
  const known = new Map<string, LdapEntry>();
  let level = [...entry.texts('memberOf')];
  while (level.length > 0) {
    const missing = [...new Set(level)].filter((dn) => !known.has(normalizeDn(dn)));
    const read = await readMany(directory, missing, ATTRIBUTES);
    if (!read.ok) return read;
    if (known.size + read.value.size > MAX_GROUPS)
      return fail('change.refused', `${nameOf(entry)} is in too many groups to tell by which it gets in.`);
    for (const [key, group] of read.value) if (isGroup(group)) known.set(key, group);
    level = [...read.value.values()].flatMap((group) => [...group.texts('memberOf')]);
  }
  return ok(known);
}

/** The shortest way from `top` down to `from`, both included; undefined where there is none. */
function wayUp(groups: ReadonlyMap<string, LdapEntry>, from: LdapEntry, top: string): LdapEntry[] | undefined {
  const seen = new Set([normalizeDn(from.dn)]);
  let ways: LdapEntry[][] = [[from]];
  while (ways.length > 0) {
    const longer: LdapEntry[][] = [];
    for (const way of ways) {
      for (const dn of way[0]?.texts('memberOf') ?? []) {
        const key = normalizeDn(dn);
        const parent = groups.get(key);
        if (parent === undefined || seen.has(key)) continue;
        if (key === top) return [parent, ...way];
        seen.add(key);
        longer.push([parent, ...way]);
      }
    }
    ways = longer;
  }
  return undefined;
}
