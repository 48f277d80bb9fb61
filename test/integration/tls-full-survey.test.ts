import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tlsEndpointProbe } from '../../engine/probes/tls-endpoint.ts';
import { freePort, startDaemon } from '../support/daemon.ts';
import { needs } from '../support/debian.ts';
import { startNginx } from '../support/nginx.ts';
import { factsOf, probeContext, type SeenFacts } from '../support/probe.ts';
import { nmap, sorted, sslscan, sslscanSchemes } from '../support/scanners.ts';
import { createThrowawayCa, type IssuedFiles, type ThrowawayCa } from '../support/throwaway-ca.ts';

const NAME = 'emr.hospital.test';
let ca: ThrowawayCa;
let leaf: IssuedFiles;
let rsa: IssuedFiles;

beforeAll(async () => {
  ca = await createThrowawayCa();
  leaf = await ca.issue('leaf', { commonName: NAME, sans: [NAME], usage: 'server' });
  rsa = await ca.issue('rsa', { commonName: NAME, sans: [NAME], usage: 'server', curve: 'rsa-2048' });
});
afterAll(() => ca.remove());

const look = (port: number, more: Record<string, unknown> = {}): Promise<SeenFacts> =>
  factsOf(
    tlsEndpointProbe,
    { endpoint: { host: NAME, port }, survey: 'full', ...more },
    probeContext({ site: { hosts: { [NAME]: '127.0.0.1' }, anchors: [{ id: 'root', pem: ca.root }] } }),
  );

const server = async <T>(
  args: readonly string[],
  files: IssuedFiles,
  work: (port: number) => Promise<T>,
): Promise<T> => {
  const port = await freePort();
  const own = ['s_server', '-accept', `127.0.0.1:${port}`, '-cert', files.certificate, '-key', files.key, '-quiet'];
  const daemon = await startDaemon('openssl', [...own, ...args], { address: '127.0.0.1', port });
  try {
    return await work(port);
  } finally {
    await daemon.stop();
  }
};

describe.skipIf(!needs('nginx', 'openssl', 'nmap', 'sslscan'))('every suite of a server', () => {
  it.each([
    ['a weak nginx', ['ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;', 'ssl_ciphers ALL:COMPLEMENTOFALL:@SECLEVEL=0;']],
    ['an nginx as shipped', []],
  ])('agrees with nmap and sslscan: %s', async (_, directives) => {
    const nginx = await startNginx({ ...rsa, directives });
    try {
      const { facts } = await look(nginx.port);
      const ours = sorted(facts.suites);
      expect(ours).toEqual(await nmap(nginx.port));
      expect(ours).toEqual(await sslscan(nginx.port, NAME));
    } finally {
      await nginx.stop();
    }
  });

  // Debian's openssl does not speak SSL 3.0.
  it.each([['-tls1'], ['-tls1_1'], ['-tls1_2'], ['-tls1_3']])('agrees with nmap on a server with %s alone', (version) =>
    server([version, '-cipher', 'ALL:COMPLEMENTOFALL:@SECLEVEL=0'], rsa, async (port) => {
      const { facts, absent } = await look(port);
      expect(sorted(facts.suites)).toEqual(await nmap(port));
      expect(Object.values<string[]>(facts.suites).filter((suites) => suites.length === 0)).toHaveLength(4);
      expect(absent.filter(({ path }) => path.startsWith('suites'))).toEqual([]);
    }),
  );

  it('counts a weak suite that is rare', () =>
    server(
      ['-tls1_2', '-psk', '00112233', '-cipher', 'PSK-NULL-SHA:AES128-GCM-SHA256:@SECLEVEL=0'],
      rsa,
      async (port) => {
        expect((await look(port, { survey: 'essential' })).facts.acceptsWeakSuite).toBe(true);
        const { facts } = await look(port);
        expect(facts).toMatchObject({ acceptsWeakSuite: true, weakSuites: ['TLS_PSK_WITH_NULL_SHA'] });
        expect(facts.suites.tls12).toHaveLength(2);
      },
    ));

  it('says that a survey that was not asked for knows nothing', () =>
    server(['-tls1_2'], leaf, async (port) => {
      const { facts, absent } = await look(port, { survey: 'essential' });
      for (const path of ['suites', 'signatures', 'guideline', 'clientRenegotiation']) {
        expect(facts).not.toHaveProperty(path);
        expect(absent.find((fact) => fact.path === path)?.reason).toMatch(/essential/);
      }
    }));
});

