import { fail, ok, type Result } from '../../core/result.ts';
import { readPolicies } from './ldap-effective-policy.ts';
import type { LdapEntry } from './ldap.ts';
import { findAccount } from './ldap-lookup.ts';
import { overlayPolicy, PPOLICY_ATTRIBUTES } from './ldap-policy.ts';
import type { SiteDirectory } from './ldap-site.ts';
import { parseNumber } from './ldap-values.ts';

/** How far an account is from being locked out. `source`: the policy that holds for it, or what the site file states. */
export type Lockout = {
  readonly threshold: number;
  readonly failed?: number;
  readonly source: 'account' | 'site';
};

/** Attempts that must be left to the person after ours went wrong. */
const LEFT_OVER = 2;

/**
 * Reads whether one logon can be tried without bringing the account near its lockout.
 * @param stated failed logons after which the hospital says it is locked out, for where its policy is hidden
 * @returns the account with `objectSid`, the name it binds as and its distance; `input.not-found` when it is not there, `ldap.no-right` when
 * count or policy may not be read, `probe.inconclusive` when it is near its lockout
 */
export async function roomForOneAttempt(
  directory: SiteDirectory,
  user: string,
  stated: number | undefined,
): Promise<Result<{ account: LdapEntry; bindAs: string; lockout: Lockout }>> {
  const attributes = ['objectSid', 'badPwdCount', 'pwdPolicySubentry', 'pwdFailureTime'];
  const found = await findAccount(directory, user, attributes);
  if (!found.ok) return found;
  const account = found.value;
  const { place } = directory.session;
  if (account === undefined)
    return fail('input.not-found', `There is no account ${user} in the directory.`, { place, fixBy: 'hospital' });
  const lockout =
    directory.root.kind === 'active-directory'
      ? await domainLockout(directory, user, account, stated)
      : await overlayLockout(directory, account);
  if (!lockout.ok) return lockout;
  const { threshold, failed = 0 } = lockout.value;
  if (threshold > 0 && threshold - failed <= LEFT_OVER)
    return fail(
      'probe.inconclusive',
      `${user} has ${failed} of ${threshold} failed logons before its lockout, so no logon was tried.`,
      { place, fixBy: 'hospital' },
    );
  // Only Active Directory takes another name than the DN in a simple bind.
  const bindAs = directory.root.kind === 'active-directory' ? user : account.dn;
  return ok({ account, bindAs, lockout: lockout.value });
}

async function domainLockout(
  directory: SiteDirectory,
  user: string,
  account: LdapEntry,
  stated: number | undefined,
): Promise<Result<Lockout>> {
  const policies = await readPolicies(directory, user);
  if (!policies.ok) return policies;
  const { domain, effective } = policies.value;
  const failed = parseNumber(account.text('badPwdCount'));
  if (typeof effective !== 'string') {
    const threshold = effective.lockoutThreshold;
    if (threshold === undefined) return unreadable(directory, `the lockout policy of ${user}`);
    if (failed === undefined && threshold > 0) return unreadable(directory, `how many logons of ${user} have failed`);
    return ok({ threshold, source: 'account', ...(failed === undefined ? {} : { failed }) });
  }
  // A fine-grained policy that is hidden may lock out at the first failure, whatever the domain's says.
  if (stated === undefined)
    return unreadable(
      directory,
      `which lockout policy holds for ${user}`,
      ' Let it read msDS-ResultantPSO of the account and the Password Settings Container, or state in the site file after how many failed logons it is locked out (canary.lockoutAfter).',
    );
  if (failed === undefined) return unreadable(directory, `how many logons of ${user} have failed`);
  const limits = [stated, domain.lockoutThreshold ?? 0].filter((limit) => limit > 0);
  return ok({ threshold: limits.length === 0 ? 0 : Math.min(...limits), source: 'site', failed });
}

async function overlayLockout(directory: SiteDirectory, account: LdapEntry): Promise<Result<Lockout>> {
  const name = account.text('pwdPolicySubentry');
  const read = name === undefined ? ok(undefined) : await directory.session.read(name, PPOLICY_ATTRIBUTES);
  const entry = read.ok ? read.value : undefined;
  if (entry === undefined) return unreadable(directory, `the lockout policy of ${account.dn}`);
  const threshold = overlayPolicy(entry).lockoutThreshold ?? 0;
  return ok({ threshold, failed: account.texts('pwdFailureTime').length, source: 'account' });
}

function unreadable(directory: SiteDirectory, what: string, remedy = '') {
  return fail('ldap.no-right', `The bind account may not read ${what}, so no logon was tried.${remedy}`, {
    place: directory.session.place,
  });
}
