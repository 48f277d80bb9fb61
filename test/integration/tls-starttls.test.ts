import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tlsEndpointProbe } from '../../engine/probes/tls-endpoint.ts';
import { tlsImpostorProbe } from '../../engine/probes/tls-impostor.ts';
import { freePort, startDaemon, startPeer } from '../support/daemon.ts';
import { findProgram, needs } from '../support/debian.ts';
import { impostorOperator } from '../support/impostor-operator.ts';
import { errorOf, factsOf, probeContext } from '../support/probe.ts';
import { nmap, sorted } from '../support/scanners.ts';
import { createThrowawayCa, type IssuedFiles, type ThrowawayCa } from '../support/throwaway-ca.ts';

const NAME = 'dc.hospital.test';
let ca: ThrowawayCa;
let leaf: IssuedFiles;
beforeAll(async () => {
  ca = await createThrowawayCa();
  leaf = await ca.issue('dc', { commonName: NAME, sans: [NAME], usage: 'server', curve: 'rsa-2048' });
});
afterAll(() => ca.remove());

const context = (more = {}) =>
  probeContext({ site: { hosts: { [NAME]: '127.0.0.1' }, anchors: [{ id: 'root', pem: ca.root }] }, ...more });
const endpoint = (port: number) => ({ host: NAME, port, starttls: 'ldap' });

/** Starts slapd on a free port, with StartTLS where certificates are given. */
async function startSlapd(tls: boolean): Promise<{ port: number; ldaps: number; stop: () => Promise<void> }> {
  const [port, ldaps] = [await freePort(), await freePort()];
  const folder = join(ca.folder, `slapd-${port}`);
  await mkdir(folder);
  const lines = tls
    ? [
        `TLSCertificateFile ${leaf.certificate}`,
        `TLSCertificateKeyFile ${leaf.key}`,
        `TLSCACertificateFile ${ca.rootFile}`,
        // Debian's slapd is built with GnuTLS, where TLSProtocolMin has no effect.
        'TLSCipherSuite SECURE128:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3',
      ]
    : [];
  await writeFile(join(folder, 'slapd.conf'), [...lines, `pidfile ${folder}/pid`, ''].join('\n'));
  const daemon = await startDaemon(
    'slapd',
    [
      '-f',
      join(folder, 'slapd.conf'),
      '-h',
      `ldap://127.0.0.1:${port}${tls ? ` ldaps://127.0.0.1:${ldaps}` : ''}`,
      '-d',
      '0',
    ],
    { address: '127.0.0.1', port },
  );
  return { port, ldaps, stop: daemon.stop };
}

describe.skipIf(!needs('slapd'))('tls.endpoint after StartTLS on slapd', () => {
  it('sees versions and certificate as on a TLS port', async () => {
    const slapd = await startSlapd(true);
    try {
      const { facts } = await factsOf(tlsEndpointProbe, { endpoint: endpoint(slapd.port) }, context());
      expect(facts).toMatchObject({
        speaksTls: true,
        accepts: { tls10: false, tls11: false, tls12: true, tls13: true },
        chain: { trusted: true },
        name: { matches: true },
      });
      expect(facts.negotiated.version).toBe('TLS 1.3');
      // GnuTLS, of which every inquiry must be answered after StartTLS too.
      expect(facts).toMatchObject({ suiteOrder: 'client', secureRenegotiation: true, unknownName: 'same-certificate' });
      expect(facts.groups).toEqual(expect.arrayContaining(['X25519', 'P-256', 'P-384']));
    } finally {
      await slapd.stop();
    }
  });

  it.skipIf(!needs('nmap'))(
    'lists every suite of a server that hangs up instead of sending alerts, as nmap does',
    async () => {
      const slapd = await startSlapd(true);
      try {
        const direct = { host: NAME, port: slapd.ldaps };
        const [after, before] = [
          await factsOf(tlsEndpointProbe, { endpoint: endpoint(slapd.port), survey: 'full' }, context()),
          await factsOf(tlsEndpointProbe, { endpoint: direct, survey: 'full' }, context()),
        ];
        expect(sorted(before.facts.suites)).toEqual(await nmap(slapd.ldaps));
        expect(after.facts.suites).toEqual(before.facts.suites);
        expect(after.facts.signatures).toEqual(before.facts.signatures);
      } finally {
        await slapd.stop();
      }
    },
  );

  it('calls a server that refuses StartTLS one without TLS', async () => {
    const slapd = await startSlapd(false);
    try {
      const { facts } = await factsOf(tlsEndpointProbe, { endpoint: endpoint(slapd.port) }, context());
      expect(facts.speaksTls).toBe(false);
      expect(facts.clearText).toMatch(/^LDAP without StartTLS/);
    } finally {
      await slapd.stop();
    }
  });
});

