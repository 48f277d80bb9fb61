import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from 'vite';
import { nativeFree } from '../../build/native-free.ts';
import { isRoot, needs } from '../support/debian.ts';
import { findTestRuntime } from '../support/runtime.ts';
import { type Sshd, SSHD_PROGRAMS, startSshd } from '../support/sshd.ts';

const electron = await findTestRuntime();
if (typeof electron === 'string') process.stderr.write(`Skipped, no Electron: ${electron}\n`);

describe.skipIf(typeof electron === 'string' || !isRoot() || !needs(...SSHD_PROGRAMS))(
  'SSH in the desktop build',
  () => {
    let sshd: Sshd;
    let folder: string;

    beforeAll(async () => {
      sshd = await startSshd();
      folder = mkdtempSync(join(tmpdir(), 'lockstep-ssh-build-'));
      await build({
        configFile: false,
        logLevel: 'error',
        plugins: [nativeFree()],
        ssr: { noExternal: true },
        build: {
          ssr: fileURLToPath(new URL('../support/ssh-entry.ts', import.meta.url)),
          outDir: folder,
          emptyOutDir: false,
          target: 'node20',
          rollupOptions: { output: { entryFileNames: 'entry.mjs' } },
        },
      });
    });
    afterAll(async () => {
      rmSync(folder, { recursive: true, force: true });
      await sshd?.stop();
    });

    const logIn = (executable: string) =>
      JSON.parse(
        execFileSync(executable, [join(folder, 'entry.mjs')], {
          env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
          encoding: 'utf8',
          input: JSON.stringify({
            host: sshd.address,
            port: sshd.port,
            user: sshd.user,
            hostKey: sshd.hostKey,
            secret: sshd.clientKey,
          }),
        }),
      ) as Record<string, unknown>;

    it('carries no compiled part and needs no folder of packages', () => {
      const code = readFileSync(join(folder, 'entry.mjs'), 'utf8');
      expect(code).not.toMatch(/require\([^)]*(?:sshcrypto|cpu-features)/);
      expect(code).toContain('compiled parts are left out');
    });

    it('logs in alike under OpenSSL and BoringSSL', () => {
      const [node, shell] = [logIn(process.execPath), logIn((electron as { executable: string }).executable)];
      expect(node).toMatchObject({ boring: false, said: 'root\n' });
      expect(shell).toMatchObject({ boring: true, said: 'root\n' });
      expect(shell.agreed).toEqual(node.agreed);
    });
  },
);
