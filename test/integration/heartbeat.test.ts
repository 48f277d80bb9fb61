import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { factsFileSchema } from '../../core/session/events.ts';
import { siteSchema } from '../../core/site/schema.ts';
import { createConnectionBudget } from '../../engine/budget.ts';
import { askDevice } from '../../engine/heartbeat.ts';
import { createPracticeCa } from '../../engine/keys/practice-ca.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { openSession } from '../../engine/session/open-session.ts';
import { startPeer } from '../support/daemon.ts';

const never = new AbortController().signal;
const check = (id: string, path: string) => `
  - id: ${id}
    revision: 1
    title: It answers at ${path}
    owner: hospital
    why: It has to.
    checks:
      - probe: http.request
        with: { url: '$device.adminUrl + "${path}"' }
        expect: [{ that: facts.status == 200, else: "It answers {{ facts.status }}." }]`;
const GUIDE = `guide: beats
version: 1.0.0
title: Beats
publisher: { name: Test, contact: test@example.org }
product: { vendor: Test, name: Thing, versions: ">=1.0.0 <2.0.0" }
budget: { devices: { device: { connections: 50 } } }
inputs:
  device: { type: device, title: The device }
controls:${check('web.first', '/first')}${check('web.killer', '/killer')}${check('web.later', '/later')}${check('web.again', '/first')}
`;

describe('a walk past a device that stops answering', () => {
  let dir: string;
  let server: Server;
  let requests: string[];
  let dead: boolean;
  let connections: number;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-beats-'));
    [requests, dead, connections] = [[], false, 0];
    server = createServer((request, response) => {
      requests.push(request.url ?? '');
      response.end('{}');
      // The answer leaves whole, and then the device is gone.
      if (request.url === '/killer') dead = true;
    });
    server.on('connection', (socket: import('node:net').Socket) => {
      connections += 1;
      if (dead) socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await writeFile(join(dir, 'guide.yaml'), GUIDE);
    await writeFile(
      join(dir, 'site.yaml'),
      `site: beats\nname: Beats\ndevices:\n  - { id: thing, name: Thing, host: 127.0.0.1, adminUrl: "http://127.0.0.1:${port}", heartbeat: { url: "http://127.0.0.1:${port}/health" } }\n`,
    );
  });
  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
    await rm(dir, { recursive: true, force: true });
  });

  it('keeps what was seen before, and ends every later check in the error without a connection', async () => {
    const guide = await loadGuide(join(dir, 'guide.yaml'), {});
    const site = await loadSite(join(dir, 'site.yaml'));
    if (!guide.ok || !site.ok) throw new Error(JSON.stringify([guide, site]));
    const opened = await openSession(join(dir, 'sessions'), guide.value, site.value, {
      now: () => new Date(),
      lockstep: '0.0.0',
      runtime: { node: 'test' },
      operator: 'Test Person',
      ask: async () => false,
    });
    if (!opened.ok) throw new Error(JSON.stringify(opened));
    const session = opened.value;
    await session.checkGate({ typed: '1.0.0' });
    const keys = session.plan.items.map(({ key }) => key);
    const itemOf = (id: string) => session.state().items[keys.find((key) => key.startsWith(id)) ?? ''];
    await session.run(keys, never);

    expect(itemOf('web.first')?.verdict).toBe('pass');
    for (const id of ['web.killer', 'web.later', 'web.again']) expect(itemOf(id)?.verdict, id).toBe('error');
    expect(requests).toEqual(['/health', '/first', '/health', '/killer']);
    // Four that were answered, and the two heartbeats that were not; nothing for the checks after.
    expect(connections).toBe(6);
    const failed = session.journal.events.flatMap((event) => (event.type === 'probe.failed' ? [event.data] : []));
    expect(failed.map(({ error }) => error.code)).toEqual(Array(3).fill('device.no-heartbeat'));
    expect(failed[0]?.error).toMatchObject({ place: expect.stringMatching(/\/health$/), fixBy: 'hospital' });

    const recorded = session.journal.events.find((event) => event.type === 'facts.recorded');
    if (recorded?.type !== 'facts.recorded') throw new Error('nothing was recorded');
    const file = factsFileSchema.parse(JSON.parse(await readFile(join(session.dir, recorded.data.file), 'utf8')));
    expect(file.heartbeats).toMatchObject([{ device: 'thing' }]);
    expect(file.connections).toBe(3);

    // A new walk asks afresh.
    dead = false;
    await session.run(
      keys.filter((key) => !key.startsWith('web.killer')),
      never,
    );
    for (const id of ['web.first', 'web.later', 'web.again']) expect(itemOf(id)?.verdict, id).toBe('pass');
    await session.close();
  });
});

describe('one heartbeat', () => {
  const ask = (heartbeat: object) => {
    const site = siteSchema.parse({
      site: 'x',
      name: 'X',
      devices: [{ id: 'd', name: 'D', host: '127.0.0.1', heartbeat }],
    });
    const [device] = site.devices;
    if (device === undefined) throw new Error('no device');
    return askDevice(device, site, createConnectionBudget({ connections: 9, perSecond: 200 }), never);
  };

  it('is a TCP connection, refused where nothing listens', async () => {
    const peer = await startPeer(() => {});
    expect(await ask({ port: peer.port })).toMatchObject({ ok: true });
    expect(peer.connections()).toBe(1);
    await peer.stop();
    expect(await ask({ port: peer.port })).toMatchObject({ ok: false, error: { code: 'tcp.refused' } });
  });

  it('is an HTTPS answer, whatever the certificate; a 503 is no answer of a healthy device', async () => {
    const ca = await createPracticeCa({ now: new Date() });
    const expired = { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') };
    const issued = await ca.issue({ commonName: 'other', usage: 'server', selfSigned: true, ...expired });
    let status = 401;
    const server = createTlsServer({ cert: issued.certificatePem, key: issued.keyPem }, (_, response) => {
      response.writeHead(status).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/health`;
    expect(await ask({ url })).toMatchObject({ ok: true });
    status = 503;
    expect(await ask({ url })).toMatchObject({ ok: false, error: { code: 'http.protocol', place: url } });
    await new Promise((resolve) => server.close(resolve));
  });
});
