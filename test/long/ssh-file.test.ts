import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Result } from '../../core/result.ts';
import type { Change, ChangeMaterial, ChangePlan } from '../../engine/changes/change.ts';
import { CHANGES } from '../../engine/changes/index.ts';
import type { ProbeContext } from '../../engine/context.ts';
import { freePort } from '../support/daemon.ts';
import { isRoot, needs } from '../support/debian.ts';
import { probeContext } from '../support/probe.ts';
import { type Sshd, SSHD_PROGRAMS, startSshd } from '../support/sshd.ts';

const change = CHANGES.find(({ declaration }) => declaration.id === 'ssh.file') as Change;
const NOTHING = undefined as unknown as ChangeMaterial;
const PASSWORD = 'swordfish-of-a-test';

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message} ${result.error.cause ?? ''}`);
  return result.value;
}
function errorOf<T>(result: Result<T>) {
  if (result.ok) throw new Error('an error was expected');
  return result.error;
}
const throughJournal = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe.skipIf(!isRoot() || !needs(...SSHD_PROGRAMS, 'bash'))('ssh.file on a real OpenSSH', () => {
  let sshd: Sshd;
  let file: string;
  let site: Record<string, unknown>;

  beforeAll(async () => {
    sshd = await startSshd();
    const ssh = { port: sshd.port, user: 'root', hostKey: sshd.hostKey, secret: 'ssh' };
    site = { devices: [{ id: 'pump', name: 'Pump', host: sshd.address, ssh }] };
  });
  afterAll(async () => sshd?.stop());
  beforeEach(async () => {
    file = join(sshd.folder, 'service.conf');
    await rm(join(sshd.folder, 'restarted'), { force: true });
    await writeFile(file, '# the service\nmode open\nadmin_password oldsecret77\nport 80\n');
    await chmod(file, 0o640);
  });

  const context = (ask?: ProbeContext['ask']) =>
    probeContext({ site, secrets: { ssh: sshd.clientKey, admin: PASSWORD }, ...(ask === undefined ? {} : { ask }) });
  const login = () => ({ user: 'root', password: sshd.clientKey });
  const planFor = (more: Record<string, unknown>) =>
    change.plan(change.declaration.params.parse({ device: 'pump', path: file, ...more }), context(), NOTHING);
  const apply = (plan: ChangePlan, ask?: ProbeContext['ask']) =>
    change.apply(throughJournal(plan), login(), context(ask), NOTHING);
  const readBack = async (plan: ChangePlan) => must(await change.readBack(throughJournal(plan), context(), NOTHING));
  const restart = () => `touch ${join(sshd.folder, 'restarted')}`;
  const beside = () => readdirSync(sshd.folder).filter((name) => name.startsWith('service.conf.'));

  it('shows a diff without secrets, checks, writes, restarts, reads back, and is undone', async () => {
    const before = statSync(file);
    const old = readFileSync(file, 'utf8');
    const plan = must(
      await planFor({
        edits: [
          { key: 'mode', value: 'closed' },
          { key: 'admin_password', value: '{{ secret.admin }}' },
          { key: 'users', value: '{{ limit }}' },
        ],
        fill: { limit: 5 },
        secrets: { admin: 'admin' },
        check: 'grep -q "mode closed" {file}',
        restart: restart(),
        verify: `test -e ${join(sshd.folder, 'restarted')}`,
      }),
    );
    expect(plan.diff).toContain('-mode open\n');
    expect(plan.diff).toContain('+mode closed\n');
    expect(plan.diff).toContain('+users 5\n');
    expect(plan.diff).toContain('-admin_password ‹hidden 1›\n');
    expect(plan.diff).toContain('+admin_password ‹hidden 2›\n');
    expect(JSON.stringify(plan)).not.toMatch(/oldsecret77|swordfish/);
    expect(readFileSync(file, 'utf8')).toBe(old);

    must(await apply(plan));
    const now = readFileSync(file, 'utf8');
    expect(now).toBe(`users 5\n# the service\nmode closed\nadmin_password ${PASSWORD}\nport 80\n`);
    expect([statSync(file).mode, statSync(file).uid]).toEqual([before.mode, before.uid]);
    expect(existsSync(join(sshd.folder, 'restarted'))).toBe(true);
    const [kept = ''] = beside();
    expect(readFileSync(join(sshd.folder, kept), 'utf8')).toBe(old);
    expect(statSync(join(sshd.folder, kept)).mode).toBe(before.mode);
    const read = await readBack(plan);
    expect(read).toMatchObject({ asPlanned: true, differences: [] });
    expect(JSON.stringify(read)).not.toMatch(/oldsecret77|swordfish/);
    expect(errorOf(await planFor({ edits: [{ key: 'mode', value: 'closed' }] })).code).toBe('change.refused');
    expect(errorOf(await apply(plan)).code).toBe('change.state-differs');

    const undo = must(await change.planUndo(throughJournal(plan), throughJournal(read.state), context(), NOTHING));
    expect(undo).toMatchObject({ undo: true, diff: expect.stringContaining('+mode open\n') });
    expect(JSON.stringify(undo)).not.toMatch(/oldsecret77|swordfish/);
    must(await apply(undo));
    expect(readFileSync(file, 'utf8')).toBe(old);
    expect(statSync(file).ino).toBe(before.ino);
    expect(await readBack(undo)).toMatchObject({ asPlanned: true, state: plan.preImage });
    expect(errorOf(await change.planUndo(undo, read.state, context(), NOTHING)).code).toBe('change.refused');
  });

  it('refuses what the check of the device refuses, and leaves everything as it was', async () => {
    const old = readFileSync(file, 'utf8');
    const already = beside();
    const plan = must(
      await planFor({
        edits: [{ line: 'port 80', with: 'port eighty' }],
        check: 'grep -q "port 80" {file} || { echo "bad port near oldsecret77" >&2; exit 1; }',
        restart: restart(),
      }),
    );
    const refused = errorOf(await apply(plan));
    expect(refused).toMatchObject({ code: 'change.refused', message: expect.stringContaining('bad port') });
    expect(readFileSync(file, 'utf8')).toBe(old);
    expect(existsSync(join(sshd.folder, 'restarted'))).toBe(false);
    expect(beside()).toEqual(already);
  });

  it('puts the old version back where the service does not start with the new one', async () => {
    const old = readFileSync(file, 'utf8');
    const plan = must(
      await planFor({ edits: [{ key: 'port', value: '0' }], restart: `${restart()}; grep -q "port 80" ${file}` }),
    );
    expect(errorOf(await apply(plan))).toMatchObject({
      code: 'change.failed',
      message: expect.stringContaining('the old one was put back and started'),
    });
    expect(readFileSync(file, 'utf8')).toBe(old);
    expect(await readBack(plan)).toMatchObject({ asPlanned: false, state: plan.preImage });
  });

  it('is refused where somebody was faster, also in a secret alone', async () => {
    const plan = must(await planFor({ edits: [{ key: 'mode', value: 'closed' }] }));
    await writeFile(file, readFileSync(file, 'utf8').replace('oldsecret77', 'newsecret99'));
    expect(errorOf(await apply(plan)).code).toBe('change.state-differs');
    const next = must(await planFor({ edits: [{ key: 'mode', value: 'closed' }] }));
    must(await apply(next));
    const { state } = await readBack(next);
    await writeFile(file, readFileSync(file, 'utf8').replace('newsecret99', 'another'));
    expect(errorOf(await change.planUndo(next, state, context(), NOTHING)).code).toBe('change.state-differs');
  });

  it('makes a file that was not there, and takes it away again', async () => {
    const path = join(sshd.folder, 'fresh.conf');
    const plan = must(await planFor({ path, mode: '640', edits: [{ whole: 'a = {{ x }}\n' }], fill: { x: 'b' } }));
    expect(plan.summary).toBe(`Create ${path} on Pump.`);
    must(await apply(plan));
    expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['a = b\n', 0o640]);
    const read = await readBack(plan);
    expect(read.asPlanned).toBe(true);
    const undo = must(await change.planUndo(plan, read.state, context(), NOTHING));
    must(await apply(undo));
    expect(existsSync(path)).toBe(false);
    expect(await readBack(undo)).toMatchObject({ asPlanned: true });
  });

  it('refuses what is open or missing', async () => {
    expect(errorOf(await planFor({ edits: [{ line: 'nothing', with: 'x' }] })).code).toBe('change.refused');
    expect(errorOf(await planFor({ path: `${file}.none`, edits: [{ key: 'a', value: 'b' }] })).code).toBe(
      'change.refused',
    );
    expect(errorOf(await planFor({ device: 'other', edits: [{ key: 'a', value: 'b' }] })).code).toBe('change.refused');
    expect(errorOf(await planFor({ edits: [{ whole: '{{ nobody }}' }] })).code).toBe('guide.invalid');
    expect(errorOf(await planFor({ edits: [{ whole: '{{ secret.x }}' }], secrets: { x: 'not-given' } })).code).toBe(
      'secret.missing',
    );
    await writeFile(file, Buffer.from([0xff, 0xfe, 0x00]));
    expect(errorOf(await planFor({ edits: [{ key: 'a', value: 'b' }] })).code).toBe('change.refused');
    expect(
      errorOf(await change.apply({ ...({} as ChangePlan), kind: 'ssh.file' }, login(), context(), NOTHING)).code,
    ).toBe('change.refused');
  });

  describe('a change of the way by which it is made', () => {
    let target: Sshd;
    const guardedSite = () => ({
      devices: [
        {
          id: 'pump',
          name: 'Pump',
          host: target.address,
          ssh: { port: target.port, user: 'root', hostKey: target.hostKey, secret: 'ssh' },
        },
      ],
    });
    const there = (ask: ProbeContext['ask']) =>
      probeContext({ site: guardedSite(), secrets: { ssh: target.clientKey }, ask });
    const never: ProbeContext['ask'] = () => Promise.reject(new Error('nobody is to be asked'));
    /** As systemd does it: the server that listens is replaced, sessions stay. */
    const reload = () => `kill -HUP $(cat ${target.pidFile})`;
    const planThere = (edits: unknown, guard: Record<string, unknown> | undefined) =>
      change.plan(
        change.declaration.params.parse({
          device: 'pump',
          path: target.configFile,
          edits,
          check: '/usr/sbin/sshd -t -f {file}',
          restart: reload(),
          ...(guard === undefined ? {} : { guard }),
        }),
        there(never),
        NOTHING,
      );
    const write = (plan: ChangePlan, ask: ProbeContext['ask']) =>
      change.apply(throughJournal(plan), { user: 'root', password: target.clientKey }, there(ask), NOTHING);
    const back = async (plan: ChangePlan) => must(await change.readBack(plan, there(never), NOTHING));

    beforeAll(async () => {
      target = await startSshd();
    });
    afterAll(async () => target?.stop());

    it('is guarded by itself, and stays when it is confirmed from a new connection', async () => {
      const plan = must(await planThere([{ key: 'X11Forwarding', value: 'no' }], undefined));
      expect(plan.diff).toContain('unless you confirm from a new one within 60 s');
      const questions: string[] = [];
      const note = must(
        await write(plan, async (question, options) => {
          questions.push(question);
          expect(options?.until?.getTime()).toBeGreaterThan(Date.now());
          return true;
        }),
      );
      expect(questions).toEqual([expect.stringContaining('a new connection to pump works. Keep the change?')]);
      expect(note).toMatchObject({ confirmed: { seconds: 60 } });
      expect(await back(plan)).toMatchObject({ asPlanned: true });
      expect(readdirSync(target.folder).filter((name) => name.includes('.armed'))).toEqual([]);
    });

    it('is undone by the device when the operator says no', async () => {
      const old = readFileSync(target.configFile, 'utf8');
      const plan = must(await planThere([{ key: 'MaxAuthTries', value: '3' }], { seconds: 10 }));
      const undone = errorOf(await write(plan, async () => false));
      expect(undone).toMatchObject({
        code: 'change.failed',
        message: expect.stringContaining('Nobody confirmed the change'),
      });
      expect(readFileSync(target.configFile, 'utf8')).toBe(old);
      expect(await back(plan)).toMatchObject({ asPlanned: false, state: plan.preImage });
    });

    it('moves the port where the guide says so, and back', async () => {
      const old = readFileSync(target.configFile, 'utf8');
      const port = await freePort();
      const plan = must(await planThere([{ key: 'Port', value: String(port) }], { seconds: 30, port }));
      expect(must(await write(plan, async () => true))).toMatchObject({ confirmed: { seconds: 30 } });
      const read = await back(plan);
      expect(read.asPlanned).toBe(true);
      // The site file follows.
      const moved = (ask: ProbeContext['ask']) => {
        const site = guardedSite();
        (site.devices[0] as { ssh: { port: number } }).ssh.port = port;
        return probeContext({ site, secrets: { ssh: target.clientKey }, ask });
      };
      const undo = must(await change.planUndo(plan, read.state, moved(never), NOTHING));
      const login = { user: 'root', password: target.clientKey };
      must(
        await change.apply(
          throughJournal(undo),
          login,
          moved(async () => true),
          NOTHING,
        ),
      );
      expect(readFileSync(target.configFile, 'utf8')).toBe(old);
      expect(await back(undo)).toMatchObject({ asPlanned: true });
    });
  });
});
