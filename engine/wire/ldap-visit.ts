import { ok, type Result } from '../../core/result.ts';
import type { Directory } from '../../core/site/schema.ts';
import type { ProbeContext } from '../context.ts';
import type { DialTarget } from './ldap-dial.ts';
import { type Findings, finish, gap, refuted, verified } from './ldap-findings.ts';
import { type OutdatedVersion, tryOutdatedTls } from './ldap-outdated.ts';
import { addressOf, type DirectoryServer } from './ldap-servers.ts';
import { bindOnce, readRootDse, waysTo } from './ldap-site.ts';
import { openClear, tryAnonymousSearch, tryClearBind } from './ldap-trials.ts';
import { parseGeneralizedTime } from './ldap-values.ts';
import { type LdapSession, openLdap } from './ldap.ts';

/** These say that the question could not be put, so nothing about TLS was found out. */
const NOT_ASKED = new Set([
  'tcp.timeout',
  'tcp.unreachable',
  'dns.not-found',
  'dns.failed',
  'probe.cancelled',
  'probe.deadline',
  'site.invalid',
]);

/**
 * One server by every way in, then the trials that must be refused. Errors only where nothing more may be tried: a wrong
 * password, a site that lacks its secret, a cancelled run.
 */
export async function lookAtServer(
  server: DirectoryServer,
  directory: Directory,
  anchors: readonly string[],
  context: ProbeContext,
): Promise<Result<Findings>> {
  const findings: Findings = {
    facts: { id: server.id, host: server.host, reachable: false, verified: [] },
    absent: [],
    errors: [],
  };
  for (const target of waysTo(server, context, anchors)) {
    const visited = await context.connection(server.host, () => visit(target, findings, directory, context));
    if (!visited.ok) return visited;
  }
  await offerOutdated(server, findings, context);
  if (server.ldap === undefined) {
    for (const name of ['startTls', 'clearBind', 'clearBindResult'])
      findings.absent.push(gap(name, server.id, 'not tested: the site names no LDAP port'));
  } else if (findings.facts.startTls !== undefined) {
    const address = addressOf(server, context);
    await tryInClear(
      { host: server.host, port: server.ldap, ...(address === undefined ? {} : { address }) },
      findings,
      directory,
      context,
    );
  } else {
    for (const name of ['clearBind', 'clearBindResult'])
      findings.absent.push(gap(name, server.id, 'not tested: the LDAP port did not answer'));
  }
  if (server.ldaps === undefined)
    findings.absent.push(gap('ldaps', server.id, 'not tested: the site names no LDAPS port'));
  return ok(finish(findings));
}

/** One way in: the handshake, and on the first that is verified all that can be learned behind it. */
async function visit(
  target: DialTarget,
  findings: Findings,
  directory: Directory,
  context: ProbeContext,
): Promise<Result<void>> {
  const { facts, absent, errors } = findings;
  const name = target.mode === 'ldaps' ? 'ldaps' : 'startTls';
  const opened = await openLdap(target, context.signal);
  if (!opened.ok) {
    errors.push(opened.error);
    if (context.signal.aborted) return opened;
    if (NOT_ASKED.has(opened.error.code)) absent.push(gap(name, facts.id, `not tested: ${opened.error.message}`));
    else facts[name] = refuted(target.port, opened.error);
    if (!opened.error.code.startsWith('dns.') && !opened.error.code.startsWith('tcp.')) facts.reachable = true;
    if (opened.error.code === 'tcp.reset') facts.reachable = true;
    return ok(undefined);
  }
  const session = opened.value;
  try {
    facts.reachable = true;
    const root = await readRootDse(session);
    if (!root.ok) {
      errors.push(root.error);
      if (NOT_ASKED.has(root.error.code)) absent.push(gap(name, facts.id, `not tested: ${root.error.message}`));
      else facts[name] = refuted(target.port, root.error);
      return ok(undefined);
    }
    facts[name] = verified(target.port, session, context.now());
    facts.verified = [...facts.verified, target.mode];
    if (findings.root !== undefined) return ok(undefined);
    findings.root = root.value;
    await lookBehind(session, findings, directory, context);
    return await tryBind(session, findings, directory, context);
  } finally {
    session.close();
  }
}

