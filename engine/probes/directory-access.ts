import type { z } from 'zod';
import type { AbsentFact } from '../../core/probes/declaration.ts';
import { directoryAccess as declaration } from '../../core/probes/directory-access.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { defineProbe, type ProbeContext, type ProbeOutcome } from '../context.ts';
import type { LdapEntry } from '../wire/ldap.ts';
import { grantorsOf, grantorsOfAll } from '../wire/ldap-grantors.ts';
import { findGroup } from '../wire/ldap-lookup.ts';
import { broadNames, type Membership, uncounted, walkMembers } from '../wire/ldap-members.ts';
import { normalizeDn } from '../wire/ldap-names.ts';
import { MEMBER_ATTRIBUTES } from '../wire/ldap-nesting.ts';
import { type SiteDirectory, withDirectory } from '../wire/ldap-site.ts';
import { parseFileTime, parseNumber } from '../wire/ldap-values.ts';
import { describePerson, describeWalk, siteKeyIdOf } from '../wire/ldap-walk.ts';

type Params = z.output<typeof declaration.params>;
type Facts = z.input<typeof declaration.facts>;
type Writable<T> = { -readonly [K in keyof T]: T[K] };
type RoleFacts = Writable<Facts['roles'][number]>;

/** One role, with its holders by normalised DN, or without where they could not all be told. */
type Role = { readonly facts: RoleFacts; readonly holders?: ReadonlyMap<string, LdapEntry>; readonly gaps: Gap[] };
type Gap = { readonly name: keyof RoleFacts | 'people[].canLogIn'; readonly reason: string };

const DISABLED = 0x2;
const NO_KEY = 'the hospital gave no key for pseudonyms';

async function look(params: Params, context: ProbeContext): Promise<Result<ProbeOutcome<Facts>>> {
  const ids = params.roles.map(({ id }) => id);
  const unknown = params.keepApart.flat().filter((id) => !ids.includes(id));
  if (unknown.length > 0)
    return fail('guide.invalid', `keepApart names ${unknown.join(', ')}; the roles are ${ids.join(', ')}.`);
  if (params.keepApart.some(([a, b]) => a === b))
    return fail('guide.invalid', 'keepApart names a pair of one and the same role.');
  return withDirectory(context, async (directory) => {
    const roles: Role[] = [];
    for (const role of params.roles) {
      context.progress(`Who can log in as ${role.name ?? role.id}`);
      const found = await lookAtRole(directory, role, params, context);
      if (!found.ok) return found;
      roles.push(found.value);
    }
    return ok({ kind: 'facts' as const, ...join(roles, params, context) });
  });
}

async function lookAtRole(
  directory: SiteDirectory,
  { id, group: name }: Params['roles'][number],
  { maximum, names }: Params,
  context: ProbeContext,
): Promise<Result<Role>> {
  const group = await findGroup(directory, name, MEMBER_ATTRIBUTES);
  if (!group.ok) return group;
  const facts: RoleFacts = { id, group: name, exists: group.value !== undefined };
  const gaps: Gap[] = [];
  const leaveOut = (names: readonly Gap['name'][], reason: string) =>
    gaps.push(...names.map((one) => ({ name: one, reason })));
  const counts = ['holders', 'canLogIn', 'paths', 'people'] as const;
  if (group.value === undefined) {
    leaveOut([...counts, 'groups', 'broad', 'grantors'], `there is no group ${name}`);
    return ok({ facts, gaps });
  }
  const members = await walkMembers(directory, group.value, maximum);
  if (!members.ok) return members;
  const tooMany = members.value.complete ? undefined : `there are more than ${maximum} entries, so the walk stopped`;
  // What could not be read may be a group; principals of other domains are none of this one.
  const unseen = tooMany ?? uncounted({ ...members.value, leaves: [], outside: [] });
  const broad = broadNames(group.value, members.value);
  if (unseen === undefined || broad.length > 0) facts.broad = broad;
  const walk = unseen === undefined ? describeWalk(group.value, members.value, context, names) : undefined;
  if (walk !== undefined) facts.groups = [...walk.groups];
  if (unseen !== undefined) leaveOut(broad.length > 0 ? ['groups'] : ['groups', 'broad'], unseen);
  const grantors = await grantorsOf(directory, walk?.groups, context);
  if (!grantors.ok) return grantors;
  if (typeof grantors.value === 'string') leaveOut(['grantors'], grantors.value);
  else facts.grantors = grantors.value;
  const gap = tooMany ?? uncounted(members.value);
  if (gap !== undefined) {
    leaveOut(counts, gap);
    return ok({ facts, gaps });
  }
  const holders = new Map(
    members.value.leaves
      .filter(({ kind }) => kind === 'person')
      .map(({ entry }) => [normalizeDn(entry.dn), entry] as const),
  );
  facts.holders = holders.size;
  facts.paths = pathsInto(normalizeDn(group.value.dn), members.value, holders);
  const able = ableOf(directory, [...holders.values()], context.now());
  if (typeof able === 'string') leaveOut(['canLogIn'], able);
  else facts.canLogIn = able.length;
  if (walk?.people === undefined) leaveOut(['people'], NO_KEY);
  else if (typeof able === 'string') {
    leaveOut(['people[].canLogIn'], able);
    facts.people = [...walk.people];
  } else {
    const codes = new Set(able.map((entry) => describePerson(entry, context, false)?.id));
    facts.people = walk.people.map((person) => ({ ...person, canLogIn: codes.has(person.id) }));
  }
  return ok({ facts, holders, gaps });
}

