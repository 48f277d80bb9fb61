import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { directoryAccount } from '../../engine/probes/directory-account.ts';
import { directoryGroup } from '../../engine/probes/directory-group.ts';
import { directoryPasswordPolicy } from '../../engine/probes/directory-password-policy.ts';
import { findGroup } from '../../engine/wire/ldap-lookup.ts';
import { growNested, MEMBER_ATTRIBUTES, pathsOf, plant } from '../../engine/wire/ldap-nesting.ts';
import { withDirectory } from '../../engine/wire/ldap-site.ts';
import { isRoot, needs } from '../support/debian.ts';
import { directorySite, runDirectoryProbe, testContext } from '../support/directory.ts';
import { addGroup, addMember, addUser, SAMBA_PROGRAMS, type SambaServer, startSamba } from '../support/samba.ts';

const BIND_PASSWORD = 'Practice-B1nd!';
const KEY = new Uint8Array(32).fill(7);
const DAY_TICKS = 864_000_000_000n;

function fileTime(daysFromNow: number): string {
  return String(BigInt(Date.now()) * 10_000n + 116_444_736_000_000_000n + BigInt(daysFromNow) * DAY_TICKS);
}

describe.skipIf(!isRoot() || !needs(...SAMBA_PROGRAMS))('a Samba domain controller', () => {
  let server: SambaServer;
  const context = (more: Parameters<typeof testContext>[2] = {}, account = 'lockstep@hospital.test') =>
    testContext(directorySite({ ...server, bindAccount: account }), BIND_PASSWORD, more);
  const group = (params: Record<string, unknown>, more: Parameters<typeof testContext>[2] = {}) =>
    runDirectoryProbe(directoryGroup, params, context(more));

  beforeAll(async () => {
    server = await startSamba();
    await server.admin(async (client) => {
      await addUser(client, { name: 'lockstep', password: BIND_PASSWORD });
      const people = [];
      for (const name of ['nurse-a', 'nurse-b', 'nurse-c']) people.push(await addUser(client, { name }));
      const off = await addUser(client, { name: 'nurse-off', flags: 514 });
      const gone = await addUser(client, { name: 'nurse-gone', attributes: { accountExpires: fileTime(-3) } });
      const clinical = await addGroup(client, {
        name: 'MDIP-Clinical',
        scope: 'universal',
        attributes: { description: 'Bedside view' },
      });
      const ward = await addGroup(client, { name: 'Ward-7', scope: 'universal' });
      const night = await addGroup(client, { name: 'Night (7)', scope: 'universal', kind: 'distribution' });
      for (const member of [people[0] ?? '', ward, off, gone]) await addMember(client, clinical, member);
      for (const member of [people[1] ?? '', people[0] ?? '', night]) await addMember(client, ward, member);
      await addMember(client, night, people[2] ?? '');
      await addMember(client, night, ward);
      const wide = await addGroup(client, { name: 'MDIP-Wide', scope: 'domain-local' });
      await addMember(client, wide, `CN=Domain Users,CN=Users,${server.baseDn}`);
      const everyone = await addGroup(client, { name: 'MDIP-Everyone', scope: 'domain-local' });
      await addMember(client, everyone, `CN=S-1-5-11,CN=ForeignSecurityPrincipals,${server.baseDn}`);
      await addMember(client, everyone, people[0] ?? '');
      await addUser(client, {
        name: 'svc-weak',
        flags: 512 + 0x10000 + 0x80000 + 0x400000,
        attributes: { servicePrincipalName: 'HTTP/mdip.hospital.test' },
      });
      await addMember(client, `CN=Account Operators,CN=Builtin,${server.baseDn}`, ward);
    });
  });
  afterAll(async () => server?.stop());

  describe('directory.group', () => {
    it('counts the effective members once, through nesting and around a circle', async () => {
      const { facts, absent } = await group({ group: 'MDIP-Clinical', staleAfter: 'P180D' });
      expect(facts).toMatchObject({
        exists: true,
        nearMatches: [],
        group: {
          name: 'MDIP-Clinical',
          kind: 'security',
          scope: 'universal',
          description: 'Bedside view',
          managed: false,
        },
        direct: { people: 3, groups: ['Ward-7'], computers: 0, other: 0 },
        effective: {
          count: 5,
          disabled: 1,
          expired: 1,
          stale: 0,
          neverLoggedOn: 4,
          locked: 0,
          serviceAccounts: 0,
          broad: [],
          foreign: [],
          hidden: [],
          groups: [
            { name: 'MDIP-Clinical', parents: [], depth: 0, path: ['MDIP-Clinical'], people: 3 },
            { name: 'Ward-7', parents: ['MDIP-Clinical', 'Night (7)'], depth: 1, people: 2 },
            {
              name: 'Night (7)',
              parents: ['Ward-7'],
              depth: 2,
              path: ['MDIP-Clinical', 'Ward-7', 'Night (7)'],
              people: 1,
            },
          ],
          depth: 2,
          cycles: ['Night (7)', 'Ward-7'],
        },
      });
      expect(facts.group.sid).toMatch(/^S-1-5-21-/);
      expect(absent['effective.people']).toMatch(/key/);
      expect(JSON.stringify(facts)).not.toMatch(/nurse/);
    });

    it('judges idle accounts by the clock it is given, and gives people pseudonyms under the key of the site', async () => {
      const { facts } = await group(
        { group: 'mdip-clinical', staleAfter: 'P180D' },
        { siteKey: KEY, now: () => new Date(Date.now() + 200 * 86_400_000) },
      );
      expect(facts.effective.stale).toBe(4);
      expect(facts.effective.people).toHaveLength(5);
      const again = await group({ group: 'MDIP-Clinical' }, { siteKey: KEY });
      expect(again.facts.effective.people).toEqual(facts.effective.people);
      const other = await group({ group: 'MDIP-Clinical' }, { siteKey: new Uint8Array(32).fill(8) });
      expect(other.facts.effective.people).not.toEqual(facts.effective.people);
    });

    it('tells that a group is not there and which are spelt like it', async () => {
      const { facts, absent } = await group({ group: 'MDIP-Clinicall' });
      expect(facts).toEqual({ exists: false, nearMatches: ['MDIP-Clinical'] });
      expect(Object.keys(absent)).toEqual(['keyId', 'group', 'direct', 'effective', 'writers']);
    });

    it('escapes what a filter would read as syntax', async () => {
      expect((await group({ group: 'Night (7)' })).facts.group).toMatchObject({
        kind: 'distribution',
        scope: 'universal',
      });
      expect((await group({ group: '*' })).facts.exists).toBe(false);
      expect((await group({ group: 'x)(objectClass=*' })).facts.exists).toBe(false);
    });

    it('reports Domain Users inside, counting them by their primary group', async () => {
      const { facts } = await group({ group: 'MDIP-Wide' });
      expect(facts.effective.broad).toEqual(['Domain Users']);
      expect(facts.group.scope).toBe('domain-local');
      expect(facts.effective.count).toBeGreaterThanOrEqual(7);
      expect((await group({ group: 'Domain Users' })).facts.effective.broad).toEqual(['Domain Users']);
    });

    it('leaves the count out where somebody stands for everybody', async () => {
      const { facts, absent } = await group({ group: 'MDIP-Everyone' });
      expect(facts.effective.broad).toEqual(['Authenticated Users']);
      expect(facts.effective.count).toBeUndefined();
      expect(absent['effective.count']).toMatch(/cannot be counted/);
    });

    it('stops at the maximum without claiming that nobody else is in', async () => {
      const { facts, absent } = await group({ group: 'MDIP-Clinical', maximum: 3 });
      expect(facts.effective.count).toBeUndefined();
      expect(facts.effective.broad).toBeUndefined();
      expect(absent['effective.broad']).toMatch(/more than 3/);
    });

    it('finds the same paths level by level as with all nested groups at once', async () => {
      const walk = (atOnce?: number) =>
        withDirectory(context(), async (directory) => {
          const root = await findGroup(directory, 'MDIP-Clinical', MEMBER_ATTRIBUTES);
          if (!root.ok || root.value === undefined) throw new Error('no group');
          const tree = plant(root.value);
          const grown = await growNested(directory, tree, 1000, atOnce);
          return grown.ok ? { ok: true as const, value: pathsOf(tree) } : grown;
        });
      const [all, levels] = [await walk(), await walk(0)];
      if (!all.ok || !levels.ok) throw new Error('the walk failed');
      expect(levels.value).toEqual(all.value);
      const path = (name: string) => all.value.get(`cn=${name},cn=users,dc=hospital,dc=test`);
      expect(path('nurse-a')).toEqual(['MDIP-Clinical']);
      expect(path('nurse-b')).toEqual(['MDIP-Clinical', 'Ward-7']);
      expect(path('nurse-c')).toEqual(['MDIP-Clinical', 'Ward-7', 'Night (7)']);
      expect(all.value.size).toBe(7);
    });

    it('names who can change the membership', async () => {
      const { facts } = await group({ group: 'MDIP-Clinical' });
      const names = facts.writers.principals.map(({ name }: { name: string }) => name);
      expect(names).toContain('Domain Admins');
      expect(names).toContain('Account Operators');
      expect(facts.writers.delegated).toEqual([]);
    });

    it('ends in an error that names the cause for a wrong password, tried once only', async () => {
      const site = directorySite({ ...server, bindAccount: 'lockstep@hospital.test' });
      const wrong = `wrong-${Date.now()}`;
      const first = await runDirectoryProbe(directoryGroup, { group: 'Ward-7' }, testContext(site, wrong));
      expect(first.error).toMatchObject({ code: 'ldap.credentials', fixBy: 'operator' });
      const second = await runDirectoryProbe(directoryGroup, { group: 'Ward-7' }, testContext(site, wrong));
      expect(second.error?.message).toMatch(/not tried again/);
      expect((await group({ group: 'Ward-7' })).facts.exists).toBe(true);
      const missing = await runDirectoryProbe(directoryGroup, { group: 'Ward-7' }, testContext(site, undefined));
      expect(missing.error?.code).toBe('secret.missing');
    });
  });

  describe('directory.account', () => {
    it('finds the bind account modest', async () => {
      const { facts } = await runDirectoryProbe(directoryAccount, {}, context());
      expect(facts).toMatchObject({
        exists: true,
        enabled: true,
        locked: false,
        expired: false,
        passwordNeverExpires: false,
        noPreAuthentication: false,
        adminCount: false,
        privilegedGroups: [],
        kerberoastable: false,
        delegation: 'none',
      });
      expect(facts.passwordAgeDays).toBeLessThan(1);
    });

    it('finds what makes a service account dangerous, privileges through nesting included', async () => {
      const { facts, absent } = await runDirectoryProbe(directoryAccount, { account: 'svc-weak' }, context());
      expect(facts).toMatchObject({
        passwordNeverExpires: true,
        noPreAuthentication: true,
        delegation: 'unconstrained',
        kerberoastable: true,
        servicePrincipalNames: ['HTTP/mdip.hospital.test'],
      });
      expect(absent.encryptionTypes).toMatch(/none are set/);
      const nurse = await runDirectoryProbe(directoryAccount, { account: 'nurse-c@hospital.test' }, context());
      expect(nurse.facts.privilegedGroups).toEqual(['Account Operators']);
      const admin = await runDirectoryProbe(directoryAccount, { account: 'HOSPITAL\\Administrator' }, context());
      expect(admin.facts.privilegedGroups).toContain('Domain Admins');
      // The administrator has no userPrincipalName, and yet can log on with one.
      const implicit = await runDirectoryProbe(directoryAccount, { account: 'administrator@HOSPITAL.TEST' }, context());
      expect(implicit.facts.exists).toBe(true);
      const elsewhere = await runDirectoryProbe(directoryAccount, { account: 'administrator@other.test' }, context());
      expect(elsewhere.facts.exists).toBe(false);
      expect((await runDirectoryProbe(directoryAccount, { account: 'nobody-here' }, context())).facts).toEqual({
        exists: false,
      });
    });
  });

  describe('directory.password-policy', () => {
    it('reads the domain policy and what holds for the bind account', async () => {
      const { facts, absent } = await runDirectoryProbe(directoryPasswordPolicy, {}, context());
      expect(facts.domain).toMatchObject({
        source: 'domain',
        minimumLength: 7,
        history: 24,
        complexity: true,
        lockoutThreshold: 0,
        maximumAgeDays: 42,
        minimumAgeDays: 1,
      });
      expect(facts.effective.source).toBe('domain');
      expect(absent.fineGrained).toMatch(/right/);
    });

    it('does not take a policy that it may not see for none', async () => {
      await server.admin(async (client) => {
        const container = `CN=Password Settings Container,CN=System,${server.baseDn}`;
        await client.add(`CN=Services,${container}`, {
          objectClass: 'msDS-PasswordSettings',
          'msDS-PasswordSettingsPrecedence': '10',
          'msDS-PasswordReversibleEncryptionEnabled': 'FALSE',
          'msDS-PasswordHistoryLength': '5',
          'msDS-PasswordComplexityEnabled': 'TRUE',
          'msDS-MinimumPasswordLength': '20',
          'msDS-MinimumPasswordAge': '0',
          'msDS-MaximumPasswordAge': '-9223372036854775808',
          'msDS-LockoutThreshold': '10',
          'msDS-LockoutDuration': '-9000000000',
          'msDS-LockoutObservationWindow': '-9000000000',
          'msDS-PSOAppliesTo': `CN=svc-weak,CN=Users,${server.baseDn}`,
        });
      });
      const ordinary = await runDirectoryProbe(directoryPasswordPolicy, { account: 'svc-weak' }, context());
      expect(ordinary.facts.effective?.source).not.toBe('domain');
      const site = directorySite({ ...server, bindAccount: server.adminDn });
      const admin = await runDirectoryProbe(
        directoryPasswordPolicy,
        { account: 'svc-weak' },
        testContext(site, server.adminPassword),
      );
      expect(admin.facts.effective).toMatchObject({
        source: 'fine-grained',
        name: 'Services',
        minimumLength: 20,
        expires: false,
        lockoutThreshold: 10,
        lockoutMinutes: 15,
      });
      expect(admin.facts.fineGrained).toBe(1);
    });
  });
});
