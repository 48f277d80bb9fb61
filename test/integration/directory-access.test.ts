import { execFile } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { Attribute, Change, Client } from 'ldapts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareAccess } from '../../core/people/compare-access.ts';
import { KEY_ID } from '../../core/people/site-key.ts';
import { pathsTo } from '../../core/probes/people.ts';
import { fail, ok } from '../../core/result.ts';
import { directoryAccess } from '../../engine/probes/directory-access.ts';
import { directorySignIn } from '../../engine/probes/directory-sign-in.ts';
import { whoIs } from '../../engine/wire/ldap-who.ts';
import { parseSid } from '../../engine/wire/ldap-values.ts';
import { isRoot, needs } from '../support/debian.ts';
import { directorySite, runDirectoryProbe, testContext } from '../support/directory.ts';
import { addGroup, addMember, addUser, SAMBA_PROGRAMS, type SambaServer, startSamba } from '../support/samba.ts';

const BIND_PASSWORD = 'Practice-B1nd!';
const PASSWORD = 'Practice-Us3r!';
const WRONG = 'Practice-Wr0ng!';
const KEY = new Uint8Array(32).fill(7);
const ROLES = [
  { id: 'clinical', group: 'MDIP-Clinical' },
  { id: 'biomed', group: 'MDIP-Biomed' },
  { id: 'administrator', group: 'MDIP-Administrators' },
];
const APART = [
  ['clinical', 'administrator'],
  ['biomed', 'administrator'],
];
const keyIdOf = (key: Uint8Array) =>
  createHmac('sha256', key)
    .update(KEY_ID.label)
    .digest('hex')
    .slice(0, 2 * KEY_ID.bytes);
const YESTERDAY = String((BigInt(Date.now() - 86_400_000) + 11_644_473_600_000n) * 10_000n);

const replace = (type: string, value: string) =>
  new Change({ operation: 'replace', modification: new Attribute({ type, values: [value] }) });

