import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHANGE_DECLARATIONS } from '../../core/changes/index.ts';
import { createPracticeCa } from '../../engine/keys/practice-ca.ts';
import { lockstep } from '../support/cli.ts';
import { findProgram, isRoot, needs } from '../support/debian.ts';
import { SAMBA_PROGRAMS, type SambaServer, startSamba } from '../support/samba.ts';

const READ_PASSWORD = 'Practice-Re4d!';

const control = (id: string, expect: string, change: string) => `  - id: ${id}
    revision: 1
    title: Step ${id}
    owner: hospital
    why: It must be so.
    checks:
      - probe: directory.group
        with: { group: MDIP-Wide }
        expect: [{ that: '${expect}', else: 'It is not so.' }]
    change: ${change}
`;

const GUIDE = `guide: members
version: 1.0.0
title: Changes
publisher: { name: Test, contact: test@example.org }
product: { vendor: Test, name: Thing, versions: ">=1.0.0" }
controls:
${control('group.narrow', 'facts.effective.broad.size() == 0', '{ kind: directory.remove-members, with: { group: MDIP-Wide, members: [S-1-5-21-domain-513, S-1-5-11] } }')}${control('group.person', 'facts.direct.people == 1', '{ kind: directory.add-members, with: { group: MDIP-Wide, members: ["Zoë O’Hara"] } }')}${control('unit.made', 'facts.exists', '{ kind: directory.create-ou, with: { name: "Geräte, \'MDIP\' ‘$x’", description: "Line \\u2028 two" } }')}`;