describe.skipIf(!needs('nginx', 'openssl'))('whether a client may have the handshake anew', () => {
  it.each<[string, readonly string[], boolean | undefined]>([
    ['given', ['-tls1_2', '-www', '-client_renegotiation'], true],
    ['refused, as shipped', ['-tls1_2', '-www'], false],
    ['unknown where the server ends every connection', ['-tls1_2', '-client_renegotiation'], undefined],
    ['unknown in TLS 1.3, which has no such thing', ['-tls1_3'], undefined],
  ])('%s by openssl', (_, args, wanted) =>
    server(args, leaf, async (port) => {
      const { facts, absent } = await look(port);
      expect(facts.clientRenegotiation).toBe(wanted);
      expect(absent.some(({ path }) => path === 'clientRenegotiation')).toBe(wanted === undefined);
    }),
  );

  it('refused by nginx', async () => {
    const nginx = await startNginx({ ...leaf, directives: ['ssl_protocols TLSv1.2;'] });
    try {
      expect((await look(nginx.port)).facts.clientRenegotiation).toBe(false);
    } finally {
      await nginx.stop();
    }
  });
});

describe.skipIf(!needs('openssl', 'sslscan'))('with which schemes a server signs', () => {
  it.each([
    ['an RSA key', () => rsa],
    ['a P-256 key', () => leaf],
  ])('agrees with sslscan on %s', (_, files) =>
    server([], files(), async (port) => {
      const { facts } = await look(port);
      const theirs = await sslscanSchemes(port, NAME);
      expect(new Set(facts.signatures.tls13)).toEqual(new Set(theirs.tls13));
      // Of TLS 1.2 it finds some only.
      expect(facts.signatures.tls12).toEqual(expect.arrayContaining(theirs.tls12 ?? []));
      expect(facts.signatures.tls12.length).toBeGreaterThan(0);
    }),
  );

  it('sees one scheme, and none where the key exchange is not signed', async () => {
    await server(['-sigalgs', 'rsa_pss_rsae_sha384'], rsa, async (port) =>
      expect((await look(port)).facts.signatures).toEqual({
        tls12: ['rsa_pss_rsae_sha384'],
        tls13: ['rsa_pss_rsae_sha384'],
      }),
    );
    await server(['-tls1_2', '-cipher', 'AES128-GCM-SHA256'], rsa, async (port) => {
      const { facts, absent } = await look(port);
      expect(facts.signatures).toEqual({});
      expect(absent.find(({ path }) => path === 'signatures.tls12')?.reason).toMatch(/no key exchange was signed/);
      expect(absent.find(({ path }) => path === 'signatures.tls13')?.reason).toBe('TLS 1.3 is not accepted.');
    });
  });
});

describe.skipIf(!needs('openssl'))('how a server compares with the guideline', () => {
  it('meets the modern level, and names its edition', async () => {
    const notAfter = new Date(Date.now() + 60 * 86_400_000);
    const short = await ca.issue('short', { commonName: NAME, sans: [NAME], usage: 'server', notAfter });
    await server(['-tls1_3', '-groups', 'X25519:P-256'], short, async (port) => {
      const { facts } = await look(port);
      expect(facts.guideline).toMatchObject({ title: 'Mozilla server-side TLS', version: '6.0' });
      expect(facts.guideline.modern).toEqual({ meets: true, differences: [], undecided: [] });
      expect(facts.guideline.intermediate).toMatchObject({ meets: false, differences: ['TLS 1.2 is not accepted'] });
    });
  });

  it('lists what differs', () =>
    server(['-cipher', 'AES128-SHA:ECDHE+AESGCM', '-groups', 'P-256:P-521'], rsa, async (port) => {
      const { facts } = await look(port);
      expect(facts.guideline.intermediate.meets).toBe(false);
      expect(facts.guideline.intermediate.differences).toEqual(
        expect.arrayContaining([
          'TLS_RSA_WITH_AES_128_CBC_SHA is accepted in TLS 1.2',
          'P-521 is accepted for the key exchange',
        ]),
      );
    }));
});

describe.skipIf(!needs('openssl'))('a certificate that a device came with', () => {
  it('is known by its subject, or by what the guide lists', async () => {
    const sample = await ca.issue('sample', { commonName: 'localhost', sans: [NAME], usage: 'server' });
    await server([], sample, async (port) => {
      const { facts } = await look(port, { survey: 'essential' });
      expect(facts.sample).toMatchObject({ likely: true, reason: expect.stringContaining('localhost') });
    });
    await server([], leaf, async (port) => {
      const { facts } = await look(port, { survey: 'essential' });
      expect(facts.sample.likely).toBe(false);
      for (const digest of [facts.fingerprint, facts.publicKey]) {
        const listed = await look(port, { survey: 'essential', factory: [digest] });
        expect(listed.facts.sample, digest).toMatchObject({ likely: true, reason: expect.stringContaining('guide') });
      }
    });
  });
});
