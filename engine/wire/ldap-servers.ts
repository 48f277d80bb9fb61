import { fail, ok, type Result } from '../../core/result.ts';
import type { Directory } from '../../core/site/schema.ts';
import type { ProbeContext } from '../context.ts';
import { lookUpAddress, lookUpService } from './dns.ts';
import { domainName } from './ldap-names.ts';

/** A server of the directory, from the site file or from DNS; `address` where the site or DNS told one. */
export type DirectoryServer = Directory['servers'][number] & { readonly address?: string };

/** What DNS says about the servers of a directory. Host names in lower case. */
export type DnsServers = {
  readonly domain: string;
  readonly servers: readonly DirectoryServer[];
  /** Named by DNS, but not below the domain: a certificate for such a name proves nothing about this directory. */
  readonly outside: readonly string[];
};

const LDAPS_PORT = 636;

/**
 * Looks a directory's servers up: for Active Directory its domain controllers (MS-ADTS 6.3.2.3), else RFC 2782. DNS may be
 * forged, so only names below the domain count (RFC 6125, 6.3): whoever answers must have a certificate for one of those.
 * @returns errors `site.invalid`, `dns.*`, `probe.cancelled`, `probe.deadline`
 */
export async function serversInDns(context: ProbeContext, directory: Directory): Promise<Result<DnsServers>> {
  const domain = (directory.dns?.domain ?? domainName(directory.baseDn)).toLowerCase();
  if (domain === '')
    return fail(
      'site.invalid',
      'The base DN names no domain, so the site file must name the one to look servers up in.',
    );
  const options = { nameServers: directory.dns?.nameServers ?? [], signal: context.signal };
  const isAd = directory.kind === 'active-directory';
  const found = new Map<string, DirectoryServer>();
  const outside: string[] = [];
  const services = isAd ? [`_ldap._tcp.dc._msdcs.${domain}`] : [`_ldap._tcp.${domain}`, `_ldaps._tcp.${domain}`];
  let missing: Result<never> | undefined;
  for (const [index, service] of services.entries()) {
    const records = await lookUpService(service, options);
    if (!records.ok) {
      if (records.error.code !== 'dns.not-found') return records;
      missing ??= records;
      continue;
    }
    for (const { host, port } of records.value) {
      if (host !== domain && !host.endsWith(`.${domain}`)) {
        if (!outside.includes(host)) outside.push(host);
        continue;
      }
      // Active Directory publishes no record for LDAPS: its port is fixed.
      const ports = index > 0 ? { ldaps: port } : { ldap: port, ...(isAd ? { ldaps: LDAPS_PORT } : {}) };
      found.set(host, { ...found.get(host), id: idOf(host), host, ...ports });
    }
  }
  if (found.size === 0 && outside.length === 0 && missing !== undefined) return missing;
  const servers: DirectoryServer[] = [];
  for (const server of found.values()) {
    if (context.site.hosts[server.host] === undefined) {
      const address = await lookUpAddress(server.host, options);
      if (!address.ok && context.signal.aborted) return address;
      // A name without an address is dialled all the same, so that the failure is found at that server.
      servers.push(address.ok ? { ...server, address: address.value } : server);
    } else servers.push(server);
  }
  return ok({ domain, servers, outside });
}

/** The servers to work with: those of the site file; where it names none, those in DNS. Errors as `serversInDns`. */
export async function serversOf(
  context: ProbeContext,
  directory: Directory,
): Promise<Result<readonly DirectoryServer[]>> {
  if (directory.servers.length > 0) return ok(directory.servers);
  const found = await serversInDns(context, directory);
  if (!found.ok) return found;
  return found.value.servers.length > 0
    ? ok(found.value.servers)
    : fail('dns.not-found', `DNS names no server below ${found.value.domain} for it.`, { place: found.value.domain });
}

/** The address to dial, where the site file or DNS told one: the site file knows better. */
export function addressOf(server: DirectoryServer, context: ProbeContext): string | undefined {
  return context.site.hosts[server.host] ?? server.address;
}

/** An id like those of a site file. */
function idOf(host: string): string {
  return host.replace(/[^a-z0-9.-]+/g, '-').slice(0, 64);
}
