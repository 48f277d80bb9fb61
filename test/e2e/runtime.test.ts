import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../build/tools/process.mjs';
import { isRoot } from '../support/debian.ts';
import { electronMissing, launchApp, launchAppAsOrdinaryUser, rendererConfinement } from '../support/electron.ts';

const app = join(root, 'test', 'fixtures', 'window-app');

describe.skipIf(electronMissing)('the runtime that the e2e tests use', () => {
  it('opens an app as `electron <folder>` does, with its name, version, arguments and profile', async () => {
    const launched = await launchApp({ app, args: ['--practice'], env: { LOCKSTEP_TEST_WORD: 'seen' } });
    try {
      const page = await launched.app.firstWindow();
      expect(await page.getByRole('heading').innerText()).toBe('A real page');
      const seen = await launched.app.evaluate(({ app: electron }) => ({
        name: electron.getName(),
        version: electron.getVersion(),
        userData: electron.getPath('userData'),
        packaged: electron.isPackaged,
        last: process.argv.at(-1),
        word: process.env.LOCKSTEP_TEST_WORD,
      }));
      expect(seen).toEqual({
        name: 'Window App',
        version: '1.2.3',
        userData: launched.userData,
        packaged: false,
        last: '--practice',
        word: 'seen',
      });
    } finally {
      await launched.close();
    }
  });

  it('runs the page of an ordinary user in the sandbox', async () => {
    const launched = await launchAppAsOrdinaryUser({ app });
    try {
      const page = await launched.app.firstWindow();
      expect(await page.title()).toBe('A window');
      expect(await launched.app.evaluate(() => process.argv)).not.toContain('--no-sandbox');
      const renderers = await rendererConfinement(launched.app);
      expect(renderers).toHaveLength(1);
      for (const renderer of renderers) {
        expect(renderer.seccomp).toBe(2);
        expect(renderer.uid).toBe(isRoot() ? 65534 : process.getuid?.());
      }
    } finally {
      await launched.close();
    }
  });
});