/** Clock and anonymous search, on a session that has not bound. */
async function lookBehind(
  session: LdapSession,
  { facts, absent }: Findings,
  directory: Directory,
  context: ProbeContext,
): Promise<void> {
  const offset = await clockOffset(session, context);
  if (offset !== undefined) facts.clockOffsetSeconds = offset;
  const anonymous = await tryAnonymousSearch(session, directory.baseDn);
  if ('seen' in anonymous) facts.anonymousSearch = anonymous.seen;
  else absent.push(gap('anonymousSearch', facts.id, anonymous.inconclusive));
}

async function clockOffset(session: LdapSession, context: ProbeContext): Promise<number | undefined> {
  const before = context.now().getTime();
  const root = await readRootDse(session);
  const after = context.now().getTime();
  const time = root.ok ? parseGeneralizedTime(root.value.currentTime) : undefined;
  return time === undefined ? undefined : Math.round((time.getTime() - (before + after) / 2) / 100) / 10;
}

/** A wrong password ends the probe: every further try would bring the account nearer to its lockout. */
async function tryBind(
  session: LdapSession,
  findings: Findings,
  directory: Directory,
  context: ProbeContext,
): Promise<Result<void>> {
  const secret = await context.secret(directory.secret);
  if (!secret.ok) {
    findings.absent.push({ path: 'bind', reason: `not tested: ${secret.error.message}` });
    return ok(undefined);
  }
  const bound = await bindOnce(
    session,
    directory,
    { user: directory.bindAccount, password: secret.value },
    context.now(),
  );
  if (bound.ok) findings.bound = true;
  else if (bound.error.code === 'ldap.credentials') return bound;
  else findings.absent.push({ path: 'bind', reason: `${findings.facts.id}: ${bound.error.message}` });
  return ok(undefined);
}

/** On every port that answered: LDAPS and StartTLS may be configured apart. */
async function offerOutdated(
  server: DirectoryServer,
  { facts, absent }: Findings,
  context: ProbeContext,
): Promise<void> {
  const ways = [
    { channel: facts.ldaps, endpoint: { host: server.host } },
    { channel: facts.startTls, endpoint: { host: server.host, starttls: 'ldap' as const } },
  ];
  const address = addressOf(server, context);
  const hosts = address === undefined ? {} : { [server.host]: address };
  const accepted = new Set<OutdatedVersion>();
  let tried = 0;
  for (const { channel, endpoint } of ways) {
    if (channel === undefined || channel.code?.startsWith('tcp.') === true || channel.code === 'tls.not-spoken')
      continue;
    const trial = await tryOutdatedTls({ ...endpoint, port: channel.port }, channel.protocol, hosts, context);
    if ('inconclusive' in trial) return void absent.push(gap('outdatedTls', facts.id, trial.inconclusive));
    for (const version of trial.seen) accepted.add(version);
    tried += 1;
  }
  if (tried > 0) facts.outdatedTls = [...accepted].sort();
  else absent.push(gap('outdatedTls', facts.id, 'not tested: no port answered in TLS'));
}

/** The trials that need the LDAP port without TLS, and the clock where no verified way in gave it. */
async function tryInClear(
  target: Omit<DialTarget, 'mode' | 'anchors'>,
  findings: Findings,
  directory: Directory,
  context: ProbeContext,
): Promise<void> {
  const { facts, absent } = findings;
  const trial = await context.connection(target.host, () => tryClearBind(target, directory.baseDn, context.signal));
  if ('seen' in trial) {
    facts.clearBind = trial.seen.state;
    facts.clearBindResult = trial.seen.result;
  } else {
    for (const name of ['clearBind', 'clearBindResult']) absent.push(gap(name, facts.id, trial.inconclusive));
  }
  if (findings.root !== undefined) return;
  await context.connection(target.host, async () => {
    const session = await openClear(target, context.signal);
    if ('code' in session) return;
    try {
      await lookBehind(session, findings, directory, context);
    } finally {
      session.close();
    }
  });
}
