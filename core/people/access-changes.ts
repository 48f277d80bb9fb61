import { z } from 'zod';
import type { AccessFacts } from '../probes/directory-access.ts';
import type { AbsentFact } from '../probes/declaration.ts';
import { pseudonymSchema } from '../probes/people.ts';
import { type Since, sinceSchema } from './earlier.ts';

const role = { role: z.string().describe('Id of the role') };
const held = { id: pseudonymSchema, name: z.string().optional().describe('Only where the facts have names') };
const roles = z.array(z.string()).describe('Ids of roles');
const groupSchema = z.strictObject({ ...role, group: z.string().describe('Group that gives the role') });
const grantorSchema = z.strictObject({
  ...role,
  type: z.enum(['group', 'person', 'well-known', 'unresolved']),
  name: z.string().optional().describe('Absent for a person'),
  id: pseudonymSchema.optional(),
});

/** What is otherwise than in an earlier bundle. */
export const accessChangesSchema = z.strictObject({
  since: sinceSchema,
  sentence: z.string().describe('What changed, in one line'),
  joined: z
    .array(z.strictObject({ ...held, roles }))
    .optional()
    .describe('Who holds a role now and held none then'),
  left: z
    .array(z.strictObject({ id: pseudonymSchema, roles }))
    .optional()
    .describe('Who held a role then and holds none now'),
  moved: z
    .array(z.strictObject({ ...held, from: roles, to: roles }))
    .optional()
    .describe('Who holds other roles than then'),
  counts: z
    .array(z.strictObject({ ...role, before: z.int(), now: z.int() }))
    .describe('Holders of each role, then and now, where both are known'),
  regrouped: z
    .array(z.strictObject({ ...role, before: z.string(), now: z.string() }))
    .describe('Roles that another group gives than then'),
  groupsAdded: z.array(groupSchema).optional().describe('Nested groups that give a role now and did not then'),
  groupsRemoved: z.array(groupSchema).optional().describe('Nested groups that gave a role then and do not now'),
  grantorsAdded: z.array(grantorSchema).optional().describe('Who can give a role now and could not then'),
  grantorsRemoved: z.array(grantorSchema).optional().describe('Who could give a role then and cannot now'),
});
export type AccessChanges = z.output<typeof accessChangesSchema>;

type Role = AccessFacts['roles'][number];
type Grantor = z.output<typeof grantorSchema>;
/** A value, or why it is not known. */
type Known<T> = { readonly value: T } | { readonly reason: string };

/** Compares the facts of two walks. What cannot be compared is left out, with the reason. Pure. */
export function compareAccess(
  now: AccessFacts,
  before: AccessFacts,
  since: Omit<Since, 'keyId'>,
): { readonly changed: AccessChanges; readonly absent: AbsentFact[] } {
  const absent: AbsentFact[] = [];
  const take = <T, K extends string>(known: Known<T>, give: (value: T) => Record<K, unknown>, ...names: K[]) => {
    if ('value' in known) return give(known.value);
    for (const name of names) absent.push({ path: `changed.${name}`, reason: known.reason });
    return {};
  };
  const pairs = now.roles.map((role) => ({ role, earlier: before.roles.find(({ id }) => id === role.id) }));
  const people = comparePeople(now, before);
  const changed = {
    since: { ...since, ...(before.keyId === undefined ? {} : { keyId: before.keyId }) },
    ...take(people, (value) => value, 'joined', 'left', 'moved'),
    counts: pairs.flatMap(({ role: { id, holders }, earlier }) =>
      holders === undefined || earlier?.holders === undefined
        ? []
        : [{ role: id, before: earlier.holders, now: holders }],
    ),
    regrouped: pairs.flatMap(({ role: { id, group }, earlier }) =>
      earlier === undefined || earlier.group.toLowerCase() === group.toLowerCase()
        ? []
        : [{ role: id, before: earlier.group, now: group }],
    ),
    ...take(compareGroups(now, before), (value) => value, 'groupsAdded', 'groupsRemoved'),
    ...take(compareGrantors(now, before), (value) => value, 'grantorsAdded', 'grantorsRemoved'),
  } as Omit<AccessChanges, 'sentence'>;
  return { changed: { ...changed, sentence: sentenceOf(changed) }, absent };
}