describe.skipIf(!isRoot() || !needs(...SAMBA_PROGRAMS))('access to a product, on a Samba domain controller', () => {
  let server: SambaServer;
  const context = (
    secrets: Record<string, string> = {},
    more: { siteKey?: Uint8Array; namesAgreed?: boolean; asAdmin?: true; lockoutAfter?: number | undefined } = {},
  ) => {
    const bindAccount = more.asAdmin === true ? server.adminDn : 'lockstep@hospital.test';
    const all: Record<string, string> = {
      'directory-bind': more.asAdmin === true ? server.adminPassword : BIND_PASSWORD,
      ...secrets,
    };
    const site = directorySite({ ...server, bindAccount });
    const canary = { account: { user: 'canary', secret: 'canary' }, lockoutAfter: more.lockoutAfter };
    const directory = site.directory === undefined ? {} : { directory: { ...site.directory, canary } };
    return {
      ...testContext({ ...site, ...directory } as typeof site, undefined, more),
      secret: async (name: string) => (all[name] === undefined ? fail('secret.missing', name) : ok(all[name])),
    };
  };
  const access = (params: Record<string, unknown> = {}, more: { siteKey?: Uint8Array; namesAgreed?: boolean } = {}) =>
    runDirectoryProbe(directoryAccess, { roles: ROLES, keepApart: APART, ...params }, context({}, more));
  const signIn = (
    account: string,
    options: {
      password?: string;
      mustRefuse?: string;
      refusedPassword?: string;
      asAdmin?: true;
      lockoutAfter?: number | undefined;
    } = {},
  ) =>
    runDirectoryProbe(
      directorySignIn,
      {
        account: { user: `${account}@hospital.test`, secret: 'canary' },
        roles: ROLES,
        ...(options.mustRefuse === undefined
          ? {}
          : { mustRefuse: { user: `${options.mustRefuse}@hospital.test`, secret: 'leaver' } }),
      },
      context(
        { canary: options.password ?? PASSWORD, leaver: options.refusedPassword ?? PASSWORD },
        { lockoutAfter: 5, ...options },
      ),
    );
  const failures = (name: string) =>
    server.admin(async (client) => {
      const dn = `CN=${name},CN=Users,${server.baseDn}`;
      const { searchEntries } = await client.search(dn, { scope: 'base', attributes: ['badPwdCount'] });
      return Number(searchEntries[0]?.badPwdCount ?? 0);
    });
  const sidOfUser = (name: string) =>
    server.admin(async (client) => {
      const dn = `CN=${name},CN=Users,${server.baseDn}`;
      const options = { scope: 'base' as const, explicitBufferAttributes: ['objectSid'] };
      return parseSid((await client.search(dn, options)).searchEntries[0]?.objectSid as Buffer);
    });
  const failLogon = async (name: string) => {
    const client = new Client({
      url: `ldaps://${server.address}:${server.ldaps}`,
      tlsOptions: { ca: [server.caPem], servername: server.host },
    });
    await expect(client.bind(`${name}@hospital.test`, WRONG)).rejects.toMatchObject({ code: 49 });
    await client.unbind();
  };

  beforeAll(async () => {
    server = await startSamba();
    await server.admin(async (client) => {
      await addUser(client, { name: 'lockstep', password: BIND_PASSWORD });
      const user = (name: string, more: object = {}) => addUser(client, { name, password: PASSWORD, ...more });
      const group = (name: string) => addGroup(client, { name, scope: 'universal' });
      const clinical = await group('MDIP-Clinical');
      const ward = await group('Ward-7');
      const biomed = await group('MDIP-Biomed');
      const administrators = await group('MDIP-Administrators');
      await addMember(client, clinical, ward);
      const nurse = await user('nurse');
      const both = await user('both-hats');
      for (const member of [nurse, both, await user('left', { flags: 514 })]) await addMember(client, ward, member);
      await addMember(client, clinical, nurse);
      await addMember(client, clinical, await user('gone', { attributes: { accountExpires: YESTERDAY } }));
      for (const member of [both, await user('boss')]) await addMember(client, administrators, member);
      for (const name of ['shaky', 'close', 'mistyped', 'typo', 'changes']) await user(name);
      await client.modify(`CN=changes,CN=Users,${server.baseDn}`, replace('pwdLastSet', '0'));

      const fixed = await user('fixed');
      await addMember(client, biomed, fixed);
      const read = await client.search(biomed, { scope: 'base', explicitBufferAttributes: ['objectSid'] });
      const sid = read.searchEntries[0]?.objectSid as Buffer;
      await client.modify(fixed, replace('primaryGroupID', String(sid.readUInt32LE(sid.length - 4))));

      await client.modify(server.baseDn, replace('lockoutThreshold', '6'));
      await client.add(`CN=strict,CN=Password Settings Container,CN=System,${server.baseDn}`, {
        objectClass: 'msDS-PasswordSettings',
        'msDS-PasswordSettingsPrecedence': '10',
        'msDS-PasswordReversibleEncryptionEnabled': 'FALSE',
        'msDS-PasswordHistoryLength': '24',
        'msDS-PasswordComplexityEnabled': 'TRUE',
        'msDS-MinimumPasswordLength': '12',
        'msDS-MinimumPasswordAge': '0',
        'msDS-MaximumPasswordAge': '-315360000000000',
        'msDS-LockoutThreshold': '4',
        'msDS-LockoutObservationWindow': '-18000000000',
        'msDS-LockoutDuration': '-18000000000',
        'msDS-PSOAppliesTo': `CN=close,CN=Users,${server.baseDn}`,
      });
    });
  });
  afterAll(async () => server?.stop());

  describe('directory.access', () => {
    it('counts who holds each role, by which kind of path, and who holds two', async () => {
      const { facts, absent } = await access();
      expect(facts).toMatchObject({
        roles: [
          {
            id: 'clinical',
            exists: true,
            holders: 4,
            canLogIn: 2,
            paths: { direct: 2, nested: 3, primaryGroup: 0 },
            groups: [
              { name: 'MDIP-Clinical', parents: [], depth: 0, path: ['MDIP-Clinical'], people: 2 },
              { name: 'Ward-7', parents: ['MDIP-Clinical'], depth: 1, path: ['MDIP-Clinical', 'Ward-7'], people: 3 },
            ],
            broad: [],
            grantors: [],
          },
          {
            id: 'biomed',
            holders: 1,
            canLogIn: 1,
            paths: { direct: 0, nested: 0, primaryGroup: 1 },
            groups: [{ name: 'MDIP-Biomed', people: 0, primaryGroup: 1 }],
          },
          { id: 'administrator', holders: 2, canLogIn: 2, paths: { direct: 2, nested: 0, primaryGroup: 0 } },
        ],
        everyone: 6,
        keptApart: [
          { roles: ['clinical', 'administrator'], count: 1 },
          { roles: ['biomed', 'administrator'], count: 0 },
        ],
        holdTwo: 1,
        grantors: [],
      });
      expect(absent['roles[].people']).toMatch(/key/);
      expect(absent['keptApart[].people']).toMatch(/key/);
      expect(absent.keyId).toMatch(/key/);
    });

    it('gives the same person the same pseudonym under every role, with every group that they are in', async () => {
      const { facts, absent } = await access({}, { siteKey: KEY });
      const [clinical, biomed, administrator] = facts.roles;
      expect(clinical.people).toHaveLength(4);
      const ids = (role: typeof clinical): string[] => role.people.map(({ id }: { id: string }) => id);
      const both = ids(clinical).filter((id) => ids(administrator).includes(id));
      expect(facts.keptApart[0].people).toEqual(both.map((id) => ({ id })));
      expect(both).toHaveLength(1);
      const via = clinical.people.map((person: { via: string[] }) => person.via.join());
      expect(via.sort()).toEqual(['MDIP-Clinical', 'MDIP-Clinical,Ward-7', 'Ward-7', 'Ward-7']);
      expect(clinical.people.filter(({ canLogIn }: { canLogIn: boolean }) => canLogIn)).toHaveLength(2);
      expect(pathsTo({ via: ['Ward-7'] }, clinical.groups)).toEqual([['MDIP-Clinical', 'Ward-7']]);
      expect(biomed.people).toEqual([
        { id: expect.any(String), via: ['MDIP-Biomed'], primaryGroup: 'MDIP-Biomed', canLogIn: true },
      ]);
      expect(absent['roles[].people']).toBeUndefined();
      expect(facts.keyId).toBe(keyIdOf(KEY));
      expect(JSON.stringify(facts)).not.toMatch(/nurse|boss|both-hats/);
    });

    it('makes other pseudonyms under another key', async () => {
      const other = new Uint8Array(32).fill(8);
      const ids = (facts: { roles: { people: { id: string }[] }[] }) =>
        facts.roles.flatMap(({ people }) => people.map(({ id }) => id));
      const [one, two] = [await access({}, { siteKey: KEY }), await access({}, { siteKey: other })];
      expect(ids(one.facts).filter((id) => ids(two.facts).includes(id))).toEqual([]);
      expect(one.facts.keyId).not.toBe(two.facts.keyId);
    });

    it('names people only where the guide asks for it and the operator agreed', async () => {
      const agreed = { siteKey: KEY, namesAgreed: true };
      const asked = await access({ names: true }, agreed);
      expect(asked.facts.roles[2].people.map(({ name }: { name: string }) => name).sort()).toEqual([
        'boss',
        'both-hats',
      ]);
      expect(asked.facts.keptApart[0].people).toEqual([{ id: expect.any(String), name: 'both-hats' }]);
      const declined = await access({ names: true }, { siteKey: KEY });
      expect(declined.facts.roles[2].people).toHaveLength(2);
      expect(JSON.stringify(declined.facts)).not.toContain('both-hats');
      expect(declined.absent['roles[].people[].name']).toMatch(/did not agree/);
      const unasked = await access({}, agreed);
      expect(JSON.stringify(unasked.facts)).not.toContain('both-hats');
      expect(unasked.absent['roles[].people[].name']).toBeUndefined();
      expect((await access({ names: true }, { namesAgreed: true })).absent['roles[].people']).toMatch(/key/);
    });

    it('names who can let others in, also by way of a nested group', async () => {
      const ward = `CN=Ward-7,CN=Users,${server.baseDn}`;
      const sddl = `(OA;;WP;bf9679c0-0de6-11d0-a285-00aa003049e2;;${await sidOfUser('nurse')})`;
      const args = ['dsacl', 'set', '-s', server.configuration, '--action=allow', `--objectdn=${ward}`];
      await promisify(execFile)('samba-tool', [...args, `--sddl=${sddl}`]);
      const { facts } = await access();
      const grantor = { type: 'person', rights: ['WriteMember'], groups: ['Ward-7'] };
      expect(facts.roles[0].grantors).toEqual([grantor]);
      expect(facts.roles[2].grantors).toEqual([]);
      expect(facts.grantors).toEqual([{ type: 'person', roles: ['clinical'] }]);
      const keyed = await access({}, { siteKey: KEY });
      const id: string = keyed.facts.roles[0].grantors[0].id;
      const dn = `CN=nurse,CN=Users,${server.baseDn}`;
      expect(await whoIs(context({}, { siteKey: KEY }), [id.slice(0, 12)])).toEqual(
        ok([{ code: id, name: 'nurse', dn }]),
      );
      expect(await whoIs(context({}, { siteKey: new Uint8Array(32) }), [id])).toEqual(ok([]));
      expect(await whoIs(context(), [id])).toMatchObject({ error: { code: 'secret.missing' } });
      expect(keyed.facts.roles[0].grantors).toEqual([{ ...grantor, id }]);
      expect(keyed.facts.roles[0].people.map((person: { id: string }) => person.id)).toContain(id);
    });

    it('knows people again after they were renamed, and tells who joined and left since', async () => {
      const before = (await access({}, { siteKey: KEY })).facts;
      const biomed = `CN=MDIP-Biomed,CN=Users,${server.baseDn}`;
      const boss = `CN=boss,CN=Users,${server.baseDn}`;
      const renamed = `CN=The Boss,CN=Users,${server.baseDn}`;
      const administrators = `CN=MDIP-Administrators,CN=Users,${server.baseDn}`;
      const shaky = `CN=shaky,CN=Users,${server.baseDn}`;
      const member = (operation: 'add' | 'delete', dn: string) =>
        new Change({ operation, modification: new Attribute({ type: 'member', values: [dn] }) });
      await server.admin(async (client) => {
        await client.modifyDN(boss, 'CN=The Boss');
        await client.modify(biomed, member('add', shaky));
        await client.modify(`CN=left,CN=Users,${server.baseDn}`, replace('userAccountControl', '512'));
        await client.modify(administrators, member('delete', `CN=both-hats,CN=Users,${server.baseDn}`));
      });
      try {
        const now = (await access({}, { siteKey: KEY })).facts;
        const since = {
          at: '2026-10-01T00:00:00.000Z',
          bundle: 'b'.repeat(64),
          session: randomUUID(),
          provisional: false,
        };
        const { changed, absent } = compareAccess(now, before, since);
        expect(changed.joined).toMatchObject([{ roles: ['biomed'] }]);
        expect(changed.left).toEqual([]);
        expect(changed.moved).toMatchObject([{ from: ['clinical', 'administrator'], to: ['clinical'] }]);
        expect(changed.enabled).toMatchObject([{ roles: ['clinical'] }]);
        expect(changed.disabled).toEqual([]);
        expect(changed.sentence).toBe(
          '1 person joined and 1 person changed roles since 2026-10-01; 1 person who could not log in then can now.',
        );
        expect(absent).toEqual([]);
      } finally {
        await server.admin(async (client) => {
          await client.modifyDN(renamed, 'CN=boss');
          await client.modify(biomed, member('delete', shaky));
          await client.modify(`CN=left,CN=Users,${server.baseDn}`, replace('userAccountControl', '514'));
          await client.modify(administrators, member('add', `CN=both-hats,CN=Users,${server.baseDn}`));
        });
      }
    });

    it('says nothing of groups and grantors where a nested group hides its members', async () => {
      const secret = await server.admin(async (client) => {
        const group = await addGroup(client, { name: 'Secret-Group', scope: 'universal' });
        await addMember(client, await addGroup(client, { name: 'MDIP-Hidden', scope: 'universal' }), group);
        return group;
      });
      const sddl = `(OD;;RP;bf9679c0-0de6-11d0-a285-00aa003049e2;;${await sidOfUser('lockstep')})`;
      const args = ['dsacl', 'set', '-s', server.configuration, '--action=deny', `--objectdn=${secret}`];
      await promisify(execFile)('samba-tool', [...args, `--sddl=${sddl}`]);
      const roles = [{ id: 'hidden', group: 'MDIP-Hidden' }];
      const { facts, absent } = await access({ roles, keepApart: [] }, { siteKey: KEY });
      expect(facts.roles[0]).toEqual({ id: 'hidden', group: 'MDIP-Hidden', exists: true });
      for (const name of ['holders', 'people', 'groups', 'broad'])
        expect(absent[`roles[].${name}`]).toMatch(/no right to read the members of Secret-Group/);
      expect(absent['roles[].grantors']).toMatch(/not every nested group was found/);
      expect(facts).not.toHaveProperty('everyone');
    });

    it('does not decide on a role whose holders it cannot tell', async () => {
      const roles = [...ROLES.slice(0, 2), { id: 'administrator', group: 'MDIP-Adminstrators' }];
      const { facts, absent } = await access({ roles });
      expect(facts.roles[2]).toEqual({ id: 'administrator', group: 'MDIP-Adminstrators', exists: false });
      expect(facts).not.toHaveProperty('holdTwo');
      expect(facts).not.toHaveProperty('everyone');
      expect(absent.holdTwo).toMatch(/administrator/);
      expect(absent['roles[].holders']).toMatch(/there is no group MDIP-Adminstrators/);
      const cut = await access({ maximum: 2 });
      expect(cut.absent.holdTwo).toMatch(/clinical/);
      expect(cut.absent['roles[].groups']).toMatch(/more than 2 entries/);
    });

    it('refuses pairs of roles that the guide does not have', async () => {
      expect((await access({ keepApart: [['clinical', 'cleaner']] })).error).toMatchObject({ code: 'guide.invalid' });
      expect((await access({ keepApart: [['clinical', 'clinical']] })).error).toMatchObject({ code: 'guide.invalid' });
    });

    it('ends in an error for a wrong password', async () => {
      const site = directorySite({ ...server, bindAccount: 'typo@hospital.test' });
      const params = { roles: ROLES };
      const { error } = await runDirectoryProbe(directoryAccess, params, testContext(site, WRONG));
      expect(error).toMatchObject({ code: 'ldap.credentials' });
    });
  });

  describe('directory.sign-in', () => {
    it('lets the canary in under its role, and sees a disabled account refused', async () => {
      const { facts, error } = await signIn('nurse', { mustRefuse: 'left' });
      expect(error).toBeUndefined();
      expect(facts).toMatchObject({
        signIn: { outcome: 'accepted' },
        roles: ['clinical'],
        how: 'token-groups',
        lockout: { threshold: 5, failed: 0, source: 'site' },
        mustRefuse: { outcome: 'refused', code: '533', reason: 'the account is disabled' },
      });
      expect(facts.groups).toBeGreaterThanOrEqual(3);
    });

    it('decides the role of a primary group, and refuses an expired account', async () => {
      const { facts } = await signIn('fixed', { mustRefuse: 'gone' });
      expect(facts.roles).toEqual(['biomed']);
      expect(facts.mustRefuse).toEqual({ outcome: 'refused', code: '701', reason: 'the account has expired' });
    });

    it('tells an account that should be refused and gets in', async () => {
      const { facts } = await signIn('nurse', { mustRefuse: 'boss' });
      expect(facts.mustRefuse).toEqual({ outcome: 'accepted' });
    });

    it('says why a canary with the right password does not get in', async () => {
      const { facts, absent } = await signIn('changes');
      expect(facts.signIn).toEqual({
        outcome: 'refused',
        code: '773',
        reason: 'the password must be changed at the next logon',
      });
      expect(absent.roles).toMatch(/not let in/);
      expect(absent.mustRefuse).toMatch(/names no/);
      expect((await signIn('left')).facts.signIn).toMatchObject({ outcome: 'refused', code: '533' });
    });

    it('tries a wrong password once', async () => {
      expect((await signIn('shaky', { password: WRONG })).error).toMatchObject({ code: 'ldap.credentials' });
      expect(await failures('shaky')).toBe(1);
      expect((await signIn('shaky', { lockoutAfter: 3 })).error).toMatchObject({ code: 'probe.inconclusive' });
      expect(await failures('shaky')).toBe(1);
    });

    it('tries nothing where the policy that holds is hidden and the site file does not state it', async () => {
      const { error } = await signIn('nurse', { password: WRONG, lockoutAfter: undefined });
      expect(error).toMatchObject({ code: 'ldap.no-right', fixBy: 'hospital' });
      expect(error?.message).toMatch(/which lockout policy holds for nurse@hospital\.test.*canary\.lockoutAfter/);
      expect(await failures('nurse')).toBe(0);
      // The domain's own threshold counts where it is lower than what the site file states.
      expect((await signIn('nurse', { lockoutAfter: 100 })).facts.lockout).toMatchObject({ threshold: 6 });
    });

    it('does not take a wrong password for a refusal', async () => {
      const { facts, absent } = await signIn('nurse', { mustRefuse: 'mistyped', refusedPassword: WRONG });
      expect(facts).not.toHaveProperty('mustRefuse');
      expect(absent.mustRefuse).toMatch(/wrong password/);
    });

    it('leaves an account alone that is near its lockout', async () => {
      expect((await signIn('close', { asAdmin: true })).facts.lockout).toEqual({
        threshold: 4,
        failed: 0,
        source: 'account',
      });
      for (let at = 0; at < 2; at += 1) await failLogon('close');
      const { error } = await signIn('close', { asAdmin: true });
      expect(error).toMatchObject({ code: 'probe.inconclusive', fixBy: 'hospital' });
      expect(error?.message).toContain('2 of 4 failed logons');
      expect(await failures('close')).toBe(2);
    });

    it('names an account that is not there and a password that was not supplied', async () => {
      expect((await signIn('nobody')).error).toMatchObject({ code: 'input.not-found', fixBy: 'hospital' });
      const params = { account: { user: 'nurse@hospital.test', secret: 'forgotten' }, roles: ROLES };
      expect((await runDirectoryProbe(directorySignIn, params, context({}, { lockoutAfter: 5 }))).error).toMatchObject({
        code: 'secret.missing',
      });
    });
  });
});
