import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askSntp } from '../../engine/wire/sntp.ts';
import { freePort } from './daemon.ts';
import { findProgram } from './debian.ts';

export type Chrony = { readonly port: number; readonly stop: () => Promise<void> };

const READY_MS = 15_000;

/** Starts Debian's chrony as a time server on loopback that takes this computer's clock for right and never sets it. Needs root. */
export async function startChrony(): Promise<Chrony> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-chrony-'));
  const port = await freePort();
  const config = join(folder, 'chrony.conf');
  const lines = [
    `port ${port}`,
    'cmdport 0',
    'bindaddress 127.0.0.1',
    `bindcmdaddress ${folder}/chronyd.sock`,
    'allow 127.0.0.1',
    'local stratum 5',
    `pidfile ${folder}/chronyd.pid`,
  ];
  await writeFile(config, `${lines.join('\n')}\n`);
  // -x: it never touches the system's clock.
  const child = spawn(findProgram('chronyd') ?? 'chronyd', ['-x', '-d', '-u', 'root', '-f', config], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => (log += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exited;
    await rm(folder, { recursive: true, force: true });
  };
  const until = Date.now() + READY_MS;
  while (!(await askSntp('127.0.0.1', port, { signal: new AbortController().signal })).ok) {
    if (child.exitCode !== null || Date.now() > until) {
      await stop();
      throw new Error(`chronyd did not start:\n${log}`);
    }
    await sleep(50);
  }
  return { port, stop };
}
