import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { build } from 'vite';
import { nativeFree } from '../../build/native-free.ts';
import { NODE_FLAGS } from '../../build/tools/node.mjs';

export type Timed = { readonly output: string; readonly wall: number };

/** Runs a program; its output (up to 64 KiB) and its wall time in milliseconds. Throws when it fails. */
export function timed(program: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Timed> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    // Only our own answer is kept: a peer's may be megabytes that nobody reads.
    const kept: Buffer[] = [];
    let errors = '';
    let size = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size < 65_536) kept.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')));
    child.on('error', reject);
    child.on('close', (code) => {
      const wall = performance.now() - start;
      if (code === 0) resolve({ output: Buffer.concat(kept).toString('utf8'), wall });
      else reject(new Error(`${program} ended with ${code}: ${errors.slice(-500)}`));
    });
  });
}

/**
 * Bundles a script of this folder as it would ship, in one file, so that no time goes into stripping types.
 * @returns runs it in a process of its own
 */
export async function buildChild(
  script: string,
  folder: string,
): Promise<(args: readonly string[], env?: NodeJS.ProcessEnv) => Promise<Timed>> {
  await build({
    configFile: false,
    logLevel: 'error',
    plugins: [nativeFree()],
    ssr: { noExternal: true, target: 'node' },
    build: {
      ssr: join(import.meta.dirname, script),
      outDir: folder,
      emptyOutDir: false,
      rolldownOptions: { output: { entryFileNames: 'child.mjs' } },
    },
  });
  return (args, env) => timed(execPath, [...NODE_FLAGS, join(folder, 'child.mjs'), ...args], env);
}