/** Pairs of the same role; or why some role has no counterpart. */
function sameRoles(now: AccessFacts, before: AccessFacts): Known<[Role, Role][]> {
  const ids = (facts: AccessFacts) => facts.roles.map(({ id }) => id);
  const added = ids(now).filter((id) => !ids(before).includes(id));
  if (added.length > 0) return { reason: `the earlier bundle does not have the role ${added.join(', ')}` };
  const gone = ids(before).filter((id) => !ids(now).includes(id));
  if (gone.length > 0) return { reason: `only the earlier bundle has the role ${gone.join(', ')}` };
  return {
    value: now.roles.flatMap((role) => {
      const then = before.roles.find(({ id }) => id === role.id);
      return then === undefined ? [] : ([[role, then]] as [Role, Role][]);
    }),
  };
}

/** Why people of the two walks cannot be compared; undefined where they can. */
function keyFault(now: AccessFacts, before: AccessFacts): string | undefined {
  if (now.keyId === undefined) return 'this session has no site key, so nobody can be recognised';
  if (before.keyId === undefined)
    return 'the earlier bundle was recorded without a site key, so it has nobody to compare with';
  if (now.keyId !== before.keyId)
    return `the earlier bundle was recorded under the site key ${before.keyId}, this session under ${now.keyId}`;
  return undefined;
}

/** Whether the group of a role was there; a group that is not there lets nobody in. */
const isThere = (role: Role) => role.exists;

function comparePeople(
  now: AccessFacts,
  before: AccessFacts,
): Known<Pick<Required<AccessChanges>, 'joined' | 'left' | 'moved'>> {
  const fault = keyFault(now, before);
  if (fault !== undefined) return { reason: fault };
  const pairs = sameRoles(now, before);
  if ('reason' in pairs) return pairs;
  for (const [when, each] of [['now', 0] as const, ['then', 1] as const]) {
    const unknown = pairs.value.map((pair) => pair[each]).filter((role) => isThere(role) && role.people === undefined);
    if (unknown.length > 0)
      return { reason: `it is not known who held ${unknown.map(({ id }) => id).join(', ')} ${when}` };
  }
  const held = rolesByPerson(now);
  const heldThen = rolesByPerson(before);
  const names = new Map(now.roles.flatMap(({ people = [] }) => people.map(({ id, name }) => [id, name] as const)));
  const named = (id: string) => {
    const name = names.get(id);
    return name === undefined ? {} : { name };
  };
  return {
    value: {
      joined: [...held].filter(([id]) => !heldThen.has(id)).map(([id, roles]) => ({ id, ...named(id), roles })),
      left: [...heldThen].filter(([id]) => !held.has(id)).map(([id, roles]) => ({ id, roles })),
      moved: [...held].flatMap(([id, to]) => {
        const from = heldThen.get(id);
        return from === undefined || from.join() === to.join() ? [] : [{ id, ...named(id), from, to }];
      }),
    },
  };
}

/** Ids of the roles of each person, sorted. */
function rolesByPerson(facts: AccessFacts): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { id: role, people = [] } of facts.roles)
    for (const { id } of people) found.set(id, [...(found.get(id) ?? []), role].sort());
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function compareGroups(
  now: AccessFacts,
  before: AccessFacts,
): Known<Pick<Required<AccessChanges>, 'groupsAdded' | 'groupsRemoved'>> {
  const pairs = sameRoles(now, before);
  if ('reason' in pairs) return pairs;
  const unknown = pairs.value.flat().find((role) => isThere(role) && role.groups === undefined);
  if (unknown !== undefined) return { reason: `not every nested group of ${unknown.id} was found, now or then` };
  const nested = ({ id, groups = [] }: Role) =>
    groups.filter(({ depth }) => depth > 0).map(({ name }) => ({ role: id, group: name }));
  const [added, removed] = differences(pairs.value, nested, ({ group }) => group.toLowerCase());
  return { value: { groupsAdded: added, groupsRemoved: removed } };
}

