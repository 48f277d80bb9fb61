import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AbsentFact } from '../../core/probes/declaration.ts';
import { CHANGES } from '../../engine/changes/index.ts';
import type { Probe } from '../../engine/context.ts';
import { directoryCreateGroup } from '../../engine/changes/directory-create-group.ts';
import { directoryAccess } from '../../engine/probes/directory-access.ts';
import { directoryAccount } from '../../engine/probes/directory-account.ts';
import { directoryConnection } from '../../engine/probes/directory-connection.ts';
import { directoryGroup } from '../../engine/probes/directory-group.ts';
import { directoryPasswordPolicy } from '../../engine/probes/directory-password-policy.ts';
import { directorySignIn } from '../../engine/probes/directory-sign-in.ts';
import { ok } from '../../core/result.ts';
import { whoIs } from '../../engine/wire/ldap-who.ts';
import { needs } from '../support/debian.ts';
import { directorySite, runDirectoryProbe, testContext } from '../support/directory.ts';
import { type Slapd, startSlapd } from '../support/slapd.ts';

const BIND_DN = 'uid=lockstep,ou=people,dc=hospital,dc=test';
const BIND_PASSWORD = 'Practice-B1nd!';

function person(uid: string, more: string[] = []): string {
  return [
    `dn: uid=${uid},ou=people,dc=hospital,dc=test`,
    'objectClass: inetOrgPerson',
    `uid: ${uid}`,
    `cn: ${uid}`,
    `sn: ${uid}`,
    ...more,
  ].join('\n');
}

const LDIF = [
  'dn: dc=hospital,dc=test\nobjectClass: dcObject\nobjectClass: organization\no: hospital\ndc: hospital',
  'dn: ou=people,dc=hospital,dc=test\nobjectClass: organizationalUnit\nou: people',
  'dn: ou=groups,dc=hospital,dc=test\nobjectClass: organizationalUnit\nou: groups',
  person('lockstep', [`userPassword: ${BIND_PASSWORD}`, 'pwdPolicySubentry: cn=strict,dc=hospital,dc=test']),
  ...['a', 'b', 'c', 'd'].map((letter) => person(`nurse-${letter}`)),
  'dn: cn=clinical,ou=groups,dc=hospital,dc=test\nobjectClass: groupOfNames\ncn: clinical\nmember: uid=nurse-a,ou=people,dc=hospital,dc=test\nmember: UID=nurse-b, ou=People,dc=hospital,dc=test\nmember: cn=ward,ou=groups,dc=hospital,dc=test',
  'dn: cn=ward,ou=groups,dc=hospital,dc=test\nobjectClass: groupOfUniqueNames\ncn: ward\nuniqueMember: uid=nurse-b,ou=people,dc=hospital,dc=test\nuniqueMember: uid=nurse-c,ou=people,dc=hospital,dc=test',
  'dn: cn=posix,ou=groups,dc=hospital,dc=test\nobjectClass: posixGroup\ncn: posix\ngidNumber: 7\nmemberUid: nurse-d\nmemberUid: nurse-a',
  'dn: cn=stale,ou=groups,dc=hospital,dc=test\nobjectClass: groupOfNames\ncn: stale\nmember: uid=left-long-ago,ou=people,dc=hospital,dc=test',
  'dn: cn=strict,dc=hospital,dc=test\nobjectClass: organizationalRole\nobjectClass: pwdPolicy\ncn: strict\npwdAttribute: userPassword\npwdMinLength: 14\npwdInHistory: 12\npwdLockout: TRUE\npwdMaxFailure: 5\npwdLockoutDuration: 900\npwdMaxAge: 0',
].join('\n\n');

const POLICY = ['moduleload ppolicy', 'security simple_bind=128'];
const OVERLAY = [
  'overlay ppolicy',
  'access to attrs=userPassword by anonymous auth by * none',
  'access to * by users read',
];