function pathsInto(
  root: string,
  { ways }: Membership,
  holders: ReadonlyMap<string, LdapEntry>,
): NonNullable<RoleFacts['paths']> {
  const within = (lists: Iterable<readonly string[]>) =>
    new Set([...lists].flatMap((keys) => keys.filter((key) => holders.has(key)))).size;
  return {
    direct: within([ways.named.get(root) ?? []]),
    nested: within([...ways.named].filter(([key]) => key !== root).map(([, keys]) => keys)),
    primaryGroup: within(ways.primary.values()),
  };
}

/** Who is neither disabled nor expired; else why that is not known. */
function ableOf(directory: SiteDirectory, holders: readonly LdapEntry[], now: Date): LdapEntry[] | string {
  if (directory.root.kind !== 'active-directory')
    return 'this directory has no mark for disabled and expired accounts that can be relied on';
  const able: LdapEntry[] = [];
  for (const entry of holders) {
    const flags = parseNumber(entry.text('userAccountControl'));
    const expiry = parseFileTime(entry.text('accountExpires'));
    if (flags === undefined || expiry === undefined)
      return 'the bind account may not read userAccountControl and accountExpires of every holder';
    if ((flags & DISABLED) === 0 && !(expiry instanceof Date && expiry <= now)) able.push(entry);
  }
  return able;
}

/** What only all roles together show. */
function join(
  roles: readonly Role[],
  { keepApart, names }: Params,
  context: ProbeContext,
): { facts: Facts; absent: AbsentFact[] } {
  const facts: Writable<Facts> = { roles: roles.map((role) => role.facts) };
  const absent: AbsentFact[] = roles.flatMap((role) =>
    role.gaps.map(({ name, reason }) => ({ path: `roles[].${name}`, reason: `${role.facts.id}: ${reason}` })),
  );
  const lost = (path: string, missing: readonly Role[]) =>
    absent.push({
      path,
      reason: `it is not known who holds ${[...new Set(missing.map((role) => role.facts.id))].join(', ')}`,
    });
  const uncountedRoles = roles.filter((role) => role.holders === undefined);
  if (uncountedRoles.length > 0) lost('everyone', uncountedRoles);
  else facts.everyone = new Set(roles.flatMap((role) => [...(role.holders?.keys() ?? [])])).size;
  const byId = new Map(roles.map((role) => [role.facts.id, role]));
  const wanted = keepApart.flat().flatMap((id) => byId.get(id) ?? []);
  const undecided = wanted.filter((role) => role.holders === undefined);
  if (undecided.length > 0) for (const path of ['keptApart', 'holdTwo']) lost(path, undecided);
  else {
    const both = new Set<string>();
    facts.keptApart = keepApart.map(([a = '', b = '']) => {
      const other = byId.get(b)?.holders;
      const shared = [...(byId.get(a)?.holders ?? [])].filter(([key]) => other?.has(key) === true);
      for (const [key] of shared) both.add(key);
      const people = shared
        .flatMap(([, entry]) => describePerson(entry, context, names) ?? [])
        .sort((one, other) => (one.id < other.id ? -1 : 1));
      return { roles: [a, b], count: shared.length, ...(context.siteKey === undefined ? {} : { people }) };
    });
    facts.holdTwo = both.size;
    if (context.siteKey === undefined && keepApart.length > 0)
      absent.push({ path: 'keptApart[].people', reason: NO_KEY });
  }
  const silent = roles.filter((role) => role.facts.grantors === undefined);
  if (silent.length > 0)
    absent.push({
      path: 'grantors',
      reason: `it is not known who can change the groups of ${silent.map((role) => role.facts.id).join(', ')}`,
    });
  else facts.grantors = grantorsOfAll(roles.map((role) => role.facts));
  const keyId = siteKeyIdOf(context);
  if (keyId === undefined) absent.push({ path: 'keyId', reason: NO_KEY });
  else facts.keyId = keyId;
  if (names && context.siteKey !== undefined && context.namesAgreed !== true)
    absent.push({ path: 'roles[].people[].name', reason: 'the operator did not agree that names are recorded' });
  return { facts, absent };
}

export const directoryAccess = defineProbe(declaration, look);
