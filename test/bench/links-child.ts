import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { argv, stdout } from 'node:process';
import { tlsEndpointProbe } from '../../engine/probes/tls-endpoint.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { openSession } from '../../engine/session/open-session.ts';
import type { SessionOptions } from '../../engine/session/session.ts';
import { value } from '../support/evidence.ts';
import { factsOf, probeContext } from '../support/probe.ts';
import { deviceAddress, NAME } from './addresses.ts';
import { peakMegabytes } from './peak.ts';

/** What the bench asks of one process; `noop` loads everything and does nothing. */
export type Task = 'noop' | 'endpoint' | 'session';

/** What the process answers on its standard output. */
export type Answer = {
  readonly connections: number;
  readonly suites: number;
  readonly megabytes: number;
  /** Of a session: the event loop's delay that 99 of 100 measurements stayed under, and how many items passed. */
  readonly delay: number;
  readonly passed: number;
};

const nothing: Answer = { connections: 0, suites: 0, megabytes: 0, delay: 0, passed: 0 };
const never = new AbortController().signal;
const options: SessionOptions = {
  now: () => new Date(),
  lockstep: '0.0.0',
  runtime: {},
  operator: 'Bench',
  ask: async () => false,
};

async function endpoint(root: string, port: number): Promise<Answer> {
  const context = probeContext({ site: { hosts: { [NAME]: '127.0.0.1' }, anchors: [{ id: 'root', pem: root }] } });
  const { facts } = await factsOf(tlsEndpointProbe, { endpoint: { host: NAME, port }, survey: 'full' }, context);
  const suites = Object.values<string[]>(facts.suites).flat().length;
  return { ...nothing, connections: context.connections(), suites };
}

const GUIDE = `guide: many
version: 1.0.0
title: Many devices
publisher: { name: Bench, contact: bench@example.org }
product: { vendor: Bench, name: Thing, versions: "1.x" }
budget: { connections: 200, perSecond: 200 }
inputs: { devices: { type: device, many: true, title: The devices } }
controls:
  - id: tls.trusted
    revision: 1
    title: The device shows a certificate of the hospital
    owner: hospital
    forEach: $devices as device
    why: Others could pose as it.
    checks:
      - probe: tls.endpoint
        with: { endpoint: $device.endpoints.web }
        expect: [{ that: facts.chain.trusted && facts.name.matches, else: "{{ facts.chain.reason }}" }]
`;

/** One session over `count` devices, each at an address of its own. */
async function session(root: string, port: number, count: number): Promise<Answer> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-many-'));
  try {
    const devices = Array.from({ length: count }, (_, index) => {
      const host = deviceAddress(index);
      return { id: `d${index}`, name: `Device ${index}`, host, endpoints: { web: { host, port, serverName: NAME } } };
    });
    await writeFile(join(folder, 'guide.yaml'), GUIDE);
    const site = { site: 'many', name: 'Many', anchors: [{ id: 'root', pem: root }], devices };
    // JSON is YAML too.
    await writeFile(join(folder, 'site.yaml'), JSON.stringify(site));
    const guide = value(await loadGuide(join(folder, 'guide.yaml'), {}));
    const opened = value(
      await openSession(join(folder, 'sessions'), guide, value(await loadSite(join(folder, 'site.yaml'))), options),
    );
    value(await opened.checkGate({ typed: '1.0.0' }));
    value(await opened.acceptPreflight());
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    value(
      await opened.run(
        opened.plan.items.map(({ key }) => key),
        never,
      ),
    );
    delay.disable();
    const passed = Object.values(opened.state().items).filter(({ verdict }) => verdict === 'pass').length;
    await opened.close();
    return { ...nothing, passed, delay: delay.percentile(99) / 1e6 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const [, , task, root = '', port = '', count = ''] = argv;
const pem = task === 'noop' ? '' : await readFile(root, 'utf8');
const answer =
  task === 'endpoint'
    ? await endpoint(pem, Number(port))
    : task === 'session'
      ? await session(pem, Number(port), Number(count))
      : nothing;
stdout.write(JSON.stringify({ ...answer, megabytes: peakMegabytes() } satisfies Answer));
