import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { createServer as createHttpsServer } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tlsImpostorProbe } from '../../engine/probes/tls-impostor.ts';
import { freePort } from '../support/daemon.ts';
import { needs } from '../support/debian.ts';
import { impostorOperator } from '../support/impostor-operator.ts';
import { errorOf, factsOf, probeContext, type SeenFacts } from '../support/probe.ts';
import { createThrowawayCa, type ThrowawayCa } from '../support/throwaway-ca.ts';

const NAME = 'emr.hospital.test';
let ca: ThrowawayCa;
beforeAll(async () => {
  ca = await createThrowawayCa();
});
afterAll(() => ca.remove());

const context = (device: (port: number) => Promise<unknown>, site = {}) =>
  probeContext({
    ask: impostorOperator(device),
    site: { anchors: [{ id: 'root', pem: ca.root }], hosts: { 'device.test': '127.0.0.1' }, ...site },
    secrets: { 'device-api': 'geheim' },
  });
const params = (more = {}) => ({
  as: { host: NAME, port: 2575 },
  listen: { address: '127.0.0.1', trigger: 'operator' },
  seconds: 5,
  ...more,
});

const run = (program: string, args: readonly string[], input = ''): Promise<number> =>
  new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'] });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    child.on('exit', (code) => resolve(code ?? -1));
  });
const curl = (port: number, ...more: string[]): Promise<number> =>
  run('curl', [
    '-s',
    '--max-time',
    '4',
    '--resolve',
    `${NAME}:${port}:127.0.0.1`,
    '--cacert',
    ca.rootFile,
    '-d',
    'secret=1',
    ...more,
    `https://${NAME}:${port}/`,
  ]);

describe.skipIf(!needs('curl')).concurrent('tls.impostor with curl as the device', () => {
  it.each(['--tls-max 1.2', '--tlsv1.3'])('a device that verifies refuses (%s)', async (version) => {
    const { facts } = await factsOf(
      tlsImpostorProbe,
      params(),
      context((port) => curl(port, ...version.split(' '))),
    );
    expect(facts).toMatchObject({
      connected: true,
      spokeTls: true,
      applicationBytes: 0,
      refused: true,
      how: 'alert',
      alert: 'unknown_ca',
    });
  });

  it('a device that does not verify falls for it', async () => {
    const { facts } = await factsOf(
      tlsImpostorProbe,
      params(),
      context((port) => curl(port, '-k')),
    );
    expect(facts).toMatchObject({
      connected: true,
      spokeTls: true,
      handshakeCompleted: true,
      refused: false,
      how: 'application-data',
    });
    expect(facts.applicationBytes).toBeGreaterThan(50);
  });

  it('a device that sends in clear text falls for it', async () => {
    const { facts } = await factsOf(
      tlsImpostorProbe,
      params(),
      context((port) => run('curl', ['-s', '--max-time', '2', '-d', 'secret=1', `http://127.0.0.1:${port}/`])),
    );
    expect(facts).toMatchObject({ connected: true, spokeTls: false, refused: false, how: 'clear-text' });
  });
});

