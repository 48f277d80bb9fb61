import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../build/tools/process.mjs';
import { isRoot } from '../support/debian.ts';
import { electronMissing, launchApp, launchAppAsOrdinaryUser, rendererConfinement } from '../support/electron.ts';

/** Seccomp mode of a process whose system calls a filter confines. */
const FILTERED = 2;

describe.skipIf(electronMissing)("the shell's processes", () => {
  it('run the page in the sandbox for an ordinary user, who passes no switch for it', async () => {
    const launched = await launchAppAsOrdinaryUser();
    try {
      const page = await launched.app.firstWindow();
      await page.waitForLoadState('load');
      expect(page.url()).toBe('app://lockstep/index.html');
      const renderers = await rendererConfinement(launched.app);
      expect(renderers.length).toBeGreaterThan(0);
      for (const renderer of renderers) expect(renderer).toMatchObject({ seccomp: FILTERED });
      expect(renderers.every((renderer) => renderer.uid !== 0)).toBe(true);
      expect((await page.evaluate(() => globalThis.lockstep.invoke('app.info', {}))).ok).toBe(true);
      expect(await page.evaluate(() => globalThis.lockstep.invoke('session.list', {}))).toEqual({
        ok: true,
        value: [],
      });
    } finally {
      await launched.close();
    }
  });

  it('are one app per profile: a second start shows the first window and ends', async () => {
    const launched = await launchApp();
    try {
      await launched.app.firstWindow();
      const sandbox = isRoot() ? ['--no-sandbox'] : [];
      const args = [...sandbox, '--disable-gpu', `--user-data-dir=${launched.userData}`, root];
      const second = spawn(launched.runtime.executable, args, { stdio: 'ignore' });
      const [code] = await once(second, 'exit');
      expect(code).toBe(0);
      expect(await launched.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
    } finally {
      await launched.close();
    }
  });

  it('keep what they keep where LOCKSTEP_DATA_DIR says, and all end with the window', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lockstep-data-'));
    const launched = await launchApp({ env: { LOCKSTEP_DATA_DIR: folder } });
    try {
      const page = await launched.app.firstWindow();
      await page.waitForLoadState('load');
      await page.evaluate(() => globalThis.lockstep.invoke('session.list', {}));
      const userData = await launched.app.evaluate(({ app, Menu }) => {
        Menu.getApplicationMenu()?.getMenuItemById('appearance-light')?.click();
        return app.getPath('userData');
      });
      expect(userData).toBe(folder);
      await expect.poll(() => existsSync(join(folder, 'settings.json'))).toBe(true);
      const pids = await launched.app.evaluate(({ app }) => app.getAppMetrics().map((metric) => metric.pid));
      expect(pids.length).toBeGreaterThan(3);
      await launched.close();
      await expect.poll(() => pids.filter(isAlive)).toEqual([]);
    } finally {
      await launched.close().catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
    }
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
