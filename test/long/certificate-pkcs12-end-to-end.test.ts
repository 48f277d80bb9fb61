import { X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderCalendar } from '../../core/report/calendar.ts';
import { sessionReport } from '../../core/report/session-report.ts';
import { makeRequest } from '../../engine/keys/certificate-request.ts';
import { namedSecrets } from '../../engine/named-secrets.ts';
import { planChange } from '../../engine/session/changes.ts';
import type { Session } from '../../engine/session/session.ts';
import { isRoot, needs } from '../support/debian.ts';
import { enrolmentGuide, enrolmentSessions, must, NAME, STEP } from '../support/enrolment-device.ts';
import { enrolmentSteps } from '../support/enrolment-steps.ts';
import { KEYSTORE_PASSWORD, type KeystoreDevice, leftBy, startKeystoreDevice } from '../support/keystore-device.ts';
import { createOpensslCa, openssl, type OpensslCa } from '../support/openssl-ca.ts';
import { SSHD_PROGRAMS } from '../support/sshd.ts';

const TIME = 240_000;

describe.skipIf(!isRoot() || !needs('stunnel4', 'openssl', ...SSHD_PROGRAMS))(
  'a device that takes PKCS#12 only',
  () => {
    let device: KeystoreDevice;
    beforeAll(async () => {
      device = await startKeystoreDevice(5);
    }, TIME);
    afterAll(() => device?.stop());
    const { verdict, apply, step, request, undo, answer, files } = enrolmentSteps(() => device);
    const fileOpens = (words: string) =>
      openssl(['pkcs12', '-in', device.keyFile, '-nokeys', '-passin', 'stdin'], `${words}\n`).toString();

    it(
      'over SSH: an expiring RSA certificate is renewed in a legacy file, seen, and put back byte for byte',
      async () => {
        let session = await device.open({ format: 'legacy' });
        expect(await verdict(session)).toBe('fail');
        const wanted = namedSecrets(session.site.sealed, session.plan.items).map(({ name }) => name);
        expect(wanted).toEqual(['device-ssh', 'keystore']);
        const [oldShown, oldDigest, oldFiles] = [device.shown(), device.digest(), files()];
        const mode = statSync(device.keyFile).mode;

        const asked = await step(session);
        expect(files()).toEqual(oldFiles);
        session = await device.resume(session);
        const installed = await step(session, answer(request(session).pem));
        for (const words of [
          `~ ${device.keyFile} (the old one stays as ${device.keyFile}.`,
          '+ PKCS#12:    3DES, MAC with SHA-1 (legacy)',
          'the secret keystore, neither shown nor recorded',
          '! These ciphers are weak',
        ])
          expect(installed.plan.diff).toContain(words);

        expect(await verdict(session)).toBe('pass');
        const { plan, journal, outcomes } = session;
        const calendar = renderCalendar(sessionReport(plan, journal.events, journal.head(), outcomes));
        const day = new Date(new X509Certificate(device.shown()).validTo)
          .toISOString()
          .slice(0, 10)
          .replaceAll('-', '');
        expect(calendar).toMatch(new RegExp(`DTSTART;VALUE=DATE:${day}\\r\\n[^]*SUMMARY:[^]*Certificate ends: `));
        const seen = new X509Certificate(device.shown());
        expect(seen.publicKey.export({ format: 'pem', type: 'spki' })).toBe(
          openssl(['req', '-noout', '-pubkey'], request(session).pem).toString(),
        );
        expect(fileOpens(KEYSTORE_PASSWORD).match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
        expect(statSync(device.keyFile).mode).toBe(mode);
        const kept = files().filter((name) => name.endsWith('.old'));
        expect(kept).toHaveLength(1);
        expect(files()).toEqual([...oldFiles, ...kept].sort());

        session = await device.resume(session);
        const newShown = device.shown();
        await undo(session, installed.change);
        expect([device.shown(), device.digest(), files()]).toEqual([oldShown, oldDigest, oldFiles]);
        expect(await verdict(session)).toBe('fail');

        // What came back is still there: it is packed and installed again from the journal and the locked key.
        const again = must(await planChange(session, STEP));
        expect(await apply(session, again.change)).toMatchObject({ asPlanned: true });
        expect(device.shown()).toBe(newShown);
        await undo(session, again.change);
        await undo(session, asked.change);
        expect(device.digest()).toBe(oldDigest);
        const left = leftBy(session);
        expect(left).toContain('CHG-7');
        for (const secret of [KEYSTORE_PASSWORD, JSON.stringify(KEYSTORE_PASSWORD).slice(1, -1), 'BEGIN PRIVATE KEY'])
          expect(left).not.toContain(secret);
        await session.close();
      },
      TIME,
    );

    it('is refused with a key that the device makes, by the guide check, and where only the site decides so', async () => {
      await expect(device.open({ made: 'device' })).rejects.toThrow('never leaves it');
      const decided = JSON.stringify('$one.id == "gateway" ? "device" : "here"') as 'device';
      const session = await device.open({ made: decided });
      expect(await planChange(session, STEP)).toMatchObject({
        ok: false,
        error: { code: 'guide.invalid', cause: expect.stringContaining('never leaves it') },
      });
      await session.close();
    });
  },
);

describe.skipIf(!needs('openssl'))('a device whose API takes PKCS#12', () => {
  let ca: OpensslCa;
  let server: Server;
  let port: number;
  const got: { pkcs12: string; password: string; alias: string }[] = [];
  let first: { key: string; cert: string };
  beforeAll(async () => {
    ca = createOpensslCa();
    const { requestPem, pkcs8 } = await makeRequest({
      key: 'rsa-2048',
      commonName: NAME,
      names: [NAME],
      purposes: ['server'],
    });
    first = {
      key: openssl(['pkcs8', '-inform', 'DER', '-nocrypt'], Buffer.from(pkcs8)).toString(),
      cert: ca.sign(requestPem, { days: 5 }) + ca.intermediate,
    };
    server = createServer(first, (message, answer) => {
      const chunks: Buffer[] = [];
      message.on('data', (chunk: Buffer) => chunks.push(chunk));
      message.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        try {
          if (message.url === '/former') server.setSecureContext(first);
          else {
            const given = JSON.parse(body) as (typeof got)[number];
            server.setSecureContext({ pfx: Buffer.from(given.pkcs12, 'base64'), passphrase: given.password });
            got.push(given);
          }
          answer.end('{}');
        } catch (error) {
          answer.writeHead(400).end(String(error));
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as { port: number }).port;
  });
  afterAll(async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
    ca?.remove();
  });

  const sshd = {
    address: '127.0.0.1',
    port: 1,
    user: 'root',
    hostKey: `SHA256:${'A'.repeat(43)}`,
    clientKey: 'none',
  } as never;
  const { step, request, undo, answer } = enrolmentSteps(() => ({ ca, folder: ca.folder, keyFile: '', sshd }));
  const open = (https: object): Promise<Session> =>
    enrolmentSessions({ root: ca.folder, ca, sshd, port }).open(
      enrolmentGuide({ made: 'here', key: 'rsa-2048', renew: 'new-key' }, { https }),
      { keystore: 'a password of the site' },
    );
  const way = (pkcs12: object, body: object) => ({
    install: { url: `https://${NAME}:${port}/pkcs12`, method: 'PUT', body },
    restore: { url: `https://${NAME}:${port}/former`, method: 'POST' },
    pkcs12,
  });

  it.each([
    ['modern', {}, '<pkcs12-password>'],
    ['legacy', {}, '<pkcs12-password>'],
    ['legacy', { password: 'keystore' }, '<pkcs12-password>'],
  ] as const)('gets a %s file %j, opens it, and shows what is in it', async (format, more, password) => {
    const before = got.length;
    const session = await open(way({ format, ...more }, { pkcs12: '<pkcs12>', password, alias: '<common-name>' }));
    const asked = await step(session);
    const installed = await step(session, answer(request(session).pem));
    expect(installed.plan.diff).toContain(
      'password' in more ? 'the secret keystore' : 'a new one, sent in the same request and kept nowhere',
    );
    const [sent] = got.slice(before);
    expect(got).toHaveLength(before + 1);
    if ('password' in more) expect(sent?.password).toBe('a password of the site');
    else expect(sent?.password).toMatch(/^[0-9a-f]{32}$/);
    const left = leftBy(session);
    for (const secret of [sent?.password ?? '', sent?.pkcs12.slice(0, 200) ?? '', 'BEGIN PRIVATE KEY'])
      expect(left).not.toContain(secret);
    await undo(session, installed.change);
    await undo(session, asked.change);
    await session.close();
  });

  it('never gets the same one-time password twice', () => {
    const once = got.map(({ password }) => password).filter((password) => /^[0-9a-f]{32}$/.test(password));
    expect(new Set(once).size).toBe(once.length);
    expect(once.length).toBeGreaterThan(1);
  });
});
