import { isIP } from 'node:net';
import type { Device, Site } from '../core/site/schema.ts';
import { hostOfUrl } from './wire/http.ts';
import { addressOf } from './wire/tcp.ts';

/** Every name and address by which a site file reaches a device. */
export function hostsOfDevice({ host, endpoints, adminUrl, ssh }: Device): readonly string[] {
  return [
    host,
    ...Object.values(endpoints).map((endpoint) => endpoint.host),
    ...(adminUrl === undefined ? [] : [hostOfUrl(adminUrl)]),
    ...(ssh?.host === undefined ? [] : [ssh.host]),
  ];
}

/** Whether a host that is dialled is the device: by the names that the site gives it, or by its address. */
export function belongsTo(host: string, device: Device, { hosts }: Pick<Site, 'hosts'>): boolean {
  return hostsOfDevice(device).some((own) => {
    if (own.toLowerCase() === host.toLowerCase()) return true;
    // Two names may share an address and still be two machines behind it; a bare address names what it is.
    return (isIP(own) !== 0 || isIP(host) !== 0) && addressOf(own, hosts) === addressOf(host, hosts);
  });
}

/** One name for all the names of a machine: the host of the device that it is, or else the name itself, in lower case. */
export function machinesOf(site: Pick<Site, 'devices' | 'hosts'>): (host: string) => string {
  const known = new Map<string, string>();
  // What is a device of its own stays one, whoever else names it.
  for (const { host } of site.devices) known.set(host.toLowerCase(), host.toLowerCase());
  return (host) => {
    const name = host.toLowerCase();
    const machine = known.get(name) ?? site.devices.find((device) => belongsTo(name, device, site))?.host.toLowerCase();
    known.set(name, machine ?? name);
    return machine ?? name;
  };
}