function compareGrantors(
  now: AccessFacts,
  before: AccessFacts,
): Known<Pick<Required<AccessChanges>, 'grantorsAdded' | 'grantorsRemoved'>> {
  const pairs = sameRoles(now, before);
  if ('reason' in pairs) return pairs;
  const all = pairs.value.flat();
  const unknown = all.find((role) => isThere(role) && role.grantors === undefined);
  if (unknown !== undefined) return { reason: `it is not known who can give ${unknown.id}, now or then` };
  const fault = keyFault(now, before);
  if (fault !== undefined && all.some(({ grantors = [] }) => grantors.some(({ type }) => type === 'person')))
    return { reason: fault };
  const grantors = ({ id: role, grantors: list = [] }: Role) =>
    list.map(
      ({ type, name, id }): Grantor => ({
        role,
        type,
        ...(name === undefined ? {} : { name }),
        ...(id === undefined ? {} : { id }),
      }),
    );
  const [added, removed] = differences(pairs.value, grantors, ({ type, name, id }) => `${type} ${id ?? name ?? ''}`);
  return { value: { grantorsAdded: added, grantorsRemoved: removed } };
}

/** What is only in the present role of each pair, and what only in the earlier one. */
function differences<T>(
  pairs: readonly [Role, Role][],
  listOf: (role: Role) => T[],
  identify: (entry: T) => string,
): [T[], T[]] {
  const only = (role: Role, other: Role) => {
    const known = new Set(listOf(other).map(identify));
    return listOf(role).filter((entry) => !known.has(identify(entry)));
  };
  return [pairs.flatMap(([role, then]) => only(role, then)), pairs.flatMap(([role, then]) => only(then, role))];
}

/** "3 people joined and 1 left since 2026-10-01; 1 more group gives a role." */
function sentenceOf(changed: Omit<AccessChanges, 'sentence'>): string {
  const { joined, left, moved, counts, regrouped } = changed;
  const day = changed.since.at.slice(0, 10);
  const told: string[] = [];
  if (joined !== undefined && left !== undefined && moved !== undefined) {
    const parts = [
      ...(joined.length > 0 ? [`${people(joined.length)} joined`] : []),
      ...(left.length > 0 ? [`${joined.length > 0 ? left.length : people(left.length)} left`] : []),
      ...(moved.length > 0 ? [`${people(moved.length)} changed roles`] : []),
    ];
    told.push(`${parts.length === 0 ? 'Nobody joined or left' : listed(parts)} since ${day}`);
  } else {
    const other = counts.filter((count) => count.before !== count.now);
    told.push(
      `Who joined or left since ${day} cannot be told${other.length === 0 ? '' : `; ${other.map(({ role, before, now }) => `${role} had ${people(before)}, now ${now}`).join(', ')}`}`,
    );
  }
  const more = (list: readonly unknown[] = [], words: (count: number) => string) => {
    if (list.length > 0) told.push(words(list.length));
  };
  more(regrouped, (count) => `${count === 1 ? '1 role is' : `${count} roles are`} given by another group`);
  more(
    changed.groupsAdded,
    (count) => `${count} more ${count === 1 ? 'nested group gives' : 'nested groups give'} a role`,
  );
  more(
    changed.groupsRemoved,
    (count) => `${count} nested ${count === 1 ? 'group no longer gives' : 'groups no longer give'} a role`,
  );
  more(changed.grantorsAdded, (count) => `${count} more can give a role`);
  more(changed.grantorsRemoved, (count) => `${count} can no longer give a role`);
  return `${told.join('; ')}.`;
}

function people(count: number): string {
  return count === 1 ? '1 person' : `${count} people`;
}

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}
