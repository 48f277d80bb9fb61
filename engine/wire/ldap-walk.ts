import { createHmac } from 'node:crypto';
import { KEY_ID } from '../../core/people/site-key.ts';
import type { Person, WalkedGroup } from '../../core/probes/people.ts';
import type { ProbeContext } from '../context.ts';
import type { LdapEntry } from './ldap.ts';
import { nameOf, sidOf } from './ldap-lookup.ts';
import type { Membership } from './ldap-members.ts';
import { normalizeDn } from './ldap-names.ts';
import { pseudonymOf } from './ldap-site.ts';

/** Longest path that is written out; longer ones are followed by `parents`. */
const MOST_STEPS = 20;

/** Groups and people of a complete walk, as facts have them. */
export type Walk = {
  readonly groups: readonly WalkedGroup[];
  /** Sorted by id; absent without the key of the site. */
  readonly people?: readonly Person[];
};

/**
 * Puts a complete walk into facts: every group with its parents and its shortest path, and, under the key of the site,
 * every person with the groups that they are in.
 * @param names whether the guide asks for names; they are given only where the operator agreed
 */
export function describeWalk(root: LdapEntry, membership: Membership, context: ProbeContext, names = false): Walk {
  const { ways, byKey } = membership;
  const rootKey = normalizeDn(root.dn);
  const entries = new Map([root, ...membership.groups].map((entry) => [normalizeDn(entry.dn), entry]));
  const isPerson = (key: string) => byKey.get(key)?.kind === 'person';
  const nameByKey = uniqueNames(entries);
  const called = (key: string) => nameByKey.get(key) ?? key;
  const parents = new Map<string, string[]>();
  const order = [rootKey];
  const depth = new Map([[rootKey, 0]]);
  // The list grows while it is walked, level by level, so the first parent is one of a shortest path.
  for (const key of order) {
    for (const member of ways.named.get(key) ?? []) {
      if (!entries.has(member)) continue;
      parents.set(member, [...(parents.get(member) ?? []), key]);
      if (depth.has(member)) continue;
      depth.set(member, (depth.get(key) ?? 0) + 1);
      order.push(member);
    }
  }
  const pathOf = (key: string): string[] => {
    const path = [called(key)];
    for (let at = key; at !== rootKey; path.unshift(called(at))) at = parents.get(at)?.[0] ?? rootKey;
    return path;
  };
  const via = new Map<string, string[]>();
  const byPrimary = new Map<string, string>();
  const enter = viaSharing(via);
  const groups = order.map((key): WalkedGroup => {
    const named = new Set((ways.named.get(key) ?? []).filter(isPerson));
    const primary = new Set((ways.primary.get(key) ?? []).filter((member) => isPerson(member) && !named.has(member)));
    if (context.siteKey !== undefined) {
      for (const members of [named, primary]) for (const member of members) enter(member, called(key));
      for (const member of primary) byPrimary.set(member, called(key));
    }
    const level = depth.get(key) ?? 0;
    return {
      name: called(key),
      dn: entries.get(key)?.dn ?? key,
      parents: (parents.get(key) ?? []).map(called),
      depth: level,
      ...(level > MOST_STEPS ? {} : { path: pathOf(key) }),
      people: named.size,
      ...(primary.size === 0 ? {} : { primaryGroup: primary.size }),
    };
  });
  if (context.siteKey === undefined) return { groups };
  const described: Person[] = [];
  for (const [key, { kind, entry }] of byKey) {
    const person = kind === 'person' ? describePerson(entry, context, names) : undefined;
    if (person === undefined) continue;
    const primaryGroup = byPrimary.get(key);
    described.push({ ...person, via: via.get(key) ?? [], ...(primaryGroup === undefined ? {} : { primaryGroup }) });
  }
  return { groups, people: described.sort((a, b) => (a.id < b.id ? -1 : 1)) };
}

/** Adds a group to those of a member. Tens of thousands of members are in the same few groups: they share a list, which nobody writes into. */
function viaSharing(via: Map<string, string[]>): (member: string, group: string) => void {
  const longer = new Map<readonly string[] | undefined, Map<string, string[]>>();
  return (member, group) => {
    const before = via.get(member);
    const known = longer.get(before) ?? new Map<string, string[]>();
    const list = known.get(group) ?? [...(before ?? []), group];
    longer.set(before, known.set(group, list));
    via.set(member, list);
  };
}

/** A person as facts have them; undefined without the key of the site. */
export function describePerson(
  entry: LdapEntry,
  context: ProbeContext,
  names: boolean,
): Pick<Person, 'id' | 'name'> | undefined {
  const id = pseudonymOf(context, sidOf(entry) ?? normalizeDn(entry.dn));
  if (id === undefined) return undefined;
  return names && context.namesAgreed === true ? { id, name: nameOf(entry) } : { id };
}

/** Id of the site key under which people are recorded, as the journal has it; undefined without one. */
export function siteKeyIdOf({ siteKey }: ProbeContext): string | undefined {
  if (siteKey === undefined) return undefined;
  return createHmac('sha256', siteKey)
    .update(KEY_ID.label)
    .digest('hex')
    .slice(0, KEY_ID.bytes * 2);
}

/** Name of each group, or its DN where two share a name. */
function uniqueNames(entries: ReadonlyMap<string, LdapEntry>): Map<string, string> {
  const counts = new Map<string, number>();
  for (const entry of entries.values()) counts.set(nameOf(entry), (counts.get(nameOf(entry)) ?? 0) + 1);
  return new Map([...entries].map(([key, entry]) => [key, counts.get(nameOf(entry)) === 1 ? nameOf(entry) : entry.dn]));
}
