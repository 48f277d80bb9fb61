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

const STATES = ['disabled', 'expired', 'locked', 'stale', 'neverLoggedOn', 'serviceAccounts'] as const;
type State = (typeof STATES)[number];
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
  const flags = people.map((entry) => parseNumber(entry.text('userAccountControl')));
  const isEnabled = (index: number) => ((flags[index] ?? 0) & DISABLED) === 0;
  const enabled = people.filter((_, index) => isEnabled(index));
  const hidden = flags.includes(undefined) ? unreadable('userAccountControl') : undefined;
  const silent = enabled.filter((entry) => lastLogon(entry) === undefined);
  const logons = hidden === undefined ? await logonsReadable(directory, silent) : ok(true);
  if (!logons.ok) return logons;
  const unknownLogons = hidden ?? (logons.value ? undefined : unreadable('the logon times'));
  return ok({
    disabled: hidden ?? people.length - enabled.length,
    expired: countExpired(people, now),
    locked: countBit(people, 'msDS-User-Account-Control-Computed', LOCKED),
    stale: unknownLogons ?? countStale(enabled, staleAfter, now),
    neverLoggedOn: unknownLogons ?? silent.length,
    serviceAccounts:
      people.filter((entry) => entry.text('servicePrincipalName') !== undefined).length +
      computers.filter(isManaged).length,
  });
}

function unreadable(what: string): string {
  return `the bind account may not read ${what} of every member`;
}

function countBit(people: readonly LdapEntry[], attribute: string, bit: number): number | string {
  const values = people.map((entry) => parseNumber(entry.text(attribute)));
  if (values.includes(undefined)) return unreadable(attribute);
  return values.filter((value = 0) => (value & bit) !== 0).length;
}

function countExpired(people: readonly LdapEntry[], now: Date): number | string {
  const expiries = people.map((entry) => parseFileTime(entry.text('accountExpires')));
  if (expiries.includes(undefined)) return unreadable('accountExpires');
  return expiries.filter((expiry) => expiry instanceof Date && expiry <= now).length;
}

/** An account is idle since the last of three dates: it logged on, was given a password, was created. */
function countStale(enabled: readonly LdapEntry[], staleAfter: string | undefined, now: Date): number | string {
  if (staleAfter === undefined) return 'the guide gives no staleAfter';
  let stale = 0;
  for (const entry of enabled) {
    const password = parseFileTime(entry.text('pwdLastSet'));
    const created = parseGeneralizedTime(entry.text('whenCreated'));
    if (password === undefined) return unreadable('pwdLastSet');
    if (created === undefined) return unreadable('whenCreated');
    const dates = [lastLogon(entry), password, created].filter((date) => date instanceof Date);
    if (dates.every((date) => addDuration(date, staleAfter) < now)) stale += 1;
  }
  return stale;
}

function lastLogon(entry: LdapEntry): Date | undefined {
  const time = parseFileTime(entry.text('lastLogonTimestamp'));
  return time instanceof Date ? time : undefined;
}

/**
 * Whether accounts that show no logon would show one. `logonCount` is there from the start, and whoever may read it may
 * read lastLogonTimestamp: both belong to the property set Logon-Information. Rights hold by container, so one account of
 * each is asked.
 */
async function logonsReadable(directory: SiteDirectory, silent: readonly LdapEntry[]): Promise<Result<boolean>> {
  const samples = new Map(silent.map(({ dn }) => [parentDn(dn), dn]));
  if (samples.size === 0) return ok(true);
  const dns = [...samples.values()].slice(0, MOST_SAMPLES);
  const read = await readMany(directory, dns, ['logonCount']);
  if (!read.ok) return read;
  return ok([...read.value.values()].filter((entry) => entry.text('logonCount') !== undefined).length === dns.length);
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
