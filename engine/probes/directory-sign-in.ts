import type { z } from 'zod';
import type { AbsentFact } from '../../core/probes/declaration.ts';
import { directorySignIn as declaration } from '../../core/probes/directory-sign-in.ts';
import { ok, type Result } from '../../core/result.ts';
import { defineProbe, type ProbeContext, type ProbeOutcome } from '../context.ts';
import type { LdapEntry } from '../wire/ldap.ts';
import { isWrongPassword, logonRefusal } from '../wire/ldap-errors.ts';
import { type Lockout, roomForOneAttempt } from '../wire/ldap-lockout.ts';
import { findGroup, sidOf } from '../wire/ldap-lookup.ts';
import { walkMembers } from '../wire/ldap-members.ts';
import { normalizeDn } from '../wire/ldap-names.ts';
import { MEMBER_ATTRIBUTES } from '../wire/ldap-nesting.ts';
import { type SiteDirectory, withDirectory } from '../wire/ldap-site.ts';
import { parseSid } from '../wire/ldap-values.ts';

type Params = z.output<typeof declaration.params>;
type Facts = z.input<typeof declaration.facts>;
type Attempt = Facts['signIn'];
type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Credential = Params['account'];

const MAX_MEMBERS = 50_000;

/** What the account's session found out, while it was let in. */
type Entitlement = Required<Pick<Facts, 'roles' | 'how'>> & Pick<Facts, 'groups'>;

async function look(params: Params, context: ProbeContext): Promise<Result<ProbeOutcome<Facts>>> {
  const room = await withDirectory(context, (directory) =>
    roomForOneAttempt(directory, params.account.user, stated(context)),
  );
  if (!room.ok) return room;
  const { account, bindAs, lockout } = room.value;
  const tried = await attempt({ ...params.account, user: bindAs }, context, (directory) =>
    entitlement(directory, account, params.roles),
  );
  if (!tried.ok) return tried;
  const facts: Writable<Facts> = { signIn: tried.value.attempt, lockout: describe(lockout) };
  const absent: AbsentFact[] = [];
  const { found } = tried.value;
  if (found === undefined)
    for (const path of ['roles', 'groups', 'how']) absent.push({ path, reason: 'the account was not let in' });
  else {
    Object.assign(facts, found);
    if (found.groups === undefined)
      absent.push({
        path: 'groups',
        reason: 'this directory does not tell the groups of an account',
        ...(context.site.directory?.kind === 'ldap' ? { notApplicable: true } : {}),
      });
  }
  if (lockout.failed === undefined)
    absent.push({ path: 'lockout.failed', reason: 'the bind account may not read it; accounts are never locked out' });
  const second = await tryRefused(params.mustRefuse, context);
  if (!second.ok) return second;
  if (typeof second.value === 'string') absent.push({ path: 'mustRefuse', reason: second.value });
  else facts.mustRefuse = second.value;
  return ok({ kind: 'facts', facts, absent });
}

/** What the site file says about the lockout of its canary accounts. */
function stated({ site }: ProbeContext): number | undefined {
  return site.directory?.canary?.lockoutAfter;
}

function describe({ threshold, failed, source }: Lockout): NonNullable<Facts['lockout']> {
  return { threshold, source, ...(failed === undefined ? {} : { failed }) };
}

/** One logon. A wrong password is an error: it says nothing about the account, and the next try would cost another one. */
async function attempt<T>(
  { user, secret }: Credential,
  context: ProbeContext,
  work: (directory: SiteDirectory) => Promise<Result<T>>,
): Promise<Result<{ attempt: Attempt; found?: T }>> {
  const password = await context.secret(secret);
  if (!password.ok) return password;
  context.progress(`One logon of ${user}`);
  const outcome = await withDirectory(context, work, { user, password: password.value });
  if (outcome.ok) return ok({ attempt: { outcome: 'accepted' }, found: outcome.value });
  const { error } = outcome;
  const refusal =
    error.code === 'ldap.credentials' && !isWrongPassword(error) ? logonRefusal(error.cause ?? '') : undefined;
  return refusal === undefined ? outcome : ok({ attempt: { outcome: 'refused', ...refusal } });
}

/** The second account must be refused for what it is; a password that is simply wrong would look much the same. */
async function tryRefused(account: Credential | undefined, context: ProbeContext): Promise<Result<Attempt | string>> {
  if (account === undefined) return ok('the site names no disabled or expired account');
  const room = await withDirectory(context, (directory) => roomForOneAttempt(directory, account.user, stated(context)));
  const tried = room.ok
    ? await attempt({ ...account, user: room.value.bindAs }, context, async () => ok(undefined))
    : room;
  if (tried.ok) return ok(tried.value.attempt);
  if (context.signal.aborted) return tried;
  return ok(
    tried.error.code === 'ldap.credentials'
      ? `it was refused like a wrong password, which says nothing about the account: ${tried.error.message}`
      : `it was not tried: ${tried.error.message}`,
  );
}

/** The groups of the account as its own session sees them, and the roles that follow. */
async function entitlement(
  directory: SiteDirectory,
  account: LdapEntry,
  roles: Params['roles'],
): Promise<Result<Entitlement>> {
  const token = await tokenGroups(directory, account);
  if (!token.ok) return token;
  const held: string[] = [];
  for (const { id, group: name } of roles) {
    const group = await findGroup(directory, name, MEMBER_ATTRIBUTES);
    if (!group.ok) return group;
    if (group.value === undefined) continue;
    if (token.value !== undefined) {
      if (token.value.has(sidOf(group.value) ?? '')) held.push(id);
      continue;
    }
    const members = await walkMembers(directory, group.value, MAX_MEMBERS);
    if (!members.ok) return members;
    if (members.value.leaves.some(({ entry }) => normalizeDn(entry.dn) === normalizeDn(account.dn))) held.push(id);
  }
  return ok(
    token.value === undefined
      ? { roles: held, how: 'walk' }
      : { roles: held, how: 'token-groups', groups: token.value.size },
  );
}

/** SIDs of every group that counts for a logon (MS-ADTS 3.1.1.4.5.19); undefined where the directory does not compute them. */
async function tokenGroups(
  directory: SiteDirectory,
  account: LdapEntry,
): Promise<Result<ReadonlySet<string> | undefined>> {
  if (directory.root.kind !== 'active-directory') return ok(undefined);
  const read = await directory.session.read(account.dn, ['tokenGroups']);
  if (!read.ok) return read;
  const sids = read.value?.bytes('tokenGroups').flatMap((bytes) => parseSid(bytes) ?? []) ?? [];
  return ok(sids.length === 0 ? undefined : new Set(sids));
}

export const directorySignIn = defineProbe(declaration, look);
