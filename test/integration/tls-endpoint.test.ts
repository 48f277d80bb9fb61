import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tlsEndpointProbe } from '../../engine/probes/tls-endpoint.ts';
import { freePort, startDaemon, startPeer } from '../support/daemon.ts';
import { needs } from '../support/debian.ts';
import { startNginx } from '../support/nginx.ts';
import { errorOf, factsOf, probeContext } from '../support/probe.ts';
import { createThrowawayCa, type ThrowawayCa } from '../support/throwaway-ca.ts';

const NAME = 'emr.hospital.test';
let ca: ThrowawayCa;

beforeAll(async () => {
  ca = await createThrowawayCa();
});
afterAll(() => ca.remove());

const context = (more: Parameters<typeof probeContext>[0] = {}) =>
  probeContext({
    site: { hosts: { [NAME]: '127.0.0.1', 'other.test': '127.0.0.1' }, anchors: [{ id: 'root', pem: ca.root }] },
    ...more,
  });
const endpoint = (port: number, more = {}) => ({ endpoint: { host: NAME, port, ...more } });

describe.skipIf(!needs('nginx'))('tls.endpoint against nginx', () => {
  it('sees a good server as good', async () => {
    const leaf = await ca.issue('good', { commonName: NAME, sans: [NAME], usage: 'server', intermediate: true });
    const server = await startNginx({ ...leaf, directives: ['ssl_protocols TLSv1.2 TLSv1.3;'] });
    try {
      const { facts, absent } = await factsOf(tlsEndpointProbe, endpoint(server.port), context());
      expect(facts.speaksTls).toBe(true);
      expect(facts.accepts).toEqual({ ssl30: false, tls10: false, tls11: false, tls12: true, tls13: true });
      expect(facts.weakSuites).toEqual([]);
      expect(facts.acceptsWeakSuite).toBe(false);
      expect(facts.chain).toMatchObject({ trusted: true, problem: 'none', length: 3 });
      expect(facts.name).toEqual({ expected: NAME, matches: true, sans: [NAME] });
      expect(facts.validity).toMatchObject({ valid: true, daysLeft: 179 });
      expect(facts.key).toEqual({ algorithm: 'EC', bits: 256, curve: 'P-256', strong: true });
      expect(facts.negotiated.version).toBe('TLS 1.3');
      expect(facts.certificates).toHaveLength(2);
      expect(facts.extendedKeyUsage).toEqual(['serverAuth']);
      expect(absent.map((fact) => fact.path)).not.toContain('weakSuites');
    } finally {
      await server.stop();
    }
  });

  it('finds old versions and weak suites that our own library cannot offer', async () => {
    const leaf = await ca.issue('weak', { commonName: NAME, sans: [NAME], usage: 'server', curve: 'rsa-2048' });
    const server = await startNginx({
      ...leaf,
      directives: ['ssl_protocols TLSv1 TLSv1.1 TLSv1.2;', 'ssl_ciphers ALL:eNULL:@SECLEVEL=0;'],
    });
    try {
      const { facts } = await factsOf(tlsEndpointProbe, endpoint(server.port), context());
      expect(facts.accepts).toEqual({ ssl30: false, tls10: true, tls11: true, tls12: true, tls13: false });
      expect(facts.acceptsWeakSuite).toBe(true);
      expect(facts.weakSuites.some((name: string) => name.includes('_anon_'))).toBe(true);
      expect(facts.weakSuites.some((name: string) => name.includes('_NULL_'))).toBe(true);
      expect(facts.chain.trusted).toBe(true);
    } finally {
      await server.stop();
    }
  });

  it.each([
    ['a self-signed certificate', { selfSigned: true }, { problem: 'self-signed' }],
    [
      'an expired certificate',
      { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') },
      { problem: 'expired' },
    ],
    ['a certificate of another root', { role: 'engineer' as const }, { problem: 'unknown-issuer' }],
    ['a client certificate', { usage: 'client' as const }, { problem: 'extended-key-usage' }],
  ])('sees %s', async (_, options, chain) => {
    const leaf = await ca.issue('bad', { commonName: NAME, sans: [NAME], usage: 'server', ...options });
    const server = await startNginx(leaf);
    try {
      const { facts } = await factsOf(tlsEndpointProbe, endpoint(server.port), context());
      expect(facts.chain).toMatchObject({ trusted: false, ...chain });
      expect(facts.name.matches).toBe(true);
      expect(facts.selfSigned).toBe(chain.problem === 'self-signed');
      expect(facts.validity.valid).toBe(chain.problem !== 'expired');
    } finally {
      await server.stop();
    }
  });

  it('does not take the common name for the name, and does not need DNS', async () => {
    const leaf = await ca.issue('cn', { commonName: NAME, sans: ['other.test'], usage: 'server' });
    const server = await startNginx(leaf);
    try {
      expect((await factsOf(tlsEndpointProbe, endpoint(server.port), context())).facts.name).toEqual({
        expected: NAME,
        matches: false,
        sans: ['other.test'],
      });
      const other = await factsOf(tlsEndpointProbe, endpoint(server.port, { serverName: 'other.test' }), context());
      expect(other.facts.name.matches).toBe(true);
    } finally {
      await server.stop();
    }
  });
});

describe.skipIf(!needs('openssl'))('tls.endpoint against openssl s_server', () => {
  it('reads the certificate of a TLS 1.2 server that hangs up on clients without one', async () => {
    const leaf = await ca.issue('mutual', { commonName: NAME, sans: [NAME], usage: 'server' });
    const port = await freePort();
    const server = await startDaemon(
      'openssl',
      [
        's_server',
        '-accept',
        `127.0.0.1:${port}`,
        '-cert',
        leaf.certificate,
        '-key',
        leaf.key,
        '-Verify',
        '1',
        '-verify_return_error',
        '-CAfile',
        ca.rootFile,
        '-tls1_2',
        '-quiet',
      ],
      { address: '127.0.0.1', port },
    );
    try {
      const { facts, absent } = await factsOf(tlsEndpointProbe, endpoint(port), context());
      expect(facts.chain.trusted).toBe(true);
      expect(facts.accepts.tls12).toBe(true);
      expect(facts.negotiated).toBeUndefined();
      expect(absent.map((fact) => fact.path)).toContain('negotiated');
    } finally {
      await server.stop();
    }
  });
});

describe.concurrent('tls.endpoint against peers that misbehave', () => {
  it.each([
    ['hangs', () => {}, 'probe.inconclusive'],
    ['closes at once', (socket: import('node:net').Socket) => socket.end(), 'probe.inconclusive'],
    ['resets', (socket: import('node:net').Socket) => socket.resetAndDestroy(), /^(probe.inconclusive|tcp.reset)$/],
    [
      'drips',
      (socket: import('node:net').Socket) => drip(socket, Buffer.from([22, 3, 3, 0x10, 0, 2])),
      'probe.inconclusive',
    ],
    [
      'breaks the record layer',
      (socket: import('node:net').Socket) => void socket.write(Buffer.from([22, 3, 3, 0, 4, 99, 0, 0, 0])),
      'probe.inconclusive',
    ],
  ])('one that %s is an error, never a fact', async (_, behave, code) => {
    const peer = await startPeer(behave);
    try {
      expect(await errorOf(tlsEndpointProbe, endpoint(peer.port), context())).toMatch(code);
    } finally {
      await peer.stop();
    }
  });

  it.each([
    [
      'HTTP',
      (socket: import('node:net').Socket) =>
        void socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
      undefined,
      'HTTP in clear text',
    ],
    [
      'HL7 that answers messages only',
      (socket: import('node:net').Socket) =>
        void socket.on(
          'data',
          (data: Buffer) => data[0] === 0x0b && socket.write('\x0bMSH|^~\\&|X\rMSA|AR|LOCKSTEP1\r\x1c\r'),
        ),
      'hl7-mllp',
      'an HL7 answer (MSA AR) in clear text',
    ],
  ])('%s in clear text is a finding', async (_, behave, protocol, clearText) => {
    const peer = await startPeer(behave);
    try {
      const { facts } = await factsOf(
        tlsEndpointProbe,
        { ...endpoint(peer.port), ...(protocol === undefined ? {} : { protocol }) },
        context(),
      );
      expect(facts).toMatchObject({ speaksTls: false, clearText });
    } finally {
      await peer.stop();
    }
  });

  it('tells a refused port, an unknown name and a cancelled run apart', async () => {
    const port = await freePort();
    expect(await errorOf(tlsEndpointProbe, endpoint(port), context())).toBe('tcp.refused');
    expect(await errorOf(tlsEndpointProbe, { endpoint: { host: 'nowhere.invalid', port } }, context())).toMatch(
      /^dns\./,
    );
    const peer = await startPeer(() => {});
    try {
      const started = Date.now();
      expect(await errorOf(tlsEndpointProbe, endpoint(peer.port), context({ signal: AbortSignal.timeout(150) }))).toBe(
        'probe.deadline',
      );
      expect(Date.now() - started).toBeLessThan(1_500);
    } finally {
      await peer.stop();
    }
  });
});

/** One byte now and then, for as long as the peer listens. */
function drip(socket: import('node:net').Socket, bytes: Buffer): void {
  let index = 0;
  const timer = setInterval(() => socket.write(Buffer.from([bytes[index++] ?? 0])), 300);
  socket.on('close', () => clearInterval(timer));
}
