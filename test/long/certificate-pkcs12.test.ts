import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readReceived } from '../../engine/keys/received.ts';
import { applyChange, planChange, planUndo } from '../../engine/session/changes.ts';
import { isRoot, needs } from '../support/debian.ts';
import { must, STEP } from '../support/enrolment-device.ts';
import { enrolmentSteps } from '../support/enrolment-steps.ts';
import { KEYSTORE_PASSWORD, type KeystoreDevice, startKeystoreDevice } from '../support/keystore-device.ts';
import { SSHD_PROGRAMS } from '../support/sshd.ts';

const TIME = 480_000;

describe.skipIf(!isRoot() || !needs('stunnel4', 'openssl', ...SSHD_PROGRAMS))('PKCS#12 over SSH, disturbed', () => {
  let device: KeystoreDevice;
  beforeAll(async () => {
    device = await startKeystoreDevice(5);
  }, TIME);
  afterAll(() => device?.stop());
  const { approval, apply, step, request, undo, answer, files } = enrolmentSteps(() => device);

  it(
    'PEM beside a modern file, one switch for all; what the service does not open is put back',
    async () => {
      const beside = {
        keyFile: join(device.folder, 'web.key'),
        certificateFile: join(device.folder, 'web.crt'),
        chainFile: join(device.folder, 'web-chain.crt'),
      };
      const [oldShown, oldDigest, oldFiles] = [device.shown(), device.digest(), files()];
      let session = await device.open({ format: 'modern', beside, password: 'not what the service knows' });
      await step(session);
      const received = must(await readReceived(Buffer.from(answer(request(session).pem))));
      const failing = must(await planChange(session, STEP, received));
      const refused = await applyChange(session, STEP, failing.change, approval());
      expect(refused, JSON.stringify(refused)).toMatchObject({
        ok: false,
        error: { code: 'change.refused', message: expect.stringContaining('The service does not restart') },
      });
      expect([device.shown(), device.digest(), files()]).toEqual([oldShown, oldDigest, oldFiles]);

      session.secrets.set('keystore', KEYSTORE_PASSWORD);
      const { change, plan } = must(await planChange(session, STEP, received));
      expect(plan.diff).toContain('AES-256, MAC with SHA-256');
      expect(plan.diff).not.toContain('!');
      expect(await apply(session, change)).toMatchObject({ asPlanned: true });
      expect(device.shown()).not.toBe(oldShown);
      // The three PEM files were not there before: the undo takes them away again.
      for (const file of Object.values(beside)) expect(readFileSync(file, 'utf8')).toContain('-----BEGIN');
      expect(statSync(beside.keyFile).mode & 0o777).toBe(0o600);
      session = await device.resume(session);
      await undo(session, change);
      expect([device.shown(), device.digest(), files()]).toEqual([oldShown, oldDigest, oldFiles]);
      await session.close();
    },
    TIME,
  );

  it(
    'without its password nothing is written, and an undo is refused where somebody was here since',
    async () => {
      const session = await device.open();
      await step(session);
      const [oldDigest, oldFiles] = [device.digest(), files()];
      const received = must(await readReceived(Buffer.from(answer(request(session).pem))));
      for (const [password, code] of [
        [undefined, 'secret.missing'],
        ['', 'identity.passphrase'],
      ] as const) {
        if (password === undefined) session.secrets.delete('keystore');
        else session.secrets.set('keystore', password);
        const { change } = must(await planChange(session, STEP, received));
        expect(await applyChange(session, STEP, change, approval())).toMatchObject({ ok: false, error: { code } });
      }
      expect([device.digest(), files()]).toEqual([oldDigest, oldFiles]);
      session.secrets.set('keystore', KEYSTORE_PASSWORD);
      const { change } = must(await planChange(session, STEP, received));
      expect(await apply(session, change)).toMatchObject({ asPlanned: true });
      const ours = readFileSync(device.keyFile);
      writeFileSync(device.keyFile, Buffer.concat([ours, Buffer.from('\n')]));
      expect(await planUndo(session, STEP, change)).toMatchObject({ error: { code: 'change.state-differs' } });
      writeFileSync(device.keyFile, ours);
      await undo(session, change);
      expect(device.digest()).toBe(oldDigest);
      await session.close();
    },
    TIME,
  );
});
