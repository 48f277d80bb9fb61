import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dicomEchoProbe } from '../../engine/probes/dicom-echo.ts';
import { httpRequestProbe } from '../../engine/probes/http-request.ts';
import { tlsImpostorProbe } from '../../engine/probes/tls-impostor.ts';
import { freePort, startPeer } from '../support/daemon.ts';
import { runEchoscu, startStorescp } from '../support/dcmtk.ts';
import { needs } from '../support/debian.ts';
import { impostorOperator } from '../support/impostor-operator.ts';
import { startOrthanc } from '../support/orthanc.ts';
import { errorOf, factsOf, probeContext } from '../support/probe.ts';
import { createThrowawayCa, type IssuedFiles, type ThrowawayCa } from '../support/throwaway-ca.ts';

const NAME = 'pacs.hospital.test';
let ca: ThrowawayCa;
let server: IssuedFiles;
let device: IssuedFiles;

beforeAll(async () => {
  ca = await createThrowawayCa();
  server = await ca.issue('server', { commonName: NAME, sans: [NAME], usage: 'server', curve: 'rsa-2048' });
  device = await ca.issue('device', {
    commonName: 'device.test',
    sans: ['device.test'],
    usage: 'client',
    curve: 'rsa-2048',
  });
});
afterAll(() => ca.remove());

const context = (more = {}) =>
  probeContext({
    site: {
      hosts: { [NAME]: '127.0.0.1' },
      anchors: [{ id: 'root', pem: ca.root }],
      identities: [{ id: 'good', kind: 'good', certificate: device.certificate, key: device.key }],
    },
    ...more,
  });
const params = (port: number, more = {}) => ({ endpoint: { host: NAME, port }, calledAe: 'ORTHANC', ...more });

describe.skipIf(!needs('Orthanc'))('dicom.echo and http.request against Orthanc', () => {
  it('as shipped: anybody may echo, the REST API asks nobody', async () => {
    const orthanc = await startOrthanc();
    try {
      const { facts } = await factsOf(dicomEchoProbe, params(orthanc.dicomPort), context());
      expect(facts).toMatchObject({ tls: false, associated: true, echoAccepted: true, echoStatus: 0 });
      expect(facts.implementation).toMatch(/^OFFIS_DCMTK/);
      const api = await factsOf(httpRequestProbe, { url: `http://${NAME}:${orthanc.httpPort}/system` }, context());
      expect(api.facts).toMatchObject({ status: 200, tls: false, json: { DicomAet: 'ORTHANC' } });
    } finally {
      await orthanc.stop();
    }
  });

  it('hardened: unknown callers and wrong titles are rejected in words, the API asks for a password', async () => {
    const orthanc = await startOrthanc({
      DicomCheckCalledAet: true,
      DicomAlwaysAllowEcho: false,
      DicomModalities: { known: ['KNOWN', '127.0.0.1', 104] },
      AuthenticationEnabled: true,
      RegisteredUsers: { admin: 'x' },
    });
    try {
      const called = await factsOf(dicomEchoProbe, params(orthanc.dicomPort, { calledAe: 'WRONG' }), context());
      expect(called.facts).toMatchObject({
        associated: false,
        rejected: { result: 'permanent', source: 'service-user', reason: 'called-AE-title-not-recognized' },
      });
      const unknown = await factsOf(dicomEchoProbe, params(orthanc.dicomPort), context());
      expect(unknown.facts.echoStatus).toBeUndefined();
      const known = await factsOf(dicomEchoProbe, params(orthanc.dicomPort, { callingAe: 'KNOWN' }), context());
      expect(known.facts).toMatchObject({ associated: true, echoStatus: 0 });
      const api = await factsOf(httpRequestProbe, { url: `http://${NAME}:${orthanc.httpPort}/system` }, context());
      expect(api.facts).toMatchObject({ status: 401, authenticate: 'Basic' });
    } finally {
      await orthanc.stop();
    }
  });

  it.each([true, false])('DICOM TLS with peer verification %s', async (verifies) => {
    const orthanc = await startOrthanc({
      DicomTlsEnabled: true,
      DicomTlsCertificate: server.certificate,
      DicomTlsPrivateKey: server.key,
      DicomTlsTrustedCertificates: ca.rootFile,
      DicomTlsRemoteCertificateRequired: verifies,
    });
    try {
      const { facts } = await factsOf(
        dicomEchoProbe,
        params(orthanc.dicomPort, { tls: true, identity: 'good' }),
        context(),
      );
      expect(facts).toMatchObject({ tls: true, associated: true, echoStatus: 0, insistsOnCertificate: verifies });
      if (!verifies)
        expect(
          (await factsOf(dicomEchoProbe, params(orthanc.dicomPort, { tls: true }), context())).facts
            .insistsOnCertificate,
        ).toBe(false);
      const clear = await factsOf(dicomEchoProbe, params(orthanc.dicomPort), context());
      expect(clear.facts).toMatchObject({
        tls: false,
        associated: false,
        hungUp: expect.stringContaining('speaks TLS on this port'),
      });
    } finally {
      await orthanc.stop();
    }
  });
});

