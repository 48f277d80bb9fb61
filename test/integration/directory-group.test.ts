import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Attribute, Change, Client } from 'ldapts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Person, pathsTo } from '../../core/probes/people.ts';
import { directoryGroup } from '../../engine/probes/directory-group.ts';
import { isRoot, needs } from '../support/debian.ts';
import { directorySite, runDirectoryProbe, testContext } from '../support/directory.ts';
import { addGroup, addMember, addUser, SAMBA_PROGRAMS, type SambaServer, startSamba } from '../support/samba.ts';

const BIND_PASSWORD = 'Practice-B1nd!';
const KEY = new Uint8Array(32).fill(7);
const READ_MEMBER_DENIED = '(OD;;RP;bf9679c0-0de6-11d0-a285-00aa003049e2;;WD)';
const DAY_MS = 86_400_000;

const run = promisify(execFile);

describe.skipIf(!isRoot() || !needs(...SAMBA_PROGRAMS))('the members of a group, on a Samba domain controller', () => {
  let server: SambaServer;
  const group = (name: string, more: Parameters<typeof testContext>[2] = {}, params: Record<string, unknown> = {}) => {
    const site = directorySite({ ...server, bindAccount: 'lockstep@hospital.test' });
    return runDirectoryProbe(directoryGroup, { group: name, ...params }, testContext(site, BIND_PASSWORD, more));
  };
  const at = (name: string) => `CN=${name},CN=Users,${server.baseDn}`;
  const set = (client: Client, dn: string, type: string, value: string) =>
    client.modify(dn, new Change({ operation: 'replace', modification: new Attribute({ type, values: [value] }) }));
  const allow = (dn: string, sddl: string) => {
    const database = join(dirname(server.configuration), 'private', 'sam.ldb');
    const args = ['-s', server.configuration, '-H', database, `--objectdn=${dn}`, `--sddl=${sddl}`];
    return run('samba-tool', ['dsacl', 'set', ...args]);
  };

  beforeAll(async () => {
    server = await startSamba();
    await server.admin(async (client) => {
      await addUser(client, { name: 'lockstep', password: BIND_PASSWORD });
      for (const name of ['anna', 'berta', 'clara', 'locked', 'delegate']) await addUser(client, { name });
      await addUser(client, { name: 'svc', attributes: { servicePrincipalName: 'HTTP/mdip.hospital.test' } });
      await client.add(at('gmsa'), {
        objectClass: ['msDS-GroupManagedServiceAccount'],
        sAMAccountName: 'gmsa$',
        userAccountControl: '4096',
        'msDS-ManagedPasswordInterval': '30',
      });
      const groups: Record<string, readonly string[]> = {
        Role: ['anna', 'Ward', 'Night'],
        Ward: ['anna', 'berta', 'Night'],
        Night: ['clara', 'locked', 'svc', 'gmsa', 'Primary'],
        Primary: [],
        Hiding: ['anna', 'Hidden'],
        Hidden: ['berta'],
        'Half-hiding': ['anna', 'Empty'],
        Empty: [],
        Outside: ['anna'],
      };
      for (const name of Object.keys(groups)) await addGroup(client, { name });
      for (const [name, members] of Object.entries(groups))
        for (const member of members) await addMember(client, at(name), at(member));
      // The directory makes an entry of its own for a principal of another domain.
      await addMember(client, at('Outside'), '<SID=S-1-5-21-1-2-3-1105>');
      // An account must be in a group before that can be its primary one, and then is no longer named by it.
      await addMember(client, at('Primary'), at('berta'));
      const primary = await client.search(at('Primary'), { scope: 'base', attributes: ['primaryGroupToken'] });
      await set(client, at('berta'), 'primaryGroupID', String(primary.searchEntries[0]?.primaryGroupToken));
      await set(client, server.baseDn, 'lockoutThreshold', '2');
      await set(client, server.baseDn, 'lockoutDuration', String(-30 * 60 * 10_000_000));
    });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const client = new Client({
        url: `ldaps://${server.address}:636`,
        tlsOptions: { ca: [server.caPem], servername: server.host },
      });
      await client.bind('locked@hospital.test', 'wrong').catch(() => {});
      await client.unbind();
    }
    await allow(at('Hidden'), READ_MEMBER_DENIED);
    const delegate = await server.admin((client) =>
      client.search(at('delegate'), {
        scope: 'base',
        attributes: ['objectSid'],
        explicitBufferAttributes: ['objectSid'],
      }),
    );
    const sid = delegate.searchEntries[0]?.objectSid as Buffer;
    const rid = sid.readUInt32LE(sid.length - 4);
    const domain = [12, 16, 20].map((offset) => sid.readUInt32LE(offset)).join('-');
    await allow(at('Night'), `(OA;;WP;bf9679c0-0de6-11d0-a285-00aa003049e2;;S-1-5-21-${domain}-${rid})`);
  });
  afterAll(async () => server?.stop());

  it('gives everybody every path, primary groups among them', async () => {
    const { facts } = await group('Role', { siteKey: KEY, namesAgreed: true }, { names: true });
    const { groups, people } = facts.effective;
    const paths = Object.fromEntries(people.map((person: Person) => [person.name, pathsTo(person, groups)]));
    expect(paths).toEqual({
      anna: [['Role'], ['Role', 'Ward']],
      berta: [
        ['Role', 'Ward'],
        ['Role', 'Night', 'Primary'],
      ],
      clara: [['Role', 'Night']],
      locked: [['Role', 'Night']],
      svc: [['Role', 'Night']],
    });
    expect(people.find((person: Person) => person.name === 'berta').primaryGroup).toBe('Primary');
    expect(groups.find((one: { name: string; privileged?: boolean }) => one.name === 'Night').parents).toEqual([
      'Role',
      'Ward',
    ]);
    expect(groups.find((one: { name: string; privileged?: boolean }) => one.name === 'Primary')).toMatchObject({
      people: 0,
      primaryGroup: 1,
      depth: 2,
    });
    expect(facts.keyId).toMatch(/^[0-9a-f]{16}$/);
  });

  it('names nobody without the key, and nobody by name unless the operator agreed', async () => {
    const without = await group('Role', { namesAgreed: true }, { names: true });
    expect(without.facts.effective).toMatchObject({ count: 5, depth: 3 });
    expect(without.facts.effective.people).toBeUndefined();
    expect(without.absent['effective.people']).toMatch(/no key/);
    const refused = await group('Role', { siteKey: KEY }, { names: true });
    expect(refused.facts.effective.people[0].name).toBeUndefined();
    expect(refused.absent['effective.people[].name']).toMatch(/did not agree/);
    for (const { facts } of [without, refused]) expect(JSON.stringify(facts)).not.toMatch(/anna|berta|clara/);
  });

  it('counts who is locked out and what serves programs', async () => {
    const { facts } = await group('Role');
    expect(facts.effective).toMatchObject({ count: 5, computers: 1, locked: 1, serviceAccounts: 2 });
    expect((await group('Hiding')).facts.effective.locked).toBeUndefined();
    expect((await group('Outside')).facts.effective.locked).toBeUndefined();
  });

  it('takes nobody for idle who was created or given a password lately', async () => {
    const stale = async (days: number) => {
      const now = () => new Date(Date.now() + days * DAY_MS);
      return (await group('Role', { now }, { staleAfter: 'P90D' })).facts.effective.stale;
    };
    expect(await stale(80)).toBe(0);
    expect(await stale(100)).toBe(5);
  });

  it('does not take a group that hides its members for an empty one', async () => {
    const { facts, absent } = await group('Hiding');
    expect(facts.effective.hidden).toEqual(['Hidden']);
    for (const name of ['count', 'computers', 'disabled', 'locked', 'broad', 'people'])
      expect(absent[`effective.${name}`], name).toMatch(/no right to read the members of Hidden.*property member/);
    expect(facts.effective.count).toBeUndefined();
    const itself = await group('Hidden');
    expect(itself.facts.effective).toMatchObject({ hidden: ['Hidden'] });
    expect(itself.facts.effective.count).toBeUndefined();
    // The control: a group that is empty and may be read counts as empty.
    const empty = await group('Half-hiding');
    expect(empty.facts.effective).toMatchObject({ count: 1, hidden: [] });
    // And the administrator of the domain, whom the denial hits too, is told the same.
    const site = directorySite({ ...server, bindAccount: server.adminDn });
    const admin = await runDirectoryProbe(directoryGroup, { group: 'Hiding' }, testContext(site, server.adminPassword));
    expect(admin.facts.effective.hidden).toEqual(['Hidden']);
  });

  it('tells other domains apart from those that stand for everybody', async () => {
    const { facts, absent } = await group('Outside');
    expect(facts.effective).toMatchObject({ foreign: ['S-1-5-21-1-2-3 (1)'], broad: [] });
    expect(absent['effective.count']).toMatch(/other domains/);
    expect(facts.direct).toMatchObject({ people: 1, other: 1 });
  });

  it('says who lets people in by changing a nested group', async () => {
    const { facts } = await group('Role', { siteKey: KEY });
    expect(facts.writers.principals.every((one: { name: string; privileged?: boolean }) => one.privileged)).toBe(true);
    expect(facts.writers.nested).toEqual([
      {
        type: 'person',
        pseudonym: expect.stringMatching(/^[0-9a-f]{64}$/),
        rights: ['WriteMember'],
        groups: ['Night'],
      },
    ]);
    expect(facts.writers.delegated).toEqual([facts.writers.nested[0].pseudonym]);
    expect((await group('Role')).facts.writers.delegated).toEqual(['person']);
    expect((await group('Night')).facts.writers).toMatchObject({ nested: [], delegated: ['person'] });
  });
});
