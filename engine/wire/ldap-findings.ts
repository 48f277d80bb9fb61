import type { z } from 'zod';
import type { AbsentFact } from '../../core/probes/declaration.ts';
import type { directoryConnection } from '../../core/probes/directory-connection.ts';
import type { AppError } from '../../core/result.ts';
import type { LdapSession } from './ldap.ts';
import type { RootDse } from './ldap-site.ts';
import { blameClock } from './ldap-trials.ts';

export type ConnectionFacts = z.input<typeof directoryConnection.facts>;
type ServerFacts = ConnectionFacts['servers'][number];
export type Channel = NonNullable<ServerFacts['ldaps']>;
export type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What was gathered about one server, before it becomes facts. */
export type Findings = {
  readonly facts: Writable<ServerFacts>;
  readonly absent: AbsentFact[];
  readonly errors: AppError[];
  root?: RootDse;
  bound?: true;
};

const DAY_MS = 86_400_000;

/** A fact of one server that is unknown, with the server in the reason. */
export function gap(name: string, server: string, reason: string): AbsentFact {
  return { path: `servers[].${name}`, reason: `${server}: ${reason}` };
}

/** A way in that did not hold, with the stage that failed. */
export function refuted(port: number, error: AppError): Channel {
  return {
    state: 'refuted',
    port,
    code: error.code,
    reason: error.cause === undefined ? error.message : `${error.message} (${error.cause})`,
  };
}

/** A way in that held; days are counted by the laptop clock. */
export function verified(port: number, { peer }: LdapSession, now: Date): Channel {
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

/** What follows from the whole of one server, and the reason for each fact that stayed unknown. */
export function finish(findings: Findings): Findings {
  const { facts, absent, root } = findings;
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
      root?.kind === 'ldap' ? 'this directory does not tell the time' : 'the server could not be asked for its time';
    absent.push({ ...gap('clockOffsetSeconds', facts.id, reason), ...onlyThere(root) });
  }
  if (facts.anonymousSearch === undefined && !absent.some(({ path }) => path === 'servers[].anonymousSearch'))
    absent.push(gap('anonymousSearch', facts.id, 'not tested: the server could not be asked'));
  tellRoot(findings);
  return findings;
}

/** Marks what only Active Directory tells, where the directory has shown that it is another. */
export function onlyThere(root: RootDse | undefined): Pick<AbsentFact, 'notApplicable'> {
  return root?.kind === 'ldap' ? { notApplicable: true } : {};
}

function tellRoot({ facts, absent, root }: Findings): void {
  const { adSite, controllerFunctionality, globalCatalog, synchronized } = root ?? {};
  const told = { adSite, controllerFunctionality, globalCatalog, synchronized };
  Object.assign(facts, Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)));
  const reason =
    root === undefined
      ? 'the server did not prove itself, so its root DSE was not believed'
      : root.kind === 'ldap'
        ? 'only Active Directory has this'
        : 'the root DSE does not tell';
  for (const [name, value] of Object.entries(told))
    if (value === undefined) absent.push({ ...gap(name, facts.id, reason), ...onlyThere(root) });
}
