import { execFile, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tlsClientAuthenticationProbe } from '../../engine/probes/tls-client-authentication.ts';
import { tlsEndpointProbe } from '../../engine/probes/tls-endpoint.ts';
import { tlsImpostorProbe } from '../../engine/probes/tls-impostor.ts';
import { buildClientHello } from '../../engine/wire/tls/client-hello.ts';
import { parseCertificates, parseFlight, parseServerHello } from '../../engine/wire/tls/flight.ts';
import { offeredVersions } from '../../engine/wire/tls/offered-versions.ts';
import { ORDINARY_SUITES, suiteName } from '../../engine/wire/tls/suites.ts';
import { freePort, startDaemon, startPeer } from '../support/daemon.ts';
import { startStorescp } from '../support/dcmtk.ts';
import { needs } from '../support/debian.ts';
import { impostorOperator } from '../support/impostor-operator.ts';
import { factsOf, probeContext, runProbe } from '../support/probe.ts';
import { createThrowawayCa, type IssuedFiles, type ThrowawayCa } from '../support/throwaway-ca.ts';

const run = promisify(execFile);
const NAME = 'pacs.hospital.test';
let ca: ThrowawayCa;
let leaf: IssuedFiles;
let good: IssuedFiles;

beforeAll(async () => {
  ca = await createThrowawayCa();
  leaf = await ca.issue('leaf', { commonName: NAME, sans: [NAME], usage: 'server', curve: 'rsa-2048' });
  good = await ca.issue('good', { commonName: 'device.test', usage: 'client', curve: 'rsa-2048' });
});
afterAll(() => ca.remove());

const site = () => ({
  hosts: { [NAME]: '127.0.0.1' },
  anchors: [{ id: 'root', pem: ca.root }],
  identities: [{ id: 'good', kind: 'good', certificate: good.certificate, key: good.key }],
});
const endpoint = (port: number) => ({ endpoint: { host: NAME, port } });
const serving = (port: number, ...more: string[]) =>
  startDaemon(
    'openssl',
    ['s_server', '-accept', `127.0.0.1:${port}`, '-cert', leaf.certificate, '-key', leaf.key, '-quiet', ...more],
    { address: '127.0.0.1', port },
  );

describe.skipIf(!needs('stunnel4', 'storescp', 'openssl'))('the TLS probes against servers of a hospital', () => {
  it('stunnel that insists on a client certificate, in front of anything', async () => {
    const [port, behind] = [await freePort(), await startPeer((socket) => void socket.write('hello'))];
    const conf = join(ca.folder, 'stunnel.conf');
    const lines = [
      'foreground = yes',
      'pid =',
      '[pacs]',
      `accept = 127.0.0.1:${port}`,
      `connect = 127.0.0.1:${behind.port}`,
    ];
    const files = [`cert = ${leaf.certificate}`, `key = ${leaf.key}`, `CAfile = ${ca.rootFile}`, 'verifyChain = yes'];
    await writeFile(conf, [...lines, ...files, 'sslVersionMin = TLSv1.2', ''].join('\n'));
    const stunnel = await startDaemon('stunnel4', [conf], { address: '127.0.0.1', port });
    try {
      const { facts } = await factsOf(tlsEndpointProbe, endpoint(port), probeContext({ site: site() }));
      expect(facts).toMatchObject({
        accepts: { tls10: false, tls11: false, tls12: true, tls13: true },
        chain: { trusted: true },
        name: { matches: true },
      });
      const insists = await factsOf(
        tlsClientAuthenticationProbe,
        { ...endpoint(port), identities: ['good'], application: { protocol: 'other' } },
        probeContext({ site: site() }),
      );
      expect(insists.facts).toMatchObject({ insists: true, refuses: { none: true, keyMismatch: true } });
    } finally {
      await stunnel.stop();
      await behind.stop();
    }
  });

  it.each([
    ['insists', [], true],
    ['does not', ['-ic'], false],
  ] as const)('storescp that %s on the certificate of whoever calls', async (_, more, insists) => {
    const storescp = await startStorescp(['+tls', leaf.key, leaf.certificate, '+cf', ca.rootFile, ...more]);
    try {
      const { facts } = await factsOf(
        tlsClientAuthenticationProbe,
        { ...endpoint(storescp.port), identities: ['good'], application: { protocol: 'dicom' } },
        probeContext({ site: site() }),
      );
      expect(facts.insists).toBe(insists);
    } finally {
      await storescp.stop();
    }
  });

  it.each([
    ['verifies', (root: string) => ['+cf', root], { refused: true, applicationBytes: 0 }],
    ['does not verify', () => ['-ic'], { refused: false, how: 'application-data' }],
  ] as const)('storescu as a device that %s, against the impostor', async (_, args, expected) => {
    const [dump, image] = [join(ca.folder, 'image.dump'), join(ca.folder, 'image.dcm')];
    const tags = ['(0008,0016) UI =SecondaryCaptureImageStorage', '(0008,0018) UI 1.2.3.4', '(0010,0010) PN TEST'];
    await writeFile(dump, `${tags.join('\n')}\n`);
    await run('dump2dcm', [dump, image]);
    const device = (port: number) =>
      new Promise<void>((resolve) => {
        const more = ['+tla', ...args(ca.rootFile), '-ta', '4', '127.0.0.1', String(port), image];
        spawn('storescu', more, { stdio: 'ignore' }).on('exit', () => resolve());
      });
    const { facts } = await factsOf(
      tlsImpostorProbe,
      { as: { host: NAME, port: 104 }, listen: { address: '127.0.0.1', trigger: 'operator' }, seconds: 8 },
      probeContext({ site: site(), ask: impostorOperator(device) }),
    );
    expect(facts).toMatchObject(expected);
  });
});

