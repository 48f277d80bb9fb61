import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createPracticeCa, type PracticeCa } from '../../../engine/keys/practice-ca.ts';
import { type LdapSession, openLdap } from '../../../engine/wire/ldap.ts';
import type { Result } from '../../../core/result.ts';
import { type FaultAnswer, type FaultLdap, type FaultSearch, startFaultLdap } from '../../support/fault-ldap.ts';

let ca: PracticeCa;
let server: FaultLdap | undefined;
let session: LdapSession | undefined;

async function open(
  answer: (search: FaultSearch) => FaultAnswer,
  signal = new AbortController().signal,
): Promise<{ server: FaultLdap; session: LdapSession }> {
  server = await startFaultLdap(ca, answer);
  const target = {
    host: server.host,
    address: server.address,
    port: server.port,
    mode: 'ldaps' as const,
    anchors: [server.caPem],
  };
  const opened = await openLdap(target, signal);
  if (!opened.ok) throw new Error(opened.error.message);
  session = opened.value;
  return { server, session };
}

function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message}`);
  return result.value;
}

const dns = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `CN=u${from + index},DC=test`);

describe('an LDAP session', () => {
  beforeAll(async () => {
    ca = await createPracticeCa({ now: new Date() });
  });
  afterEach(async () => {
    session?.close();
    await server?.close();
    session = undefined;
    server = undefined;
  });

  it('asks for pages until the cookie is empty', async () => {
    const { session, server } = await open(({ cookie }) => ({
      entries: [{ dn: `CN=page-${cookie === '' ? 'first' : cookie},DC=test`, attributes: { cn: ['x'] } }],
      cookie: cookie === '' ? 'second' : cookie === 'second' ? 'third' : '',
    }));
    const found = value(await session.search({ base: 'DC=test', attributes: ['cn'] }));
    expect(found.entries.map(({ dn }) => dn)).toEqual([
      'CN=page-first,DC=test',
      'CN=page-second,DC=test',
      'CN=page-third,DC=test',
    ]);
    expect(found.complete).toBe(true);
    expect(server.searches).toHaveLength(3);
  });

  it('stops at the limit on a server that never ends, and says that it is not complete', async () => {
    const { session } = await open(() => ({ entries: [{ dn: 'CN=again,DC=test', attributes: {} }], cookie: 'more' }));
    const found = value(await session.search({ base: 'DC=test', attributes: ['cn'], limit: 10 }));
    expect(found).toMatchObject({ complete: false });
    expect(found.entries).toHaveLength(10);
  });

  it('fetches the rest of a ranged attribute', async () => {
    const { session, server } = await open(({ attributes: [wanted] }) => {
      const attributes: Record<string, string[]> =
        wanted === 'member'
          ? { 'member;range=0-1': dns(0, 1) }
          : wanted === 'member;range=2-*'
            ? { 'member;range=2-3': dns(2, 3) }
            : { 'member;range=4-*': dns(4, 4) };
      return { entries: [{ dn: 'CN=g,DC=test', attributes }] };
    });
    const entry = value(await session.read('CN=g,DC=test', ['member']));
    expect(entry?.texts('member')).toEqual(dns(0, 4));
    expect(server.searches.map(({ attributes }) => attributes[0])).toEqual([
      'member',
      'member;range=2-*',
      'member;range=4-*',
    ]);
  });

  it('does not take a range that is cut off for the whole', async () => {
    const { session } = await open(({ attributes: [wanted] }) => {
      const attributes: Record<string, string[]> = wanted === 'member' ? { 'member;range=0-1': dns(0, 1) } : {};
      return { entries: [{ dn: 'CN=g,DC=test', attributes }] };
    });
    expect(await session.read('CN=g,DC=test', ['member'])).toMatchObject({
      ok: false,
      error: { code: 'ldap.protocol' },
    });
  });

  it('keeps absent attributes apart from empty ones, binary ones as bytes', async () => {
    const sid = Buffer.from('010100000000000512000000', 'hex');
    const { session } = await open(() => ({
      entries: [{ dn: 'CN=g,DC=test', attributes: { objectSid: [sid], Description: ['Größe'] } }],
    }));
    const entry = value(await session.read('CN=g,DC=test', ['objectSid', 'description', 'managedBy']));
    expect(entry?.bytes('OBJECTSID')).toEqual([sid]);
    expect(entry?.text('description')).toBe('Größe');
    expect(entry?.text('managedBy')).toBeUndefined();
    expect(entry?.names).toEqual(['objectsid', 'description']);
  });

  it('fails every call after the connection broke, without dialling again', async () => {
    const { session } = await open(() => 'close');
    expect(await session.search({ base: 'DC=test', attributes: ['cn'] })).toMatchObject({
      ok: false,
      error: { code: 'ldap.protocol' },
    });
    expect(await session.bind('user', 'secret')).toMatchObject({ ok: false, error: { code: 'ldap.protocol' } });
  });

  it('dies with the signal on a server that answers nothing', async () => {
    const controller = new AbortController();
    const { session } = await open(() => 'hang', controller.signal);
    setTimeout(() => controller.abort(), 100);
    const found = await session.search({ base: 'DC=test', attributes: ['cn'] });
    expect(found).toMatchObject({ ok: false, error: { code: 'probe.cancelled' } });
  });

  it('does not wait for more on a server that answers nonsense', async () => {
    const { session } = await open(() => 'garbage');
    const found = await session.search({ base: 'DC=test', attributes: ['cn'] });
    expect(found).toMatchObject({ ok: false, error: { code: 'ldap.protocol', cause: 'what came is no LDAP message' } });
  });

  it('does not take what came before the server died for all there is', async () => {
    const entries = dns(1, 3).map((dn) => ({ dn, attributes: { cn: ['x'] } }));
    const { session } = await open(({ cookie }) =>
      cookie === '' ? { entries, cookie: 'more' } : { entries, dies: true },
    );
    expect(await session.search({ base: 'DC=test', attributes: ['cn'] })).toMatchObject({
      ok: false,
      error: { code: 'ldap.protocol', fixBy: 'hospital' },
    });
  });

  it.each([
    [3, 'timeLimitExceeded (3)'],
    [4, 'sizeLimitExceeded (4)'],
    [10, 'referral (10)'],
    [11, 'adminLimitExceeded (11)'],
  ])('does not take entries for all of them that come with result %i', async (code, name) => {
    const { session } = await open(() => ({ entries: [{ dn: 'CN=u1,DC=test', attributes: { cn: ['x'] } }], code }));
    expect(await session.search({ base: 'DC=test', attributes: ['cn'] })).toMatchObject({
      ok: false,
      error: { code: 'ldap.result', message: expect.stringContaining(name) },
    });
  });

  it('leaves other servers alone that a search refers to', async () => {
    const { session, server } = await open(() => ({
      entries: [{ dn: 'CN=u1,DC=test', attributes: { cn: ['x'] } }],
      references: ['ldap://elsewhere.test/DC=ForestDnsZones,DC=test'],
    }));
    const found = value(await session.search({ base: 'DC=test', attributes: ['cn'] }));
    expect(found.entries.map(({ dn }) => dn)).toEqual(['CN=u1,DC=test']);
    expect(server.searches).toHaveLength(1);
  });

  it('reads a value of a megabyte', async () => {
    const big = 'ä'.repeat(512 * 1024);
    const { session } = await open(() => ({
      entries: [{ dn: 'CN=u1,DC=test', attributes: { description: [big], objectSid: [Buffer.alloc(1024 * 1024, 7)] } }],
    }));
    const entry = value(await session.read('CN=u1,DC=test', ['description', 'objectSid']));
    expect(entry?.text('description') === big).toBe(true);
    expect(entry?.bytes('objectSid')[0]).toHaveLength(1024 * 1024);
  });

  it('does not confuse names that are not UTF-8', async () => {
    const named = (byte: number) => Buffer.concat([Buffer.from('CN='), Buffer.from([byte]), Buffer.from(',DC=test')]);
    const { session } = await open(() => ({
      entries: [0xfe, 0xff].map((byte) => ({ dn: named(byte), attributes: { cn: ['x'] } })),
    }));
    const search = { base: 'DC=test', attributes: ['cn'] };
    expect(await session.search(search)).toMatchObject({ ok: false, error: { code: 'ldap.protocol' } });
    expect(value(await session.search({ ...search, wanted: () => false })).entries).toEqual([]);
  });

  it('drops what is not wanted and what came in ranges, and counts it towards the limit', async () => {
    const { session } = await open(({ base }) => ({
      entries: dns(1, 4).map((dn, at) => ({
        dn,
        attributes: { [at === 1 ? 'member;range=0-1' : 'member']: ['CN=a'] },
      })),
      cookie: base === 'DC=test' ? '' : 'more',
    }));
    const search = { base: 'DC=test', attributes: ['member'], wanted: (dn: string) => dn !== 'CN=u3,DC=test' };
    const found = value(await session.search({ ...search, wholeOnly: true }));
    expect(found.entries.map(({ dn }) => dn)).toEqual(['CN=u1,DC=test', 'CN=u4,DC=test']);
    expect(found.complete).toBe(true);
    expect(value(await session.search({ ...search, wholeOnly: true, limit: 3 }))).toMatchObject({ complete: false });
  });

  it('refuses an empty password itself', async () => {
    const { session } = await open(() => ({}));
    expect(await session.bind('cn=admin', '')).toMatchObject({ ok: false, error: { code: 'ldap.credentials' } });
    expect(await session.bind('cn=admin', 'x')).toMatchObject({ ok: true });
  });

  it('turns results into errors that name them', async () => {
    const { session } = await open(({ base }) => ({ code: base === 'DC=busy' ? 51 : base === 'DC=none' ? 32 : 50 }));
    expect(await session.read('DC=busy', ['cn'])).toMatchObject({
      ok: false,
      error: { code: 'ldap.result', message: expect.stringContaining('busy (51)') },
    });
    expect(await session.read('DC=none', ['cn'])).toEqual({ ok: true, value: undefined });
    expect(await session.read('DC=closed', ['cn'])).toMatchObject({
      ok: false,
      error: { code: 'ldap.no-right', fixBy: 'hospital' },
    });
  });
});
