import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { enrolmentOf } from '../../core/session/enrolment.ts';
import { readReceived } from '../../engine/keys/received.ts';
import { applyChange, planChange, planUndo, settleChange } from '../../engine/session/changes.ts';
import type { Session } from '../../engine/session/session.ts';
import { enrolmentSteps } from '../support/enrolment-steps.ts';
import { isRoot, needs } from '../support/debian.ts';
import { type EnrolmentDevice, must, startEnrolmentDevice, STEP } from '../support/enrolment-device.ts';
import { openssl } from '../support/openssl-ca.ts';
import { SSHD_PROGRAMS } from '../support/sshd.ts';

describe.skipIf(!isRoot() || !needs('nginx', 'openssl', ...SSHD_PROGRAMS))(
  'certificate.enroll, renewed and disturbed',
  () => {
    let device: EnrolmentDevice;
    beforeAll(async () => {
      device = await startEnrolmentDevice();
    });
    afterAll(() => device?.stop());
    beforeEach(() => device.reset(5));

    const { approval, apply, step, request, undo, answer, keyOnDevice, files } = enrolmentSteps(() => device);

    it('renews with the key that the device has, where the hospital issued its certificate before', async () => {
      const session = await device.open({ renew: 'same-key' });
      const [oldShown, oldKey] = [device.shown(), keyOnDevice()];
      const asked = await step(session);
      expect(asked.plan.summary).toBe('Renew the request for the key that gateway has.');
      expect(openssl(['req', '-noout', '-pubkey'], request(session).pem).toString()).toBe(oldKey);
      const installed = await step(session, answer(request(session).pem));
      expect(device.shown()).not.toBe(oldShown);
      expect(keyOnDevice()).toBe(oldKey);
      await undo(session, installed.change);
      expect([device.shown(), keyOnDevice()]).toEqual([oldShown, oldKey]);
      await session.close();
    });

    it('renews by a request of the same template and a new key, and makes the third one of the second', async () => {
      const session = await device.open({ key: 'rsa-2048' });
      await step(session);
      const first = request(session);
      await step(session, answer(first.pem));
      const seen = device.shown();
      await step(session);
      const second = request(session);
      expect({ ...second.template }).toEqual(first.template);
      expect([second.subject, second.names, second.key]).toEqual([first.subject, first.names, first.key]);
      expect(second.publicKeySha256).not.toBe(first.publicKeySha256);
      // The certificate of the first request is not one for the second.
      const wrong = must(await readReceived(Buffer.from(answer(first.pem))));
      expect(await planChange(session, STEP, wrong)).toMatchObject({ ok: false, error: { code: 'change.refused' } });
      await step(session, answer(second.pem));
      expect(device.shown()).not.toBe(seen);
      await session.close();
    });

    it('does not keep a key that the factory made', async () => {
      const factory = ['req', '-x509', '-key', device.keyFile, '-subj', '/CN=factory', '-days', '3000'];
      await device.show(openssl(factory).toString());
      const session = await device.open({ renew: 'same-key' });
      const { plan } = await step(session);
      expect(plan.summary).toBe("Make a key on gateway and a request for the hospital's authority.");
      expect(openssl(['req', '-noout', '-pubkey'], request(session).pem).toString()).not.toBe(keyOnDevice());
      await session.close();
    });

    describe('where something goes wrong', () => {
      const untouched = async (session: Session, change: string, code: string, words: string) => {
        const [shown, key] = [device.shown(), keyOnDevice()];
        const applied = await applyChange(session, STEP, change, approval());
        expect(applied).toMatchObject({ ok: false, error: { code, message: expect.stringContaining(words) } });
        expect([device.shown(), keyOnDevice()]).toEqual([shown, key]);
        expect(files().filter((name) => /\.old|\.lockstep|\.part/.test(name))).toEqual([]);
      };

      it.each([
        ['its own check refuses the files', { check: 'false' }, "The device's own check refuses"],
        ['the service does not restart', { restart: 'exit 3' }, 'The service does not restart'],
      ])('puts all back where %s', async (_, options, words) => {
        const session = await device.open({ made: 'here', ...options });
        await step(session);
        const { change } = must(
          await planChange(session, STEP, must(await readReceived(Buffer.from(answer(request(session).pem))))),
        );
        await untouched(session, change, 'change.refused', words);
        expect(session.state().items[STEP]?.changes.at(-1)).toMatchObject({ phase: 'failed' });
        await session.close();
      });

      it('refuses a wrong passphrase of the key that was made here, and none', async () => {
        const session = await device.open({ made: 'here' });
        await step(session);
        const received = must(await readReceived(Buffer.from(answer(request(session).pem))));
        for (const keyPassphrase of ['wrong passphrase', undefined]) {
          const { change } = must(await planChange(session, STEP, received));
          const { keyPassphrase: _right, ...credential } = approval().credential;
          const wrong = { ...credential, ...(keyPassphrase === undefined ? {} : { keyPassphrase }) };
          expect(await applyChange(session, STEP, change, { ...approval(), credential: wrong })).toMatchObject({
            ok: false,
            error: { code: 'identity.passphrase' },
          });
        }
        expect(files().filter((name) => name.endsWith('.old'))).toEqual([]);
        await session.close();
      });

      it('refuses what was changed meanwhile, before the installation and before the undo', async () => {
        const session = await device.open();
        await step(session);
        const received = must(await readReceived(Buffer.from(answer(request(session).pem))));
        const early = must(await planChange(session, STEP, received));
        writeFileSync(device.certificateFile, `${readFileSync(device.certificateFile, 'utf8')}\n`);
        await untouched(session, early.change, 'change.state-differs', 'Somebody has changed the certificate');
        const { change } = must(await planChange(session, STEP, received));
        await apply(session, change);
        writeFileSync(device.certificateFile, `${readFileSync(device.certificateFile, 'utf8')}\n`);
        expect(await planUndo(session, STEP, change)).toMatchObject({
          ok: false,
          error: { code: 'change.state-differs' },
        });
        await session.close();
      });

      it('finds an installation that was cut off before the restart, and puts the old files back', async () => {
        // The restart ends the log-in itself, so nobody hears how it went.
        const session = await device.open({ restart: 'kill -9 $PPID' });
        await step(session);
        const [shown, key] = [device.shown(), keyOnDevice()];
        const received = must(await readReceived(Buffer.from(answer(request(session).pem))));
        const { change } = must(await planChange(session, STEP, received));
        const applied = must(await applyChange(session, STEP, change, approval()));
        expect(applied.asPlanned).toBe(false);
        expect(applied.differences.join()).toContain('was the service restarted?');
        expect(keyOnDevice()).not.toBe(key);
        const back = must(await planUndo(session, STEP, change));
        await applyChange(session, STEP, back.change, approval());
        expect([device.shown(), keyOnDevice()]).toEqual([shown, key]);
        await session.close();
      });

      it('finds in a resumed session an installation that the device ended between key and certificate, and puts the pair back', async () => {
        let session = await device.open({ made: 'here' });
        const pair = () => {
          const certified = openssl(['x509', '-noout', '-pubkey', '-in', device.certificateFile]).toString();
          return certified === keyOnDevice() ? 'fits' : 'does not fit';
        };
        await step(session);
        const [shown, key, before] = [device.shown(), keyOnDevice(), files()];
        const received = must(await readReceived(Buffer.from(answer(request(session).pem))));
        const { change } = must(await planChange(session, STEP, received));
        // The shell on the device is killed as it moves the certificate into its place, as a power cut would do.
        const mv = join(device.programs, 'mv');
        const dies = `#!/bin/sh\nfor last do :; done\n[ "$last" != "${device.certificateFile}" ] || kill -9 $PPID\nexec /bin/mv "$@"\n`;
        writeFileSync(mv, dies.replace('|| kill -9 $PPID', '|| { kill -9 $PPID; exit 1; }'), { mode: 0o755 });
        const applied = must(await applyChange(session, STEP, change, approval()));
        rmSync(mv);
        expect(applied).toMatchObject({ asPlanned: false });
        expect(applied.differences.join()).toContain('The installation was cut off on the device');
        expect([device.shown(), pair()]).toEqual([shown, 'does not fit']);
        // With the power the connection is gone too, and nobody takes away what lay ready.
        writeFileSync(`${device.keyFile}.lockstep-0123456789ab`, 'a key that was not used');

        session = await device.resume(session);
        expect(session.state().items[STEP]?.changes.at(-1)).toMatchObject({ asPlanned: false });
        await undo(session, change);
        expect([device.shown(), keyOnDevice(), pair(), files()]).toEqual([shown, key, 'fits', before]);
        const again = must(await planChange(session, STEP, received));
        expect(await apply(session, again.change)).toMatchObject({ asPlanned: true });
        expect(pair()).toBe('fits');
        await session.close();
      });

      it('goes on where the log-in ends while the service restarts, and finds what came of it', async () => {
        const ends = 'kill -9 $(cut -d" " -f4 /proc/$PPID/stat); sleep 1; echo more >&2; echo more';
        const session = await device.open({ made: 'here', restart: `${ends}; ${device.restart}` });
        await step(session);
        const [shown, before] = [device.shown(), files()];
        const received = must(await readReceived(Buffer.from(answer(request(session).pem))));
        const { change } = must(await planChange(session, STEP, received));
        expect(must(await applyChange(session, STEP, change, approval()))).toMatchObject({ asPlanned: true });
        expect(device.shown()).not.toBe(shown);
        await undo(session, change);
        expect([device.shown(), files()]).toEqual([shown, before]);
        await session.close();
      });

      it('says that the service does not show the certificate, although its restart went well, and undoes it', async () => {
        const session = await device.open({ made: 'here', restart: 'true' });
        await step(session);
        const [shown, before] = [device.shown(), files()];
        const received = must(await readReceived(Buffer.from(answer(request(session).pem))));
        const { change } = must(await planChange(session, STEP, received));
        const applied = must(await applyChange(session, STEP, change, approval()));
        expect(applied.asPlanned).toBe(false);
        expect(applied.differences).toEqual([expect.stringContaining('was the service restarted?')]);
        await undo(session, change);
        expect([device.shown(), files()]).toEqual([shown, before]);
        await session.close();
      });

      it('finds in a resumed session that nothing was written, and goes on', async () => {
        let session = await device.open();
        const about = { ticket: 'CHG-7', approver: 'Head of IT' };
        const planned = must(await planChange(session, STEP));
        must(await session.journal.append('change.approved', { key: STEP, change: planned.change, ...about }));
        must(
          await session.journal.append('change.preimage', {
            key: STEP,
            change: planned.change,
            preImage: planned.plan.preImage,
          }),
        );
        session = await device.resume(session);
        expect(must(await settleChange(session, STEP, planned.change))).toMatchObject({ written: false });
        await step(session);
        expect(enrolmentOf(session.journal.events, STEP).request).toBeDefined();
        await session.close();
      });
    });
  },
);