describe.skipIf(!needs('storescp', 'echoscu'))('DCMTK', () => {
  it('storescp with TLS insists on a certificate', async () => {
    const storescp = await startStorescp(['+tls', server.key, server.certificate, '+cf', ca.rootFile]);
    try {
      const { facts } = await factsOf(
        dicomEchoProbe,
        params(storescp.port, { tls: true, identity: 'good', calledAe: 'STORESCP' }),
        context(),
      );
      expect(facts).toMatchObject({ associated: true, echoStatus: 0, insistsOnCertificate: true });
      expect(
        await errorOf(dicomEchoProbe, params(storescp.port, { tls: true, calledAe: 'STORESCP' }), context()),
      ).toMatch(/^(tls\.alert|tls\.not-spoken|tcp\.reset|dicom\.protocol)$/);
    } finally {
      await storescp.stop();
    }
  });

  it.each([
    ['verifies', (file: string) => ['+cf', file], { refused: true, how: 'alert' }],
    ['does not verify', () => ['-ic'], { refused: false, how: 'application-data' }],
  ])('echoscu as a device that %s, against the impostor', async (_, args, expected) => {
    const ask = impostorOperator((port) => runEchoscu(['+tla', ...args(ca.rootFile), '127.0.0.1', String(port)]));
    const { facts } = await factsOf(
      tlsImpostorProbe,
      { as: { host: NAME, port: 104 }, listen: { address: '127.0.0.1', trigger: 'operator' }, seconds: 8 },
      context({ ask }),
    );
    expect(facts).toMatchObject(expected);
  });
});

describe.concurrent('dicom.echo against peers that misbehave', () => {
  it.each([
    ['hangs', () => {}, 'tcp.timeout'],
    ['closes at once', (socket: import('node:net').Socket) => socket.end(), /^(dicom\.protocol|tcp\.reset)$/],
    [
      'speaks HTTP',
      (socket: import('node:net').Socket) => void socket.once('data', () => socket.end('HTTP/1.1 400 no\r\n\r\n')),
      'dicom.protocol',
    ],
    [
      'announces a huge PDU',
      (socket: import('node:net').Socket) => void socket.write(Buffer.from([2, 0, 0x7f, 0xff, 0xff, 0xff])),
      'dicom.protocol',
    ],
    [
      'accepts with nonsense',
      (socket: import('node:net').Socket) => void socket.write(Buffer.from([2, 0, 0, 0, 0, 1, 9])),
      'dicom.protocol',
    ],
  ])('one that %s is an error', async (_, behave, code) => {
    const peer = await startPeer(behave);
    try {
      expect(await errorOf(dicomEchoProbe, params(peer.port), context())).toMatch(code);
    } finally {
      await peer.stop();
    }
  });

  it('a closed port, a server of another CA and one of another name', async () => {
    expect(await errorOf(dicomEchoProbe, params(await freePort()), context())).toBe('tcp.refused');
  });
});
