import type { z } from 'zod';
import type { AbsentFact } from '../../core/probes/declaration.ts';
import { directoryConnection as declaration } from '../../core/probes/directory-connection.ts';
import { type AppError, fail, ok, type Result } from '../../core/result.ts';
import type { Directory } from '../../core/site/schema.ts';
import { defineProbe, type ProbeContext, type ProbeOutcome } from '../context.ts';
import type { DialTarget } from '../wire/ldap-dial.ts';
import { isWithin } from '../wire/ldap-names.ts';
import { bindOnce, directoryAnchors, directoryOf, readRootDse, type RootDse, waysTo } from '../wire/ldap-site.ts';
import { type OutdatedVersion, tryOutdatedTls } from '../wire/ldap-outdated.ts';
import { blameClock, openClear, tryAnonymousSearch, tryClearBind } from '../wire/ldap-trials.ts';
import { parseGeneralizedTime } from '../wire/ldap-values.ts';
import { openLdap, type LdapSession } from '../wire/ldap.ts';

type Facts = z.input<typeof declaration.facts>;
type ServerFacts = Facts['servers'][number];
type Channel = NonNullable<ServerFacts['ldaps']>;
type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What was gathered about one server, before it becomes facts. */
type Findings = {
  readonly facts: Writable<ServerFacts>;
  readonly absent: AbsentFact[];
  readonly errors: AppError[];
  root?: RootDse;
  bound?: true;
};

const DAY_MS = 86_400_000;
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

const NOT_TESTED =
  'not tested: the LDAP library does simple and EXTERNAL binds only, and only a SASL bind could show it';

/** Looks at every server of the site by every way in, then puts the trials that must be refused. */
async function look(
  params: z.output<typeof declaration.params>,
  context: ProbeContext,
): Promise<Result<ProbeOutcome<Facts>>> {
  const site = directoryOf(context);
  if (!site.ok) return site;
  const directory = site.value;
  const anchors = directoryAnchors(context, directory);
  if (!anchors.ok) return anchors;
  const servers = directory.servers.filter(({ id }) => params.server === undefined || id === params.server);
  if (servers.length === 0) return fail('guide.invalid', `The site has no directory server ${params.server}.`);
  const all: Findings[] = [];
  for (const server of servers) {
    context.progress(`Directory server ${server.host}`);
    const findings = await lookAtServer(server, directory, anchors.value, context);
    if (!findings.ok) return findings;
    all.push(findings.value);
  }
  if (all.every(({ facts }) => !facts.reachable)) {
    const [first] = all.flatMap(({ errors }) => errors);
    return first === undefined
      ? fail('site.invalid', 'No directory server of the site names a port.')
      : { ok: false, error: first };
  }
  return ok({ kind: 'facts', ...summarize(all, directory) });
}

async function lookAtServer(
  server: Directory['servers'][number],
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
    const address = context.site.hosts[server.host];
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
  return finish(findings);
}

