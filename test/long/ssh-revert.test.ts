import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Result } from '../../core/result.ts';
import type { Change, ChangeMaterial, ChangePlan } from '../../engine/changes/change.ts';
import { sshFile } from '../../engine/changes/ssh-file.ts';
import type { ProbeContext } from '../../engine/context.ts';
import { freePort } from '../support/daemon.ts';
import { isRoot, needs } from '../support/debian.ts';
import { probeContext } from '../support/probe.ts';
import { type Sshd, SSHD_PROGRAMS, startSshd } from '../support/sshd.ts';

const change = sshFile as unknown as Change;
const NOTHING = undefined as unknown as ChangeMaterial;
const BY_ITSELF = 'so the device put the old version back by itself; it is there again.';

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message} ${result.error.cause ?? ''}`);
  return result.value;
}

describe.skipIf(!isRoot() || !needs(...SSHD_PROGRAMS))(
  'a device that is cut off by a change comes back by itself',
  () => {
    let sshd: Sshd;
    const never: ProbeContext['ask'] = () => Promise.reject(new Error('nobody is to be asked'));
    const context = (ask: ProbeContext['ask']) =>
      probeContext({
        site: {
          devices: [
            {
              id: 'pump',
              name: 'Pump',
              host: sshd.address,
              ssh: { port: sshd.port, user: 'root', hostKey: sshd.hostKey, secret: 'ssh' },
            },
          ],
        },
        secrets: { ssh: sshd.clientKey },
        ask,
      });
    const plan = async (edit: unknown): Promise<ChangePlan> =>
      must(
        await change.plan(
          change.declaration.params.parse({
            device: 'pump',
            path: sshd.configFile,
            edits: [edit],
            check: '/usr/sbin/sshd -t -f {file}',
            restart: `kill -HUP $(cat ${sshd.pidFile})`,
            guard: { seconds: 10 },
          }),
          context(never),
          NOTHING,
        ),
      );
    const write = (planned: ChangePlan, ask: ProbeContext['ask']) =>
      change.apply(planned, { user: 'root', password: sshd.clientKey }, context(ask), NOTHING);

    beforeAll(async () => {
      sshd = await startSshd();
    });
    afterAll(async () => sshd?.stop());

    it.each([
      ['nobody may log in any more', () => ({ key: 'AllowUsers', value: 'somebody-else' })],
      ['it listens elsewhere', async () => ({ key: 'Port', value: String(await freePort()) })],
      ['it shows another host key', async () => ({ key: 'HostKey', value: `${sshd.folder}/client` })],
    ])('when %s', async (_, edit) => {
      const before = readFileSync(sshd.configFile, 'utf8');
      const planned = await plan(await edit());
      const written = await write(planned, never);
      if (written.ok) throw new Error('the change stayed');
      expect(written.error).toMatchObject({
        code: 'change.failed',
        message: `No new connection could be opened, ${BY_ITSELF}`,
      });
      expect(readFileSync(sshd.configFile, 'utf8')).toBe(before);
      const read = must(await change.readBack(planned, context(never), NOTHING));
      expect(read).toMatchObject({ asPlanned: false, state: planned.preImage });
    });

    it('when nobody answers in time, though a new connection works', async () => {
      const before = readFileSync(sshd.configFile, 'utf8');
      const planned = await plan({ key: 'MaxAuthTries', value: '3' });
      const silent: ProbeContext['ask'] = (_question, options) =>
        new Promise((resolve) => setTimeout(() => resolve(false), (options?.until?.getTime() ?? 0) - Date.now()));
      const written = await write(planned, silent);
      expect(written).toMatchObject({ ok: false, error: { message: `Nobody confirmed the change, ${BY_ITSELF}` } });
      expect(readFileSync(sshd.configFile, 'utf8')).toBe(before);
    });

    it('when the laptop is gone in the middle; and until then its state is not taken for the last word', async () => {
      const before = readFileSync(sshd.configFile, 'utf8');
      const planned = await plan({ key: 'MaxAuthTries', value: '3' });
      const gone = new AbortController();
      const asked = (): Promise<boolean> => {
        gone.abort();
        return Promise.reject(new Error('the laptop is gone'));
      };
      await change
        .apply(planned, { user: 'root', password: sshd.clientKey }, { ...context(asked), signal: gone.signal }, NOTHING)
        .catch(() => undefined);
      expect(readFileSync(sshd.configFile, 'utf8')).not.toBe(before);
      expect(await change.readBack(planned, context(never), NOTHING)).toMatchObject({
        ok: false,
        error: { code: 'session.state' },
      });
      await expect.poll(() => readFileSync(sshd.configFile, 'utf8'), { timeout: 20_000 }).toBe(before);
      await expect
        .poll(async () => (await change.readBack(planned, context(never), NOTHING)).ok, { timeout: 20_000 })
        .toBe(true);
    });
  },
);
