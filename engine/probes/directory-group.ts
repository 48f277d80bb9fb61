import type { z } from 'zod';
import type { AbsentFact } from '../../core/probes/declaration.ts';
import { directoryGroup as declaration } from '../../core/probes/directory-group.ts';
import { ok, type Result } from '../../core/result.ts';
import { addDuration } from '../../core/verdict/duration.ts';
import { defineProbe, type ProbeContext, type ProbeOutcome } from '../context.ts';
import type { LdapEntry } from '../wire/ldap.ts';
import { findGroup, isGroup, nameOf, nearMatches, sidOf } from '../wire/ldap-lookup.ts';
import { broadNames, kindOf, type Member, type Membership, uncounted, walkMembers } from '../wire/ldap-members.ts';
import { MEMBER_ATTRIBUTES } from '../wire/ldap-nesting.ts';
import { normalizeDn } from '../wire/ldap-names.ts';
import { pseudonymOf, type SiteDirectory, withDirectory } from '../wire/ldap-site.ts';
import { parseFileTime, parseGeneralizedTime, parseNumber } from '../wire/ldap-values.ts';
import { readWriters } from '../wire/ldap-writers.ts';

type Params = z.output<typeof declaration.params>;
type Facts = z.input<typeof declaration.facts>;
type Group = NonNullable<Facts['group']>;
type Effective = NonNullable<Facts['effective']>;
type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Part<T> = { readonly facts: T; readonly absent: readonly AbsentFact[] };

const DISABLED = 0x2;
const LOCKED_FOR_GOOD = '000001010000Z';

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
    const writers = await describeWriters(directory, group.value.dn, context);
    if (!writers.ok) return writers;
    const direct = describeDirect(members.value);
    const effective = describeEffective(group.value, members.value, directory, params, context);
    const facts = {
      exists: true,
      nearMatches: [],
      ...about.value.facts,
      direct,
      effective: effective.facts,
      ...writers.value.facts,
    };
    return ok({
      kind: 'facts' as const,
      facts,
      absent: [...about.value.absent, ...effective.absent, ...writers.value.absent],
    });
  });
}