function gap(name: string, server: string, reason: string): AbsentFact {
  return { path: `servers[].${name}`, reason: `${server}: ${reason}` };
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

function refuted(port: number, error: AppError): Channel {
  return {
    state: 'refuted',
    port,
    code: error.code,
    reason: error.cause === undefined ? error.message : `${error.message} (${error.cause})`,
  };
}

function verified(port: number, { peer }: LdapSession, now: Date): Channel {
  if (peer === undefined) return { state: 'refuted', port, code: 'internal', reason: 'The connection has no peer.' };
  const daysLeft = Math.floor(((Date.parse(peer.certificate.notAfter) - now.getTime()) / DAY_MS) * 10) / 10;
  return {
    state: 'verified',
    port,
    protocol: peer.protocol,
    cipher: peer.cipher,
    certificate: { ...peer.certificate, daysLeft },
  };
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
  server: Directory['servers'][number],
  { facts, absent }: Findings,
  context: ProbeContext,
): Promise<void> {
  const ways = [
    { channel: facts.ldaps, endpoint: { host: server.host } },
    { channel: facts.startTls, endpoint: { host: server.host, starttls: 'ldap' as const } },
  ];
  const accepted = new Set<OutdatedVersion>();
  let tried = 0;
  for (const { channel, endpoint } of ways) {
    if (channel === undefined || channel.code?.startsWith('tcp.') === true || channel.code === 'tls.not-spoken')
      continue;
    const trial = await tryOutdatedTls({ ...endpoint, port: channel.port }, channel.protocol, context);
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

function finish(findings: Findings): Result<Findings> {
  const { facts, absent } = findings;
  for (const name of ['ldaps', 'startTls'] as const) {
    const channel = facts[name];
    if (channel?.code === undefined || channel.state !== 'refuted') continue;
    const error = findings.errors.find(
      ({ code, place }) => code === channel.code && place?.endsWith(`:${channel.port}`) === true,
    );
    if (error !== undefined) facts[name] = refuted(channel.port, blameClock(error, facts.clockOffsetSeconds));
  }
  const days = [facts.ldaps, facts.startTls].flatMap((channel) =>
    channel?.certificate === undefined ? [] : [channel.certificate.daysLeft],
  );
  if (days.length > 0) facts.daysLeft = Math.min(...days);
  else absent.push(gap('daysLeft', facts.id, 'no certificate of this server could be verified'));
  if (facts.clockOffsetSeconds === undefined) {
    const reason =
      findings.root?.kind === 'ldap'
        ? 'this directory does not tell the time'
        : 'the server could not be asked for its time';
    absent.push(gap('clockOffsetSeconds', facts.id, reason));
  }
  if (facts.anonymousSearch === undefined && !absent.some(({ path }) => path === 'servers[].anonymousSearch')) {
    absent.push(gap('anonymousSearch', facts.id, 'not tested: the server could not be asked'));
  }
  return ok(findings);
}

function summarize(all: readonly Findings[], directory: Directory): { facts: Facts; absent: AbsentFact[] } {
  const absent = all.flatMap((one) => one.absent);
  const roots = all.flatMap(({ root }) => (root === undefined ? [] : [root]));
  const facts: Writable<Facts> = {
    servers: all.map((one) => one.facts),
    verifiedEverywhere: all.every((one) => one.facts.verified.length > 0),
    tlsEngine: tlsEngine(),
  };
  const [root] = roots;
  const unread = 'no server proved itself, so its root DSE was not believed';
  if (root === undefined) {
    for (const path of ['kind', 'baseDnServed', 'domainFunctionality', 'forestFunctionality'])
      absent.push({ path, reason: unread });
  } else {
    facts.kind = root.kind;
    facts.baseDnServed = roots.every(({ namingContexts }) =>
      namingContexts.some((context) => isWithin(directory.baseDn, context)),
    );
    for (const name of ['domainFunctionality', 'forestFunctionality'] as const) {
      const level = root[name];
      if (level !== undefined) facts[name] = level;
      else
        absent.push({
          path: name,
          reason: root.kind === 'ldap' ? 'only Active Directory has functional levels' : 'the root DSE does not tell',
        });
    }
  }
  if (all.some(({ bound }) => bound)) facts.bind = 'accepted';
  else if (!absent.some(({ path }) => path === 'bind'))
    absent.push({ path: 'bind', reason: 'not tested: no server proved itself, so no password was sent' });
  for (const path of ['signing', 'channelBinding']) absent.push({ path, reason: NOT_TESTED });
  return { facts, absent: facts.bind === undefined ? absent : absent.filter(({ path }) => path !== 'bind') };
}

function tlsEngine(): string {
  const boring = Object.hasOwn(process.versions, 'electron');
  return boring ? `BoringSSL (Electron ${process.versions.electron})` : `OpenSSL ${process.versions.openssl}`;
}

export const directoryConnection = defineProbe(declaration, look);