/** Passes bytes on to a real server and cuts the connection after so many of the server's. */
const cutAfter = (port: number, count: number) => (socket: Socket) => {
  const onward = connect({ host: '127.0.0.1', port });
  let left = count;
  onward.on('error', () => socket.destroy());
  onward.on('data', (chunk: Buffer) => {
    socket.write(chunk.subarray(0, left));
    left -= chunk.length;
    if (left <= 0) socket.end();
  });
  onward.on('close', () => socket.end());
  socket.on('close', () => onward.destroy());
  socket.on('data', (chunk: Buffer) => void onward.write(chunk));
};

describe.skipIf(!needs('openssl')).concurrent('a server that breaks off', () => {
  let port: number;
  let stop: () => Promise<void>;
  beforeAll(async () => {
    port = await freePort();
    const daemon = await serving(port, '-Verify', '1', '-CAfile', ca.rootFile);
    stop = () => daemon.stop();
  });
  afterAll(() => stop());

  // Before the record header, inside it, inside ServerHello, after it, inside Certificate, and near the end of the flight.
  it.each([1, 4, 30, 130, 700, 1100])('after %i bytes of each handshake proves nothing', async (count) => {
    const relay = await startPeer(cutAfter(port, count));
    try {
      const seen = await runProbe(tlsEndpointProbe, endpoint(relay.port), probeContext({ site: site() }));
      if (seen.ok) {
        expect(seen.value.facts.negotiated).toBeUndefined();
        expect(seen.value.facts.chain?.trusted).not.toBe(true);
        // What was cut off is named.
        expect(seen.value.absent.map(({ path }) => path)).toEqual(expect.arrayContaining(['negotiated']));
      } else expect(seen.error.code).toMatch(/^(probe\.inconclusive|tls\.|tcp\.)/);
      const insists = await runProbe(
        tlsClientAuthenticationProbe,
        { ...endpoint(relay.port), identities: ['good'], application: { protocol: 'other' } },
        probeContext({ site: site() }),
      );
      if (insists.ok) expect(insists.value.facts.insists).toBeUndefined();
      else expect(insists.error.code).toMatch(/^(probe\.inconclusive|tls\.|tcp\.)/);
    } finally {
      await relay.stop();
    }
  });

  it('sends without end, and is left', async () => {
    let sent = 0;
    const flood = await startPeer((socket) => {
      // A record that is as long as one may be, over and over, as for a gigabyte.
      const record = Buffer.concat([Buffer.from([22, 3, 3, 0x40, 0]), Buffer.alloc(0x4000, 2)]);
      const more = (): void => {
        while (!socket.destroyed && sent < 2 ** 30) {
          sent += record.length;
          if (!socket.write(record)) return void socket.once('drain', more);
        }
      };
      socket.on('error', () => {});
      more();
    });
    try {
      const seen = await runProbe(tlsEndpointProbe, endpoint(flood.port), probeContext({ site: site() }));
      expect(seen).toMatchObject({ ok: false, error: { code: 'probe.inconclusive' } });
      expect(sent).toBeLessThan(2 ** 28);
    } finally {
      await flood.stop();
    }
  });
});

describe.skipIf(!needs('openssl'))('our codec against what openssl sends', () => {
  it.each([
    [['-tls1_2'], ['TLS 1.2']],
    [['-tls1_3'], ['TLS 1.3']],
    [[], ['TLS 1.3', 'TLS 1.2', 'TLS 1.1', 'TLS 1.0']],
  ])('reads the ClientHello of s_client %j', async (args, versions) => {
    const first = await new Promise<Buffer>((resolve) => {
      void startPeer((socket) => {
        socket.once('data', (bytes: Buffer) => {
          resolve(bytes);
          socket.end();
        });
      }).then(async ({ port, stop }) => {
        const client = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args], { stdio: 'ignore' });
        client.on('exit', () => void stop());
      });
    });
    expect(offeredVersions(first)).toEqual(versions);
  });

  it('reads the flight of s_server as s_client does', async () => {
    const port = await freePort();
    const daemon = await serving(port, '-tls1_2');
    try {
      const flight = await new Promise<Buffer>((resolve, reject) => {
        const parts: Buffer[] = [];
        const socket = connect({ host: '127.0.0.1', port }, () => {
          socket.write(buildClientHello('TLS 1.2', ORDINARY_SUITES, NAME).bytes);
        });
        socket.on('error', reject);
        socket.on('data', (chunk: Buffer) => {
          parts.push(chunk);
          const read = parseFlight(Buffer.concat(parts));
          // ServerHelloDone
          if (read.kind === 'flight' && read.flight.messages.some(({ type }) => type === 14)) {
            socket.destroy();
            resolve(Buffer.concat(parts));
          }
        });
      });
      const read = parseFlight(flight);
      if (read.kind !== 'flight') throw new Error(read.kind);
      const [hello, certificate] = read.flight.messages;
      const parsed = parseServerHello(hello?.body ?? Buffer.alloc(0));
      const chain = parseCertificates(certificate?.body ?? Buffer.alloc(0));
      const names = ORDINARY_SUITES.map(suiteName);
      const { stdout } = await run('sh', [
        '-c',
        `openssl s_client -connect 127.0.0.1:${port} -tls1_2 -showcerts </dev/null 2>/dev/null`,
      ]);
      const presented = [...stdout.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END/g)].map(([, text = '']) =>
        Buffer.from(text, 'base64'),
      );
      expect(parsed?.version).toBe(0x0303);
      expect(names).toContain(suiteName(parsed?.suite ?? 0));
      expect(chain?.map((der) => der.toString('hex'))).toEqual(presented.map((der) => der.toString('hex')));
    } finally {
      await daemon.stop();
    }
  });
});
