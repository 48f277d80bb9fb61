import { ok, type Result } from '../../core/result.ts';
import { addDuration } from '../../core/verdict/duration.ts';
import type { LdapEntry } from './ldap.ts';
import { readMany } from './ldap-lookup.ts';
import { parentDn } from './ldap-names.ts';
import type { SiteDirectory } from './ldap-site.ts';
import { parseFileTime, parseGeneralizedTime, parseNumber } from './ldap-values.ts';

/** Bits of userAccountControl (MS-ADTS 2.2.16): disabled, and locked out, which only its computed twin keeps. */
const DISABLED = 0x2;
const LOCKED = 0x10;
const LOCKED_FOR_GOOD = '000001010000Z';
const MANAGED = [
  'msds-managedserviceaccount',
  'msds-groupmanagedserviceaccount',
  'msds-delegatedmanagedserviceaccount',
] as const;
/** Containers of which one account each is asked whether logons may be read there. */
const MOST_SAMPLES = 100;

type State = 'disabled' | 'expired' | 'locked' | 'stale' | 'neverLoggedOn' | 'serviceAccounts';
type Readable =
  | 'userAccountControl'
  | 'msDS-User-Account-Control-Computed'
  | 'accountExpires'
  | 'lastLogonTimestamp'
  | 'pwdLastSet'
  | 'whenCreated';
/** How many accounts are in each state, or why that is not known. */
export type States = Readonly<Record<State, number | string>>;

/**
 * Counts accounts by state. What the bind account may not read of even one of them is not counted at all.
 * @param people user accounts that were read with MEMBER_ATTRIBUTES
 * @param computers computer accounts likewise, managed service accounts among them
 * @param staleAfter ISO 8601 duration
 */
export async function countStates(
  directory: SiteDirectory,
  people: readonly LdapEntry[],
  computers: readonly LdapEntry[],
  staleAfter: string | undefined,
  now: Date,
): Promise<Result<States>> {
  if (directory.root.kind !== 'active-directory') return ok(overlayStates(people));
  const missing = new Set<Readable>();
  const counts = { disabled: 0, expired: 0, locked: 0, stale: 0, serviceAccounts: computers.filter(isManaged).length };
  const silent: LdapEntry[] = [];
  const lately = staleAfter === undefined ? undefined : lastIdle(staleAfter, now);
  const number = (entry: LdapEntry, attribute: Readable): number => {
    const value = parseNumber(entry.text(attribute));
    if (value === undefined) missing.add(attribute);
    return value ?? 0;
  };
  for (const entry of people) {
    const expiry = parseFileTime(entry.text('accountExpires'));
    if (expiry === undefined) missing.add('accountExpires');
    if (expiry instanceof Date && expiry <= now) counts.expired += 1;
    if ((number(entry, 'msDS-User-Account-Control-Computed') & LOCKED) !== 0) counts.locked += 1;
    if (entry.text('servicePrincipalName') !== undefined) counts.serviceAccounts += 1;
    if ((number(entry, 'userAccountControl') & DISABLED) !== 0) {
      counts.disabled += 1;
      continue;
    }
    const lastLogon = parseFileTime(entry.text('lastLogonTimestamp'));
    if (!(lastLogon instanceof Date)) silent.push(entry);
    if (lately !== undefined && [lastLogon, ...datesBesides(entry, missing)].every((date) => isIdle(date, lately)))
      counts.stale += 1;
  }
  const logons = await logonsReadable(directory, silent);
  if (!logons.ok) return logons;
  const known = <T>(count: T, ...read: readonly Readable[]): T | string => {
    const unread = read.find((attribute) => missing.has(attribute));
    return unread === undefined ? count : `the bind account may not read ${unread} of every member`;
  };
  if (!logons.value) missing.add('lastLogonTimestamp');
  return ok({
    disabled: known(counts.disabled, 'userAccountControl'),
    expired: known(counts.expired, 'accountExpires'),
    locked: known(counts.locked, 'msDS-User-Account-Control-Computed'),
    stale:
      staleAfter === undefined
        ? 'the guide gives no staleAfter'
        : known(counts.stale, 'userAccountControl', 'lastLogonTimestamp', 'pwdLastSet', 'whenCreated'),
    neverLoggedOn: known(silent.length, 'userAccountControl', 'lastLogonTimestamp'),
    serviceAccounts: counts.serviceAccounts,
  });
}

const isIdle = (date: Date | 'never' | undefined, last: number) => !(date instanceof Date) || date.getTime() <= last;

/** The last moment, in milliseconds, since which whoever was not there again counts as idle. Searched for, because months differ in length. */
function lastIdle(staleAfter: string, now: Date): number {
  let idle = -8.64e15 / 2;
  let not = now.getTime() + 1;
  while (not - idle > 1) {
    const middle = Math.floor((idle + not) / 2);
    if (addDuration(new Date(middle), staleAfter) < now) idle = middle;
    else not = middle;
  }
  return idle;
}

/** An account is idle since the last of three dates: it logged on, was given a password, was created. */
function datesBesides(entry: LdapEntry, missing: Set<Readable>): (Date | 'never' | undefined)[] {
  const password = parseFileTime(entry.text('pwdLastSet'));
  const created = parseGeneralizedTime(entry.text('whenCreated'));
  if (password === undefined) missing.add('pwdLastSet');
  if (created === undefined) missing.add('whenCreated');
  return [password, created];
}

/**
 * Whether accounts that show no logon would show one. `logonCount` is there from the start, and whoever may read it may
 * read lastLogonTimestamp: both belong to the property set Logon-Information. Rights hold by container, so one account of
 * each is asked.
 */
async function logonsReadable(directory: SiteDirectory, silent: readonly LdapEntry[]): Promise<Result<boolean>> {
  const samples = new Map<string | undefined, string>();
  for (const { dn } of silent) if (samples.size < MOST_SAMPLES) samples.set(parentDn(dn), dn);
  const read = await readMany(directory, [...samples.values()], ['logonCount']);
  if (!read.ok) return read;
  const readable = [...read.value.values()].filter((entry) => entry.text('logonCount') !== undefined).length;
  return ok(readable === samples.size);
}

function isManaged(entry: LdapEntry): boolean {
  return entry.texts('objectClass').some((name) => (MANAGED as readonly string[]).includes(name.toLowerCase()));
}

/** Outside Active Directory only the password policy overlay marks an account as locked for good. */
function overlayStates(people: readonly LdapEntry[]): States {
  const disabled = people.filter((entry) => entry.text('pwdAccountLockedTime') === LOCKED_FOR_GOOD).length;
  const notRecorded = 'this directory does not record it';
  return {
    disabled: disabled > 0 ? disabled : 'this directory has no mark for disabled accounts that can be relied on',
    expired: notRecorded,
    locked: 'this directory does not show whether a lock has run out',
    stale: notRecorded,
    neverLoggedOn: notRecorded,
    serviceAccounts: 'this directory does not tell service accounts apart',
  };
}
