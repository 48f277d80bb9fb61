import { fail, ok, type Result } from '../../core/result.ts';
import { readPolicies } from './ldap-effective-policy.ts';
import type { LdapEntry } from './ldap.ts';
import { findAccount } from './ldap-lookup.ts';
import { overlayPolicy, PPOLICY_ATTRIBUTES } from './ldap-policy.ts';
import type { SiteDirectory } from './ldap-site.ts';
import { parseNumber } from './ldap-values.ts';

/** How far an account is from being locked out. `source`: whose policy says so. */
export type Lockout = {
  readonly threshold: number;
  readonly failed?: number;
  readonly source: 'account' | 'domain';
};

/** Attempts that must be left to the person after ours went wrong. */
const LEFT_OVER = 2;

/**
 * Reads whether one logon can be tried without bringing the account near its lockout.
 * @returns the account with `objectSid`, the name it binds as and its distance; `input.not-found` when it is not there, `ldap.no-right` when
 * count or policy may not be read, `probe.inconclusive` when it is near its lockout
 */
export async function roomForOneAttempt(
  directory: SiteDirectory,
  user: string,
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
      ? await domainLockout(directory, user, account)
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

async function domainLockout(directory: SiteDirectory, user: string, account: LdapEntry): Promise<Result<Lockout>> {
  const policies = await readPolicies(directory, user);
  if (!policies.ok) return policies;
  const { domain, effective } = policies.value;
  const known = typeof effective === 'string' ? undefined : effective;
  const threshold = (known ?? domain).lockoutThreshold;
  const failed = parseNumber(account.text('badPwdCount'));
  if (threshold === undefined) return unreadable(directory, `the lockout policy of ${user}`);
  const source = known === undefined ? 'domain' : 'account';
  // A fine-grained policy that is hidden may be stricter than the domain's, in whatever the domain's says.
  if (failed === undefined && (threshold > 0 || source === 'domain'))
    return unreadable(directory, `how many logons of ${user} have failed`);
  if (source === 'domain' && failed !== 0)
    return unreadable(
      directory,
      `which lockout policy holds for ${user}, and logons of it have failed before (${failed})`,
    );
  return ok({ threshold, source, ...(failed === undefined ? {} : { failed }) });
}

async function overlayLockout(directory: SiteDirectory, account: LdapEntry): Promise<Result<Lockout>> {
  const name = account.text('pwdPolicySubentry');
  const read = name === undefined ? ok(undefined) : await directory.session.read(name, PPOLICY_ATTRIBUTES);
  const entry = read.ok ? read.value : undefined;
  if (entry === undefined) return unreadable(directory, `the lockout policy of ${account.dn}`);
  const threshold = overlayPolicy(entry).lockoutThreshold ?? 0;
  return ok({ threshold, failed: account.texts('pwdFailureTime').length, source: 'account' });
}

function unreadable(directory: SiteDirectory, what: string) {
  return fail('ldap.no-right', `The bind account may not read ${what}, so no logon was tried.`, {
    place: directory.session.place,
  });
}
