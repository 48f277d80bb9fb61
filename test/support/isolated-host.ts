import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from './debian.ts';

/** What runs on an isolated host: programs in order, each ready when it listens on `ready` (a port of the host). */
export type HostedProgram = {
  readonly command: string;
  readonly args: readonly string[];
  readonly ready: number;
  readonly env?: Readonly<Record<string, string>>;
};

/** A plan for the process inside, which gets it as JSON in its first argument. */
export type HostPlan = {
  readonly address: string;
  readonly folder: string;
  readonly published: readonly number[];
  readonly programs: readonly HostedProgram[];
};

export type IsolatedHost = { readonly stop: () => Promise<void> };

const READY_MS = 30_000;
// Longer than a daemon inside is given before it is killed.
const STOP_MS = 15_000;

/**
 * Runs programs in a network of their own, as a container does: only published ports can be reached at the address, and
 * what the programs see comes from their own computer. /var/lib/orthanc is empty and private there. Needs root.
 * @param address loopback address; the programs are reached at it inside and outside.
 */
export async function startIsolatedHost(
  address: string,
  published: readonly number[],
  programs: readonly HostedProgram[],
): Promise<IsolatedHost> {
  const folder = await mkdtemp(join(tmpdir(), 'lks-host-'));
  const plan: HostPlan = { address, folder, published, programs };
  const inside = 'ip link set lo up && mount -t tmpfs none /var/lib/orthanc && exec "$@"';
  const script = join(import.meta.dirname, 'isolated-host-inside.ts');
  const child = spawn(
    findProgram('unshare') ?? '',
    ['-n', '-m', 'sh', '-ec', inside, 'sh', process.execPath, script, JSON.stringify(plan)],
    { stdio: ['pipe', 'pipe', 'pipe'] },
  );
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const doors: net.Server[] = [];
  const stop = async () => {
    for (const door of doors) door.close();
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const until = Date.now() + READY_MS;
    while (!said.includes('lockstep-host-ready')) {
      if (child.exitCode !== null || Date.now() > until) throw new Error(`the isolated host did not start:\n${said}`);
      await sleep(50);
    }
    for (const port of published) {
      doors.push(await relay({ host: address, port }, { path: doorPath(folder, port) }));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

/** The socket through which a published port is reached: files are shared between networks. */
export function doorPath(folder: string, port: number): string {
  return join(folder, `${port}.sock`);
}

/** Passes connections on. A reset behind the door arrives as an end. */
export function relay(
  from: { host: string; port: number } | { path: string },
  to: { host: string; port: number } | { path: string },
): Promise<net.Server> {
  const server = net.createServer({ allowHalfOpen: true }, (near) => {
    const far = net.connect({ ...to, allowHalfOpen: true });
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroySoon());
    near.pipe(far);
    far.pipe(near);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(from, () => resolve(server));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // It stops its programs when nobody holds its input any more, also when this process dies.
  child.stdin?.end();
  await Promise.race([exited, sleep(STOP_MS)]);
  if (child.exitCode === null) child.kill('SIGKILL');
}
