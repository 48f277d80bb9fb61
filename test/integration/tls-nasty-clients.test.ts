import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tlsClientAuthenticationProbe } from '../../engine/probes/tls-client-authentication.ts';
import { freePort, startDaemon } from '../support/daemon.ts';
import { needs } from '../support/debian.ts';
import { startNginx } from '../support/nginx.ts';
import { factsOf, probeContext, type SeenFacts } from '../support/probe.ts';
import { createThrowawayCa, type IssuedFiles, type ThrowawayCa } from '../support/throwaway-ca.ts';
import { startTlsRelay } from '../support/tls-relay.ts';

const NAME = 'emr.hospital.test';
let ca: ThrowawayCa;
let server: IssuedFiles;
let good: IssuedFiles;
beforeAll(async () => {
  ca = await createThrowawayCa();
  server = await ca.issue('server', { commonName: NAME, sans: [NAME], usage: 'server', curve: 'rsa-2048' });
  good = await ca.issue('good', { commonName: 'device.test', sans: ['device.test'], usage: 'client' });
});
afterAll(() => ca.remove());

const look = (port: number, protocol: string): Promise<SeenFacts> =>
  factsOf(
    tlsClientAuthenticationProbe,
    { endpoint: { host: NAME, port }, identities: ['good'], application: { protocol } },
    probeContext({
      site: {
        hosts: { [NAME]: '127.0.0.1' },
        anchors: [{ id: 'root', pem: ca.root }],
        identities: [{ id: 'good', kind: 'good', certificate: good.certificate, key: good.key }],
      },
    }),
  );

/** An HL7 receiver that takes whoever `admits` admits, and hangs up on others. */
async function receiver(
  options: TlsOptions,
  admits: (socket: TLSSocket) => boolean,
  work: (port: number) => Promise<void>,
): Promise<void> {
  const own = { cert: server.chainPem, key: server.keyPem, ca: ca.root, requestCert: true, rejectUnauthorized: false };
  const mllp = createServer({ ...own, ...options }, (socket) => {
    socket.on('error', () => {});
    if (!admits(socket)) return void socket.destroy();
    socket.on('data', () => socket.write('\x0bMSH|^~\\&|EMR\rMSA|AA|LOCKSTEP1\r\x1c\r'));
  });
  mllp.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => mllp.listen(0, '127.0.0.1', resolve));
  try {
    await work((mllp.address() as AddressInfo).port);
  } finally {
    mllp.close();
  }
}

describe('a server that looks at the wrong thing', () => {
  it.each([
    ['the subject only', (socket: TLSSocket) => socket.getPeerCertificate().subject?.CN === 'device.test'],
    [
      'the alternative names only',
      (socket: TLSSocket) => socket.getPeerCertificate().subjectaltname === 'DNS:device.test',
    ],
    [
      "the issuer's name only",
      (socket: TLSSocket) => String(socket.getPeerCertificate().issuer?.CN).includes('Hospital'),
    ],
    ['whether there is a certificate', (socket: TLSSocket) => Object.keys(socket.getPeerCertificate()).length > 0],
  ])('%s does not insist', (_, admits) =>
    receiver({}, admits, async (port) => {
      const { facts } = await look(port, 'hl7-mllp');
      expect(facts.controls.map(({ outcome }: { outcome: string }) => outcome)).toEqual(
        Array(4).fill('application-data'),
      );
      expect(facts.refuses).toMatchObject({ none: true, unknownCa: false });
      expect(facts.insists).toBe(false);
    }),
  );

  it('the authority does', () =>
    receiver(
      {},
      (socket) => socket.authorized,
      async (port) => {
        const { facts } = await look(port, 'hl7-mllp');
        expect(facts).toMatchObject({ insists: true, refuses: { none: true, unknownCa: true, selfSigned: true } });
        expect(facts.trials).toContainEqual(
          expect.objectContaining({ how: expect.stringContaining("good one's issuer") }),
        );
      },
    ));
});

describe.skipIf(!needs('openssl'))('a server that takes any certificate of one kind of key', () => {
  it.each(['-tls1_2', '-tls1_3'])('does not insist (%s)', async (version) => {
    const port = await freePort();
    const own = ['s_server', '-accept', `127.0.0.1:${port}`, '-cert', server.certificate, '-key', server.key, '-www'];
    const kind = ['-Verify', '3', '-client_sigalgs', 'ecdsa_secp256r1_sha256', version];
    const daemon = await startDaemon('openssl', [...own, ...kind], { address: '127.0.0.1', port });
    try {
      const { facts } = await look(port, 'https');
      expect(facts.refuses).toMatchObject({ none: true, unknownCa: false, selfSigned: false });
      expect(facts.insists).toBe(false);
    } finally {
      await daemon.stop();
    }
  });
});

describe('a server that asks for the certificate only after the handshake', () => {
  it('is left open under TLS 1.3, where our library does not offer that', async () => {
    // As Apache answers for a location that wants a certificate, to a client that cannot be asked again.
    const own = { cert: server.chainPem, key: server.keyPem, minVersion: 'TLSv1.3' } as const;
    const https = createHttps(own, (_, response) => void response.writeHead(403).end('no'));
    https.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => https.listen(0, '127.0.0.1', resolve));
    try {
      const { facts, absent } = await look((https.address() as AddressInfo).port, 'https');
      expect(facts.versions).toEqual(['TLS 1.3']);
      expect(facts.insists).toBeUndefined();
      expect(absent.find(({ path }) => path === 'insists')?.reason).toMatch(/only after the handshake/);
    } finally {
      https.close();
    }
  });
});

describe.skipIf(!needs('nginx'))('a version that something on the way cuts off', () => {
  it('may let everybody in', async () => {
    const nginx = await startNginx({
      ...server,
      directives: ['ssl_protocols TLSv1.2 TLSv1.3;', 'ssl_verify_client on;', `ssl_client_certificate ${ca.rootFile};`],
    });
    const relay = await startTlsRelay(nginx.port, ({ version }) => (version === 0x0304 ? 'reset' : 'pass'));
    try {
      const { facts, absent } = await look(relay.port, 'https');
      expect(facts.versions).toEqual(['TLS 1.2']);
      expect(facts.insists).toBeUndefined();
      expect(absent.find(({ path }) => path === 'insists')?.reason).toMatch(
        /TLS 1.3 was not seen: the connection was reset/,
      );
    } finally {
      await relay.stop();
      await nginx.stop();
    }
  });
});
