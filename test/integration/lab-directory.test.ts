import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect as netConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Attribute, Change, Client } from 'ldapts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { membershipRights } from '../../engine/wire/ldap-descriptor.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { DN, DOMAIN_SID, HELP_DESK_SID } from '../../lab/directory-names.ts';
import { needs } from '../support/debian.ts';
import { hospitalRoot, withLdap } from '../support/lab-wire.ts';

let lab: Lab;
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lockstep-lab-'));
  lab = await startLab({ dir, shipped: false });
});
afterAll(async () => {
  await lab.stop();
  rmSync(dir, { recursive: true, force: true });
});

const BASE = 'DC=hospital,DC=example';
const GROUPS = `OU=Groups,${BASE}`;
const PEOPLE = '(&(objectCategory=person)(objectClass=user))';
const USER = 'svc-lockstep@hospital.example';

describe.skipIf(!needs('ldapsearch', 'ldapwhoami', 'ldapmodify'))('stock ldap-utils', () => {
  type Outcome = { code: number; out: string; err: string };
  const run = (program: string, args: readonly string[], input?: string): Promise<Outcome> =>
    new Promise((resolve) => {
      const env = {
        ...process.env,
        LDAPTLS_CACERT: join(dir, 'hospital-ca.pem'),
        LDAPTLS_REQCERT: 'demand',
        LDAPCONF: '/dev/null',
      };
      const child = execFile(program, [...args], { env, timeout: 20_000 }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
      child.stdin?.end(input ?? '');
    });
  const clear = () => ['-x', '-H', `ldap://127.0.0.1:${lab.ports.dc1.ldap}`];
  const secure = () => ['-x', '-H', `ldaps://127.0.0.1:${lab.ports.dc1.ldaps}`];
  const as = (user: string, password: string | undefined) => ['-D', user, '-w', password ?? ''];
  const bound = () => as(USER, lab.secrets['directory-bind']);
  const dns = (out: string) => out.split('\n').filter((line) => line.startsWith('dn: ')).length;

  it('reads the rootDSE without a bind, and nothing else', async () => {
    const root = await run('ldapsearch', [...clear(), '-LLL', '-b', '', '-s', 'base']);
    expect(root.out).toContain('defaultNamingContext: DC=hospital,DC=example');
    expect(root.out).toContain('supportedControl: 1.2.840.113556.1.4.319');
    expect(root.out).toContain('supportedCapabilities: 1.2.840.113556.1.4.800');
    expect(await run('ldapsearch', [...clear(), '-b', BASE])).toMatchObject({ code: 1, err: '' });
  });

  it('says who it is over LDAPS and StartTLS, and refuses a bind in clear', async () => {
    expect((await run('ldapwhoami', [...secure(), ...bound()])).out.trim()).toBe('u:HOSPITAL\\svc-lockstep');
    expect((await run('ldapwhoami', [...clear(), '-ZZ', ...bound()])).out.trim()).toBe('u:HOSPITAL\\svc-lockstep');
    expect(
      (await run('ldapwhoami', [...secure(), ...as('HOSPITAL\\svc-lockstep', lab.secrets['directory-bind'])])).code,
    ).toBe(0);
    expect((await run('ldapwhoami', [...clear(), ...bound()])).code).toBe(8);
  });

  it('tells wrong password, unknown and disabled apart by sub-codes', async () => {
    expect((await run('ldapwhoami', [...secure(), ...as(USER, 'wrong')])).err).toContain('data 52e');
    expect((await run('ldapwhoami', [...secure(), ...as('nobody@hospital.example', 'wrong')])).err).toContain(
      'data 525',
    );
    lab.parts.directory.set(`CN=svc-lockstep,OU=Service,${BASE}`, 'userAccountControl', ['514']);
    expect((await run('ldapwhoami', [...secure(), ...bound()])).err).toContain('data 533');
    lab.parts.directory.set(`CN=svc-lockstep,OU=Service,${BASE}`, 'userAccountControl', ['66048']);
    lab.parts.directory.set(`CN=svc-lockstep,OU=Service,${BASE}`, 'lockoutTime', ['133000000000000000']);
    expect((await run('ldapwhoami', [...secure(), ...bound()])).err).toContain('data 775');
    lab.parts.directory.set(`CN=svc-lockstep,OU=Service,${BASE}`, 'lockoutTime', []);
    expect((await run('ldapwhoami', [...secure(), ...bound()])).code).toBe(0);
  });

  it('pages, and gives the same people as without pages', async () => {
    const whole = await run('ldapsearch', [...secure(), ...bound(), '-LLL', '-b', BASE, PEOPLE, '1.1']);
    const paged = await run('ldapsearch', [
      ...secure(),
      ...bound(),
      '-LLL',
      '-E',
      'pr=7/noprompt',
      '-b',
      BASE,
      PEOPLE,
      '1.1',
    ]);
    expect(dns(whole.out)).toBe(62);
    expect(dns(paged.out)).toBe(62);
  });

  it('is limited to a page where the client does not page', async () => {
    lab.parts.policies.dc1.maxPageSize = 10;
    try {
      const cut = await run('ldapsearch', [...secure(), ...bound(), '-LLL', '-b', BASE, PEOPLE, '1.1']);
      expect({ code: cut.code, entries: dns(cut.out) }).toEqual({ code: 4, entries: 10 });
      const paged = await run('ldapsearch', [
        ...secure(),
        ...bound(),
        '-LLL',
        '-E',
        'pr=500/noprompt',
        '-b',
        BASE,
        PEOPLE,
        '1.1',
      ]);
      expect(dns(paged.out)).toBe(62);
    } finally {
      lab.parts.policies.dc1.maxPageSize = 1000;
    }
  });

  it('refuses a critical control that it does not know', async () => {
    expect((await run('ldapsearch', [...secure(), ...bound(), '-e', '!1.2.3.4', '-b', BASE])).code).toBe(12);
  });

  it('shows who may change a group to whoever asks for it with the control for it, and to nobody else', async () => {
    const read = async (...more: string[]) => {
      const attributes = ['-LLL', '-o', 'ldif-wrap=no', '-s', 'base', '*', 'nTSecurityDescriptor'];
      const found = await run('ldapsearch', [...secure(), ...bound(), '-b', DN.clinical, ...more, ...attributes]);
      const [, value] = /^nTSecurityDescriptor:: (\S+)$/m.exec(found.out) ?? [];
      return value === undefined ? undefined : membershipRights(Buffer.from(value, 'base64'));
    };
    expect(await read()).toBeUndefined();
    const admins = { sid: `${DOMAIN_SID}-512`, rights: ['GenericAll'] };
    const others = ['S-1-5-32-548', 'S-1-5-18'].map((sid) => ({ sid, rights: ['GenericAll'] }));
    // 4: the list alone; 5: with the owner.
    expect(await read('-E', '!1.2.840.113556.1.4.801=::MAMCAQQ=')).toEqual([admins, ...others]);
    await lab.setFault('group-help-desk', true);
    expect(await read('-E', '!1.2.840.113556.1.4.801=::MAMCAQU=')).toEqual([
      { sid: admins.sid, rights: ['Owner', 'GenericAll'] },
      ...others,
      { sid: HELP_DESK_SID, rights: ['WriteMember'] },
    ]);
    await lab.setFault('group-help-desk', false);
  });

  it('lets the directory administrator write LDIF, and an ordinary account not', async () => {
    const dn = `CN=Ldif-Test,${GROUPS}`;
    const add = `dn: ${dn}\nchangetype: add\nobjectClass: group\nsAMAccountName: Ldif-Test\n`;
    const { user, password } = lab.writeCredential;
    expect((await run('ldapmodify', [...secure(), ...bound()], add)).code).toBe(50);
    expect((await run('ldapmodify', [...secure(), ...as(user, password)], add)).code).toBe(0);
    expect(
      (await run('ldapmodify', [...secure(), ...as(user, password)], `dn: ${dn}\nchangetype: delete\n`)).code,
    ).toBe(0);
    expect((await run('ldapsearch', [...secure(), ...bound(), '-b', dn, '-s', 'base'])).code).toBe(32);
  });
});

describe('ldapts', () => {
  it('comes in by StartTLS', async () => {
    const client = new Client({ url: `ldap://127.0.0.1:${lab.ports.dc2.ldap}` });
    await client.startTLS({ ca: hospitalRoot(lab), host: '127.0.0.1', servername: 'dc2.hospital.example' });
    await client.bind(USER, lab.secrets['directory-bind'] ?? '');
    const { searchEntries } = await client.search(BASE, {
      filter: '(sAMAccountName=MDIP-Clinical)',
      attributes: ['member', 'groupType'],
    });
    expect(searchEntries).toMatchObject([{ member: `CN=Ward-Staff,${GROUPS}`, groupType: '-2147483646' }]);
    await client.unbind();
  });

  it('is told that an empty password proves nobody', async () => {
    const client = new Client({
      url: `ldaps://127.0.0.1:${lab.ports.dc1.ldaps}`,
      tlsOptions: { ca: hospitalRoot(lab), servername: 'dc1.hospital.example' },
    });
    await expect(client.bind(USER, '')).rejects.toMatchObject({ code: 49 });
    await client.unbind();
  });

  it('searches by scope and by every kind of filter', async () => {
    await withLdap(lab, async (client) => {
      const names = async (filter: string, scope: 'base' | 'one' | 'sub' = 'sub', base = BASE) =>
        (await client.search(base, { filter, scope, attributes: ['name'], paged: true })).searchEntries
          .map((entry) => String(entry['name']))
          .sort((left, right) => left.localeCompare(right, 'en'));
      expect(await names('(objectClass=*)', 'base', GROUPS)).toEqual(['Groups']);
      expect(await names('(objectClass=*)', 'one', GROUPS)).toEqual([
        'Help-Desk',
        'MDIP-Administrators',
        'MDIP-Biomed',
        'MDIP-Clinical',
        'Ward-Staff',
      ]);
      expect(await names('(&(objectCategory=group)(|(cn=mdip-c*)(cn=*STAFF)(cn=w*d*x)))')).toEqual([
        'MDIP-Clinical',
        'Ward-Staff',
      ]);
      expect(await names('(&(cn=MDIP-*)(!(cn=*i*i*l)))')).toEqual(['MDIP-Administrators', 'MDIP-Biomed']);
      expect(await names('(&(objectCategory=person)(userAccountControl:1.2.840.113556.1.4.803:=2))')).toHaveLength(3);
      expect(await names('(&(objectCategory=group)(groupType:1.2.840.113556.1.4.804:=5))')).toHaveLength(7);
      expect(await names('(&(objectCategory=person)(userAccountControl>=600))')).toEqual(['dir-admin', 'svc-lockstep']);
      expect(await names(`(member:1.2.840.113556.1.4.1941:=CN=Ada Ahorn,OU=Users,${BASE})`)).toEqual([
        'MDIP-Clinical',
        'Ward-Staff',
      ]);
      expect(
        await names(`(&(objectCategory=person)(memberOf:1.2.840.113556.1.4.1941:=CN=MDIP-Clinical,${GROUPS}))`),
      ).toHaveLength(18);
      expect(await names('(objectSid=S-1-5-32-544)')).toEqual(['Administrators']);
      expect(await names('(&(objectClass=user)(primaryGroupID=513))')).toHaveLength(62);
      expect(await names('(unicodePwd=*)')).toEqual([]);
    });
  });

  it('follows a nest that bites its own tail', async () => {
    lab.parts.directory.set(`CN=Ward-Staff,${GROUPS}`, 'member', [
      ...lab.parts.directory.values(lab.parts.directory.get(`CN=Ward-Staff,${GROUPS}`)!, 'member'),
      `CN=MDIP-Clinical,${GROUPS}`,
    ]);
    try {
      const found = await withLdap(lab, (client) =>
        client.search(BASE, {
          filter: `(&(objectClass=user)(memberOf:1.2.840.113556.1.4.1941:=CN=MDIP-Clinical,${GROUPS}))`,
          attributes: ['1.1'],
        }),
      );
      expect(found.searchEntries).toHaveLength(18);
    } finally {
      const members = lab.parts.directory.values(lab.parts.directory.get(`CN=Ward-Staff,${GROUPS}`)!, 'member');
      lab.parts.directory.set(`CN=Ward-Staff,${GROUPS}`, 'member', members.slice(0, -1));
    }
  });

  it('gives tokenGroups as SIDs, on a base search only', async () => {
    await withLdap(lab, async (client) => {
      const dn = `CN=Ada Ahorn,OU=Users,${BASE}`;
      const base = await client.search(dn, {
        scope: 'base',
        attributes: ['tokenGroups'],
        explicitBufferAttributes: ['tokenGroups'],
      });
      const sids = [base.searchEntries[0]?.['tokenGroups'] ?? []].flat() as Buffer[];
      // Ward-Staff, MDIP-Clinical, Domain Users and the built-in Users.
      expect(sids).toHaveLength(4);
      expect(sids.map((sid) => sid.readUInt32LE(sid.length - 4))).toEqual(expect.arrayContaining([513, 545]));
      const below = await client.search(BASE, { filter: '(cn=Ada Ahorn)', attributes: ['tokenGroups'] });
      expect(below.searchEntries[0]?.['tokenGroups']).toEqual([]);
    });
  });

  it('hands out long lists in ranges', async () => {
    lab.parts.policies.dc1.maxValueRange = 10;
    try {
      await withLdap(lab, async (client) => {
        const read = async (attribute: string) =>
          (await client.search(`CN=Ward-Staff,${GROUPS}`, { scope: 'base', attributes: [attribute] }))
            .searchEntries[0] as Record<string, unknown>;
        expect((await read('member'))['member;range=0-9']).toHaveLength(10);
        expect((await read('member;range=10-*'))['member;range=10-*']).toHaveLength(8);
      });
    } finally {
      lab.parts.policies.dc1.maxValueRange = 1500;
    }
  });

  it('adds, modifies and deletes as AD does, and keeps the back-links', async () => {
    const dn = `CN=Night\\, Shift,${GROUPS}`;
    const ada = `CN=Ada Ahorn,OU=Users,${BASE}`;
    await withLdap(
      lab,
      async (client) => {
        const read = async (target: string, attributes: string[]) =>
          (
            await client.search(target, {
              scope: 'base',
              attributes,
              explicitBufferAttributes: ['objectSid', 'objectGUID'],
            })
          ).searchEntries[0] as Record<string, unknown>;
        await client.add(dn, { objectClass: 'group', sAMAccountName: 'Night-Shift', groupType: '-2147483640' });
        const group = await read(dn, ['*']);
        expect(group).toMatchObject({
          cn: 'Night, Shift',
          sAMAccountType: '268435456',
          groupType: '-2147483640',
          objectClass: ['top', 'group'],
        });
        expect(group['objectCategory']).toBe(`CN=Group,CN=Schema,CN=Configuration,${BASE}`);
        expect(group['objectGUID']).toHaveLength(16);
        expect(group['objectSid']).toHaveLength(28);
        expect(group['whenCreated']).toMatch(/^\d{14}\.0Z$/);

        const member = (values: string[]) => new Attribute({ type: 'member', values });
        const change = (operation: 'add' | 'delete' | 'replace', modification: Attribute) =>
          client.modify(dn, new Change({ operation, modification }));
        await change('add', member([ada]));
        expect((await read(ada, ['memberOf']))['memberOf']).toEqual(
          expect.arrayContaining([dn, `CN=Ward-Staff,${GROUPS}`]),
        );
        await expect(change('add', member([ada]))).rejects.toMatchObject({ code: 68 });
        await expect(change('add', member([`CN=Nobody,${BASE}`]))).rejects.toMatchObject({ code: 32 });
        await change('replace', new Attribute({ type: 'description', values: ['Ä wärd'] }));
        expect((await read(dn, ['description']))['description']).toBe('Ä wärd');
        await change('delete', member([ada]));
        await expect(change('delete', member([ada]))).rejects.toMatchObject({ code: 16 });
        await expect(change('replace', new Attribute({ type: 'objectSid', values: ['x'] }))).rejects.toMatchObject({
          code: 19,
        });
        await expect(change('replace', new Attribute({ type: 'noSuchThing', values: ['x'] }))).rejects.toMatchObject({
          code: 16,
        });

        await expect(client.add(dn, { objectClass: 'group' })).rejects.toMatchObject({ code: 68 });
        await expect(
          client.add(`CN=Other,${GROUPS}`, { objectClass: 'group', sAMAccountName: 'night-shift' }),
        ).rejects.toMatchObject({ code: 68 });
        await expect(client.add(`CN=X,OU=Nowhere,${BASE}`, { objectClass: 'group' })).rejects.toMatchObject({
          code: 32,
        });
        await expect(client.add(`CN=X,${GROUPS}`, { objectClass: 'spaceship' })).rejects.toMatchObject({ code: 65 });
        await expect(client.add(`OU=X,${GROUPS}`, { objectClass: 'group' })).rejects.toMatchObject({ code: 64 });
        await expect(client.add('no dn', { objectClass: 'group' })).rejects.toMatchObject({ code: 34 });
        await expect(client.del(GROUPS)).rejects.toMatchObject({ code: 66 });
        await expect(client.del(`CN=Domain Users,CN=Users,${BASE}`)).rejects.toMatchObject({ code: 53 });
        await client.modify(`CN=Ward-Staff,${GROUPS}`, new Change({ operation: 'add', modification: member([dn]) }));
        await client.del(dn);
        expect((await read(`CN=Ward-Staff,${GROUPS}`, ['member']))['member']).toHaveLength(18);
        await expect(read(dn, ['cn'])).rejects.toMatchObject({ code: 32 });
      },
      lab.writeCredential,
    );
  });

  it('makes a user that can log on once it has a password and is enabled', async () => {
    const dn = `CN=New Nurse,OU=Users,${BASE}`;
    await withLdap(
      lab,
      async (client) => {
        await client.add(dn, {
          objectClass: 'user',
          sAMAccountName: 'new.nurse',
          userPrincipalName: 'new.nurse@hospital.example',
        });
        const replace = (type: string, values: string[] | Buffer[]) =>
          client.modify(dn, new Change({ operation: 'replace', modification: new Attribute({ type, values }) }));
        await replace('unicodePwd', [Buffer.from('"a good password"', 'utf16le')]);
        await replace('userAccountControl', ['512']);
      },
      lab.writeCredential,
    );
    const found = await withLdap(
      lab,
      (client) => client.search(dn, { scope: 'base', attributes: ['unicodePwd', 'primaryGroupID'] }),
      { user: 'new.nurse@hospital.example', password: 'a good password' },
    );
    expect(found.searchEntries).toMatchObject([{ primaryGroupID: '513', unicodePwd: [] }]);
    await expect(
      withLdap(lab, (client) => client.del(dn), { user: 'new.nurse@hospital.example', password: 'a good password' }),
    ).rejects.toMatchObject({ code: 50 });
    await withLdap(lab, (client) => client.del(dn), lab.writeCredential);
  });
});

describe('hostile bytes', () => {
  const send = (bytes: Buffer): Promise<Buffer> =>
    new Promise((resolve) => {
      const chunks: Buffer[] = [];
      const socket = netConnect({ host: '127.0.0.1', port: lab.ports.dc1.ldap }, () => socket.write(bytes));
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.on('error', () => undefined);
      socket.on('close', () => resolve(Buffer.concat(chunks)));
      socket.setTimeout(5_000, () => socket.destroy());
    });

  it.each([
    ['an indefinite length', '3080020101'],
    ['a message of two gigabytes', '308480000000'],
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex')],
    ['a truncated operation', '30050201016063'],
    ['filters nested without end', deepFilter()],
  ])('ends the connection on %s, and serves the next client', async (_name, hex) => {
    const answer = await send(Buffer.from(hex, 'hex'));
    expect(answer.toString('latin1')).toContain('1.3.6.1.4.1.1466.20036');
    expect((await withLdap(lab, (client) => client.search(BASE, { scope: 'base' }))).searchEntries).toHaveLength(1);
  });
});

/** A search request whose filter is `not` a hundred times over. */
function deepFilter(): string {
  const wrap = (tag: number, content: Buffer) =>
    Buffer.concat([
      content.length < 128
        ? Buffer.from([tag, content.length])
        : Buffer.from([tag, 0x82, content.length >> 8, content.length & 0xff]),
      content,
    ]);
  let filter = wrap(0x87, Buffer.from('cn'));
  for (let depth = 0; depth < 100; depth += 1) filter = wrap(0xa2, filter);
  const fields = [
    wrap(4, Buffer.alloc(0)),
    Buffer.from('0a01000a0100020100020100010100', 'hex'),
    filter,
    Buffer.from('3000', 'hex'),
  ];
  return wrap(0x30, Buffer.concat([Buffer.from('020101', 'hex'), wrap(0x63, Buffer.concat(fields))])).toString('hex');
}
