import type { z } from 'zod';
import type { AbsentFact } from '../../core/probes/declaration.ts';
import { directoryPasswordPolicy as declaration } from '../../core/probes/directory-password-policy.ts';
import { ok, type Result } from '../../core/result.ts';
import { defineProbe, type ProbeContext, type ProbeOutcome } from '../context.ts';
import { readPolicies } from '../wire/ldap-effective-policy.ts';
import { findAccount } from '../wire/ldap-lookup.ts';
import { overlayPolicy, type PasswordPolicy, PPOLICY_ATTRIBUTES } from '../wire/ldap-policy.ts';
import { type SiteDirectory, withDirectory } from '../wire/ldap-site.ts';

type Facts = z.input<typeof declaration.facts>;
type Writable<T> = { -readonly [K in keyof T]: T[K] };

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
  const read = await readPolicies(directory, account);
  if (!read.ok) return read;
  const { domain, fineGrained, effective } = read.value;
  const facts: Writable<Facts> = { domain };
  const absent: AbsentFact[] = [...gaps('domain', domain)];
  if (fineGrained !== undefined) facts.fineGrained = fineGrained;
  else
    absent.push({
      path: 'fineGrained',
      reason: 'the bind account sees none, and could not see any that it has no right to read',
    });
  if (typeof effective === 'string') absent.push({ path: 'effective', reason: effective });
  else {
    facts.effective = effective;
    absent.push(...gaps('effective', effective));
  }
  return ok({ kind: 'facts', facts, absent });
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
    notApplicable: true,
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
