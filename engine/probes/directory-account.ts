import type { z } from 'zod';
import type { AbsentFact } from '../../core/probes/declaration.ts';
import { directoryAccount as declaration } from '../../core/probes/directory-account.ts';
import { ok, type Result } from '../../core/result.ts';
import { defineProbe, type ProbeContext, type ProbeOutcome } from '../context.ts';
import { groupsUpwards } from '../wire/ldap-account.ts';
import type { LdapEntry } from '../wire/ldap.ts';
import { findAccount, sidOf } from '../wire/ldap-lookup.ts';
import { withDirectory } from '../wire/ldap-site.ts';
import { parseFileTime, parseNumber } from '../wire/ldap-values.ts';

type Facts = z.input<typeof declaration.facts>;
type Writable<T> = { -readonly [K in keyof T]: T[K] };
type EncryptionType = NonNullable<Facts['encryptionTypes']>[number];
type LeaveOut = (names: readonly (keyof Facts)[], reason: string) => void;

const DAY_MS = 86_400_000;
const ATTRIBUTES = [
  [
    'objectSid',
    'userAccountControl',
    'msDS-User-Account-Control-Computed',
    'accountExpires',
    'pwdLastSet',
    'adminCount',
  ],
  ['servicePrincipalName', 'msDS-AllowedToDelegateTo', 'msDS-AllowedToActOnBehalfOfOtherIdentity'],
  ['msDS-SupportedEncryptionTypes', 'memberOf', 'primaryGroupID'],
].flat();

/** Bits of userAccountControl (MS-ADTS 2.2.16). */
const FLAGS = {
  disabled: 0x2,
  locked: 0x10,
  passwordNotRequired: 0x20,
  reversibleEncryption: 0x80,
  passwordNeverExpires: 0x1_0000,
  unconstrained: 0x8_0000,
  desOnly: 0x20_0000,
  noPreAuthentication: 0x40_0000,
  protocolTransition: 0x100_0000,
} as const;

/** Bits of msDS-SupportedEncryptionTypes (MS-KILE 2.2.7). */
const ENCRYPTION_BITS: readonly (readonly [number, EncryptionType])[] = [
  [0x1, 'des-cbc-crc'],
  [0x2, 'des-cbc-md5'],
  [0x4, 'rc4-hmac'],
  [0x8, 'aes128'],
  [0x10, 'aes256'],
];

async function look(
  params: z.output<typeof declaration.params>,
  context: ProbeContext,
): Promise<Result<ProbeOutcome<Facts>>> {
  return withDirectory(context, async (directory): Promise<Result<ProbeOutcome<Facts>>> => {
    if (directory.root.kind !== 'active-directory') {
      return ok({
        kind: 'not-applicable',
        reason: 'Flags, delegation and service names of accounts exist in Active Directory only.',
      });
    }
    const found = await findAccount(directory, params.account ?? directory.user, ATTRIBUTES);
    if (!found.ok) return found;
    const absent: AbsentFact[] = [];
    const leaveOut: LeaveOut = (names, reason) => {
      for (const path of names) absent.push({ path, reason });
    };
    const entry = found.value;
    if (entry === undefined) {
      const names = Object.keys(declaration.facts.shape).filter((name) => name !== 'exists') as (keyof Facts)[];
      leaveOut(names, `there is no account ${params.account ?? directory.user}`);
      return ok({ kind: 'facts', facts: { exists: false }, absent });
    }
    const facts: Writable<Facts> = { exists: true };
    const flags = parseNumber(entry.text('userAccountControl'));
    describeFlags(entry, flags, facts, leaveOut);
    describeTimes(entry, facts, leaveOut, context.now());
    describeKerberos(entry, flags, facts, leaveOut);
    if (sidOf(entry) === undefined) leaveOut(['privilegedGroups', 'groups'], 'the bind account may not read its SID');
    else {
      const groups = await groupsUpwards(directory, entry);
      if (!groups.ok) return groups;
      if (typeof groups.value === 'string') leaveOut(['privilegedGroups', 'groups'], groups.value);
      else Object.assign(facts, { privilegedGroups: groups.value.administrative, groups: groups.value.count });
    }
    return ok({ kind: 'facts', facts, absent });
  });
}

