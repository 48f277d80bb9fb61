import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { httpRequestProbe } from '../../engine/probes/http-request.ts';
import { tcpPortsProbe } from '../../engine/probes/tcp-ports.ts';
import { freePort, startPeer, startSilentPort } from '../support/daemon.ts';
import { needs } from '../support/debian.ts';
import { startNginx } from '../support/nginx.ts';
import { errorOf, factsOf, probeContext } from '../support/probe.ts';
import { createThrowawayCa, type ThrowawayCa } from '../support/throwaway-ca.ts';

const NAME = 'device.hospital.test';
let ca: ThrowawayCa;
beforeAll(async () => {
  ca = await createThrowawayCa();
});
afterAll(() => ca.remove());
const context = (more = {}) =>
  probeContext({
    site: {
      hosts: { [NAME]: '127.0.0.1' },
      anchors: [
        { id: 'root', pem: ca.root },
        { id: 'other', pem: ca.ca.roots.engineer },
      ],
    },
    ...more,
  });

describe.skipIf(!needs('nginx'))('http.request against nginx', () => {
  it('reads an answer over verified TLS, and names what is wrong with one that is not', async () => {
    const good = await ca.issue('good', { commonName: NAME, sans: [NAME], usage: 'server' });
    const nginx = await startNginx({
      ...good,
      directives: [
        'ssl_protocols TLSv1.2 TLSv1.3;',
        'add_header Strict-Transport-Security max-age=1; add_header Set-Cookie sid=secret;',
        'location /old { return 301 https://elsewhere.test/new?session=1; }',
      ],
    });
    const url = `https://${NAME}:${nginx.port}/api/version`;
    try {
      const { facts } = await factsOf(httpRequestProbe, { url }, context());
      expect(facts).toMatchObject({
        status: 200,
        tls: true,
        tlsVersion: 'TLS 1.3',
        json: { product: 'test', version: '3.3.1' },
        mediaType: 'application/json',
      });
      expect(facts.headers['strict-transport-security']).toBe('max-age=1');
      expect(JSON.stringify(facts)).not.toContain('secret');
      expect(Math.abs(Date.parse(facts.date) - Date.now())).toBeLessThan(5_000);
      const redirect = await factsOf(httpRequestProbe, { url: url.replace('/api/version', '/old') }, context());
      expect(redirect.facts).toMatchObject({ status: 301, location: 'https://elsewhere.test/new' });
      expect(await errorOf(httpRequestProbe, { url, anchors: ['other'] }, context())).toBe('tls.chain');
      expect(await errorOf(httpRequestProbe, { url: url.replace(NAME, '127.0.0.1') }, context())).toBe('tls.name');
      expect(
        await errorOf(
          httpRequestProbe,
          { url: url.replace('https', 'http').replace('/api', '//x'), credential: { user: 'a', secret: 's' } },
          context({ secrets: { s: 'p' } }),
        ),
      ).toBe('input.malformed');
      expect(await errorOf(httpRequestProbe, { url, credential: { user: 'a', secret: 's' } }, context())).toBe(
        'secret.missing',
      );
    } finally {
      await nginx.stop();
    }
  });

  it('names an expired certificate, and TLS towards a clear-text port', async () => {
    const expired = await ca.issue('expired', {
      commonName: NAME,
      sans: [NAME],
      usage: 'server',
      notBefore: new Date('2020-01-01'),
      notAfter: new Date('2021-01-01'),
    });
    const nginx = await startNginx(expired);
    const clear = await startNginx({});
    try {
      expect(await errorOf(httpRequestProbe, { url: `https://${NAME}:${nginx.port}/` }, context())).toBe('tls.expired');
      expect(await errorOf(httpRequestProbe, { url: `https://${NAME}:${clear.port}/` }, context())).toBe(
        'tls.not-spoken',
      );
      expect(
        (await factsOf(httpRequestProbe, { url: `http://${NAME}:${clear.port}/` }, context())).facts,
      ).toMatchObject({ status: 200, tls: false });
    } finally {
      await nginx.stop();
      await clear.stop();
    }
  });
});

describe.concurrent('http.request against peers that misbehave', () => {
  it.each([
    ['hangs', () => {}, 'probe.deadline'],
    ['closes at once', (socket: import('node:net').Socket) => socket.end(), /^(http\.protocol|tcp\.reset)$/],
    [
      'speaks another protocol',
      (socket: import('node:net').Socket) => void socket.write('SSH-2.0-x\r\n'),
      'http.protocol',
    ],
    [
      'stops in the middle',
      (socket: import('node:net').Socket) =>
        void socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{')),
      'http.protocol',
    ],
    [
      'drips',
      (socket: import('node:net').Socket) => void socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nX-')),
      'probe.deadline',
    ],
  ])('one that %s is an error', async (_, behave, code) => {
    const peer = await startPeer(behave);
    try {
      expect(
        await errorOf(
          httpRequestProbe,
          { url: `http://${NAME}:${peer.port}/` },
          context({ signal: AbortSignal.timeout(1_500) }),
        ),
      ).toMatch(code);
    } finally {
      await peer.stop();
    }
  });

  it('a body without end is cut off and not called complete', async () => {
    const peer = await startPeer((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n');
        const more = (): void => {
          while (socket.writable && socket.write('x'.repeat(65_536)));
        };
        socket.on('drain', more);
        more();
      });
    });
    try {
      const { facts, absent } = await factsOf(httpRequestProbe, { url: `http://${NAME}:${peer.port}/` }, context());
      expect(facts.status).toBe(200);
      expect(facts.bytes).toBeUndefined();
      expect(absent.map((fact) => fact.path)).toEqual(expect.arrayContaining(['bytes', 'json', 'text']));
    } finally {
      await peer.stop();
    }
  });
});

describe('tcp.ports', () => {
  it('tells open from closed, and closes what it opened', async () => {
    const peer = await startPeer((socket) => void socket.on('end', () => socket.end()));
    const closed = await freePort();
    try {
      const seen = context();
      const { facts } = await factsOf(tcpPortsProbe, { host: NAME, ports: [closed, peer.port, peer.port] }, seen);
      expect(facts).toEqual({
        host: NAME,
        tested: [closed, peer.port],
        open: [peer.port],
        closed: [closed],
        filtered: [],
      });
      expect(seen.connections()).toBe(2);
      expect(peer.connections()).toBe(1);
    } finally {
      await peer.stop();
    }
  });

  it('tells a silent port from a closed one, and says nothing about a host that never answers', async () => {
    const silent = await startSilentPort();
    const closed = await freePort();
    try {
      const { facts } = await factsOf(tcpPortsProbe, { host: NAME, ports: [silent.port, closed] }, context());
      expect(facts).toMatchObject({ open: [], closed: [closed], filtered: [silent.port] });
      expect(await errorOf(tcpPortsProbe, { host: NAME, ports: [silent.port] }, context())).toBe('tcp.timeout');
    } finally {
      await silent.stop();
    }
  });

  it('ends with the deadline', async () => {
    const peer = await startPeer(() => {});
    try {
      expect(
        await errorOf(tcpPortsProbe, { host: NAME, ports: [peer.port] }, context({ signal: AbortSignal.abort() })),
      ).toBe('probe.cancelled');
    } finally {
      await peer.stop();
    }
  });
});
