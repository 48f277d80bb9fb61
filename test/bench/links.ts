import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/daemon.ts';
import { findProgram } from '../support/debian.ts';
import { startNginx } from '../support/nginx.ts';
import { startRecordingProxy } from '../support/tcp-proxy.ts';
import { createThrowawayCa, type IssuedFiles, type ThrowawayCa } from '../support/throwaway-ca.ts';
import { deviceAddress, NAME } from './addresses.ts';
import { buildChild, timed } from './child.ts';
import { alternate, type Bench, bounded, compared, median } from './figure.ts';
import type { Answer, Task } from './links-child.ts';

const ROUNDS = 7;
/** A full testssl.sh takes more than a minute. */
const SLOW_ROUNDS = 2;
const TESTSSL_FACTOR = 100;
const CONNECTIONS_FACTOR = 3;
const DEVICES = 500;
const FEW_DEVICES = 50;
const GROWTH_MB = 40;
const DELAY_MS = 50;

/** Every fact of one endpoint against testssl.sh, sslscan and nmap; and a session over many endpoints. */
export const linksBench: Bench = async (say) => {
  const missing = ['nginx', 'openssl', 'testssl', 'sslscan', 'nmap'].filter((name) => findProgram(name) === undefined);
  if (missing.length > 0) throw new Error(`the bench needs ${missing.join(', ')}`);
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-bench-'));
  const ca = await createThrowawayCa();
  try {
    const leaf = await ca.issue('leaf', { commonName: NAME, sans: [NAME], usage: 'server', curve: 'rsa-2048' });
    return await measure(folder, ca, leaf, say);
  } finally {
    await ca.remove();
    await rm(folder, { recursive: true, force: true });
  }
};

async function measure(
  folder: string,
  ca: ThrowawayCa,
  leaf: IssuedFiles,
  say: (line: string) => void,
): ReturnType<Bench> {
  const child = await buildChild('links-child.ts', folder);
  const root = join(folder, 'root.pem');
  await writeFile(root, ca.root);
  const ours = async (task: Task, port = 0, count = 0): Promise<Answer & { readonly wall: number }> => {
    const { output, wall } = await child([task, root, String(port), String(count)]);
    return { ...(JSON.parse(output) as Answer), wall };
  };
  const wall = async (program: string, ...args: string[]) => (await timed(program, args)).wall;
  // Its exit code counts findings of its own; that it got to its end is seen in its last line.
  const testssl = async (at: string) => {
    const script = `testssl --warnings batch --color 0 --quiet ${at} | grep -q ' Done '`;
    return (await timed('sh', ['-c', script])).wall;
  };
  const nginx = await startNginx({ ...leaf, directives: ['ssl_protocols TLSv1.2 TLSv1.3;'] });
  try {
    const at = `127.0.0.1:${nginx.port}`;
    const nmap = ['-Pn', '-n', '--script', 'ssl-enum-ciphers,ssl-cert', '-p'];
    say('One endpoint: sslscan and nmap');
    const quick = await alternate(ROUNDS, {
      noop: async () => (await ours('noop')).wall,
      sslscanNoop: () => wall('sslscan', '--version'),
      nmapNoop: () => wall('nmap', '--version'),
      ours: async () => (await ours('endpoint', nginx.port)).wall,
      sslscan: () => wall('sslscan', '--no-colour', '--show-sigs', `--sni-name=${NAME}`, at),
      nmap: () => wall('nmap', ...nmap, String(nginx.port), '127.0.0.1'),
    });
    say('One endpoint: a full testssl.sh, which takes its time');
    const slow = await alternate(SLOW_ROUNDS, {
      noop: () => wall('testssl', '--version'),
      testssl: () => testssl(at),
      ours: async () => (await ours('endpoint', nginx.port)).wall,
    });
    say('Counting connections');
    const relay = await startRecordingProxy('127.0.0.1', { host: '127.0.0.1', port: nginx.port });
    await ours('endpoint', relay.port);
    const own = relay.connections();
    await testssl(`127.0.0.1:${relay.port}`);
    const theirs = relay.connections() - own;
    await relay.close();

    const noop = median(quick.noop);
    const mine = median(quick.ours) - noop;
    const many = await manyDevices(leaf, ours, say);
    return {
      figures: [
        compared(
          'tls.endpoint, every fact (peer: testssl.sh)',
          median(slow.ours) - noop,
          median(slow.testssl) - median(slow.noop),
          {
            text: `<= peer / ${TESTSSL_FACTOR}`,
            holds: (a, b) => a * TESTSSL_FACTOR <= b,
          },
        ),
        compared('tls.endpoint, every fact (peer: sslscan)', mine, median(quick.sslscan) - median(quick.sslscanNoop), {
          text: '<= peer',
          holds: (a, b) => a <= b,
        }),
        compared('tls.endpoint, every fact (peer: nmap)', mine, median(quick.nmap) - median(quick.nmapNoop), {
          text: '<= peer',
          holds: (a, b) => a <= b,
        }),
        compared(
          'connections of it (peer: testssl.sh)',
          own,
          theirs,
          { text: `<= peer / ${CONNECTIONS_FACTOR}`, holds: (a, b) => a * CONNECTIONS_FACTOR <= b },
          'count',
        ),
        bounded(`memory, ${DEVICES} endpoints beyond ${FEW_DEVICES}, resident at most`, many.growth, 'MB', GROWTH_MB),
        bounded(`event loop delay, 99th percentile, ${DEVICES} endpoints`, many.delay, 'ms', DELAY_MS),
      ],
      notes: [
        `Subtracted from each: our start for nothing ${Math.round(noop)} ms, sslscan's ${Math.round(median(quick.sslscanNoop))} ms, nmap's ${Math.round(median(quick.nmapNoop))} ms, testssl.sh's ${Math.round(median(slow.noop))} ms. Medians of alternating rounds.`,
        `The delay is that of the process that probes; the one that serves the window only takes its messages. The session took ${Math.round(many.wall / 1000)} s and ${Math.round(many.megabytes)} MB.`,
      ],
    };
  } finally {
    await nginx.stop();
  }
}

async function manyDevices(
  leaf: IssuedFiles,
  ours: (task: Task, port: number, count: number) => Promise<Answer & { readonly wall: number }>,
  say: (line: string) => void,
): Promise<{ growth: number; delay: number; wall: number; megabytes: number }> {
  say(`A session over ${DEVICES} endpoints`);
  const { port, stop } = await startMany(leaf);
  try {
    const few = await ours('session', port, FEW_DEVICES);
    const many = await ours('session', port, DEVICES);
    for (const [answer, count] of [
      [few, FEW_DEVICES],
      [many, DEVICES],
    ] as const)
      if (answer.passed !== count) throw new Error(`${answer.passed} of ${count} endpoints passed`);
    return { growth: many.megabytes - few.megabytes, delay: many.delay, wall: many.wall, megabytes: many.megabytes };
  } finally {
    await stop();
  }
}

/** One nginx at as many addresses as there are devices, all on its port. */
async function startMany(leaf: IssuedFiles): Promise<{ port: number; stop: () => Promise<void> }> {
  const port = await freePort();
  const listen = Array.from({ length: DEVICES }, (_, index) => `listen ${deviceAddress(index)}:${port} ssl;`);
  const nginx = await startNginx({ ...leaf, sockets: 4 * DEVICES, directives: listen });
  return { port, stop: nginx.stop };
}
