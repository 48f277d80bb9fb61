import { createHash, createPrivateKey } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readReceived } from '../../engine/keys/received.ts';
import { planChange } from '../../engine/session/changes.ts';
import { exportAnchors, handOffRequest, importCertificate } from '../../engine/session/enrol.ts';
import { enrolmentSteps, PASSPHRASE } from '../support/enrolment-steps.ts';
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

describe.skipIf(!isRoot() || !needs('nginx', 'openssl', ...SSHD_PROGRAMS))('certificate.enroll end to end', () => {
  let device: EnrolmentDevice;
  beforeAll(async () => {
    device = await startEnrolmentDevice();
  });
  afterAll(() => device?.stop());
  beforeEach(() => device.reset(5));

  const { verdict, apply, step, request, undo, answer, keyOnDevice, files } = enrolmentSteps(() => device);

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
