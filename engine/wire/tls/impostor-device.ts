import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { ProbeContext } from '../../context.ts';
import { addressOf } from '../tcp.ts';
import type { Listen } from './impostor-trigger.ts';
import type { ImpostorVisit } from './impostor-visit.ts';

/**
 * Addresses from which the device connects, as far as the site tells: those that it names, else that of the device's API,
 * else that of the device at the client end of the link. `undefined`: it does not tell.
 */
export async function deviceAddresses(listen: Listen, { site }: ProbeContext): Promise<readonly string[] | undefined> {
  if (listen.from.length > 0) return listen.from;
  const link = site.links.find(({ impostor }) => impostor !== undefined && isSame(impostor, listen));
  const host =
    listen.trigger === 'operator'
      ? site.devices.find(({ id }) => id === link?.client.device)?.host
      : new URL(listen.trigger.url).hostname.replace(/^\[|\]$/g, '');
  if (host === undefined) return undefined;
  const address = addressOf(host, site.hosts);
  if (isIP(address) !== 0) return [address];
  try {
    return (await lookup(address, { all: true })).map((found) => found.address);
  } catch {
    return undefined;
  }
}

function isSame(one: Listen, other: Listen): boolean {
  return one.address === other.address && one.port === other.port && JSON.stringify(one) === JSON.stringify(other);
}

/** The visits of the device, where its addresses are known; else all. */
export function visitsOf(
  device: readonly string[] | undefined,
  visits: readonly ImpostorVisit[],
): readonly ImpostorVisit[] {
  return device === undefined ? visits : visits.filter(({ peer }) => device.includes(peer));
}
