import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Daemon, freePort, startDaemon } from './daemon.ts';
import { findProgram } from './debian.ts';

/** Starts `storescp` on a free port with further arguments, e.g. for TLS. It binds all addresses: Debian's offers no choice. */
export async function startStorescp(
  args: readonly string[],
): Promise<{ port: number; daemon: Daemon; stop: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-storescp-'));
  const port = await freePort();
  const daemon = await startDaemon('storescp', ['-v', ...args, '-od', folder, String(port)], {
    address: '127.0.0.1',
    port,
  });
  return {
    port,
    daemon,
    stop: async () => {
      await daemon.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Runs `echoscu` to its end, as a device that sends a C-ECHO. */
export function runEchoscu(args: readonly string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(findProgram('echoscu') ?? 'echoscu', ['-v', '-ta', '4', '-td', '4', '-to', '4', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('exit', (code) => resolve({ code: code ?? -1, output }));
  });
}
