import { Resolver } from 'node:dns/promises';
import { type AppError, appError, ok, type Result } from '../../core/result.ts';
import { abortError } from './tcp.ts';

/** A server that DNS names for a service (RFC 2782). */
export type ServiceRecord = { readonly host: string; readonly port: number };

export type DnsOptions = {
  /** Name servers as address or address:port; default: those of this computer. */
  readonly nameServers?: readonly string[];
  readonly signal: AbortSignal;
};

const QUERY_MS = 2_000;
const TRIES = 2;
const MAX_RECORDS = 50;
const NOT_THERE = ['ENOTFOUND', 'ENODATA'];

/**
 * The servers of a service, most preferred first, at most 50.
 * @param name e.g. `_ldap._tcp.dc._msdcs.hospital.example`
 * @returns errors `dns.not-found` (DNS knows no such service), `dns.failed`, `probe.cancelled`, `probe.deadline`
 */
export async function lookUpService(name: string, options: DnsOptions): Promise<Result<ServiceRecord[]>> {
  const found = await ask(name, options, (resolver) => resolver.resolveSrv(name));
  if (!found.ok) return found;
  const records = found.value
    .filter(({ name: host, port }) => host !== '' && host !== '.' && port > 0)
    .sort((a, b) => a.priority - b.priority || b.weight - a.weight || (a.name < b.name ? -1 : 1))
    .slice(0, MAX_RECORDS)
    .map(({ name: host, port }) => ({ host: host.toLowerCase().replace(/\.$/, ''), port }));
  return records.length > 0 ? ok(records) : { ok: false, error: unknown(name) };
}

/** An address of a host: IPv4 before IPv6. Errors as `lookUpService`. */
export async function lookUpAddress(host: string, options: DnsOptions): Promise<Result<string>> {
  let missing: AppError = unknown(host);
  for (const family of [4, 6] as const) {
    const found = await ask(host, options, (resolver) => resolver[`resolve${family}`](host));
    const [address] = found.ok ? found.value : [];
    if (address !== undefined) return ok(address);
    if (!found.ok && found.error.code !== 'dns.not-found') return found;
    if (!found.ok) missing = found.error;
  }
  return { ok: false, error: missing };
}

async function ask<T>(
  name: string,
  { nameServers = [], signal }: DnsOptions,
  question: (resolver: Resolver) => Promise<T>,
): Promise<Result<T>> {
  if (signal.aborted) return { ok: false, error: abortError(signal, name) };
  const resolver = new Resolver({ timeout: QUERY_MS, tries: TRIES });
  const cancel = () => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    if (nameServers.length > 0) resolver.setServers([...nameServers]);
    return ok(await question(resolver));
  } catch (error) {
    if (signal.aborted) return { ok: false, error: abortError(signal, name) };
    const { code = '' } = error as NodeJS.ErrnoException;
    if (NOT_THERE.includes(code)) return { ok: false, error: unknown(name) };
    const text = 'The name could not be looked up; the name server did not answer properly.';
    return { ok: false, error: appError('dns.failed', text, { place: name, cause: code }) };
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function unknown(name: string): AppError {
  return appError('dns.not-found', `DNS knows no ${name}.`, { place: name });
}