function describeFlags(entry: LdapEntry, flags: number | undefined, facts: Writable<Facts>, leaveOut: LeaveOut): void {
  facts.adminCount = (parseNumber(entry.text('adminCount')) ?? 0) > 0;
  if (flags === undefined) {
    const names = [
      'enabled',
      'passwordNeverExpires',
      'passwordNotRequired',
      'reversibleEncryption',
      'noPreAuthentication',
      'desOnly',
    ] as const;
    leaveOut([...names, 'locked'], 'the bind account may not read userAccountControl');
    return;
  }
  const has = (flag: number) => (flags & flag) !== 0;
  facts.enabled = !has(FLAGS.disabled);
  for (const name of [
    'passwordNeverExpires',
    'passwordNotRequired',
    'reversibleEncryption',
    'noPreAuthentication',
    'desOnly',
  ] as const) {
    facts[name] = has(FLAGS[name]);
  }
  // The lockout bit is only ever set in the computed twin of the attribute.
  const computed = parseNumber(entry.text('msDS-User-Account-Control-Computed'));
  if (computed === undefined) leaveOut(['locked'], 'the directory does not compute msDS-User-Account-Control-Computed');
  else facts.locked = (computed & FLAGS.locked) !== 0;
}

function describeTimes(entry: LdapEntry, facts: Writable<Facts>, leaveOut: LeaveOut, now: Date): void {
  const expiry = parseFileTime(entry.text('accountExpires'));
  if (expiry === undefined) leaveOut(['expired'], 'the bind account may not read accountExpires');
  else facts.expired = expiry instanceof Date && expiry <= now;
  const set = parseFileTime(entry.text('pwdLastSet'));
  if (set instanceof Date)
    facts.passwordAgeDays = Math.max(0, Math.round(((now.getTime() - set.getTime()) / DAY_MS) * 10) / 10);
  else
    leaveOut(
      ['passwordAgeDays'],
      set === 'never' ? 'the password must be changed at the next logon' : 'the bind account may not read pwdLastSet',
    );
}

function describeKerberos(
  entry: LdapEntry,
  flags: number | undefined,
  facts: Writable<Facts>,
  leaveOut: LeaveOut,
): void {
  facts.servicePrincipalNames = [...entry.texts('servicePrincipalName')].sort();
  const types = parseNumber(entry.text('msDS-SupportedEncryptionTypes'));
  if (types === undefined)
    leaveOut(['encryptionTypes'], 'none are set on the account, so the defaults of the domain hold');
  else facts.encryptionTypes = ENCRYPTION_BITS.filter(([bit]) => (types & bit) !== 0).map(([, name]) => name);
  if (flags === undefined) {
    leaveOut(['kerberoastable', 'delegation'], 'the bind account may not read userAccountControl');
    return;
  }
  const isUser = !entry.texts('objectClass').some((name) => name.toLowerCase() === 'computer');
  facts.kerberoastable = isUser && facts.servicePrincipalNames.length > 0 && (flags & FLAGS.disabled) === 0;
  facts.delegation = delegationOf(entry, flags);
}

function delegationOf(entry: LdapEntry, flags: number): NonNullable<Facts['delegation']> {
  if ((flags & FLAGS.unconstrained) !== 0) return 'unconstrained';
  if ((flags & FLAGS.protocolTransition) !== 0) return 'protocol-transition';
  if (entry.texts('msDS-AllowedToDelegateTo').length > 0) return 'constrained';
  return entry.bytes('msDS-AllowedToActOnBehalfOfOtherIdentity').length > 0 ? 'resource-based' : 'none';
}

export const directoryAccount = defineProbe(declaration, look);
