import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { nativeFree } from '../../build/native-free.ts';
import type { ProbeJob } from './probe-entry.ts';

export type JobOutcome = {
  readonly runtime: NodeJS.ProcessVersions;
  readonly result: {
    ok: boolean;
    value?: { facts: Record<string, unknown>; absent: unknown };
    error?: { code: string };
  };
};
export type JobRunner = {
  readonly run: (executable: string, job: ProbeJob) => Promise<JobOutcome>;
  readonly remove: () => Promise<void>;
};

/** Bundles the probes as the desktop shell does, so that a runtime without type stripping can run them. */
export async function bundleProbes(): Promise<JobRunner> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-bundle-'));
  await build({
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true },
    plugins: [nativeFree()],
    build: {
      ssr: fileURLToPath(new URL('probe-entry.ts', import.meta.url)),
      outDir: folder,
      emptyOutDir: false,
      target: 'node20',
      rollupOptions: { output: { entryFileNames: 'probe-entry.mjs' } },
    },
  });
  const run = (executable: string, job: ProbeJob): Promise<JobOutcome> =>
    new Promise((resolve, reject) => {
      const child = spawn(executable, [join(folder, 'probe-entry.mjs')], {
        env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      const [out, err]: [Buffer[], Buffer[]] = [[], []];
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
      child.on('error', reject);
      child.on('close', (code) => {
        if (code === 0) resolve(JSON.parse(Buffer.concat(out).toString()) as JobOutcome);
        else reject(new Error(`exit ${code}: ${Buffer.concat(err).toString()}`));
      });
      child.stdin.end(JSON.stringify(job));
    });
  return { run, remove: () => rm(folder, { recursive: true, force: true }) };
}
