import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificatePinnedProbe } from '../../engine/probes/certificate-pinned.ts';
import { needs } from '../support/debian.ts';
import { startNginx } from '../support/nginx.ts';
import { errorOf, factsOf, probeContext } from '../support/probe.ts';
import { type Sshd, SSHD_PROGRAMS, startSshd } from '../support/sshd.ts';
import { createThrowawayCa, type IssuedFiles, type ThrowawayCa } from '../support/throwaway-ca.ts';

const NAME = 'emr.hospital.test';
const DEVICE = 'pump.hospital.test';
const PASSWORD = 'a password of a test 7c1';

describe.skipIf(!needs('nginx', 'openssl', ...SSHD_PROGRAMS))('certificate.pinned', () => {
  let ca: ThrowawayCa;
  let current: IssuedFiles;
  let former: IssuedFiles;
  let stranger: IssuedFiles;
  let emr: Awaited<ReturnType<typeof startNginx>>;
  let sshd: Sshd;
  let folder: string;

  beforeAll(async () => {
    ca = await createThrowawayCa();
    folder = await mkdtemp(join(tmpdir(), 'lockstep-held-'));
    const issued = { commonName: NAME, sans: [NAME], usage: 'server', intermediate: true } as const;
    current = await ca.issue('current', issued);
    former = await ca.issue('former', issued);
    stranger = await ca.issue('stranger', {
      commonName: 'other',
      sans: ['other.test'],
      usage: 'server',
      selfSigned: true,
    });
    emr = await startNginx(current);
    sshd = await startSshd();
  });
  afterAll(async () => {
    await emr?.stop();
    await sshd?.stop();
    await ca?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  const context = (secrets: Record<string, string> = { ssh: sshd.clientKey, api: PASSWORD }) =>
    probeContext({
      secrets,
      site: {
        hosts: { [NAME]: '127.0.0.1', [DEVICE]: '127.0.0.1' },
        anchors: [{ id: 'root', pem: ca.root }],
        devices: [
          {
            id: 'pump',
            name: 'Pump',
            host: DEVICE,
            ssh: { port: sshd.port, user: 'root', hostKey: sshd.hostKey, secret: 'ssh' },
          },
          { id: 'scale', name: 'Scale', host: 'scale.hospital.test' },
        ],
      },
    });
  const endpoint = () => ({ host: NAME, port: emr.port });
  const held = async (pinned: unknown, where = context()) =>
    (await factsOf(certificatePinnedProbe, { endpoint: endpoint(), pinned }, where)).facts;
  const refused = (pinned: unknown, where = context()) =>
    errorOf(certificatePinnedProbe, { endpoint: endpoint(), pinned }, where);
  const put = async (name: string, bytes: string | Uint8Array) => {
    const file = join(folder, name);
    await writeFile(file, bytes);
    return file;
  };
  const onDevice = (path: string) => ({ device: 'pump', path });

  it('compares an exported copy with what is presented today', async () => {
    const file = (pem: string) => put('pinned.pem', pem);
    expect(await held(await file(current.certificatePem))).toMatchObject({
      matches: true,
      relation: 'same-leaf',
      readFrom: 'site-file',
      pinnedValid: true,
      daysLeft: 179,
    });
    expect(await held(ca.root)).toMatchObject({ matches: true, relation: 'anchors-chain' });
    expect(await held(current.chainPem.slice(current.certificatePem.length))).toMatchObject({
      matches: true,
      relation: 'anchors-chain',
    });
    expect(await held(former.certificatePem)).toMatchObject({ matches: false, relation: 'renewed' });
    expect(await held(stranger.certificatePem)).toMatchObject({ matches: false, relation: 'unrelated' });
    expect(await held(ca.ca.roots.engineer)).toMatchObject({ matches: false, relation: 'unrelated' });
    expect(await refused(join(folder, 'none'))).toBe('input.not-found');
    expect(await refused(current.key)).toBe('identity.invalid');
  });

  it('reads the copy on the device over SSH: PEM, DER, and beside a private key that goes nowhere', async () => {
    expect(await held(onDevice(await put('anchor.pem', ca.root)))).toMatchObject({
      matches: true,
      relation: 'anchors-chain',
      readFrom: 'device-file',
    });
    const der = Buffer.from(former.certificatePem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    expect(await held(onDevice(await put('emr.der', der)))).toMatchObject({ matches: false, relation: 'renewed' });
    const secret = await readFile(current.key, 'utf8');
    const facts = await held(onDevice(await put('both.pem', secret + current.certificatePem)));
    expect(facts).toMatchObject({ relation: 'same-leaf' });
    expect(JSON.stringify(facts)).not.toContain('PRIVATE');
  });

  it('takes no copy that it could not read for one that fits', async () => {
    expect(await refused(onDevice(join(folder, 'nothing-here.pem')))).toBe('input.not-found');
    expect(await refused(onDevice(folder))).toBe('change.refused');
    expect(await refused(onDevice(await put('empty.pem', '')))).toBe('identity.invalid');
    expect(await refused(onDevice(await put('cut.der', Buffer.from([0x30, 0x82, 0x05, 0x00, 0x01]))))).toBe(
      'identity.invalid',
    );
    expect(await refused({ device: 'scale', path: '/etc/emr.pem' })).toBe('change.refused');
    expect(await refused({ device: 'pump', path: '/etc/emr.pem' }, context({ ssh: 'not the key' }))).toBe(
      'ssh.credentials',
    );
  });

  it("reads it by the device's own API, as JSON or as it is, and only where it is let in", async () => {
    const web = await ca.issue('web', { commonName: DEVICE, sans: [DEVICE], usage: 'server' });
    await put('password', `reader:{PLAIN}${PASSWORD}\n`);
    await put('emr.json', JSON.stringify({ tls: { 'peer/pem': former.certificatePem } }));
    await put('emr.pem', ca.root);
    const device = await startNginx({
      ...web,
      directives: [`location /held/ { auth_basic device; auth_basic_user_file ${folder}/password; alias ${folder}/; }`],
    });
    const url = (name: string) => `https://${DEVICE}:${device.port}/held/${name}`;
    const credential = { user: 'reader', secret: 'api' };
    try {
      expect(await held({ url: url('emr.json'), at: '/tls/peer~1pem', credential })).toMatchObject({
        matches: false,
        relation: 'renewed',
        readFrom: 'device-api',
      });
      expect(await held({ url: url('emr.pem'), credential })).toMatchObject({ relation: 'anchors-chain' });
      expect(await refused({ url: url('emr.json'), at: '/tls/nothing', credential })).toBe('input.not-found');
      expect(await refused({ url: url('emr.pem'), at: '/tls', credential })).toBe('http.protocol');
      expect(await refused({ url: url('missing.pem'), credential })).toBe('http.protocol');
      expect(await refused({ url: url('emr.pem') })).toBe('secret.missing');
      expect(await refused({ url: url('emr.pem'), credential }, context({ api: 'wrong' }))).toBe('secret.missing');
      // Never over an interface whose certificate is not vouched for.
      expect(await refused({ url: url('emr.pem').replace(DEVICE, '127.0.0.1'), credential })).toBe('tls.name');
    } finally {
      await device.stop();
    }
  });
});
