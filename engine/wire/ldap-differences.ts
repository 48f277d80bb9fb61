import type { AbsentFact } from '../../core/probes/declaration.ts';
import type { ServerDifference } from '../../core/probes/directory-connection.ts';
import type { Findings } from './ldap-findings.ts';

type What = ServerDifference['what'];

/** What is compared, as text; undefined where it is unknown of that server. */
const COMPARED: readonly (readonly [What, (one: Findings) => string | undefined])[] = [
  ['naming-context', ({ root }) => root?.defaultNamingContext ?? root?.namingContexts.join(' ')],
  ['domain-level', ({ root }) => root?.domainFunctionality?.toString()],
  ['forest-level', ({ root }) => root?.forestFunctionality?.toString()],
  ['controller-level', ({ root }) => root?.controllerFunctionality?.toString()],
  ['ad-site', ({ root }) => root?.adSite],
  ['global-catalog', ({ root }) => root?.globalCatalog?.toString()],
  ['synchronized', ({ root }) => root?.synchronized?.toString()],
  ['ways-in', ({ facts }) => (facts.reachable ? list(facts.verified) : undefined)],
  ['tls-version', ({ facts }) => verifiedOf(facts)?.protocol],
  ['certificate-issuer', ({ facts }) => verifiedOf(facts)?.certificate?.issuer],
  ['outdated-tls', ({ facts }) => (facts.outdatedTls === undefined ? undefined : list(facts.outdatedTls))],
  ['anonymous-search', ({ facts }) => facts.anonymousSearch],
  ['clear-bind', ({ facts }) => facts.clearBind],
];

/**
 * In what the servers of a directory differ. What is unknown of a server is not compared, so that no difference is claimed
 * where there was only one look.
 */
export function differencesOf(all: readonly Findings[]): ServerDifference[] {
  return COMPARED.flatMap(([what, read]) => {
    const byValue = new Map<string, string[]>();
    for (const one of all) {
      const value = read(one);
      if (value !== undefined) byValue.set(value, [...(byValue.get(value) ?? []), one.facts.host]);
    }
    if (byValue.size < 2) return [];
    return [{ what, values: [...byValue].map(([value, servers]) => ({ value, servers })) }];
  });
}

/** Differences and spread of the clocks, or why they are not known. */
export function compareServers(all: readonly Findings[]): {
  facts: { differences?: ServerDifference[]; clockSpreadSeconds?: number };
  absent: AbsentFact[];
} {
  const absent: AbsentFact[] = [];
  const differences = differencesOf(all);
  const unread = all.filter(({ root }) => root === undefined).map(({ facts }) => facts.id);
  const known = differences.length > 0 || unread.length === 0;
  if (!known) absent.push({ path: 'differences', reason: `not every server could be compared: ${unread.join(', ')}` });
  const offsets = all.flatMap(({ facts }) => facts.clockOffsetSeconds ?? []);
  const everyClock = offsets.length === all.length;
  const clockless = all.every(({ root }) => root?.kind === 'ldap');
  if (!everyClock)
    absent.push({
      path: 'clockSpreadSeconds',
      ...(clockless
        ? { reason: 'this directory does not tell the time', notApplicable: true }
        : { reason: 'not every server told its time' }),
    });
  return {
    facts: {
      ...(known ? { differences } : {}),
      ...(everyClock
        ? { clockSpreadSeconds: Math.round((Math.max(...offsets) - Math.min(...offsets)) * 10) / 10 }
        : {}),
    },
    absent,
  };
}

function verifiedOf({ ldaps, startTls }: Findings['facts']) {
  return [ldaps, startTls].find((channel) => channel?.state === 'verified');
}

function list(values: readonly string[]): string {
  return values.length === 0 ? 'none' : [...values].sort().join(', ');
}
