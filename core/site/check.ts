import { suggest } from '../guide/nearest.ts';
import { type Fault, type Locate, parseYaml } from '../yaml.ts';
import { type Endpoint, type Site, siteSchema } from './schema.ts';

type Report = (path: readonly PropertyKey[], message: string, within?: number) => void;

/**
 * Checks a site file as a whole: its form, and that everything it names is there. What lies beside it (certificates,
 * keys) is read by the engine, and what its inputs must be is up to the guide.
 * @param text the site, YAML
 * @returns the site when its form is right, and all faults with 1-based line and column, in reading order. A site with
 *   faults must not be used.
 */
export function checkSite(text: string): { readonly site?: Site; readonly faults: Fault[] } {
  const parsed = parseYaml(text, siteSchema);
  if (!parsed.ok) return { faults: parsed.faults };
  const site = parsed.value;
  const faults: Fault[] = [];
  const report = reporter(parsed.locate, faults);
  checkIds(site, report);
  checkHosts(site, report);
  checkDirectory(site, report);
  checkDevices(site, report);
  checkLinks(site, report);
  checkFiles(site, report);
  faults.sort((a, b) => a.line - b.line || a.column - b.column);
  return { site, faults };
}

function reporter(locate: Locate, faults: Fault[]): Report {
  return (path, message, within) => faults.push({ ...locate(path, within), path: path.map(String).join('.'), message });
}

function checkIds(site: Site, report: Report): void {
  for (const section of ['anchors', 'identities', 'roles', 'devices', 'links'] as const)
    unique(site[section], [section], report);
  unique(site.directory?.servers ?? [], ['directory', 'servers'], report);
}

function unique(entries: readonly { readonly id: string }[], path: readonly PropertyKey[], report: Report): void {
  const seen = new Set<string>();
  for (const [index, { id }] of entries.entries()) {
    if (seen.has(id)) report([...path, index, 'id'], `a second entry has the id "${id}"`);
    seen.add(id);
  }
}

function checkHosts(site: Site, report: Report): void {
  for (const [name, address] of Object.entries(site.hosts)) {
    if (!isAddress(address)) report(['hosts', name], `"${address}" is not an IP address`, 0);
    if (isAddress(name)) report(['hosts', name], 'an address needs no entry here; name the host');
  }
}

function checkDirectory({ directory, anchors, roles }: Site, report: Report): void {
  if (directory === undefined) {
    if (roles.length > 0) report(['roles'], 'roles need a directory, and the site has none');
    return;
  }
  const path = ['directory'];
  names(directory.anchors, anchors, [...path, 'anchors'], 'anchor', report);
  if (directory.servers.length === 0 && directory.dns === undefined)
    report(path, 'name the servers of the directory, or say with "dns: {}" that DNS names them');
  for (const [index, server] of directory.servers.entries()) {
    if (server.ldap === undefined && server.ldaps === undefined)
      report([...path, 'servers', index], `the server "${server.id}" has neither an ldap nor an ldaps port`);
    if (server.ldap !== undefined && server.ldap === server.ldaps)
      report([...path, 'servers', index, 'ldap'], 'LDAP and LDAPS cannot share a port', 0);
  }
  if (!isDistinguishedName(directory.baseDn))
    report([...path, 'baseDn'], `"${directory.baseDn}" is not a distinguished name, such as DC=hospital,DC=example`, 0);
  if (!isDistinguishedName(directory.bindAccount) && !/^[^@\s]+@[^@\s]+$/.test(directory.bindAccount)) {
    report([...path, 'bindAccount'], 'write the account as a distinguished name or as user@domain', 0);
  }
}

function checkDevices(site: Site, report: Report): void {
  for (const [index, device] of site.devices.entries()) {
    const path = ['devices', index];
    for (const [id, endpoint] of Object.entries(device.endpoints))
      checkEndpoint(endpoint, site, [...path, 'endpoints', id], report);
    if (device.adminUrl?.endsWith('/'))
      report([...path, 'adminUrl'], 'leave out the slash at the end', device.adminUrl.length - 1);
    if (device.adminUrl !== undefined && hasCredentials(device.adminUrl))
      report([...path, 'adminUrl'], 'an address holds no user name or password', 0);
    const { heartbeat } = device;
    if (heartbeat !== undefined && 'url' in heartbeat)
      checkHeartbeatUrl(heartbeat.url, [device.host, device.adminUrl], [...path, 'heartbeat', 'url'], report);
    const { ssh } = device;
    const twin = site.devices
      .slice(0, index)
      .find((other) => other.host !== device.host && other.ssh?.hostKey === ssh?.hostKey);
    if (ssh !== undefined && twin !== undefined)
      report(
        [...path, 'ssh', 'hostKey'],
        `the device "${twin.id}" has the same host key; then neither can be told from the other. Give each a key of its own`,
        0,
      );
    const repeated = device.allowedPorts.findIndex((port, at) => device.allowedPorts.indexOf(port) < at);
    if (repeated >= 0) report([...path, 'allowedPorts'], `port ${device.allowedPorts[repeated]} is listed twice`);
  }
}

