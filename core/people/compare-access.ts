import type { AccessFacts } from '../probes/directory-access.ts';
import type { AbsentFact } from '../probes/declaration.ts';
import { type AccessChanges, sentenceOf } from './access-changes.ts';
import type { Since } from './earlier.ts';

type Role = AccessFacts['roles'][number];
type Grantor = NonNullable<AccessChanges['grantorsAdded']>[number];
/** A value, or why it is not known. */
type Known<T> = { readonly value: T } | { readonly reason: string };

/** Compares the facts of two walks. What cannot be compared is left out, with the reason. Pure. */
export function compareAccess(
  now: AccessFacts,
  before: AccessFacts,
  since: Omit<Since, 'keyId'>,
): { readonly changed: AccessChanges; readonly absent: AbsentFact[] } {
  const absent: AbsentFact[] = [];
  const take = <T extends object>(known: Known<T>, ...names: (keyof T & string)[]): Partial<T> => {
    if ('value' in known) return known.value;
    for (const name of names) absent.push({ path: `changed.${name}`, reason: known.reason });
    return {};
  };
  const pairs = now.roles.map((role) => ({ role, earlier: before.roles.find(({ id }) => id === role.id) }));
  const people = comparePeople(now, before);
  const able = 'reason' in people ? people : compareAble(now, before);
  const changed = {
    since: { ...since, ...(before.keyId === undefined ? {} : { keyId: before.keyId }) },
    ...take(people, 'joined', 'left', 'moved'),
    ...take(able, 'enabled', 'disabled'),
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
    ...take(compareGroups(now, before), 'groupsAdded', 'groupsRemoved'),
    ...take(compareGrantors(now, before), 'grantorsAdded', 'grantorsRemoved'),
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

/** A group that is not there lets nobody in, and so is known. */
function comparePeople(
  now: AccessFacts,
  before: AccessFacts,
): Known<Pick<Required<AccessChanges>, 'joined' | 'left' | 'moved'>> {
  const fault = keyFault(now, before);
  if (fault !== undefined) return { reason: fault };
  const pairs = sameRoles(now, before);
  if ('reason' in pairs) return pairs;
  for (const [when, each] of [['now', 0] as const, ['then', 1] as const]) {
    const unknown = pairs.value
      .map((pair) => pair[each])
      .filter(({ exists, people }) => exists && people === undefined);
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
      joined: sorted([...held].filter(([id]) => !heldThen.has(id)).map(([id, roles]) => ({ id, ...named(id), roles }))),
      left: sorted([...heldThen].filter(([id]) => !held.has(id)).map(([id, roles]) => ({ id, roles }))),
      moved: sorted(
        [...held].flatMap(([id, to]) => {
          const from = heldThen.get(id);
          const same = from?.length === to.length && to.every((role) => from.includes(role));
          return from === undefined || same ? [] : [{ id, ...named(id), from, to }];
        }),
      ),
    },
  };
}

/** Who can log in and could not, and the other way round, of those who held a role at both times. */
function compareAble(
  now: AccessFacts,
  before: AccessFacts,
): Known<Pick<Required<AccessChanges>, 'enabled' | 'disabled'>> {
  const people = new Map(
    now.roles.flatMap(({ people: list = [] }) => list.map((person) => [person.id, person] as const)),
  );
  const then = new Map(
    before.roles.flatMap(({ people: list = [] }) => list.map((person) => [person.id, person] as const)),
  );
  if ([...people.values(), ...then.values()].some(({ canLogIn }) => canLogIn === undefined))
    return { reason: 'it is not known of everybody whether they can log in, now or then' };
  const roles = rolesByPerson(now);
  const turned = (to: boolean) =>
    sorted(
      [...roles].flatMap(([id, held]) => {
        const [person, earlier] = [people.get(id), then.get(id)];
        if (person?.canLogIn !== to || earlier === undefined || earlier.canLogIn === to) return [];
        return [{ id, ...(person.name === undefined ? {} : { name: person.name }), roles: held }];
      }),
    );
  return { value: { enabled: turned(true), disabled: turned(false) } };
}

/** Ids of the roles of each person, in the order of the guide. */
function rolesByPerson(facts: AccessFacts): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { id: role, people = [] } of facts.roles) {
    for (const { id } of people) {
      const known = found.get(id);
      if (known === undefined) found.set(id, [role]);
      else known.push(role);
    }
  }
  return found;
}

function sorted<T extends { readonly id: string }>(people: T[]): T[] {
  return people.sort((a, b) => (a.id < b.id ? -1 : 1));
}

function compareGroups(
  now: AccessFacts,
  before: AccessFacts,
): Known<Pick<Required<AccessChanges>, 'groupsAdded' | 'groupsRemoved'>> {
  const pairs = sameRoles(now, before);
  if ('reason' in pairs) return pairs;
  const unknown = pairs.value.flat().find(({ exists, groups }) => exists && groups === undefined);
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
  const unknown = all.find(({ exists, grantors }) => exists && grantors === undefined);
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
