import type { z } from 'zod';
import type { AbsentFact } from '../../core/probes/declaration.ts';
import { directoryPasswordPolicy as declaration } from '../../core/probes/directory-password-policy.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { defineProbe, type ProbeContext, type ProbeOutcome } from '../context.ts';
import { findAccount } from '../wire/ldap-lookup.ts';
import {
  DOMAIN_ATTRIBUTES,
  domainPolicy,
  FINE_GRAINED_ATTRIBUTES,
  fineGrainedPolicy,
  overlayPolicy,
  type PasswordPolicy,
  PPOLICY_ATTRIBUTES,
} from '../wire/ldap-policy.ts';
import { type SiteDirectory, withDirectory } from '../wire/ldap-site.ts';

type Facts = z.input<typeof declaration.facts>;
type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Functional level 2008: below it there are no fine-grained policies. */
const FINE_GRAINED_LEVEL = 3;

/** Every field that a policy can have, so that each one that is not there is listed with a reason. */
const FIELDS = [
  ['minimumLength', 'history', 'complexity', 'reversibleEncryption', 'expires', 'maximumAgeDays', 'minimumAgeDays'],
  ['lockoutThreshold', 'lockoutMinutes', 'lockoutWindowMinutes'],
].flat() as readonly (keyof PasswordPolicy)[];

async function look(
  params: z.output<typeof declaration.params>,
  context: ProbeContext,
): Promise<Result<ProbeOutcome<Facts>>> {
  return withDirectory(context, async (directory) => {
    const account = params.account ?? directory.user;
    return directory.root.kind === 'active-directory'
      ? lookAtDomain(directory, account)
      : lookAtOverlay(directory, account);
  });
}

async function lookAtDomain(directory: SiteDirectory, account: string): Promise<Result<ProbeOutcome<Facts>>> {
  const { session, root, baseDn } = directory;
  const head = root.defaultNamingContext ?? baseDn;
  const read = await session.read(head, DOMAIN_ATTRIBUTES);
  if (!read.ok) return read;
  if (read.value === undefined)
    return fail('ldap.no-right', `The bind account may not read ${head}.`, { place: session.place });
  const facts: Writable<Facts> = { domain: domainPolicy(read.value) };
  const absent: AbsentFact[] = [...gaps('domain', facts.domain)];
  const container = `CN=Password Settings Container,CN=System,${head}`;
  const objects = await session.search({
    base: container,
    scope: 'sub',
    filter: '(objectClass=msDS-PasswordSettings)',
    attributes: ['cn'],
    limit: 1000,
  });
  // An ordinary user sees an empty container where it may not read what is in it, so only a number above zero is a fact.
  if (objects.ok && objects.value.entries.length > 0) facts.fineGrained = objects.value.entries.length;
  else
    absent.push({
      path: 'fineGrained',
      reason: 'the bind account sees none, and could not see any that it has no right to read',
    });
  if (!objects.ok && objects.error.code !== 'ldap.result' && objects.error.code !== 'ldap.no-right') return objects;
  const mayRead =
    account === directory.user ||
    facts.fineGrained !== undefined ||
    (root.domainFunctionality ?? FINE_GRAINED_LEVEL) < FINE_GRAINED_LEVEL;
  const effective = await winner(directory, account, facts.domain, mayRead);
  if (!effective.ok) return effective;
  if (typeof effective.value === 'string') absent.push({ path: 'effective', reason: effective.value });
  else {
    facts.effective = effective.value;
    absent.push(...gaps('effective', effective.value));
  }
  return ok({ kind: 'facts', facts, absent });
}

/**
 * msDS-ResultantPSO is computed by the controller and names the winner. That it is not there means 'none wins' only where
 * we would be shown it: on our own account, or with a right to see the fine-grained policies.
 */
async function winner(
  directory: SiteDirectory,
  account: string,
  domain: PasswordPolicy | undefined,
  mayRead: boolean,
): Promise<Result<PasswordPolicy | string>> {
  const found = await findAccount(directory, account, ['msDS-ResultantPSO']);
  if (!found.ok) return found;
  if (found.value === undefined) return ok(`there is no account ${account}`);
  const name = found.value.text('msDS-ResultantPSO');
  if (name === undefined)
    return ok(
      mayRead && domain !== undefined
        ? domain
        : 'the bind account has no right to see which policy wins for another account',
    );
  const object = await directory.session.read(name, FINE_GRAINED_ATTRIBUTES);
  if (!object.ok && object.error.code !== 'ldap.result' && object.error.code !== 'ldap.no-right') return object;
  const entry = object.ok ? object.value : undefined;
  if (entry?.text('msDS-MinimumPasswordLength') === undefined) {
    return ok(`a fine-grained policy wins, and the bind account has no right to read it (${name})`);
  }
  return ok(fineGrainedPolicy(entry));
}

/**
 * Only an account that names its policy can be judged: which one is the default stands in the server's configuration,
 * where an ordinary account cannot look.
 */
async function lookAtOverlay(directory: SiteDirectory, account: string): Promise<Result<ProbeOutcome<Facts>>> {
  const found = await findAccount(directory, account, ['pwdPolicySubentry']);
  if (!found.ok) return found;
  const absent: AbsentFact[] = ['domain', 'fineGrained'].map((path) => ({
    path,
    reason: 'only Active Directory has it',
  }));
  const named = found.value?.text('pwdPolicySubentry');
  const read = named === undefined ? ok(undefined) : await directory.session.read(named, PPOLICY_ATTRIBUTES);
  if (!read.ok && read.error.code !== 'ldap.result' && read.error.code !== 'ldap.no-right') return read;
  const entry = read.ok ? read.value : undefined;
  if (entry !== undefined) {
    const effective = overlayPolicy(entry);
    return ok({ kind: 'facts', facts: { effective }, absent: [...absent, ...gaps('effective', effective)] });
  }
  const reason =
    found.value === undefined
      ? `there is no account ${account}`
      : named === undefined
        ? 'the account names no policy, and the default of the server stands in its configuration'
        : `the bind account has no right to read the policy ${named}`;
  return ok({ kind: 'facts', facts: {}, absent: [...absent, { path: 'effective', reason }] });
}

function gaps(path: string, policy: PasswordPolicy | undefined): AbsentFact[] {
  const missing = FIELDS.filter((name) => policy?.[name] === undefined).map((name) => ({
    path: `${path}.${name}`,
    reason:
      name === 'maximumAgeDays' && policy?.expires === false ? 'passwords never expire' : 'the directory does not tell',
  }));
  const unnamed = policy?.name === undefined ? [{ path: `${path}.name`, reason: 'this policy has no name' }] : [];
  return [...missing, ...unnamed];
}

export const directoryPasswordPolicy = defineProbe(declaration, look);