describe('StartTLS that leads nowhere', () => {
  it('silence after StartTLS is an error', async () => {
    const peer = await startPeer(() => {});
    try {
      expect(await errorOf(tlsEndpointProbe, { endpoint: endpoint(peer.port) }, context())).toBe('probe.inconclusive');
    } finally {
      await peer.stop();
    }
  });

  it('a notice of disconnection is no word about TLS', async () => {
    const notice = Buffer.concat([
      Buffer.from('3024020100781f0a0134040004008a16', 'hex'),
      Buffer.from('1.3.6.1.4.1.1466.20036'),
    ]);
    const peer = await startPeer((socket) => socket.once('data', () => socket.end(notice)));
    try {
      expect(await errorOf(tlsEndpointProbe, { endpoint: endpoint(peer.port) }, context())).toBe('probe.inconclusive');
    } finally {
      await peer.stop();
    }
  });

  it('a server that says yes and then speaks no TLS is seen', async () => {
    const peer = await startPeer((socket) =>
      socket.on('data', (chunk: Buffer) =>
        socket.write(chunk[0] === 0x30 ? Buffer.from('300c02010178070a010004000400', 'hex') : 'HTTP/1.1 400 no\r\n'),
      ),
    );
    try {
      expect((await factsOf(tlsEndpointProbe, { endpoint: endpoint(peer.port) }, context())).facts.speaksTls).toBe(
        false,
      );
    } finally {
      await peer.stop();
    }
  });
});

describe.skipIf(!needs('ldapsearch'))('tls.impostor with ldapsearch as the device', () => {
  const device =
    (requireCertificate: string, ...more: string[]) =>
    (port: number) =>
      new Promise<void>((resolve) => {
        const args = [
          '-x',
          '-o',
          'nettimeout=3',
          '-l',
          '3',
          '-D',
          'cn=device',
          '-w',
          'geheim',
          '-H',
          `ldap://127.0.0.1:${port}`,
          '-b',
          '',
          '-s',
          'base',
          ...more,
        ];
        spawn(findProgram('ldapsearch') ?? 'ldapsearch', args, {
          stdio: 'ignore',
          env: { ...process.env, LDAPTLS_CACERT: ca.rootFile, LDAPTLS_REQCERT: requireCertificate },
        }).on('exit', () => resolve());
      });
  const params = {
    as: { host: NAME, port: 389, starttls: 'ldap' },
    listen: { address: '127.0.0.1', trigger: 'operator' },
    seconds: 8,
  };

  it('one that does not verify sends its password, of which only the length is kept', async () => {
    const { facts } = await factsOf(
      tlsImpostorProbe,
      params,
      context({ ask: impostorOperator(device('never', '-ZZ')) }),
    );
    expect(facts).toMatchObject({ spokeTls: true, refused: false, how: 'application-data' });
    expect(JSON.stringify(facts)).not.toContain('geheim');
  });

  it('one that binds without StartTLS is in clear', async () => {
    const { facts } = await factsOf(tlsImpostorProbe, params, context({ ask: impostorOperator(device('demand')) }));
    expect(facts).toMatchObject({ spokeTls: false, refused: false, how: 'clear-text' });
  });

  it('one that verifies does not send it', async () => {
    const { facts } = await factsOf(
      tlsImpostorProbe,
      params,
      context({ ask: impostorOperator(device('demand', '-ZZ')) }),
    );
    expect(facts).toMatchObject({ spokeTls: true, applicationBytes: 0 });
    expect(facts.refused).not.toBe(false);
  });
});
