import type { z } from 'zod';
import type { AbsentFact } from '../../core/probes/declaration.ts';
import { directoryGroup as declaration } from '../../core/probes/directory-group.ts';
import { ok, type Result } from '../../core/result.ts';
import { defineProbe, type ProbeContext, type ProbeOutcome } from '../context.ts';
import type { LdapEntry } from '../wire/ldap.ts';
import { markAdOnly } from '../wire/ldap-ad-only.ts';
import { readProtection } from '../wire/ldap-protection.ts';
import { kindOf } from '../wire/ldap-kind.ts';
import { findGroup, isGroup, nameOf, nearMatches, sidOf } from '../wire/ldap-lookup.ts';
import {
  broadGroups,
  foreignMembers,
  type Member,
  type Membership,
  uncounted,
  walkMembers,
} from '../wire/ldap-members.ts';
import { MEMBER_ATTRIBUTES } from '../wire/ldap-nesting.ts';
import { normalizeDn } from '../wire/ldap-names.ts';
import { pseudonymOf, type SiteDirectory, withDirectory } from '../wire/ldap-site.ts';
import { countStates } from '../wire/ldap-states.ts';
import { parseNumber } from '../wire/ldap-values.ts';
import { describeWalk, siteKeyIdOf } from '../wire/ldap-walk.ts';
import { describeWriters } from '../wire/ldap-group-writers.ts';

type Params = z.output<typeof declaration.params>;
type Facts = z.input<typeof declaration.facts>;
type Group = NonNullable<Facts['group']>;
type Effective = NonNullable<Facts['effective']>;
type Writable<T> = { -readonly [K in keyof T]: T[K] };
/** What only Active Directory has. */
const AD_ONLY = ['group.sid', 'group.kind', 'group.scope', 'group.protected', 'writers'];
/** Why another directory cannot tell. */
const AD_LISTS = 'only Active Directory shows the access control list of an entry';

type Part<T> = { readonly facts: T; readonly absent: readonly AbsentFact[] };

const NO_KEY = 'the hospital gave no key for pseudonyms';

async function look(params: Params, context: ProbeContext): Promise<Result<ProbeOutcome<Facts>>> {
  return withDirectory(context, async (directory) => {
    const group = await findGroup(directory, params.group, [
      'groupType',
      'description',
      'managedBy',
      ...MEMBER_ATTRIBUTES,
    ]);
    if (!group.ok) return group;
    if (group.value === undefined) return missing(directory, params.group);
    context.progress(`Members of ${params.group}`);
    const about = await describeGroup(directory, group.value, context);
    if (!about.ok) return about;
    const members = await walkMembers(directory, group.value, params.maximum);
    if (!members.ok) return members;
    const writers = await describeWriters(directory, group.value, members.value, context);
    if (!writers.ok) return writers;
    const direct = describeDirect(group.value, members.value);
    const effective = await describeEffective(group.value, members.value, directory, params, context);
    if (!effective.ok) return effective;
    const keyId = siteKeyIdOf(context);
    const facts = {
      ...(keyId === undefined ? {} : { keyId }),
      exists: true,
      nearMatches: [],
      ...about.value.facts,
      direct,
      effective: effective.value.facts,
      ...writers.value.facts,
    };
    const absent = [...about.value.absent, ...effective.value.absent, ...writers.value.absent];
    if (keyId === undefined) absent.push({ path: 'keyId', reason: NO_KEY });
    return ok({ kind: 'facts' as const, facts, absent: markAdOnly(directory.root.kind, absent, AD_ONLY) });
  });
}

async function missing(directory: SiteDirectory, name: string): Promise<Result<ProbeOutcome<Facts>>> {
  const near = await nearMatches(directory, name);
  if (!near.ok) return near;
  const absent = ['keyId', 'group', 'direct', 'effective', 'writers'].map((path) => ({
    path,
    reason: `there is no group ${name}`,
  }));
  return ok({ kind: 'facts', facts: { exists: false, nearMatches: near.value }, absent });
}

async function describeGroup(
  directory: SiteDirectory,
  entry: LdapEntry,
  context: ProbeContext,
): Promise<Result<Part<Pick<Facts, 'group'>>>> {
  const absent: AbsentFact[] = [];
  const manager = entry.text('managedBy');
  const group: Writable<Group> = { dn: entry.dn, name: nameOf(entry), managed: manager !== undefined };
  const sid = sidOf(entry);
  if (sid !== undefined) group.sid = sid;
  else absent.push({ path: 'group.sid', reason: 'this directory has no security identifiers' });
  const type = parseNumber(entry.text('groupType'));
  if (type !== undefined) {
    group.kind = (type & 0x8000_0000) === 0 ? 'distribution' : 'security';
    const scope = scopeOf(type);
    if (scope !== undefined) group.scope = scope;
  }
  for (const name of ['kind', 'scope'] as const) {
    if (group[name] === undefined)
      absent.push({ path: `group.${name}`, reason: 'this directory does not tell groups apart that way' });
  }
  const description = entry.text('description');
  if (description !== undefined) group.description = description.slice(0, 2000);
  else absent.push({ path: 'group.description', reason: 'the group has no description' });
  const safe = directory.root.kind === 'active-directory' ? await readProtection(directory, entry.dn) : ok(AD_LISTS);
  if (!safe.ok) return safe;
  if (typeof safe.value === 'boolean') group.protected = safe.value;
  else absent.push({ path: 'group.protected', reason: safe.value });
  if (manager === undefined) absent.push({ path: 'group.managedBy', reason: 'the group has no manager' });
  else {
    const read = await directory.session.read(manager, ['objectClass', 'objectSid', 'sAMAccountName', 'cn']);
    if (!read.ok) return read;
    group.managedBy = describeManager(manager, read.value, context);
  }
  return ok({ facts: { group }, absent });
}