describe.skipIf(!isRoot() || !needs(...SAMBA_PROGRAMS, 'ldapmodify'))('changes by command line, against Samba', () => {
  let server: SambaServer;
  let dir: string;
  const file = (name: string) => join(dir, name);
  const env = () => ({ LOCKSTEP_DATA_DIR: file('data'), READ: READ_PASSWORD, WRITE: server.adminPassword });
  const common = () => [
    '--guide',
    file('guide.asice'),
    '--site',
    file('site.yaml'),
    '--trust',
    `publisher=${file('publisher-root.pem')}`,
    '--secret',
    'directory-bind=env:READ',
  ];
  const run = (...more: string[]) =>
    lockstep(['run', ...common(), '--product-version', '1.0.0', '--quiet', '--json', ...more], env());
  const apply = (...more: string[]) => {
    const who = [
      '--ticket',
      'CHG-7',
      '--approver',
      'Ada',
      '--write-user',
      server.adminDn,
      '--write-password',
      'env:WRITE',
    ];
    return run('--only', 'group.narrow', '--apply', 'group.narrow', ...who, ...more);
  };
  const verdictOf = (stdout: string, id: string) =>
    (JSON.parse(stdout) as { items: { control: string; verdict: string }[] }).items.find((one) => one.control === id)
      ?.verdict;
  const sessionOf = (stderr: string) => /session ([0-9a-f-]{36})/.exec(stderr)?.[1] ?? '';
  const members = () =>
    server.admin(async (client) => {
      const dn = `CN=MDIP-Wide,CN=Users,${server.baseDn}`;
      const { searchEntries } = await client.search(dn, { scope: 'base', attributes: ['member'] });
      return [searchEntries[0]?.member ?? []].flat().map(String);
    });

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-cli-change-'));
    server = await startSamba();
    await server.addUser({ name: 'reader', password: READ_PASSWORD });
    await server.addUser({ name: 'Zoë O’Hara', attributes: { userPrincipalName: 'zoe@hospital.test' } });
    const wide = await server.addGroup({ name: 'MDIP-Wide' });
    await server.addMember(wide, `CN=Domain Users,CN=Users,${server.baseDn}`);
    const ca = await createPracticeCa({ now: new Date() });
    const issued = await ca.issue({ commonName: 'PRACTICE publisher', usage: 'sign', role: 'publisher' });
    await writeFile(file('publisher.pem'), `${issued.keyPem}\n${issued.chainPem}`, { mode: 0o600 });
    await writeFile(file('publisher-root.pem'), ca.roots.publisher);
    await writeFile(file('dc-root.pem'), server.caPem);
    await writeFile(file('guide.yaml'), GUIDE);
    const site = {
      site: 'clinic',
      name: 'Clinic',
      hosts: { [server.host]: server.address },
      anchors: [{ id: 'root', pem: server.caPem }],
      directory: {
        kind: 'active-directory',
        baseDn: server.baseDn,
        servers: [{ id: 'dc1', host: server.host, ldaps: server.ldaps }],
        anchors: ['root'],
        bindAccount: 'reader@hospital.test',
      },
    };
    await writeFile(file('site.yaml'), JSON.stringify(site));
    const signed = await lockstep(
      ['guide', 'sign', file('guide.yaml'), '--identity', file('publisher.pem'), '--out', file('guide.asice')],
      env(),
    );
    if (signed.code !== 0) throw new Error(signed.stderr);
  });
  afterAll(async () => {
    await server?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('refuses outside the window, and takes no window that is none', async () => {
    const early = await apply('--window-from', '2090-01-01T00:00Z');
    expect(early.stderr).toContain('This change may be made from 2090-01-01T00:00:00.000Z on');
    expect(early.code).toBe(1);
    expect(await members()).toHaveLength(1);
    const odd = await apply('--window-until', 'Monday');
    expect(odd.stderr).toContain('"Monday" is not a time');
    expect(odd.code).toBe(2);
  });

  it('finds out how a change ended that was cut off, and goes on', async () => {
    const done = await apply('--window-from', '2020-01-01T00:00Z', '--window-until', '2090-01-01T00:00Z');
    expect(done.stderr).toContain('read back as planned');
    expect(verdictOf(done.stdout, 'group.narrow')).toBe('pass');
    expect(done.code).toBe(3);
    // The journal of a session that was killed right before, or right after, the write was acknowledged.
    const id = sessionOf(done.stderr);
    const folder = file(`data/sessions/${id}`);
    const lines = (await readFile(join(folder, 'journal.jsonl'), 'utf8')).split('\n');
    const at = lines.findIndex((line) => line.includes('"change.preimage"'));
    await writeFile(join(folder, 'journal.jsonl'), `${lines.slice(0, at + 1).join('\n')}\n`);
    const found = await run('--resume', id, '--only', 'group.narrow');
    expect(found.stderr).toContain('A change was cut off: "Take S-1-5-21-domain-513 out of the group MDIP-Wide."');
    expect(found.stderr).toContain('change-1 was cut off. It was made as planned.');
    expect(await readFile(join(folder, 'journal.jsonl'), 'utf8')).toMatch(/"change\.readback".*"asPlanned":true/);
    await server.addMember(`CN=MDIP-Wide,CN=Users,${server.baseDn}`, `CN=Domain Users,CN=Users,${server.baseDn}`);
    await writeFile(join(folder, 'journal.jsonl'), `${lines.slice(0, at + 1).join('\n')}\n`);
    const nothing = await run('--resume', id, '--only', 'group.narrow');
    expect(nothing.stderr).toContain('Nothing was written: what is there is what was there before.');
    expect(await readFile(join(folder, 'journal.jsonl'), 'utf8')).toContain('"change.failed"');
  });

  it('undoes by --undo what the session changed, once', async () => {
    const done = await apply();
    expect(done.stderr).toContain('read back as planned');
    const before = await members();
    const who = [
      '--ticket',
      'CHG-8',
      '--approver',
      'Ada',
      '--write-user',
      server.adminDn,
      '--write-password',
      'env:WRITE',
    ];
    const back = ['--resume', sessionOf(done.stderr), '--only', 'group.narrow', '--undo', 'group.narrow', ...who];
    const undone = await run(...back);
    expect(undone.stderr).toContain('read back as planned');
    expect(verdictOf(undone.stdout, 'group.narrow')).toBe('fail');
    expect(await members()).not.toEqual(before);
    const again = await run(...back);
    expect(again.stderr).toContain('This session changed nothing there that is not undone yet.');
  });

  it('hands over what stock ldapmodify applies, and the step is then simply run again', async () => {
    const handed = await lockstep(
      [
        'change',
        'hand-off',
        ...common(),
        '--control',
        'group.narrow',
        'group.person',
        'unit.made',
        '--out',
        file('h.txt'),
      ],
      env(),
    );
    expect(handed.stderr).not.toContain('error:');
    expect(handed).toMatchObject({ code: 0, stdout: `${file('h.txt')}\n` });
    const text = await readFile(file('h.txt'), 'utf8');
    expect(text).not.toContain(READ_PASSWORD);
    const [, ldif = '', script = ''] = text.split(/^-{72} .*$/m);
    expect(ldif).toContain('version: 1');
    // Nothing but ASCII, and what looks like a quote to PowerShell is none.
    expect(script).toMatch(/^[\n\x20-\x7e]*$/);
    expect(script).toContain(`New-ADOrganizationalUnit -Name ('Ger' + [char]0x00E4 + 'te, ''MDIP'' ' + [char]0x2018`);
    expect(script).toMatch(/Remove-ADGroupMember -Identity '[0-9a-f-]{36}' -Members @\('S-1-5-21-[\d-]+-513'\)/);
    await writeFile(file('change.ldif'), ldif);
    const id = sessionOf(handed.stderr);
    const before = await run('--resume', id, '--only', 'group.narrow', 'group.person');
    expect(before.code).toBe(1);
    execFileSync(
      findProgram('ldapmodify') ?? '',
      [
        '-x',
        '-H',
        `ldaps://${server.address}`,
        '-D',
        server.adminDn,
        '-w',
        server.adminPassword,
        '-f',
        file('change.ldif'),
      ],
      {
        env: { PATH: process.env.PATH ?? '', LDAPTLS_CACERT: file('dc-root.pem'), LDAPTLS_REQCERT: 'demand' },
        stdio: 'pipe',
      },
    );
    expect(await members()).toEqual([`CN=Zoë O’Hara,CN=Users,${server.baseDn}`]);
    const again = await run('--resume', id);
    for (const step of ['group.narrow', 'group.person', 'unit.made'])
      expect(verdictOf(again.stdout, step)).toBe('pass');
    expect(again.code).toBe(0);
    const journal = await readFile(file(`data/sessions/${id}/journal.jsonl`), 'utf8');
    expect(journal.match(/"type":"deferred"/g)).toHaveLength(3);
    expect(journal).toContain('Handed to the directory team as h.txt (change-1).');
  });

  it('lists every change with its parameters and the right that it needs', async () => {
    const listed = await lockstep(['change', 'list'], env());
    for (const { id, rights } of CHANGE_DECLARATIONS) {
      expect(listed.stdout).toContain(id);
      expect(listed.stdout).toContain(rights);
    }
    expect(listed.code).toBe(0);
  });

  it('hands nothing over for a guide that nobody trusts, or a step without a change', async () => {
    const trial = (...args: string[]) =>
      lockstep(['change', 'hand-off', '--site', file('site.yaml'), '--out', file('no.txt'), ...args], env());
    const untrusted = await trial('--guide', file('guide.yaml'), '--control', 'group.narrow');
    expect(untrusted.stderr).toContain('guide.untrusted');
    expect(untrusted.code).toBe(2);
    const unknown = await lockstep(
      ['change', 'hand-off', ...common(), '--control', 'no.such', '--out', file('no.txt')],
      env(),
    );
    expect(unknown.stderr).toContain('The guide has no control "no.such"');
    expect(unknown.code).toBe(2);
    await expect(readFile(file('no.txt'))).rejects.toThrow('ENOENT');
  });
});
