import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ocspRequest } from '../../engine/keys/ocsp.ts';
import { readCertificatesPem } from '../../engine/keys/read-certificate.ts';
import { tlsEndpointProbe } from '../../engine/probes/tls-endpoint.ts';
import { freePort, startDaemon } from '../support/daemon.ts';
import { needs } from '../support/debian.ts';
import { startNginx } from '../support/nginx.ts';
import { factsOf, probeContext, type SeenFacts } from '../support/probe.ts';
import { startStatusAuthority } from '../support/status-authority.ts';
import { createThrowawayCa, type IssuedFiles, type ThrowawayCa } from '../support/throwaway-ca.ts';

const NAME = 'emr.hospital.test';
let ca: ThrowawayCa;
let leaf: IssuedFiles;
let second: IssuedFiles;

beforeAll(async () => {
  ca = await createThrowawayCa();
  leaf = await ca.issue('leaf', { commonName: NAME, sans: [NAME], usage: 'server' });
  second = await ca.issue('second', { commonName: NAME, sans: [NAME], usage: 'server' });
});
afterAll(() => ca.remove());

const look = (port: number): Promise<SeenFacts> =>
  factsOf(
    tlsEndpointProbe,
    { endpoint: { host: NAME, port } },
    probeContext({ site: { hosts: { [NAME]: '127.0.0.1' }, anchors: [{ id: 'root', pem: ca.root }] } }),
  );
const why = ({ absent }: SeenFacts, path: string): string | undefined =>
  absent.find((fact) => fact.path === path)?.reason;

describe.skipIf(!needs('nginx', 'openssl'))('what else a TLS server offers: nginx', () => {
  const server = async (...directives: string[]): Promise<SeenFacts> => withLeaf(leaf, directives);
  const withLeaf = async (files: IssuedFiles, directives: readonly string[]): Promise<SeenFacts> => {
    const nginx = await startNginx({ ...files, directives });
    try {
      return await look(nginx.port);
    } finally {
      await nginx.stop();
    }
  };

  it("sees the server's own order, two groups, no tickets", async () => {
    const { facts } = await server(
      'ssl_protocols TLSv1.2 TLSv1.3;',
      'ssl_ecdh_curve X25519:secp384r1;',
      'ssl_prefer_server_ciphers on;',
      'ssl_session_tickets off;',
    );
    expect(facts).toMatchObject({
      suiteOrder: 'server',
      groups: ['X25519', 'P-384'],
      alpn: ['http/1.1'],
      compression: false,
      sessionTickets: false,
      secureRenegotiation: true,
      extendedMasterSecret: true,
      stapled: false,
      unknownName: 'same-certificate',
    });
  });

  it("sees the client's order, one group of TLS 1.2, tickets", async () => {
    const rsa = await ca.issue('nginx-rsa', { commonName: NAME, sans: [NAME], usage: 'server', curve: 'rsa-2048' });
    const { facts } = await withLeaf(rsa, [
      'ssl_protocols TLSv1.2;',
      'ssl_ecdh_curve prime256v1;',
      'ssl_prefer_server_ciphers off;',
    ]);
    expect(facts).toMatchObject({ suiteOrder: 'client', groups: ['P-256'], sessionTickets: true });
  });

  it('sees a stapled OCSP answer', async () => {
    const authority = await startStatusAuthority(
      ca,
      await ca.issue('responder', { commonName: 'OCSP', usage: 'ocsp-signing' }),
    );
    await authority.setEntries([leaf]);
    const [read, issuer] = [leaf.certificatePem, ca.root].map((pem) => readCertificatesPem(pem));
    if (read?.ok !== true || issuer?.ok !== true) throw new Error('no certificate');
    const staple = join(ca.folder, 'staple.der');
    const [one, above] = [read.value[0], issuer.value[0]];
    if (one === undefined || above === undefined) throw new Error('no certificate');
    await writeFile(staple, await authority.answer(ocspRequest(one, above)));
    await authority.stop();
    const { facts } = await server('ssl_stapling on;', `ssl_stapling_file ${staple};`);
    expect(facts.stapled).toBe(true);
  });
});

describe.skipIf(!needs('openssl'))('what else a TLS server offers: openssl s_server', () => {
  const server = async (...args: string[]): Promise<SeenFacts> => {
    const port = await freePort();
    const own = ['s_server', '-accept', `127.0.0.1:${port}`, '-cert', leaf.certificate, '-key', leaf.key, '-quiet'];
    const daemon = await startDaemon('openssl', [...own, ...args], { address: '127.0.0.1', port });
    try {
      return await look(port);
    } finally {
      await daemon.stop();
    }
  };
  const named = (): string[] => ['-servername', NAME, '-cert2', second.certificate, '-key2', second.key];

  it('says that one suite has no order, and that nobody asked a TLS 1.3 server about TLS 1.2', async () => {
    const one = await server('-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256', '-groups', 'P-521:P-256');
    expect(one.facts.suiteOrder).toBeUndefined();
    expect(why(one, 'suiteOrder')).toMatch(/One suite only/);
    // The certificate is of P-256, and TLS 1.2 binds both to one list.
    expect(one.facts.groups).toBeUndefined();
    expect(why(one, 'groups')).toMatch(/accepted: P-256.*without its certificate's curve/);
    const other = await server('-tls1_2', '-groups', 'P-521:P-256', ...(await rsa()));
    // The client's order counts, and P-256 comes first in ours.
    expect(other.facts.groups).toEqual(['P-256', 'P-521']);
    const modern = await server('-tls1_3', '-groups', 'X448:ffdhe2048');
    expect(new Set(modern.facts.groups)).toEqual(new Set(['X448', 'ffdhe2048']));
    expect(modern.facts.compression).toBe(false);
    for (const path of ['suiteOrder', 'alpn', 'sessionTickets', 'secureRenegotiation', 'extendedMasterSecret'])
      expect(why(modern, path), path).toBe('TLS 1.2 is not accepted.');
  });

  it('says where there are no groups at all', async () => {
    const seen = await server('-tls1_2', '-cipher', 'AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256', ...(await rsa()));
    expect(seen.facts.groups).toBeUndefined();
    expect(why(seen, 'groups')).toMatch(/No group was chosen in TLS 1.2: the alert handshake_failure/);
  });

  it.each([
    ['h2,http/1.1', ['h2', 'http/1.1']],
    ['h2', ['h2']],
    ['x-other', []],
  ])('sees the application protocols %s', async (alpn, expected) => {
    expect((await server('-tls1_2', '-alpn', alpn)).facts.alpn).toEqual(expected);
  });

  it.each([
    ['other-certificate', []],
    ['refused', ['-servername_fatal']],
  ])('gives the name of nobody: %s', async (expected, more) => {
    const { facts } = await server(...named(), ...more);
    expect(facts.unknownName).toBe(expected);
    expect(facts.chain.trusted).toBe(true);
  });

  async function rsa(): Promise<string[]> {
    const old = await ca.issue('rsa', { commonName: NAME, sans: [NAME], usage: 'server', curve: 'rsa-2048' });
    return ['-cert', old.certificate, '-key', old.key];
  }
});
