import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tlsImpostorProbe } from '../../engine/probes/tls-impostor.ts';
import { impostorOperator } from '../support/impostor-operator.ts';
import { factsOf, probeContext, type SeenFacts } from '../support/probe.ts';
import { createThrowawayCa, type IssuedFiles, type ThrowawayCa } from '../support/throwaway-ca.ts';
import { alertRecord } from '../support/tls-relay.ts';

const NAME = 'emr.hospital.test';
const [DEVICE, STRANGER] = ['127.0.0.1', '127.0.0.2'];
let ca: ThrowawayCa;
let own: IssuedFiles;
beforeAll(async () => {
  ca = await createThrowawayCa();
  own = await ca.issue('own', { commonName: NAME, sans: [NAME], usage: 'server' });
});
afterAll(() => ca.remove());

const look = (device: (port: number) => Promise<unknown>, listen = {}, site = {}): Promise<SeenFacts> =>
  factsOf(
    tlsImpostorProbe,
    { as: { host: NAME, port: 2575 }, listen: { address: '127.0.0.1', trigger: 'operator', ...listen }, seconds: 5 },
    probeContext({
      ask: impostorOperator(device),
      site: {
        identities: [{ id: 'own', kind: 'server-good', certificate: own.certificate, key: own.key }],
        ...site,
      },
    }),
  );

/** A TLS client; one that verifies sends nothing to an impostor. */
const visit = (port: number, localAddress: string, verifies: boolean): Promise<void> =>
  new Promise((resolve) => {
    // Node hands the local address on to the socket, which its types do not know.
    const from = { localAddress };
    const options = { host: '127.0.0.1', port, servername: NAME, ca: ca.root, rejectUnauthorized: verifies, ...from };
    const socket = connectTls(options, () => socket.write('MSH|secret'));
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
/** A client that sends these bytes, waits for an answer, and sends the others. */
const say = (port: number, localAddress: string, first: Buffer, then?: Buffer): Promise<void> =>
  new Promise((resolve) => {
    const socket = connectTcp({ host: '127.0.0.1', port, localAddress }, () => socket.write(first));
    if (then === undefined) setTimeout(() => socket.end(), 100);
    else socket.once('data', () => socket.end(then));
    socket.on('error', () => {});
    socket.on('close', () => resolve());
  });
/** What an old client sends: a ClientHello in the form of SSL 2.0, for TLS 1.2 with AES (RFC 5246 appendix E.2). */
const oldHello = (() => {
  const suites = Buffer.from([0, 0, 0x2f, 0, 0, 0x35, 0, 0xc0, 0x13, 0, 0xc0, 0x14, 0, 0xc0, 0x2f]);
  const body = Buffer.concat([Buffer.from([1, 3, 3, 0, suites.length, 0, 0, 0, 16]), suites, Buffer.alloc(16, 7)]);
  return Buffer.concat([Buffer.from([0x80, body.length]), body]);
})();
const refusal = (port: number, from: string): Promise<void> => say(port, from, oldHello, alertRecord(48));

describe('who is not the device does not speak for it', () => {
  const from = { from: [DEVICE] };
  it('where a stranger refuses, and the device never comes', async () => {
    const { facts, absent } = await look((port) => refusal(port, STRANGER), from);
    expect(facts).toMatchObject({ connected: false, connections: 0, peers: [STRANGER] });
    expect(facts.refused).toBeUndefined();
    expect(absent.find(({ path }) => path === 'refused')?.reason).toMatch(/did not connect.*127\.0\.0\.2 did/);
  });

  it('where a stranger refuses, and the device falls for it', async () => {
    const both = async (port: number): Promise<void> => {
      await refusal(port, STRANGER);
      await visit(port, DEVICE, false);
    };
    expect((await look(both, from)).facts).toMatchObject({ refused: false, how: 'application-data', connections: 1 });
  });

  it('where a stranger sends in clear, and the device refuses', async () => {
    const both = async (port: number): Promise<void> => {
      await say(port, STRANGER, Buffer.from('GET / HTTP/1.0\r\n\r\n'));
      await refusal(port, DEVICE);
    };
    expect((await look(both, from)).facts).toMatchObject({ refused: true, how: 'alert', spokeTls: true });
  });

  it('where it is not known which of two is the device', async () => {
    const both = async (port: number): Promise<void> => {
      await refusal(port, STRANGER);
      await say(port, DEVICE, Buffer.alloc(0));
    };
    const { facts, absent } = await look(both);
    expect(facts.refused).toBeUndefined();
    expect(absent.find(({ path }) => path === 'refused')?.reason).toMatch(/which of them is the device/);
  });

  it('where the device showed itself to the good certificate', async () => {
    let count = 0;
    const device = async (port: number): Promise<void> => {
      count += 1;
      // To the good one the device comes, to the impostor a stranger.
      await (count === 1 ? visit(port, DEVICE, true) : refusal(port, STRANGER));
    };
    const { facts } = await look(device, { identities: ['own'] });
    expect(facts.control).toMatchObject({ outcome: 'application-data' });
    expect(facts.refused).toBeUndefined();
  });

  it('where the site knows the device at the end of the link', async () => {
    const impostor = { address: '127.0.0.1', trigger: 'operator' };
    const site = {
      devices: [{ id: 'monitor', name: 'Monitor', host: 'monitor.test' }],
      hosts: { 'monitor.test': DEVICE },
      links: [
        {
          id: 'emr',
          name: 'EMR',
          protocol: 'hl7-mllp',
          client: { device: 'monitor' },
          server: { host: NAME, port: 2575 },
          impostor,
        },
      ],
    };
    expect((await look((port) => refusal(port, STRANGER), {}, site)).facts.refused).toBeUndefined();
    expect((await look((port) => refusal(port, DEVICE), {}, site)).facts.refused).toBe(true);
  });
});

describe.concurrent('a device that comes again', () => {
  it.each([
    ['in clear text', (port: number) => say(port, DEVICE, Buffer.from('\x0bMSH|secret\x1c\r')), 'clear-text'],
    ['without looking at the certificate', (port: number) => visit(port, DEVICE, false), 'application-data'],
  ])('after it refused, %s, falls for it', async (_, again, how) => {
    const { facts } = await look(async (port) => {
      await refusal(port, DEVICE);
      await again(port);
    });
    expect(facts).toMatchObject({ refused: false, how, connections: 2 });
  });
});

describe.concurrent('an old device', () => {
  it('that says hello in the form of SSL 2.0 speaks TLS, and refuses', async () => {
    const { facts } = await look((port) => refusal(port, DEVICE));
    expect(facts).toMatchObject({
      spokeTls: true,
      offered: ['TLS 1.2'],
      refused: true,
      how: 'alert',
      alert: 'unknown_ca',
      applicationBytes: 0,
    });
  });
});
