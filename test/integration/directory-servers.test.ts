import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Site, siteSchema } from '../../core/site/schema.ts';
import { createPracticeCa, type PracticeCa } from '../../engine/keys/practice-ca.ts';
import { directoryConnection } from '../../engine/probes/directory-connection.ts';
import { directoryGroup } from '../../engine/probes/directory-group.ts';
import { isRoot, needs } from '../support/debian.ts';
import { runDirectoryProbe, testContext } from '../support/directory.ts';
import { type DnsServer, startDnsServer, type Zone } from '../support/dns-server.ts';
import { SAMBA_PROGRAMS, type SambaServer, startSamba } from '../support/samba.ts';

const SERVICE = '_ldap._tcp.dc._msdcs.hospital.test';
const HARDENED = ['tls priority = SECURE128:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3'];

describe.skipIf(!isRoot() || !needs(...SAMBA_PROGRAMS))('domain controllers named by DNS', () => {
  let ca: PracticeCa;
  let controllers: SambaServer[];
  const started: DnsServer[] = [];
  const name = (index: number) => `dc${index + 1}.hospital.test`;
  const dns = async (zone: Zone, mood?: Parameters<typeof startDnsServer>[1]) => {
    const server = await startDnsServer(zone, mood);
    started.push(server);
    return server;
  };
  const zoneOf = (count: number): Zone => ({
    services: {
      [SERVICE]: controllers.slice(0, count).map((_, index) => ({ host: name(index), port: 389, priority: index })),
    },
    addresses: Object.fromEntries(controllers.map(({ address }, index) => [name(index), address])),
  });
  const siteWith = (directory: Record<string, unknown>, more: Record<string, unknown> = {}): Site =>
    siteSchema.parse({
      site: 'test-hospital',
      name: 'Test hospital',
      anchors: [{ id: 'root', pem: ca.roots.hospital }],
      directory: {
        kind: 'active-directory',
        baseDn: 'DC=hospital,DC=test',
        anchors: ['root'],
        bindAccount: controllers[0]?.adminDn,
        ...directory,
      },
      ...more,
    });
  const connect = (site: Site) =>
    runDirectoryProbe(directoryConnection, {}, testContext(site, controllers[0]?.adminPassword));

  beforeAll(async () => {
    ca = await createPracticeCa({ now: new Date() });
    // The third is as shipped: it takes old TLS and binds in clear, and its certificate names somebody else.
    controllers = await Promise.all([
      startSamba({ ca, globals: HARDENED, certificateNames: [name(0)] }),
      startSamba({ ca, globals: HARDENED, certificateNames: [name(1)] }),
      startSamba({ ca, globals: ['ldap server require strong auth = no'], certificateNames: ['old.hospital.test'] }),
    ]);
  });
  afterEach(async () => {
    for (const one of started.splice(0)) await one.close();
  });
  afterAll(async () => {
    await Promise.all((controllers ?? []).map((one) => one.stop()));
  });

  it('finds every one by SRV records, and one bad of three is a finding', async () => {
    const server = await dns(zoneOf(3));
    const site = siteWith({ dns: { nameServers: [server.at] } });
    const { facts, absent } = await connect(site);
    expect(facts.servers.map((one: { host: string }) => one.host)).toEqual([name(0), name(1), name(2)]);
    expect(facts.dns).toEqual({
      domain: 'hospital.test',
      servers: [name(0), name(1), name(2)],
      notInSite: [],
      notInDns: [],
      outside: [],
    });
    expect(facts.verifiedEverywhere).toBe(false);
    expect(facts.servers[1]).toMatchObject({ verified: ['ldaps', 'starttls'], clearBind: 'refused' });
    expect(facts.servers[0]).toMatchObject({ adSite: 'Default-First-Site-Name', synchronized: true });
    expect(facts.servers[2]).toMatchObject({ verified: [], ldaps: { code: 'tls.name' }, clearBind: 'accepted' });
    const differences = Object.fromEntries(
      facts.differences.map((one: { what: string; values: unknown }) => [one.what, one.values]),
    );
    expect(differences['ways-in']).toEqual([
      { value: 'ldaps, starttls', servers: [name(0), name(1)] },
      { value: 'none', servers: [name(2)] },
    ]);
    expect(differences['outdated-tls']).toContainEqual({ value: 'TLS 1.0, TLS 1.1', servers: [name(2)] });
    expect(differences['clear-bind']).toContainEqual({ value: 'accepted', servers: [name(2)] });
    expect(facts.clockSpreadSeconds).toBeLessThan(5);
    expect(absent['servers[].adSite']).toMatch(/^dc3\.hospital\.test: the server did not prove itself/);
    // Other probes go the same way, and nobody asks the system's name server.
    const group = await runDirectoryProbe(
      directoryGroup,
      { group: 'Domain Admins' },
      testContext(site, controllers[0]?.adminPassword),
    );
    expect(group.facts).toMatchObject({ exists: true });
    expect(server.questions()).toContain(`33 ${SERVICE}`);
  });

  it('sees no difference between two that are alike, and does not claim so when one is down', async () => {
    const two = await dns(zoneOf(2));
    const alike = await connect(siteWith({ dns: { nameServers: [two.at] } }));
    expect(alike.facts).toMatchObject({ verifiedEverywhere: true, differences: [] });
    const zone = zoneOf(2);
    const down = await dns({ ...zone, addresses: { ...zone.addresses, [name(1)]: '127.0.0.2' } });
    const one = await connect(siteWith({ dns: { nameServers: [down.at] } }));
    expect(one.facts.verifiedEverywhere).toBe(false);
    expect(one.facts.servers[1]).toMatchObject({ reachable: false, verified: [] });
    expect(one.absent.differences).toBe(`not every server could be compared: ${name(1)}`);
    expect(one.absent.clockSpreadSeconds).toBe('not every server told its time');
  });

  it('compares the site file with DNS, and leaves alone what lies outside the domain', async () => {
    const zone = zoneOf(2);
    const services = { [SERVICE]: [...(zone.services?.[SERVICE] ?? []), { host: 'dc.evil.example', port: 389 }] };
    const server = await dns({ addresses: { ...zone.addresses, 'dc.evil.example': '127.0.0.3' }, services });
    const listed = [
      { id: 'main', host: name(0), ldaps: 636, ldap: 389 },
      { id: 'old', host: name(2), ldaps: 636 },
    ];
    const hosts = { [name(2)]: controllers[2]?.address ?? '' };
    const { facts } = await connect(siteWith({ dns: { nameServers: [server.at] }, servers: listed }, { hosts }));
    expect(facts.dns).toMatchObject({ notInSite: [name(1)], notInDns: [name(2)], outside: ['dc.evil.example'] });
    expect(facts.servers.map((one: { id: string }) => one.id)).toEqual(['main', 'old', name(1)]);
    expect(server.questions().some((question) => question.endsWith('evil.example'))).toBe(false);
    const onlyOutside = await dns({ services: { [SERVICE]: [{ host: 'dc.evil.example', port: 389 }] } });
    const none = await connect(siteWith({ dns: { nameServers: [onlyOutside.at] } }));
    expect(none.error).toMatchObject({ code: 'dns.not-found', cause: 'named: dc.evil.example' });
  });

  it('tells apart that DNS knows no directory, fails, and does not answer', async () => {
    const outcomes: [Zone, Parameters<typeof startDnsServer>[1], string][] = [
      [{}, 'well', 'dns.not-found'],
      [{}, 'failing', 'dns.failed'],
      [{}, 'silent', 'dns.failed'],
    ];
    for (const [zone, mood, code] of outcomes) {
      const server = await dns(zone, mood);
      const { error } = await connect(siteWith({ dns: { nameServers: [server.at] } }));
      expect(error).toMatchObject({ code, place: SERVICE, fixBy: 'hospital' });
      // A site file with servers does without DNS, and says so.
      const listed = [{ id: 'main', host: name(0), ldaps: 636 }];
      const hosts = { [name(0)]: controllers[0]?.address ?? '' };
      if (mood === 'silent') continue;
      const site = siteWith({ dns: { nameServers: [server.at] }, servers: listed }, { hosts });
      const { facts, absent } = await connect(site);
      expect(facts.verifiedEverywhere).toBe(true);
      expect(absent.dns).toContain(SERVICE);
    }
  });

  it('stops asking at once when cancelled', async () => {
    const server = await dns({}, 'silent');
    const controller = new AbortController();
    const site = siteWith({ dns: { nameServers: [server.at] } });
    const before = performance.now();
    const asking = runDirectoryProbe(directoryConnection, {}, testContext(site, 'x', { signal: controller.signal }));
    setImmediate(() => controller.abort());
    expect((await asking).error).toMatchObject({ code: 'probe.cancelled' });
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});