describe.skipIf(!needs('curl', 'openssl')).concurrent("tls.impostor with certificates of the hospital's CA", () => {
  const KINDS = ['good', 'wrong-name', 'expired', 'revoked'] as const;
  let identities: { id: string; kind: string; certificate: string; key: string }[];
  let crl: string;

  beforeAll(async () => {
    const own = { commonName: NAME, sans: [NAME], usage: 'server' } as const;
    const past = { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') };
    const other = { commonName: 'other.test', sans: ['other.test'] };
    const made = await Promise.all([
      ca.issue('imp-good', own),
      ca.issue('imp-wrong-name', { ...own, ...other }),
      ca.issue('imp-expired', { ...own, ...past }),
      ca.issue('imp-revoked', own),
    ]);
    identities = made.map(({ certificate, key }, index) => ({
      id: KINDS[index] ?? '',
      kind: `server-${KINDS[index]}`,
      certificate,
      key,
    }));
    crl = join(ca.folder, 'impostor.crl');
    const revoked = [{ serialNumber: made[3].serialNumber, at: new Date(Date.now() - 60_000) }];
    await writeFile(crl, await ca.ca.crl({ revoked }));
  });
  const look = (ids: readonly string[], device: (port: number) => Promise<unknown>, after?: () => Promise<unknown>) =>
    factsOf(
      tlsImpostorProbe,
      { ...params(), listen: { address: '127.0.0.1', trigger: 'operator', identities: ids } },
      probeContext({
        ask: impostorOperator(device, after),
        site: { anchors: [{ id: 'root', pem: ca.root }], identities },
      }),
    );
  const outcomes = ({ facts }: SeenFacts) =>
    Object.fromEntries(facts.trials.map(({ presents, outcome }: Record<string, string>) => [presents, outcome]));

  it('sees a device that refuses each of them, beside one that it takes', async () => {
    const seen = await look(KINDS, (port) => curl(port, '--crlfile', crl));
    expect(seen.facts.control).toMatchObject({ identity: 'good', outcome: 'application-data' });
    expect(seen.facts.refuses).toEqual({ unknownCa: true, wrongName: true, expired: true, revoked: true });
    expect(seen.facts).toMatchObject({ refused: true, restored: true });
    expect(seen.facts.applicationBytes).toBe(0);
  });

  it('finds the one that it falls for', async () => {
    // Without a CRL, curl cannot know what was revoked.
    const revoked = await look(KINDS, (port) => curl(port));
    expect(outcomes(revoked)).toMatchObject({ 'unknown-ca': 'refused', 'wrong-name': 'refused', revoked: 'accepted' });
    expect(revoked.facts).toMatchObject({ refused: false, how: 'application-data' });
    // Chain without name: what many devices do.
    const named = await look(['good', 'wrong-name'], (port) =>
      run(
        'openssl',
        ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', ca.rootFile, '-verify_return_error', '-quiet'],
        'MSH|x',
      ),
    );
    expect(outcomes(named)).toMatchObject({ 'unknown-ca': 'refused', 'wrong-name': 'accepted', expired: 'not-tested' });
    expect(named.absent.find(({ path }) => path === 'refuses.expired')?.reason).toMatch(/Ask the hospital's CA/);
  });

  it('takes no refusal for proof where the good one is refused, too, or there is none', async () => {
    const refusesAll = await look(['good', 'expired'], (port) =>
      curl(port, '--pinnedpubkey', `sha256//${'A'.repeat(43)}=`),
    );
    expect(refusesAll.facts.control.outcome).not.toBe('application-data');
    expect(outcomes(refusesAll).expired).toBe('not-tested');
    const without = await look(['expired'], (port) => curl(port));
    expect(outcomes(without)).toMatchObject({ 'unknown-ca': 'refused', expired: 'not-tested' });
    expect(without.facts.refused).toBe(true);
  });

  it('sees a device that was not set back', async () => {
    let last = 0;
    const device = (port: number) => curl((last = port));
    const { facts } = await look([], device, () => device(last));
    expect(facts.restored).toBe(false);
  });

  it('leaves a device alone that nobody says is free, and a client identity out', async () => {
    let questions = 0;
    const busy = probeContext({ ask: async () => ++questions > 1, site: { identities } });
    expect(await errorOf(tlsImpostorProbe, params(), busy)).toBe('probe.cancelled');
    expect(questions).toBe(1);
    const client = { ...identities[0], id: 'client', kind: 'good' };
    const wrong = probeContext({ site: { identities: [client] } });
    const listen = { address: '127.0.0.1', trigger: 'operator', identities: ['client'] };
    expect(await errorOf(tlsImpostorProbe, { ...params(), listen }, wrong)).toBe('site.invalid');
  });
});

describe.skipIf(!needs('openssl'))('tls.impostor with openssl s_client as the device', () => {
  it('a device that verifies while shaking hands refuses', async () => {
    const { facts } = await factsOf(
      tlsImpostorProbe,
      params(),
      context((port) =>
        run(
          'openssl',
          ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', ca.rootFile, '-verify_return_error', '-quiet'],
          'MSH|secret',
        ),
      ),
    );
    expect(facts).toMatchObject({ spokeTls: true, handshakeCompleted: false, refused: true, how: 'alert' });
  });

  it('one without verification falls for it', async () => {
    const { facts } = await factsOf(
      tlsImpostorProbe,
      params(),
      context((port) => run('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-quiet'], 'MSH|secret')),
    );
    expect(facts).toMatchObject({ refused: false, how: 'application-data', applicationBytes: 10 });
  });
});

/** Confirms that the device is free, and then is gone. */
const deaf = (question: string): Promise<boolean> =>
  question.includes('port ') ? new Promise(() => {}) : Promise.resolve(true);

describe.concurrent('tls.impostor decides nothing without proof', () => {
  const connectOnly = (port: number) =>
    new Promise<void>((resolve) => {
      const socket = connectTcp(port, '127.0.0.1', () => socket.end());
      socket.on('close', () => resolve());
    });
  const lateRefusal = (port: number) =>
    new Promise<void>((resolve) => {
      const socket = connectTls({ host: '127.0.0.1', port, servername: NAME, ca: ca.root });
      socket.on('error', () => {});
      socket.on('close', () => resolve());
    });

  it.each([
    ['nobody connects', () => Promise.resolve(), { connected: false }],
    ['the device only opens a connection', connectOnly, { connected: true, applicationBytes: 0 }],
    [
      'the device hangs up without a word after the handshake',
      lateRefusal,
      { connected: true, spokeTls: true, applicationBytes: 0 },
    ],
  ])('when %s', async (_, device, expected) => {
    const { facts, absent } = await factsOf(tlsImpostorProbe, params(), context(device));
    expect(facts).toMatchObject(expected);
    expect(facts.refused).toBeUndefined();
    expect(absent.map((fact) => fact.path)).toContain('refused');
  });

  it('when the operator declines, or nothing happens in time', async () => {
    const declining = probeContext({ ask: () => Promise.resolve(false) });
    expect(await errorOf(tlsImpostorProbe, params(), declining)).toBe('probe.cancelled');
    const waiting = probeContext({ ask: deaf });
    const { facts } = await factsOf(tlsImpostorProbe, params({ seconds: 1 }), waiting);
    expect(facts.connected).toBe(false);
  });

  it('and stops listening when cancelled', async () => {
    const port = await freePort();
    const cancelled = probeContext({ ask: deaf, signal: AbortSignal.timeout(400) });
    expect(
      await errorOf(
        tlsImpostorProbe,
        params({ listen: { address: '127.0.0.1', port, trigger: 'operator' } }),
        cancelled,
      ),
    ).toBe('probe.deadline');
    await expect(
      new Promise((resolve, reject) => connectTcp(port, '127.0.0.1', () => resolve('open')).on('error', reject)),
    ).rejects.toThrow('ECONNREFUSED');
  });

  it('and says when it cannot listen', async () => {
    expect(
      await errorOf(
        tlsImpostorProbe,
        params({ listen: { address: '203.0.113.1', trigger: 'operator' } }),
        probeContext(),
      ),
    ).toBe('input.malformed');
  });
});

describe("tls.impostor with the device's own API as the trigger", () => {
  it.each([
    [true, true, { refused: true, how: 'closed-without-data', applicationBytes: 0 }],
    // Without a certificate that it takes, a device that hangs up may only have tried the connection.
    [true, false, { connected: true, applicationBytes: 0 }],
    [false, false, { refused: false, how: 'application-data' }],
  ])('a device with verification %s, with a good identity %s', async (verifies, control, expected) => {
    const own = await ca.issue('api-good', { commonName: NAME, sans: [NAME], usage: 'server' });
    const identities = [{ id: 'own', kind: 'server-good', certificate: own.certificate, key: own.key }];
    const leaf = await ca.issue('api', { commonName: 'device.test', sans: ['device.test'], usage: 'server' });
    let authorization: string | undefined;
    const api = createHttpsServer({ cert: leaf.chainPem, key: leaf.keyPem }, (request, response) => {
      authorization = request.headers.authorization;
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const target = JSON.parse(body) as { host: string; port: number };
        // A simulated device: switching verification off is its fault, which the probe must find.
        const socket = connectTls(
          { host: target.host, port: target.port, servername: NAME, ca: ca.root, rejectUnauthorized: verifies },
          () => socket.write('MSH|secret'),
        );
        socket.on('error', () => {});
        socket.on('close', () => response.end(JSON.stringify({ sent: !verifies })));
      });
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    const url = `https://device.test:${(api.address() as { port: number }).port}/api/test-message`;
    try {
      const listen = {
        address: '127.0.0.1',
        trigger: { url, credential: { user: 'service', secret: 'device-api' } },
        identities: control ? ['own'] : [],
      };
      const { facts } = await factsOf(
        tlsImpostorProbe,
        params({ listen }),
        context(() => Promise.resolve(), { identities }),
      );
      expect(facts).toMatchObject(expected);
      expect('refused' in facts).toBe('refused' in expected);
      expect(authorization).toBe(`Basic ${Buffer.from('service:geheim').toString('base64')}`);
      expect(JSON.stringify(facts)).not.toContain('geheim');
    } finally {
      api.close();
    }
  });

  it('fails where the API does', async () => {
    const listen = { address: '127.0.0.1', trigger: { url: `https://device.test:${await freePort()}/x` } };
    expect(
      await errorOf(
        tlsImpostorProbe,
        params({ listen }),
        context(() => Promise.resolve()),
      ),
    ).toBe('tcp.refused');
  });
});
