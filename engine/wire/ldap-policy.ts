import type { LdapEntry } from './ldap.ts';
import { parseInterval, parseNumber } from './ldap-values.ts';

/** Rules for passwords and lockout in one shape, whichever schema they come from. What is not set is left out. */
export type PasswordPolicy = {
  source: 'domain' | 'fine-grained' | 'ppolicy';
  name?: string;
  minimumLength?: number;
  history?: number;
  complexity?: boolean;
  reversibleEncryption?: boolean;
  expires?: boolean;
  maximumAgeDays?: number;
  minimumAgeDays?: number;
  lockoutThreshold?: number;
  lockoutMinutes?: number;
  lockoutWindowMinutes?: number;
};

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const COMPLEX = 1;
const REVERSIBLE = 16;

export const DOMAIN_ATTRIBUTES = [
  ['minPwdLength', 'pwdHistoryLength', 'pwdProperties', 'maxPwdAge', 'minPwdAge'],
  ['lockoutThreshold', 'lockoutDuration', 'lockOutObservationWindow'],
].flat();

export const FINE_GRAINED_ATTRIBUTES = [
  [
    'cn',
    'msDS-MinimumPasswordLength',
    'msDS-PasswordHistoryLength',
    'msDS-PasswordComplexityEnabled',
    'msDS-PasswordReversibleEncryptionEnabled',
  ],
  [
    'msDS-MaximumPasswordAge',
    'msDS-MinimumPasswordAge',
    'msDS-LockoutThreshold',
    'msDS-LockoutDuration',
    'msDS-LockoutObservationWindow',
  ],
].flat();

export const PPOLICY_ATTRIBUTES = [
  ['cn', 'pwdMinLength', 'pwdInHistory', 'pwdCheckQuality', 'pwdMaxAge', 'pwdMinAge'],
  ['pwdLockout', 'pwdMaxFailure', 'pwdLockoutDuration', 'pwdFailureCountInterval'],
].flat();

type Raw = { [K in keyof PasswordPolicy]: PasswordPolicy[K] | undefined };

/** Drops what is undefined, so that unknown facts are absent. */
function known(raw: Raw & { source: PasswordPolicy['source'] }): PasswordPolicy {
  return Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== undefined)) as PasswordPolicy;
}

function interval(text: string | undefined, unit: number): number | undefined {
  const value = parseInterval(text);
  return typeof value === 'number' ? value / unit : undefined;
}

/** A lockout that only an administrator ends is stored as the smallest number. */
function lockoutMinutes(text: string | undefined): number | undefined {
  return parseInterval(text) === 'never' ? 0 : interval(text, MINUTE_MS);
}

function ages(
  maximum: string | undefined,
  minimum: string | undefined,
): Pick<Raw, 'expires' | 'maximumAgeDays' | 'minimumAgeDays'> {
  const limit = parseInterval(maximum);
  return {
    expires: limit === undefined ? undefined : limit !== 'never' && limit > 0,
    maximumAgeDays: typeof limit === 'number' && limit > 0 ? limit / DAY_MS : undefined,
    minimumAgeDays: interval(minimum, DAY_MS),
  };
}

/** The policy on the domain's own entry (MS-SAMR 3.1.1.5). */
export function domainPolicy(entry: LdapEntry): PasswordPolicy {
  const properties = parseNumber(entry.text('pwdProperties'));
  return known({
    source: 'domain',
    minimumLength: parseNumber(entry.text('minPwdLength')),
    history: parseNumber(entry.text('pwdHistoryLength')),
    complexity: properties === undefined ? undefined : (properties & COMPLEX) !== 0,
    reversibleEncryption: properties === undefined ? undefined : (properties & REVERSIBLE) !== 0,
    ...ages(entry.text('maxPwdAge'), entry.text('minPwdAge')),
    lockoutThreshold: parseNumber(entry.text('lockoutThreshold')),
    lockoutMinutes: lockoutMinutes(entry.text('lockoutDuration')),
    lockoutWindowMinutes: interval(entry.text('lockOutObservationWindow'), MINUTE_MS),
  });
}

function truth(text: string | undefined): boolean | undefined {
  return text === undefined ? undefined : text.toUpperCase() === 'TRUE';
}

/** A password settings object (MS-ADTS 3.1.1.6.3 and msDS-PasswordSettings). */
export function fineGrainedPolicy(entry: LdapEntry): PasswordPolicy {
  return known({
    source: 'fine-grained',
    name: entry.text('cn'),
    minimumLength: parseNumber(entry.text('msDS-MinimumPasswordLength')),
    history: parseNumber(entry.text('msDS-PasswordHistoryLength')),
    complexity: truth(entry.text('msDS-PasswordComplexityEnabled')),
    reversibleEncryption: truth(entry.text('msDS-PasswordReversibleEncryptionEnabled')),
    ...ages(entry.text('msDS-MaximumPasswordAge'), entry.text('msDS-MinimumPasswordAge')),
    lockoutThreshold: parseNumber(entry.text('msDS-LockoutThreshold')),
    lockoutMinutes: lockoutMinutes(entry.text('msDS-LockoutDuration')),
    lockoutWindowMinutes: interval(entry.text('msDS-LockoutObservationWindow'), MINUTE_MS),
  });
}

/** An entry of the password policy overlay (draft-behera-ldap-password-policy); its times are in seconds. */
export function overlayPolicy(entry: LdapEntry): PasswordPolicy {
  const seconds = (name: string) => parseNumber(entry.text(name));
  const maximum = seconds('pwdMaxAge') ?? 0;
  const locks = truth(entry.text('pwdLockout')) === true;
  return known({
    source: 'ppolicy',
    name: entry.text('cn'),
    minimumLength: seconds('pwdMinLength') ?? 0,
    history: seconds('pwdInHistory') ?? 0,
    complexity: undefined,
    reversibleEncryption: undefined,
    expires: maximum > 0,
    maximumAgeDays: maximum > 0 ? maximum / 86_400 : undefined,
    minimumAgeDays: (seconds('pwdMinAge') ?? 0) / 86_400,
    lockoutThreshold: locks ? (seconds('pwdMaxFailure') ?? 0) : 0,
    lockoutMinutes: (seconds('pwdLockoutDuration') ?? 0) / 60,
    lockoutWindowMinutes: (seconds('pwdFailureCountInterval') ?? 0) / 60,
  });
}