describe.skipIf(!needs('slapd', 'slapadd'))('OpenLDAP', () => {
  let hardened: Slapd;
  let open: Slapd;
  const context = (server: Slapd, password = BIND_PASSWORD) =>
    testContext(directorySite({ ...server, bindAccount: BIND_DN, kind: 'ldap' }), password);
  const group = (name: string) => runDirectoryProbe(directoryGroup, { group: name }, context(hardened));

  beforeAll(async () => {
    hardened = await startSlapd({ ldif: `${LDIF}\n`, lines: POLICY, databaseLines: OVERLAY });
    open = await startSlapd({
      ldif: `${LDIF}\n`,
      lines: ['moduleload ppolicy'],
      databaseLines: ['overlay ppolicy', 'access to * by * read'],
    });
  });
  afterAll(async () => {
    await hardened?.stop();
    await open?.stop();
  });

  it('passes a hardened server, leaving out what only Active Directory has', async () => {
    const { facts, absent } = await runDirectoryProbe(directoryConnection, {}, context(hardened));
    expect(facts).toMatchObject({ kind: 'ldap', verifiedEverywhere: true, baseDnServed: true, bind: 'accepted' });
    expect(facts.servers[0]).toMatchObject({
      verified: ['ldaps', 'starttls'],
      anonymousSearch: 'refused',
      clearBind: 'refused',
      clearBindResult: 13,
      outdatedTls: [],
    });
    expect(facts.domainFunctionality).toBeUndefined();
    expect(absent.domainFunctionality).toMatch(/Active Directory/);
    expect(absent['servers[].clockOffsetSeconds']).toMatch(/time/);
  });

  it('marks what only Active Directory has as not applicable, and nothing else', async () => {
    const marked = async (probe: Probe, params: Record<string, unknown>) => {
      const outcome = await probe.run(probe.declaration.params.parse(params), context(hardened));
      if (!outcome.ok || outcome.value.kind !== 'facts') throw new Error('no facts');
      const { absent } = outcome.value as { absent: readonly AbsentFact[] };
      return absent.filter(({ notApplicable }) => notApplicable === true).map(({ path }) => path);
    };
    expect((await marked(directoryConnection, {})).sort()).toEqual([
      'clockSpreadSeconds',
      'domainFunctionality',
      'forestFunctionality',
      'servers[].adSite',
      'servers[].clockOffsetSeconds',
      'servers[].controllerFunctionality',
      'servers[].globalCatalog',
      'servers[].synchronized',
    ]);
    expect((await marked(directoryGroup, { group: 'clinical' })).sort()).toEqual([
      'group.kind',
      'group.protected',
      'group.scope',
      'group.sid',
      'writers',
    ]);
    expect(await marked(directoryPasswordPolicy, {})).toEqual(['domain', 'fineGrained']);
    const account = { user: 'lockstep', secret: 'canary' };
    expect(await marked(directorySignIn, { account, roles: [{ id: 'clinical', group: 'clinical' }] })).toEqual([
      'groups',
    ]);
  });

  it('is changed by nothing that is made for Active Directory', async () => {
    const params: Record<string, Record<string, unknown>> = {
      'directory.create-ou': { name: 'new' },
      'directory.create-group': { group: 'new' },
      'directory.add-members': { group: 'clinical', members: ['nurse-d'] },
      'directory.remove-members': { group: 'clinical', members: ['nurse-a'] },
      'directory.set-attributes': { object: 'cn=clinical,ou=groups,dc=hospital,dc=test', description: 'x' },
      'directory.protect-from-deletion': { object: 'cn=clinical,ou=groups,dc=hospital,dc=test' },
    };
    const changes = CHANGES.filter(({ declaration }) => declaration.id.startsWith('directory.'));
    expect(changes.map(({ declaration }) => declaration.id).sort()).toEqual(Object.keys(params).sort());
    for (const change of changes) {
      const { id } = change.declaration;
      const planned = await change.plan(change.declaration.params.parse(params[id]), context(hardened));
      expect(planned, id).toMatchObject({ ok: false, error: { code: 'change.refused' } });
      expect(planned.ok ? '' : planned.error.message, id).toMatch(/Active Directory/);
    }
  });

  it('fails a server that answers anybody and takes passwords in clear', async () => {
    const { facts } = await runDirectoryProbe(directoryConnection, {}, context(open));
    expect(facts.servers[0]).toMatchObject({ anonymousSearch: 'allowed', clearBind: 'accepted', clearBindResult: 49 });
  });

  it('walks groups of names, of unique names and of POSIX', async () => {
    const { facts, absent } = await group('clinical');
    expect(facts).toMatchObject({
      exists: true,
      direct: { people: 2, groups: ['ward'] },
      effective: { count: 3, broad: [], depth: 1 },
    });
    for (const path of ['group.kind', 'group.scope', 'group.sid', 'effective.disabled', 'effective.expired', 'writers'])
      expect(absent[path]).toBeTruthy();
    expect((await group('posix')).facts.effective.count).toBe(2);
    expect((await group('clinicall')).facts).toEqual({ exists: false, nearMatches: ['clinical'] });
  });

  it('does not count where a member cannot be read', async () => {
    const { facts, absent } = await group('stale');
    expect(facts.direct).toMatchObject({ people: 0, other: 1 });
    expect(facts.effective.count).toBeUndefined();
    expect(absent['effective.count']).toMatch(/could not be read/);
  });

  it('tells who holds which role by every kind of path, and leaves out what only Active Directory knows', async () => {
    const roles = [
      { id: 'clinical', group: 'clinical' },
      { id: 'technical', group: 'posix' },
    ];
    const params = { roles, keepApart: [['clinical', 'technical']] };
    const { facts, absent } = await runDirectoryProbe(directoryAccess, params, context(hardened));
    expect(facts).toMatchObject({
      roles: [
        {
          id: 'clinical',
          holders: 3,
          paths: { direct: 2, nested: 2, primaryGroup: 0 },
          groups: [
            { name: 'clinical', people: 2 },
            { name: 'ward', depth: 1, people: 2 },
          ],
        },
        { id: 'technical', holders: 2, paths: { direct: 0, nested: 0, primaryGroup: 2 } },
      ],
      everyone: 4,
      holdTwo: 1,
    });
    expect(absent['roles[].canLogIn']).toMatch(/relied on/);
    expect(absent.grantors).toMatch(/not known/);
  });

  it('gives people codes by their DN, however it is spelt', async () => {
    const roles = [{ id: 'clinical', group: 'clinical' }];
    const siteKey = new Uint8Array(32).fill(7);
    const site = directorySite({ ...hardened, bindAccount: BIND_DN, kind: 'ldap' });
    const { facts, absent } = await runDirectoryProbe(
      directoryAccess,
      { roles },
      testContext(site, BIND_PASSWORD, { siteKey }),
    );
    const code = (name: string) =>
      createHmac('sha256', siteKey).update(`uid=${name},ou=people,dc=hospital,dc=test`).digest('hex');
    const via = { 'nurse-a': ['clinical'], 'nurse-b': ['clinical', 'ward'], 'nurse-c': ['ward'] };
    expect(facts.roles[0].people).toEqual(
      Object.entries(via)
        .map(([name, groups]) => ({ id: code(name), via: groups }))
        .sort((a, b) => (a.id < b.id ? -1 : 1)),
    );
    expect(absent['roles[].people[].canLogIn']).toMatch(/relied on/);
    const dn = 'uid=nurse-b,ou=people,dc=hospital,dc=test';
    expect(await whoIs(testContext(site, BIND_PASSWORD, { siteKey }), [code('nurse-b')])).toEqual(
      ok([{ code: code('nurse-b'), name: 'nurse-b', dn }]),
    );
  });

  it('tries a sign-in only where it can see how far the account is from its lockout', async () => {
    const roles = [{ id: 'clinical', group: 'clinical' }];
    const signIn = (user: string) =>
      runDirectoryProbe(directorySignIn, { account: { user, secret: 'canary' }, roles }, context(hardened));
    const { facts, absent } = await signIn('lockstep');
    expect(facts).toMatchObject({
      signIn: { outcome: 'accepted' },
      roles: [],
      how: 'walk',
      lockout: { threshold: 5, failed: 0, source: 'account' },
    });
    expect(absent.groups).toMatch(/does not tell/);
    expect((await signIn('nurse-a')).error).toMatchObject({ code: 'ldap.no-right' });
  });

  it('reads the policy that the account names', async () => {
    const { facts, absent } = await runDirectoryProbe(directoryPasswordPolicy, {}, context(hardened));
    expect(facts.effective).toMatchObject({
      source: 'ppolicy',
      name: 'strict',
      minimumLength: 14,
      history: 12,
      lockoutThreshold: 5,
      lockoutMinutes: 15,
      expires: false,
    });
    expect(absent['effective.complexity']).toBeTruthy();
    const other = await runDirectoryProbe(directoryPasswordPolicy, { account: 'nurse-a' }, context(hardened));
    expect(other.facts.effective).toBeUndefined();
    expect(other.absent.effective).toMatch(/names no policy/);
  });

  it('says that accounts and new groups are questions for Active Directory', async () => {
    expect((await runDirectoryProbe(directoryAccount, {}, context(hardened))).notApplicable).toMatch(
      /Active Directory/,
    );
    const params = directoryCreateGroup.declaration.params.parse({ group: 'new' });
    expect(await directoryCreateGroup.plan(params, context(hardened))).toMatchObject({
      ok: false,
      error: { code: 'change.refused' },
    });
  });

  it('ends in an error for a wrong password', async () => {
    const { error } = await runDirectoryProbe(directoryGroup, { group: 'clinical' }, context(hardened, 'wrong'));
    expect(error).toMatchObject({ code: 'ldap.credentials', fixBy: 'operator' });
  });
});