async function missing(directory: SiteDirectory, name: string): Promise<Result<ProbeOutcome<Facts>>> {
  const near = await nearMatches(directory, name);
  if (!near.ok) return near;
  const absent = ['group', 'direct', 'effective', 'writers'].map((path) => ({
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

function describeDirect({ direct, directUnread }: Membership): NonNullable<Facts['direct']> {
  const count = (kind: Member['kind']) => direct.filter((member) => member.kind === kind).length;
  return {
    people: count('person'),
    groups: direct
      .filter(({ kind }) => kind === 'group')
      .map(({ entry }) => nameOf(entry))
      .sort(),
    computers: count('computer'),
    other: count('foreign') + count('other') + directUnread,
  };
}

/** The counts, or the reason why one that would mislead is left out. */
function describeEffective(
  group: LdapEntry,
  membership: Membership,
  directory: SiteDirectory,
  params: Params,
  context: ProbeContext,
): Part<Effective> {
  const absent: AbsentFact[] = [];
  const leaveOut = (names: readonly (keyof Effective)[], reason: string) => {
    for (const name of names) absent.push({ path: `effective.${name}`, reason });
  };
  const facts: Writable<Effective> = {};
  const broad = broadNames(group, membership);
  const counts = ['count', 'computers', 'disabled', 'expired', 'stale', 'neverLoggedOn', 'people'] as const;
  if (!membership.complete) {
    const reason = `there are more than ${params.maximum} entries, so the walk stopped`;
    leaveOut([...counts, 'groups', 'depth', 'cycles'], reason);
    // What was found is certain; that nothing else is there is not.
    if (broad.length > 0) facts.broad = broad;
    else leaveOut(['broad'], reason);
    return { facts, absent };
  }
  facts.broad = broad;
  facts.groups = membership.groups.map(nameOf).sort();
  facts.depth = membership.depth;
  facts.cycles = membership.cycles.map(nameOf).sort();
  const gap = uncounted(membership);
  if (gap !== undefined) {
    leaveOut(counts, gap);
    return { facts, absent };
  }
  const people = membership.leaves.filter(({ kind }) => kind === 'person').map(({ entry }) => entry);
  facts.count = people.length;
  facts.computers = membership.leaves.filter(({ kind }) => kind === 'computer').length;
  if (context.siteKey === undefined) leaveOut(['people'], 'the hospital gave no key for pseudonyms');
  else
    facts.people = people.flatMap((entry) => pseudonymOf(context, sidOf(entry) ?? normalizeDn(entry.dn)) ?? []).sort();
  if (directory.root.kind === 'active-directory') countStates(people, facts, leaveOut, params, context.now());
  else countLocked(people, facts, leaveOut);
  return { facts, absent };
}

type LeaveOut = (names: readonly (keyof Effective)[], reason: string) => void;

function countStates(
  people: readonly LdapEntry[],
  facts: Writable<Effective>,
  leaveOut: LeaveOut,
  params: Params,
  now: Date,
): void {
  const flags = people.map((entry) => parseNumber(entry.text('userAccountControl')));
  if (flags.some((one) => one === undefined)) {
    leaveOut(
      ['disabled', 'stale', 'neverLoggedOn'],
      'the bind account may not read userAccountControl of every member',
    );
  } else {
    facts.disabled = flags.filter((one = 0) => (one & DISABLED) !== 0).length;
    const enabled = people.filter((_, index) => ((flags[index] ?? 0) & DISABLED) === 0);
    facts.neverLoggedOn = enabled.filter((entry) => lastLogon(entry) === undefined).length;
    const { staleAfter } = params;
    if (staleAfter === undefined) leaveOut(['stale'], 'the guide gives no staleAfter');
    else facts.stale = enabled.filter((entry) => isStale(entry, staleAfter, now)).length;
  }
  const expiries = people.map((entry) => parseFileTime(entry.text('accountExpires')));
  if (expiries.some((expiry) => expiry === undefined))
    leaveOut(['expired'], 'the bind account may not read accountExpires of every member');
  else facts.expired = expiries.filter((expiry) => expiry instanceof Date && expiry <= now).length;
}

function lastLogon(entry: LdapEntry): Date | undefined {
  const time = parseFileTime(entry.text('lastLogonTimestamp'));
  return time instanceof Date ? time : undefined;
}

/** An account that never logged on counts from its creation. */
function isStale(entry: LdapEntry, staleAfter: string, now: Date): boolean {
  const since = lastLogon(entry) ?? parseGeneralizedTime(entry.text('whenCreated'));
  return since === undefined || addDuration(since, staleAfter) < now;
}

/** Outside Active Directory only the password policy overlay marks an account as locked for good. */
function countLocked(people: readonly LdapEntry[], facts: Writable<Effective>, leaveOut: LeaveOut): void {
  const locked = people.filter((entry) => entry.text('pwdAccountLockedTime') === LOCKED_FOR_GOOD).length;
  if (locked > 0) facts.disabled = locked;
  else leaveOut(['disabled'], 'this directory has no mark for disabled accounts that can be relied on');
  leaveOut(['expired', 'stale', 'neverLoggedOn'], 'this directory does not record it');
}

async function describeWriters(
  directory: SiteDirectory,
  dn: string,
  context: ProbeContext,
): Promise<Result<Part<Pick<Facts, 'writers'>>>> {
  const read = await readWriters(directory, dn);
  if (!read.ok) return read;
  if (typeof read.value === 'string') return ok({ facts: {}, absent: [{ path: 'writers', reason: read.value }] });
  const principals = read.value.map(({ type, name, sid, rights, privileged }) => {
    const pseudonym = type === 'person' ? pseudonymOf(context, sid) : undefined;
    return {
      type,
      rights: [...rights],
      privileged,
      ...(name === undefined ? {} : { name }),
      ...(pseudonym === undefined ? {} : { pseudonym }),
    };
  });
  const delegated = principals
    .filter(({ privileged }) => !privileged)
    .map(({ name, pseudonym }) => name ?? pseudonym ?? 'person');
  return ok({ facts: { writers: { principals, delegated: delegated.sort() } }, absent: [] });
}

export const directoryGroup = defineProbe(declaration, look);
