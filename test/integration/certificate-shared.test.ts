import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificateSharedProbe } from '../../engine/probes/certificate-shared.ts';
import { freePort, startDaemon } from '../support/daemon.ts';
import { needs } from '../support/debian.ts';
import { factsOf, probeContext, type SeenFacts } from '../support/probe.ts';
import { createThrowawayCa, type IssuedFiles, type ThrowawayCa } from '../support/throwaway-ca.ts';

let ca: ThrowawayCa;
let one: IssuedFiles;
let other: IssuedFiles;
let stop: (() => Promise<void>)[] = [];
const ports: Record<string, number> = {};

beforeAll(async () => {
  ca = await createThrowawayCa();
  one = await ca.issue('one', { commonName: 'pump1', sans: ['pump1'], usage: 'server' });
  other = await ca.issue('other', { commonName: 'pump2', sans: ['pump2'], usage: 'server' });
  if (!needs('openssl')) return;
  for (const [name, files, version] of [
    ['one', one, '-tls1_3'],
    ['twin', one, '-tls1_2'],
    ['other', other, '-tls1_3'],
  ] as const) {
    const port = (ports[name] = await freePort());
    const args = ['s_server', '-accept', `127.0.0.1:${port}`, '-cert', files.certificate, '-key', files.key, '-quiet'];
    const daemon = await startDaemon('openssl', [...args, version], { address: '127.0.0.1', port });
    stop.push(() => daemon.stop());
  }
});
afterAll(async () => {
  for (const end of stop) await end();
  stop = [];
  await ca.remove();
});

const look = (devices: Record<string, Record<string, number>>, endpoints?: string[]): Promise<SeenFacts> =>
  factsOf(
    certificateSharedProbe,
    {
      devices: Object.entries(devices).map(([id, named]) => ({
        id,
        name: 'whatever else the site says',
        endpoints: Object.fromEntries(Object.entries(named).map(([name, port]) => [name, { host: '127.0.0.1', port }])),
      })),
      ...(endpoints === undefined ? {} : { endpoints }),
    },
    probeContext({ site: { anchors: [{ id: 'root', pem: ca.root }] } }),
  );
const port = (name: string): number => ports[name] ?? 0;

describe.skipIf(!needs('openssl'))('certificate.shared', () => {
  it('finds the same certificate on two devices, whatever version they speak', async () => {
    const { facts } = await look({
      a: { admin: port('one') },
      b: { admin: port('twin') },
      c: { admin: port('other') },
    });
    expect(facts).toMatchObject({ distinct: false, shared: [{ devices: ['a', 'b'], sameCertificate: true }] });
    expect(facts.seen).toHaveLength(3);
  });

  it('lets one device use its key on two endpoints', async () => {
    const { facts } = await look({ a: { admin: port('one'), dicom: port('twin') }, b: { admin: port('other') } });
    expect(facts).toMatchObject({ distinct: true, shared: [], unread: [] });
  });

  it('decides nothing while an endpoint keeps its certificate to itself', async () => {
    const { facts, absent } = await look({ a: { admin: port('one') }, b: { admin: await freePort() } });
    expect(facts).not.toHaveProperty('distinct');
    expect(facts.unread).toMatchObject([{ device: 'b', endpoint: 'admin' }]);
    expect(absent).toMatchObject([{ path: 'distinct', reason: expect.stringMatching(/b \(admin\)/) }]);
    // What was found counts all the same.
    const found = await look({ a: { admin: port('one') }, b: { admin: port('twin') }, c: { admin: await freePort() } });
    expect(found.facts.distinct).toBe(false);
  });

  it('decides nothing where no device has such an endpoint', async () => {
    const { facts, absent } = await look({ a: { admin: port('one') } }, ['dicom']);
    expect(facts.seen).toEqual([]);
    expect(absent[0]?.reason).toBe('None of the devices has such an endpoint.');
  });
});
