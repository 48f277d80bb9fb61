import { fail, ok, type Result } from '../../core/result.ts';
import { findAccount } from './ldap-lookup.ts';
import {
  DOMAIN_ATTRIBUTES,
  domainPolicy,
  FINE_GRAINED_ATTRIBUTES,
  fineGrainedPolicy,
  type PasswordPolicy,
} from './ldap-policy.ts';
import type { SiteDirectory } from './ldap-site.ts';

/** Functional level 2008: below it there are no fine-grained policies. */
const FINE_GRAINED_LEVEL = 3;

/** What an Active Directory says about passwords. */
export type DomainPolicies = {
  readonly domain: PasswordPolicy;
  /** Number of fine-grained policies that are visible; absent when none is, for they may be hidden. */
  readonly fineGrained?: number;
  /** What holds for the account, or a sentence saying why that is not known. */
  readonly effective: PasswordPolicy | string;
};

/** Reads the domain's policy and the one that wins for an account. `ldap.no-right` where the domain's own entry is hidden. */
export async function readPolicies(directory: SiteDirectory, account: string): Promise<Result<DomainPolicies>> {
  const { session, root, baseDn } = directory;
  const head = root.defaultNamingContext ?? baseDn;
  const read = await session.read(head, DOMAIN_ATTRIBUTES);
  if (!read.ok) return read;
  if (read.value === undefined)
    return fail('ldap.no-right', `The bind account may not read ${head}.`, { place: session.place });
  const domain = domainPolicy(read.value);
  const objects = await session.search({
    base: `CN=Password Settings Container,CN=System,${head}`,
    scope: 'sub',
    filter: '(objectClass=msDS-PasswordSettings)',
    attributes: ['cn'],
    limit: 1000,
  });
  if (!objects.ok && objects.error.code !== 'ldap.result' && objects.error.code !== 'ldap.no-right') return objects;
  const seen = objects.ok ? objects.value.entries.length : 0;
  const mayRead =
    account === directory.user || seen > 0 || (root.domainFunctionality ?? FINE_GRAINED_LEVEL) < FINE_GRAINED_LEVEL;
  const effective = await winner(directory, account, domain, mayRead);
  if (!effective.ok) return effective;
  // An ordinary user sees an empty container where it may not read what is in it, so only a number above zero is a fact.
  return ok({ domain, effective: effective.value, ...(seen > 0 ? { fineGrained: seen } : {}) });
}

/**
 * msDS-ResultantPSO is computed by the controller and names the winner. That it is not there means 'none wins' only where
 * we would be shown it: on our own account, or with a right to see the fine-grained policies.
 */
async function winner(
  directory: SiteDirectory,
  account: string,
  domain: PasswordPolicy,
  mayRead: boolean,
): Promise<Result<PasswordPolicy | string>> {
  const found = await findAccount(directory, account, ['msDS-ResultantPSO']);
  if (!found.ok) return found;
  if (found.value === undefined) return ok(`there is no account ${account}`);
  const name = found.value.text('msDS-ResultantPSO');
  if (name === undefined)
    return ok(mayRead ? domain : 'the bind account has no right to see which policy wins for another account');
  const object = await directory.session.read(name, FINE_GRAINED_ATTRIBUTES);
  if (!object.ok && object.error.code !== 'ldap.result' && object.error.code !== 'ldap.no-right') return object;
  const entry = object.ok ? object.value : undefined;
  if (entry?.text('msDS-MinimumPasswordLength') === undefined) {
    return ok(`a fine-grained policy wins, and the bind account has no right to read it (${name})`);
  }
  return ok(fineGrainedPolicy(entry));
}
