import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withForeignKey } from '../../engine/keys/mismatched-key.ts';
import { tlsClientAuthenticationProbe } from '../../engine/probes/tls-client-authentication.ts';
import { freePort, startDaemon, startPeer } from '../support/daemon.ts';
import { needs } from '../support/debian.ts';
import { startNginx } from '../support/nginx.ts';
import { errorOf, factsOf, probeContext } from '../support/probe.ts';
import { createThrowawayCa, type IssuedFiles, type ThrowawayCa } from '../support/throwaway-ca.ts';

const NAME = 'emr.hospital.test';
let ca: ThrowawayCa;
let server: IssuedFiles;
let crl: string;
let identities: { id: string; kind: string; certificate: string; key: string }[];

beforeAll(async () => {
  ca = await createThrowawayCa();
  server = await ca.issue('server', { commonName: NAME, sans: [NAME], usage: 'server' });
  const good = await ca.issue('device', { commonName: 'device.test', sans: ['device.test'], usage: 'client' });
  const expired = await ca.issue('expired', {
    commonName: 'device.test',
    usage: 'client',
    notBefore: new Date('2020-01-01'),
    notAfter: new Date('2021-01-01'),
  });
  const revoked = await ca.issue('revoked', { commonName: 'device.test', usage: 'client' });
  crl = join(ca.folder, 'crl.pem');
  await writeFile(
    crl,
    await ca.ca.crl({ revoked: [{ serialNumber: revoked.serialNumber, at: new Date(Date.now() - 60_000) }] }),
  );
  identities = [
    { id: 'good', kind: 'good', certificate: good.certificate, key: good.key },
    { id: 'expired', kind: 'expired', certificate: expired.certificate, key: expired.key },
    { id: 'revoked', kind: 'revoked', certificate: revoked.certificate, key: revoked.key },
  ];
});
afterAll(() => ca.remove());

const context = () =>
  probeContext({ site: { hosts: { [NAME]: '127.0.0.1' }, anchors: [{ id: 'root', pem: ca.root }], identities } });
const params = (port: number, ids = ['good', 'expired', 'revoked'], protocol = 'https') => ({
  endpoint: { host: NAME, port },
  identities: ids,
  application: { protocol },
});

