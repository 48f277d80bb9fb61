import { createHash, createPrivateKey } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { enrolmentOf } from '../../core/session/enrolment.ts';
import type { ChangePlan } from '../../engine/changes/change.ts';
import { readReceived } from '../../engine/keys/received.ts';
import { applyChange, planChange, planUndo, settleChange } from '../../engine/session/changes.ts';
import { exportAnchors, handOffRequest, importCertificate } from '../../engine/session/enrol.ts';
import type { Session } from '../../engine/session/session.ts';
import { isRoot, needs } from '../support/debian.ts';
import {
  type EnrolmentDevice,
  type GuideOptions,
  must,
  startEnrolmentDevice,
  STEP,
} from '../support/enrolment-device.ts';
import { openssl, P12_PASSPHRASE } from '../support/openssl-ca.ts';
import { SSHD_PROGRAMS } from '../support/sshd.ts';

const PASSPHRASE = 'only the operator knows it';

describe.skipIf(!isRoot() || !needs('nginx', 'openssl', ...SSHD_PROGRAMS))('certificate.enroll end to end', () => {
  let device: EnrolmentDevice;
  beforeAll(async () => {
    device = await startEnrolmentDevice();
  });
  afterAll(() => device?.stop());
  beforeEach(() => device.reset(5));

  const approval = () => ({
    ticket: 'CHG-7',
    approver: 'Head of IT',
    credential: { user: 'root', password: device.sshd.clientKey, keyPassphrase: PASSPHRASE },
  });
  const verdict = async (session: Session) => {
    must(await session.checkGate({ typed: '1.0.0' }));
    must(await session.run([STEP], new AbortController().signal));
    return session.state().items[STEP]?.verdict;
  };
  const apply = async (session: Session, change: string) => must(await applyChange(session, STEP, change, approval()));
  const step = async (session: Session, received?: Buffer | string): Promise<{ change: string; plan: ChangePlan }> => {
    const file = received === undefined ? undefined : must(await readReceived(Buffer.from(received)));
    const shown = must(await planChange(session, STEP, file));
    expect(await apply(session, shown.change)).toEqual({ written: true, asPlanned: true, differences: [] });
    return shown;
  };
  const request = (session: Session) => {
    const made = enrolmentOf(session.journal.events, STEP).request;
    if (made === undefined) throw new Error('no request');
    return made;
  };
  const undo = async (session: Session, change: string) => {
    const back = must(await planUndo(session, STEP, change));
    expect(await apply(session, back.change)).toMatchObject({ asPlanned: true });
    return back;
  };
  const answer = (pem: string) => device.ca.sign(pem) + device.ca.intermediate;
  const keyOnDevice = () => openssl(['pkey', '-in', device.keyFile, '-pubout']).toString();
  const files = () => readdirSync(device.folder).sort();

  it.each([
    ['device', 'P-256'],
    ['here', 'rsa-2048'],
  ] as const satisfies readonly [GuideOptions['made'], GuideOptions['key']][])(
    'key made %s, %s: request, wait, import in a resumed session, install, see, undo',
    async (made, key) => {
      let session = await device.open({ made, key });
      expect(await verdict(session)).toBe('fail');
      const [oldShown, oldKey, oldFiles] = [device.shown(), keyOnDevice(), files()];

      const asked = await step(session);
      expect(asked.plan.diff).toContain('names:      gateway.hospital.test');
      expect(device.shown()).toBe(oldShown);
      expect(
        openssl(['req', '-verify', '-noout', '-subject', '-nameopt', 'utf8'], request(session).pem).toString(),
      ).toContain('O=The "Hospital"');
      if (made === 'device') {
        const waiting = files().find((name) => name.endsWith('.new')) ?? '';
        expect(statSync(join(device.folder, waiting)).mode & 0o777).toBe(0o600);
        expect(existsSync(join(session.dir, 'keys'))).toBe(false);
      } else {
        expect(files()).toEqual(oldFiles);
        const [locked = ''] = readdirSync(join(session.dir, 'keys')).filter((name) => name.endsWith('.key.pem'));
        const text = readFileSync(join(session.dir, 'keys', locked), 'utf8');
        expect(text).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
        expect(createPrivateKey({ key: text, passphrase: PASSPHRASE }).asymmetricKeyType).toBe('rsa');
      }
      expect(await planChange(session, STEP)).toMatchObject({
        ok: false,
        error: { code: 'change.refused', message: expect.stringContaining('waits for the hospital') },
      });

      session = await device.resume(session);
      const installed = await step(session, answer(request(session).pem));
      expect(installed.plan.diff).toContain('# good     It is for the key of the request.');
      expect(device.shown()).not.toBe(oldShown);
      expect(await verdict(session)).toBe('pass');
      expect(keyOnDevice()).not.toBe(oldKey);
      expect(statSync(device.keyFile).mode & 0o777).toBe(0o640);
      expect(files().filter((name) => name.endsWith('.old'))).toHaveLength(2);

      session = await device.resume(session);
      await undo(session, installed.change);
      expect([device.shown(), keyOnDevice()]).toEqual([oldShown, oldKey]);

      // The request is still there: what came back can be installed again, or the request be dropped.
      const again = must(await planChange(session, STEP));
      expect(await apply(session, again.change)).toMatchObject({ asPlanned: true });
      expect(device.shown()).not.toBe(oldShown);
      await undo(session, again.change);
      await undo(session, asked.change);
      expect(files()).toEqual(oldFiles);
      if (made === 'here') expect(readdirSync(join(session.dir, 'keys'))).toEqual([]);
      await session.close();
    },
  );

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

  it('hands the request over, takes what comes back from a file, and exports the anchor for the other side', async () => {
    const session = await device.open({ made: 'here' });
    const at = (name: string) => join(device.ca.folder, name);
    expect(await handOffRequest(session, STEP, at('gateway.csr'))).toMatchObject({ error: { code: 'session.state' } });
    expect(await importCertificate(session, STEP, at('none.crt'), undefined)).toMatchObject({
      error: { code: 'input.not-found' },
    });
    await step(session);
    expect(must(await handOffRequest(session, STEP, at('gateway.csr')))).toEqual(['gateway.csr', 'gateway-README.txt']);
    openssl(['req', '-verify', '-noout', '-in', at('gateway.csr')]);
    const readme = readFileSync(at('gateway-README.txt'), 'utf8');
    const spki = openssl(
      ['pkey', '-pubin', '-outform', 'DER'],
      openssl(['req', '-noout', '-pubkey', '-in', at('gateway.csr')]),
    );
    expect(readme).toContain(createHash('sha256').update(spki).digest('hex'));
    for (const words of [
      'O=The \\"Hospital\\"',
      'gateway.hospital.test',
      'serverAuth',
      'EC P-256',
      'certreq -submit',
      'CA flag:             no',
    ])
      expect(readme).toContain(words);
    expect(session.state().items[STEP]?.deferred).toMatchObject({ to: 'hospital' });
    expect(session.state().items[STEP]?.changes.at(-1)).toMatchObject({
      step: { do: 'request', made: 'here' },
      request: { names: ['gateway.hospital.test'], key: 'EC P-256' },
    });

    const pems = [device.ca.sign(request(session).pem), device.ca.intermediate];
    writeFileSync(at('answer.pfx'), device.ca.pack('p12-legacy', pems));
    expect(await importCertificate(session, STEP, at('answer.pfx'), undefined)).toMatchObject({
      error: { code: 'identity.passphrase' },
    });
    const shown = must(await importCertificate(session, STEP, at('answer.pfx'), P12_PASSPHRASE));
    expect(shown.plan.diff).toContain('# What came back (PKCS#12):');
    expect(await apply(session, shown.change)).toMatchObject({ asPlanned: true });

    const files = must(await exportAnchors(session, STEP, at('hospital-root.crt')));
    expect(files).toEqual(['hospital-root.crt', 'hospital-root.der', 'hospital-root-README.txt']);
    const der = openssl(['x509', '-inform', 'DER', '-in', at('hospital-root.der')]).toString();
    expect([der, readFileSync(at('hospital-root.crt'), 'utf8')]).toEqual([device.ca.root, device.ca.root]);
    expect(readFileSync(at('hospital-root-README.txt'), 'utf8')).toContain(
      createHash('sha256')
        .update(readFileSync(at('hospital-root.der')))
        .digest('hex'),
    );
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

    it('installs nothing that was refused, and says every check', async () => {
      const session = await device.open();
      await step(session);
      const self = must(await readReceived(Buffer.from(device.ca.sign(request(session).pem, { hash: 'sha1' }))));
      const refused = await planChange(session, STEP, self);
      expect(refused).toMatchObject({ ok: false, error: { code: 'change.refused', fixBy: 'hospital' } });
      expect(refused.ok ? '' : refused.error.cause).toMatch(
        /good {5}It is for the key of the request\.\n[^]*REFUSED {2}The signature is weak/,
      );
      await session.close();
    });
  });
});
