import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPracticeCa } from '../../engine/keys/practice-ca.ts';
import { applyChange, planChange, planUndo, settleChange } from '../../engine/session/changes.ts';
import { resumeSession } from '../../engine/session/open-session.ts';
import type { SessionOptions } from '../../engine/session/session.ts';
import { lockstep } from '../support/cli.ts';
import { isRoot, needs } from '../support/debian.ts';
import { value } from '../support/evidence.ts';
import type { KilledChange } from '../support/killed-change.ts';
import { SAMBA_PROGRAMS, type SambaServer, startSamba } from '../support/samba.ts';

const READ_PASSWORD = 'Practice-Re4d!';
const KEY = 'group.members@site:clinic';
const CHILD = join(import.meta.dirname, '..', 'support', 'killed-change.ts');

const GUIDE = `guide: members
version: 1.0.0
title: One change
publisher: { name: Test, contact: test@example.org }
product: { vendor: Test, name: Thing, versions: ">=1.0.0" }
controls:
  - id: group.members
    revision: 1
    title: The ward can log in
    owner: hospital
    why: Nobody gets in otherwise.
    checks:
      - probe: directory.group
        with: { group: MDIP-Clinical }
        expect: [{ that: facts.exists, else: There is none. }]
    change: { kind: directory.add-members, with: { group: MDIP-Clinical, members: [Ward, Nora Nurse] } }
`;

const options: SessionOptions = {
  now: () => new Date(),
  lockstep: '0.0.0',
  runtime: {},
  operator: 'Test Person',
  ask: async () => false,
};

describe.skipIf(!isRoot() || !needs(...SAMBA_PROGRAMS))('a process that is killed at its write, on Samba', () => {
  let server: SambaServer;
  let dir: string;
  let plan: KilledChange;
  const members = () =>
    server.admin(async (client) => {
      const dn = `CN=MDIP-Clinical,CN=Users,${server.baseDn}`;
      const { searchEntries } = await client.search(dn, { scope: 'base', attributes: ['member'] });
      return [searchEntries[0]?.['member'] ?? []].flat().length;
    });

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-change-killed-'));
    server = await startSamba();
    await server.addUser({ name: 'reader', password: READ_PASSWORD });
    await server.addUser({ name: 'Nora Nurse' });
    for (const name of ['MDIP-Clinical', 'Ward']) await server.addGroup({ name });
    const ca = await createPracticeCa({ now: new Date() });
    const issued = await ca.issue({ commonName: 'PRACTICE publisher', usage: 'sign', role: 'publisher' });
    await writeFile(join(dir, 'publisher.pem'), `${issued.keyPem}\n${issued.chainPem}`, { mode: 0o600 });
    await writeFile(join(dir, 'guide.yaml'), GUIDE);
    const [guide, site] = [join(dir, 'guide.asice'), join(dir, 'site.yaml')];
    const sign = ['guide', 'sign', join(dir, 'guide.yaml'), '--identity', join(dir, 'publisher.pem'), '--out', guide];
    const signed = await lockstep(sign, {});
    if (signed.code !== 0) throw new Error(signed.stderr);
    const directory = {
      kind: 'active-directory',
      baseDn: server.baseDn,
      servers: [{ id: 'dc1', host: server.host, ldaps: server.ldaps }],
      anchors: ['root'],
      bindAccount: 'reader@hospital.test',
    };
    const hosts = { [server.host]: server.address };
    const anchors = [{ id: 'root', pem: server.caPem }];
    await writeFile(site, JSON.stringify({ site: 'clinic', name: 'Clinic', hosts, anchors, directory }));
    plan = {
      guide,
      site,
      publisherRoot: ca.roots.publisher,
      key: KEY,
      readPassword: READ_PASSWORD,
      writer: { user: server.adminDn, password: server.adminPassword },
    };
  });
  afterAll(async () => {
    await server?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  /** Lets a process of its own die at the write, and starts anew on what it left. */
  async function killedAt(when: 'before' | 'after') {
    const folder = await mkdtemp(join(dir, `${when}-`));
    await writeFile(join(folder, 'plan.json'), JSON.stringify(plan), { mode: 0o600 });
    const child = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', CHILD, folder, when], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(child.signal, child.stderr).toBe('SIGKILL');
    const [id = ''] = await readdir(join(folder, 'sessions'));
    const session = value(await resumeSession(join(folder, 'sessions', id), { roots: [plan.publisherRoot] }, options));
    session.secrets.set('directory-bind', READ_PASSWORD);
    expect(session.journal.notices.join('\n')).toContain('A change was cut off: "Put Ward, Nora Nurse into');
    return session;
  }
  const approval = () => ({ ticket: 'CHG-2', approver: 'Ada', credential: plan.writer });

  it('right before it: finds at the next start that nothing was written, and finishes', async () => {
    const session = await killedAt('before');
    expect(await members()).toBe(0);
    expect(value(await settleChange(session, KEY, 'change-1'))).toMatchObject({ written: false });
    const again = value(await planChange(session, KEY));
    expect(value(await applyChange(session, KEY, again.change, approval()))).toMatchObject({ asPlanned: true });
    expect(await members()).toBe(2);
    const back = value(await planUndo(session, KEY, again.change));
    expect(value(await applyChange(session, KEY, back.change, approval()))).toMatchObject({ asPlanned: true });
    await session.close();
  });

  it('between the write and reading it back: finds at the next start that it was made, and undoes it', async () => {
    const session = await killedAt('after');
    expect(await members()).toBe(2);
    expect(value(await settleChange(session, KEY, 'change-1'))).toMatchObject({ written: true, asPlanned: true });
    const back = value(await planUndo(session, KEY, 'change-1'));
    expect(value(await applyChange(session, KEY, back.change, approval()))).toMatchObject({ asPlanned: true });
    expect(await members()).toBe(0);
    await session.close();
  });
});