function describeManager(
  dn: string,
  entry: LdapEntry | undefined,
  context: ProbeContext,
): NonNullable<Group['managedBy']> {
  if (entry !== undefined && isGroup(entry)) return { type: 'group', name: nameOf(entry) };
  if (entry === undefined || kindOf(entry) !== 'person') return { type: 'other' };
  const pseudonym = pseudonymOf(context, sidOf(entry) ?? normalizeDn(dn));
  return { type: 'person', ...(pseudonym === undefined ? {} : { pseudonym }) };
}

/** Bits of groupType (MS-ADTS 2.2.12). */
function scopeOf(type: number): Group['scope'] {
  if ((type & 1) !== 0) return 'builtin-local';
  if ((type & 2) !== 0) return 'global';
  if ((type & 4) !== 0) return 'domain-local';
  return (type & 8) !== 0 ? 'universal' : undefined;
}

function describeDirect(
  group: LdapEntry,
  { direct, directUnread, outside, ways }: Membership,
): NonNullable<Facts['direct']> {
  const count = (kind: Member['kind']) => direct.filter((member) => member.kind === kind).length;
  const named = new Set(ways.named.get(normalizeDn(group.dn)));
  return {
    people: count('person'),
    groups: direct
      .filter(({ kind }) => kind === 'group')
      .map(({ entry }) => nameOf(entry))
      .sort(),
    computers: count('computer'),
    other: count('foreign') + count('other') + directUnread + outside.filter((dn) => named.has(normalizeDn(dn))).length,
  };
}

/** The counts, or the reason why one that would mislead is left out. */
async function describeEffective(
  group: LdapEntry,
  membership: Membership,
  directory: SiteDirectory,
  params: Params,
  context: ProbeContext,
): Promise<Result<Part<Effective>>> {
  const absent: AbsentFact[] = [];
  const leaveOut = (names: readonly (keyof Effective)[], reason: string) => {
    for (const name of names) absent.push({ path: `effective.${name}`, reason });
  };
  const facts: Writable<Effective> = {};
  const found = { broad: broadGroups(group, membership), foreign: foreignMembers(membership) };
  const states = ['disabled', 'expired', 'locked', 'stale', 'neverLoggedOn', 'serviceAccounts'] as const;
  const counts = ['count', 'computers', ...states, 'people'] as const;
  if (!membership.complete) {
    const reason = `there are more than ${params.maximum} entries, so the walk stopped`;
    leaveOut([...counts, 'groups', 'depth', 'cycles', 'hidden', 'how', 'why'], reason);
    // What was found is certain; that nothing else is there is not.
    for (const name of ['broad', 'foreign'] as const) {
      if (found[name].length > 0) facts[name] = found[name];
      else leaveOut([name], reason);
    }
    return ok({ facts, absent });
  }
  facts.how = membership.how.how;
  facts.why = membership.how.why;
  const walk = describeWalk(group, membership, context, params.names);
  facts.groups = [...walk.groups];
  facts.depth = membership.depth;
  facts.cycles = membership.cycles.map(nameOf).sort();
  facts.hidden = membership.hidden.map(nameOf).sort();
  const gap = uncounted(membership);
  // Behind what cannot be read there may be more of them.
  const unseen = membership.hidden.length + membership.unread > 0 ? gap : undefined;
  for (const name of ['broad', 'foreign'] as const) {
    if (found[name].length > 0 || unseen === undefined) facts[name] = found[name];
    else leaveOut([name], unseen);
  }
  if (gap !== undefined) {
    leaveOut(counts, gap);
    return ok({ facts, absent });
  }
  const people = membership.leaves.filter(({ kind }) => kind === 'person').map(({ entry }) => entry);
  const computers = membership.leaves.filter(({ kind }) => kind === 'computer').map(({ entry }) => entry);
  facts.count = people.length;
  facts.computers = computers.length;
  if (walk.people === undefined) leaveOut(['people'], NO_KEY);
  else facts.people = [...walk.people];
  if (params.names && context.siteKey !== undefined && context.namesAgreed !== true)
    absent.push({
      path: 'effective.people[].name',
      reason: 'the operator did not agree that names are recorded',
    });
  const counted = await countStates(directory, people, computers, params.staleAfter, context.now());
  if (!counted.ok) return counted;
  for (const name of states) {
    const value = counted.value[name];
    if (typeof value === 'number') facts[name] = value;
    else leaveOut([name], value);
  }
  return ok({ facts, absent });
}

export const directoryGroup = defineProbe(declaration, look);