describe.skipIf(!needs('nginx'))('tls.client-authentication against nginx', () => {
  it('sees a server that insists, although it refuses with an HTTP answer', async () => {
    const nginx = await startNginx({
      ...server,
      directives: [
        'ssl_protocols TLSv1.2 TLSv1.3;',
        'ssl_verify_client on;',
        `ssl_client_certificate ${ca.rootFile};`,
        `ssl_crl ${crl};`,
      ],
    });
    try {
      const { facts, absent } = await factsOf(tlsClientAuthenticationProbe, params(nginx.port), context());
      expect(facts.versions).toEqual(['TLS 1.2', 'TLS 1.3']);
      expect(facts.controls.map((control: { outcome: string }) => control.outcome)).toEqual(
        Array(4).fill('application-data'),
      );
      const asked = { none: true, unknownCa: true, selfSigned: true, expired: true, revoked: true };
      expect(facts.refuses).toEqual({ ...asked, keyMismatch: true });
      expect(facts.insists).toBe(true);
      expect(facts.requestsCertificate).toBe(true);
      expect(facts.trials.find((trial: { presents: string }) => trial.presents === 'none').how).toContain('HTTP 400');
      // What is missing is said with whom to ask for it.
      expect(absent.map((fact) => fact.path)).toContain('refuses.wrongSubject');
      const untried = facts.trials.filter((trial: { outcome: string }) => trial.outcome === 'not-tested');
      expect(untried).toHaveLength(2);
      for (const { how } of untried) expect(how).toMatch(/Ask the hospital's CA/);
    } finally {
      await nginx.stop();
    }
  });

  it.each([
    ['turns it away', 'if ($ssl_client_s_dn !~ "CN=device.test") { return 444; }', true],
    ['takes it', '', false],
  ])("tells a server's own look at the subject: it %s", async (_, look, refused) => {
    const other = await ca.issue('other', { commonName: 'other.test', sans: ['other.test'], usage: 'client' });
    identities.push({ id: 'other', kind: 'wrong-subject', certificate: other.certificate, key: other.key });
    const nginx = await startNginx({
      ...server,
      directives: [
        'ssl_protocols TLSv1.2 TLSv1.3;',
        'ssl_verify_client on;',
        `ssl_client_certificate ${ca.rootFile};`,
        look,
      ],
    });
    try {
      const asked = params(nginx.port, ['good', 'other']);
      const { facts } = await factsOf(tlsClientAuthenticationProbe, asked, context());
      expect(facts.versions).toEqual(['TLS 1.2', 'TLS 1.3']);
      expect(facts).toMatchObject({ insists: true, refuses: { wrongSubject: refused } });
    } finally {
      identities.pop();
      await nginx.stop();
    }
  });

  it('sees a server that asks for nothing', async () => {
    const nginx = await startNginx({ ...server, directives: ['ssl_protocols TLSv1.2 TLSv1.3;'] });
    try {
      const { facts } = await factsOf(tlsClientAuthenticationProbe, params(nginx.port, []), context());
      expect(facts.insists).toBe(false);
      expect(facts.refuses).toMatchObject({ none: false, unknownCa: false, selfSigned: false });
      expect(facts.requestsCertificate).toBe(false);
    } finally {
      await nginx.stop();
    }
  });

  it('finds a revoked certificate accepted where no CRL is loaded, and proves nothing without a good identity', async () => {
    const nginx = await startNginx({
      ...server,
      directives: ['ssl_protocols TLSv1.3;', 'ssl_verify_client on;', `ssl_client_certificate ${ca.rootFile};`],
    });
    try {
      const seen = await factsOf(tlsClientAuthenticationProbe, params(nginx.port), context());
      expect(seen.facts).toMatchObject({
        insists: true,
        versions: ['TLS 1.3'],
        refuses: { revoked: false, expired: true },
      });
      const bare = await factsOf(tlsClientAuthenticationProbe, params(nginx.port, []), context());
      expect(bare.facts.insists).toBeUndefined();
      expect(bare.absent.find((fact) => fact.path === 'insists')?.reason).toContain('no good identity');
    } finally {
      await nginx.stop();
    }
  });
});

describe.skipIf(!needs('openssl'))('tls.client-authentication against openssl s_server', () => {
  it.each(['-tls1_2', '-tls1_3'])('sees the alert of a server that insists under %s', async (version) => {
    const port = await freePort();
    const daemon = await startDaemon(
      'openssl',
      [
        's_server',
        '-accept',
        `127.0.0.1:${port}`,
        '-cert',
        server.certificate,
        '-key',
        server.key,
        '-Verify',
        '2',
        '-verify_return_error',
        '-CAfile',
        ca.rootFile,
        '-www',
        version,
      ],
      { address: '127.0.0.1', port },
    );
    try {
      const { facts } = await factsOf(tlsClientAuthenticationProbe, params(port, ['good', 'expired']), context());
      expect(facts).toMatchObject({
        insists: true,
        refuses: { none: true, unknownCa: true, selfSigned: true, expired: true },
      });
      expect(facts.versions).toEqual([version === '-tls1_2' ? 'TLS 1.2' : 'TLS 1.3']);
    } finally {
      await daemon.stop();
    }
  });
});

describe.skipIf(!needs('openssl'))('a client certificate with a key that is not its own', () => {
  it.each([
    ['p256', {}],
    ['rsa-2048', { curve: 'rsa-2048' }],
  ] as const)('is refused: %s', async (name, kind) => {
    const own = await ca.issue(`own-${name}`, { commonName: 'device.test', usage: 'client', ...kind });
    const port = await freePort();
    const args = ['s_server', '-accept', `127.0.0.1:${port}`, '-cert', server.certificate, '-key', server.key, '-www'];
    const daemon = await startDaemon('openssl', [...args, '-Verify', '2', '-CAfile', ca.rootFile], {
      address: '127.0.0.1',
      port,
    });
    try {
      const site = {
        hosts: { [NAME]: '127.0.0.1' },
        anchors: [{ id: 'root', pem: ca.root }],
        identities: [{ id: 'good', kind: 'good', certificate: own.certificate, key: own.key }],
      };
      const { facts } = await factsOf(tlsClientAuthenticationProbe, params(port, ['good']), probeContext({ site }));
      expect(facts.refuses.keyMismatch).toBe(true);
      expect(facts.trials).toContainEqual(
        expect.objectContaining({ presents: 'key-mismatch', alert: 'decrypt_error' }),
      );
    } finally {
      await daemon.stop();
    }
  });

  it('is not tried where the kind of key leaves no room for it', async () => {
    const [key, certificate] = [join(ca.folder, 'ed25519.key'), join(ca.folder, 'ed25519.crt')];
    const made = ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-subj', '/CN=device', '-keyout', key, '-out'];
    await promisify(execFile)('openssl', [...made, certificate]);
    const [certificatePem, keyPem] = await Promise.all([certificate, key].map((file) => readFile(file, 'utf8')));
    expect(withForeignKey({ certificate: certificatePem ?? '', key: keyPem ?? '' })).toMatchObject({
      ok: false,
      error: { code: 'identity.invalid', cause: 'a key of the kind ed25519 cannot be claimed' },
    });
  });
});

describe.concurrent('tls.client-authentication over MLLP', () => {
  it.each([
    ['insists', true, true, true],
    ['asks and lets everybody in', true, false, false],
    ['never answers', true, 'silent' as const, undefined],
  ])('a receiver that %s', async (_, requestCert, behaviour, insists) => {
    const mllp = createTlsServer(
      { cert: server.chainPem, key: server.keyPem, ca: ca.root, requestCert, rejectUnauthorized: behaviour === true },
      (socket) => {
        socket.on('error', () => {});
        socket.on('data', () => behaviour !== 'silent' && socket.write('\x0bMSH|^~\\&|EMR\rMSA|AA|LOCKSTEP1\r\x1c\r'));
      },
    );
    mllp.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => mllp.listen(0, '127.0.0.1', resolve));
    try {
      const { facts, absent } = await factsOf(
        tlsClientAuthenticationProbe,
        params((mllp.address() as { port: number }).port, ['good'], 'hl7-mllp'),
        context(),
      );
      expect(facts.insists).toBe(insists);
      if (insists === undefined) expect(absent.map((fact) => fact.path)).toContain('insists');
      else expect(facts.controls[0].how).toBe('an HL7 answer (MSA AA)');
    } finally {
      mllp.close();
    }
  });

  it.each([
    ['hangs', () => {}, 'probe.inconclusive'],
    ['closes at once', (socket: import('node:net').Socket) => socket.end(), 'probe.inconclusive'],
    [
      'speaks HTTP',
      (socket: import('node:net').Socket) => void socket.once('data', () => socket.end('HTTP/1.0 400 no\r\n\r\n')),
      'tls.not-spoken',
    ],
  ])('a peer that %s is an error', async (_, behave, code) => {
    const peer = await startPeer(behave);
    try {
      expect(await errorOf(tlsClientAuthenticationProbe, params(peer.port, ['good']), context())).toBe(code);
    } finally {
      await peer.stop();
    }
  });

  it('names a trial identity that cannot be read', async () => {
    expect(await errorOf(tlsClientAuthenticationProbe, params(1, ['missing']), context())).toBe('site.invalid');
  });
});
