import net from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createPracticeCa, type PracticeCa } from '../../engine/keys/practice-ca.ts';
import { directoryConnection } from '../../engine/probes/directory-connection.ts';
import { directoryGroup } from '../../engine/probes/directory-group.ts';
import { isRoot, needs } from '../support/debian.ts';
import { type DirectoryEnd, directorySite, runDirectoryProbe, testContext } from '../support/directory.ts';
import { SAMBA_PROGRAMS, type SambaServer, startSamba } from '../support/samba.ts';
import { type RecordingProxy, startRecordingProxy } from '../support/tcp-proxy.ts';

const HARDENED = ['tls priority = SECURE128:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3'];
/** ExtendedResponse to StartTLS: unavailable (52). */
const START_TLS_REFUSED = Buffer.from('300c02010178070a013404000400', 'hex');
const START_TLS_GRANTED = Buffer.from('300c02010178070a010004000400', 'hex');

describe.skipIf(!isRoot() || !needs(...SAMBA_PROGRAMS))('directory.connection against Samba', () => {
  let ca: PracticeCa;
  let hardened: SambaServer;
  let weak: SambaServer;
  const proxies: RecordingProxy[] = [];
  const end = (server: SambaServer, more: Partial<DirectoryEnd> = {}): DirectoryEnd => ({
    ...server,
    bindAccount: server.adminDn,
    ...more,
  });
  const connect = (server: SambaServer, more: Partial<DirectoryEnd> = {}, password = server.adminPassword) =>
    runDirectoryProbe(directoryConnection, {}, testContext(directorySite(end(server, more)), password));
  const proxy = async (...args: Parameters<typeof startRecordingProxy>) => {
    const started = await startRecordingProxy(...args);
    proxies.push(started);
    return started;
  };

  beforeAll(async () => {
    ca = await createPracticeCa({ now: new Date() });
    hardened = await startSamba({ ca, globals: HARDENED });
    weak = await startSamba({
      ca,
      globals: ['ldap server require strong auth = no'],
      certificateNames: ['other.hospital.test'],
    });
  });
  afterEach(async () => {
    for (const one of proxies.splice(0)) await one.close();
  });
  afterAll(async () => {
    await hardened?.stop();
    await weak?.stop();
  });

  it('passes a hardened server by both ways in', async () => {
    const { facts, absent } = await connect(hardened);
    expect(facts).toMatchObject({
      kind: 'active-directory',
      verifiedEverywhere: true,
      baseDnServed: true,
      bind: 'accepted',
      domainFunctionality: 4,
    });
    expect(facts.servers[0]).toMatchObject({
      verified: ['ldaps', 'starttls'],
      ldaps: { state: 'verified', protocol: 'TLSv1.3' },
      startTls: { state: 'verified' },
      outdatedTls: [],
      anonymousSearch: 'refused',
      clearBind: 'refused',
      clearBindResult: 8,
    });
    expect(Math.abs(facts.servers[0].clockOffsetSeconds)).toBeLessThan(5);
    expect(facts.servers[0].daysLeft).toBeGreaterThan(178);
    expect(absent.signing).toMatch(/^not tested/);
    expect(absent.channelBinding).toMatch(/^not tested/);
  });

  it('fails a server as shipped: wrong name, clear binds, outdated TLS; and sends it no password', async () => {
    const { facts, absent } = await connect(weak);
    expect(facts.servers[0]).toMatchObject({
      verified: [],
      ldaps: { state: 'refuted', code: 'tls.name' },
      startTls: { state: 'refuted', code: 'tls.name' },
      outdatedTls: ['TLS 1.0', 'TLS 1.1'],
      clearBind: 'accepted',
      clearBindResult: 49,
    });
    expect(facts.verifiedEverywhere).toBe(false);
    expect(absent.bind).toMatch(/no password was sent/);
    expect(absent.kind).toMatch(/not believed/);
  });

  it('tells a foreign authority from a wrong name', async () => {
    const foreign = await createPracticeCa({ now: new Date() });
    const { facts } = await connect(hardened, { caPem: foreign.roots.hospital });
    expect(facts.servers[0].ldaps).toMatchObject({ state: 'refuted', code: 'tls.chain' });
    const group = await runDirectoryProbe(
      directoryGroup,
      { group: 'G' },
      testContext(directorySite(end(hardened, { caPem: foreign.roots.hospital })), 'x'),
    );
    expect(group.error).toMatchObject({ code: 'tls.chain', fixBy: 'hospital' });
  });

  it('tells an expired certificate apart', async () => {
    const expired = await startSamba({ ca, certificateNotAfter: new Date(Date.now() - 86_400_000) });
    try {
      const { facts } = await connect(expired);
      expect(facts.servers[0].ldaps).toMatchObject({ state: 'refuted', code: 'tls.expired' });
      // With a laptop whose clock is off, the same certificate proves nothing about the server.
      const late = testContext(directorySite(end(expired)), expired.adminPassword, {
        now: () => new Date(Date.now() + 3_600_000),
      });
      const skewed = await runDirectoryProbe(directoryConnection, {}, late);
      expect(skewed.facts.servers[0].ldaps).toMatchObject({ state: 'refuted', code: 'tls.clock' });
    } finally {
      await expired.stop();
    }
  });

  it('ends in errors that name the stage: no name, no port, no LDAP, a wrong password', async () => {
    const site = directorySite(end(hardened));
    const unknown = await runDirectoryProbe(
      directoryConnection,
      {},
      testContext({ ...site, hosts: { [hardened.host]: 'no-such-host.invalid' } }, 'x'),
    );
    expect(unknown.error?.code).toMatch(/^dns\./);
    const closed = await connect(hardened, { ldap: 1, ldaps: 2 });
    expect(closed.error).toMatchObject({ code: 'tcp.refused', fixBy: 'hospital' });
    const http = net.createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => http.listen(0, hardened.address, resolve));
    const { facts } = await connect(hardened, { ldaps: (http.address() as net.AddressInfo).port });
    http.close();
    expect(facts.servers[0]).toMatchObject({
      ldaps: { state: 'refuted', code: 'tls.not-spoken' },
      startTls: { state: 'verified' },
    });
    const wrong = await connect(hardened, {}, 'not-the-password');
    expect(wrong.error).toMatchObject({ code: 'ldap.credentials', fixBy: 'operator' });
    const empty = await connect(hardened, {}, '');
    expect(empty.error?.code).toBe('ldap.credentials');
  });

  it('never lets the password leave in clear, not even after a StartTLS that failed', async () => {
    const password = hardened.adminPassword;
    const answers: ((first: Buffer) => Buffer | 'hang' | 'pass')[] = [
      () => START_TLS_REFUSED,
      () => START_TLS_GRANTED,
      () => Buffer.concat([START_TLS_GRANTED, Buffer.from('300c02010261070a010004000400', 'hex')]),
      () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
      () => 'pass',
    ];
    for (const answer of answers) {
      const relay = await proxy(hardened.address, { host: hardened.address, port: 389 }, answer);
      const { ldaps: _, ...rest } = end(hardened, { ldap: relay.port });
      for (const probe of [directoryConnection, directoryGroup]) {
        const controller = new AbortController();
        const timer = setTimeout(() => controller.abort(), 700);
        await runDirectoryProbe(
          probe,
          probe === directoryGroup ? { group: 'Domain Admins' } : {},
          testContext(directorySite(rest), password, { signal: controller.signal }),
        );
        clearTimeout(timer);
      }
      expect(relay.connections()).toBeGreaterThan(1);
      const sent = relay.sent();
      expect(sent.includes(Buffer.from(password))).toBe(false);
      expect(sent.includes(Buffer.from(hardened.adminDn))).toBe(false);
    }
    // The positive control: the same relay does see a password that is sent in clear.
    const relay = await proxy(hardened.address, { host: hardened.address, port: 389 });
    const { Client } = await import('ldapts');
    const careless = new Client({ url: `ldap://${hardened.address}:${relay.port}` });
    await careless.bind(hardened.adminDn, password).catch(() => {});
    await careless.unbind();
    expect(relay.sent().includes(Buffer.from(password))).toBe(true);
  });

  it('does not hang on a server that falls silent after StartTLS', async () => {
    const relay = await proxy(hardened.address, { host: hardened.address, port: 389 }, () => 'hang');
    const { ldaps: _, ...rest } = end(hardened, { ldap: relay.port });
    const started = Date.now();
    const group = await runDirectoryProbe(directoryGroup, { group: 'G' }, testContext(directorySite(rest), 'x'));
    expect(group.error).toMatchObject({ code: 'tcp.timeout' });
    expect(Date.now() - started).toBeLessThan(9_000);
  });
});