/** A heartbeat of another machine would say that a dead device is well. */
function checkHeartbeatUrl(
  url: string,
  [host, adminUrl]: readonly [string, string | undefined],
  path: readonly PropertyKey[],
  report: Report,
): void {
  if (hasCredentials(url)) report(path, 'an address holds no user name or password', 0);
  const known = [host.toLowerCase(), ...(adminUrl === undefined ? [] : [hostOf(adminUrl)])];
  if (!known.includes(hostOf(url))) report(path, `the heartbeat asks ${hostOf(url)}, and the device is ${host}`, 0);
}

function hostOf(url: string): string {
  const host = /^[a-z]+:\/\/(?:[^/?#]*@)?(\[[^\]]*\]|[^/?#:]*)/i.exec(url)?.[1] ?? '';
  return host.replace(/^\[|\]$/g, '').toLowerCase();
}

function checkLinks(site: Site, report: Report): void {
  for (const [index, link] of site.links.entries()) {
    const path = ['links', index];
    names([link.client.device], site.devices, [...path, 'client', 'device'], 'device', report);
    names(link.identities, site.identities, [...path, 'identities'], 'identity', report);
    checkEndpoint(link.server, site, [...path, 'server'], report);
    if (link.clearPorts.includes(link.server.port))
      report([...path, 'clearPorts'], `port ${link.server.port} is the encrypted port of this link`);
    if (link.impostor !== undefined && !isAddress(link.impostor.address))
      report([...path, 'impostor', 'address'], `"${link.impostor.address}" is not an IP address`, 0);
    for (const from of link.impostor?.from ?? [])
      if (!isAddress(from)) report([...path, 'impostor', 'from'], `"${from}" is not an IP address`, 0);
    const trigger = link.impostor?.trigger;
    if (typeof trigger === 'object' && hasCredentials(trigger.url))
      report([...path, 'impostor', 'trigger', 'url'], 'an address holds no user name or password', 0);
  }
}

/** A private key in the site file would be a secret in a file that is copied into every bundle. */
function checkFiles(site: Site, report: Report): void {
  for (const [index, anchor] of site.anchors.entries()) {
    if (anchor.pem === undefined) continue;
    if (/PRIVATE KEY/.test(anchor.pem))
      report(['anchors', index, 'pem'], 'this is a private key; a site holds no secret');
    else if (!/-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/.test(anchor.pem))
      report(['anchors', index, 'pem'], 'not a PEM certificate');
  }
}

function checkEndpoint(endpoint: Endpoint, site: Site, path: readonly PropertyKey[], report: Report): void {
  if (endpoint.anchors !== undefined) names(endpoint.anchors, site.anchors, [...path, 'anchors'], 'anchor', report);
}

function names(
  wanted: readonly string[],
  entries: readonly { readonly id: string }[],
  path: readonly PropertyKey[],
  what: string,
  report: Report,
): void {
  const ids = entries.map((entry) => entry.id);
  for (const [index, id] of wanted.entries()) {
    const listed = path.at(-1) === 'device' ? path : [...path, index];
    if (!ids.includes(id)) report(listed, `the site has no ${what} "${id}"${suggest(id, ids)}`, 0);
  }
}

function isAddress(text: string): boolean {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text))
    return text.split('.').every((part) => Number(part) <= 255 && String(Number(part)) === part);
  if (!/^[0-9A-Fa-f:.]+$/.test(text) || !text.includes(':') || /:::|^:[^:]|[^:]:$/.test(text)) return false;
  const halves = text.split('::');
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  return (
    halves.length <= 2 &&
    groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group)) &&
    (halves.length === 2 ? groups.length <= 7 : groups.length === 8)
  );
}

function isDistinguishedName(text: string): boolean {
  return text.split(/(?<!\\),/).every((part) => /^\s*[A-Za-z][A-Za-z0-9.-]*\s*=\s*\S/.test(part));
}

function hasCredentials(url: string): boolean {
  return /^[a-z]+:\/\/[^/?#]*@/i.test(url);
}
