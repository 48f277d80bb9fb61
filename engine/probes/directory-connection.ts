import type { z } from 'zod';
import type { AbsentFact } from '../../core/probes/declaration.ts';
import { directoryConnection as declaration } from '../../core/probes/directory-connection.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { Directory } from '../../core/site/schema.ts';
import { defineProbe, type ProbeContext, type ProbeOutcome } from '../context.ts';
import { compareServers } from '../wire/ldap-differences.ts';
import { type ConnectionFacts as Facts, type Findings, onlyThere, type Writable } from '../wire/ldap-findings.ts';
import { isWithin } from '../wire/ldap-names.ts';
import { type DirectoryServer, type DnsServers, serversInDns } from '../wire/ldap-servers.ts';
import { directoryAnchors, directoryOf } from '../wire/ldap-site.ts';
import { lookAtServer } from '../wire/ldap-visit.ts';

const NOT_TESTED = {
  signing:
    'not tested: the LDAP library does simple and EXTERNAL binds only, and only a SASL bind without signing could show it; clearBind shows what the same setting does to simple binds',
  channelBinding:
    'not tested: the LDAP library does simple and EXTERNAL binds only, and only a SASL bind over TLS without the token could show it',
};

/** Looks at every server by every way in, then puts the trials that must be refused, then compares. */
async function look(
  params: z.output<typeof declaration.params>,
  context: ProbeContext,
): Promise<Result<ProbeOutcome<Facts>>> {
  const site = directoryOf(context);
  if (!site.ok) return site;
  const directory = site.value;
  const anchors = directoryAnchors(context, directory);
  if (!anchors.ok) return anchors;
  const named = await findServers(context, directory);
  if (!named.ok) return named;
  const servers = named.value.servers.filter(({ id }) => params.server === undefined || id === params.server);
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
  return ok({ kind: 'facts', ...summarize(all, directory, named.value) });
}

type Named = { readonly servers: readonly DirectoryServer[]; readonly dns: Facts['dns'] | string };

/** The servers of the site file and those in DNS. Without any of the former, an error of DNS ends the probe. */
async function findServers(context: ProbeContext, directory: Directory): Promise<Result<Named>> {
  const listed = directory.servers;
  if (directory.dns === undefined && listed.length > 0)
    return ok({ servers: listed, dns: 'not asked: the site file does not say that DNS names the servers' });
  context.progress('Directory servers in DNS');
  const found = await serversInDns(context, directory);
  if (!found.ok) {
    if (listed.length === 0 || context.signal.aborted) return found;
    return ok({ servers: listed, dns: `${found.error.message} ${found.error.place ?? ''}`.trim() });
  }
  const { servers, outside } = found.value;
  if (listed.length === 0 && servers.length === 0)
    return fail('dns.not-found', `DNS names no directory server below ${found.value.domain}.`, {
      place: found.value.domain,
      ...(outside.length === 0 ? {} : { cause: `named: ${outside.join(', ')}` }),
    });
  return ok(together(listed, found.value));
}

function together(listed: readonly DirectoryServer[], { domain, servers, outside }: DnsServers): Named {
  const known = new Set(listed.map(({ host }) => host.toLowerCase()));
  const inDns = new Map(servers.map((server) => [server.host, server]));
  const besides = servers.filter(({ host }) => !known.has(host));
  const addressed = listed.map((server) => {
    const address = inDns.get(server.host.toLowerCase())?.address;
    return address === undefined ? server : { ...server, address };
  });
  const dns = {
    domain,
    servers: [...inDns.keys()],
    notInSite: listed.length === 0 ? [] : besides.map(({ host }) => host),
    notInDns: listed.map(({ host }) => host).filter((host) => !inDns.has(host.toLowerCase())),
    outside: [...outside],
  };
  return { servers: [...addressed, ...besides], dns };
}

function summarize(
  all: readonly Findings[],
  directory: Directory,
  { dns }: Named,
): { facts: Facts; absent: AbsentFact[] } {
  const absent = all.flatMap((one) => one.absent);
  const roots = all.flatMap(({ root }) => (root === undefined ? [] : [root]));
  const facts: Writable<Facts> = {
    servers: all.map((one) => one.facts),
    verifiedEverywhere: all.every((one) => one.facts.verified.length > 0),
    tlsEngine: tlsEngine(),
  };
  if (typeof dns === 'string') absent.push({ path: 'dns', reason: dns });
  else if (dns !== undefined) facts.dns = dns;
  const compared = compareServers(all);
  Object.assign(facts, compared.facts);
  absent.push(...compared.absent);
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
          ...onlyThere(root),
        });
    }
  }
  if (all.some(({ bound }) => bound)) facts.bind = 'accepted';
  else if (!absent.some(({ path }) => path === 'bind'))
    absent.push({ path: 'bind', reason: 'not tested: no server proved itself, so no password was sent' });
  for (const [path, reason] of Object.entries(NOT_TESTED)) absent.push({ path, reason });
  return { facts, absent: facts.bind === undefined ? absent : absent.filter(({ path }) => path !== 'bind') };
}

function tlsEngine(): string {
  const boring = Object.hasOwn(process.versions, 'electron');
  return boring ? `BoringSSL (Electron ${process.versions.electron})` : `OpenSSL ${process.versions.openssl}`;
}

export const directoryConnection = defineProbe(declaration, look);
