import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright';
import type { Bridge } from '../../core/ipc.ts';
import { electronMissing, launchApp, type Launched } from '../support/electron.ts';

declare global {
  // What the page has, seen from the functions that the tests run in it.
  var lockstep: Bridge;
}

type Violation = { readonly directive: string; readonly blocked: string };

describe.skipIf(electronMissing)('the desktop shell', () => {
  let launched: Launched;
  let page: Page;

  beforeAll(async () => {
    launched = await launchApp();
    page = await launched.app.firstWindow();
    await page.waitForLoadState('load');
  });
  afterAll(() => launched?.close());

  const windows = () => launched.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length);

  /** Runs `act` in the page and gives what the content security policy stopped meanwhile. */
  const violations = async (act: () => void): Promise<Violation[]> => {
    await page.evaluate(() => {
      const seen: Violation[] = [];
      Object.assign(globalThis, { seen });
      document.addEventListener('securitypolicyviolation', (event) =>
        seen.push({ directive: event.effectiveDirective, blocked: event.blockedURI }),
      );
    });
    await page.evaluate(act);
    await page.waitForTimeout(200);
    return page.evaluate(() => (globalThis as unknown as { seen: Violation[] }).seen);
  };

  it('opens one window on its own origin, under its own title', async () => {
    expect(page.url()).toBe('app://lockstep/index.html');
    expect(await windows()).toBe(1);
    expect(await launched.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getTitle())).toBe(
      'Lockstep',
    );
  });

  it('gives the page nothing but the bridge', async () => {
    const reach = await page.evaluate(() => ({
      require: typeof (globalThis as { require?: unknown }).require,
      process: typeof (globalThis as { process?: unknown }).process,
      module: typeof (globalThis as { module?: unknown }).module,
      bridge: Object.keys(globalThis.lockstep).sort(),
    }));
    expect(reach).toEqual({
      require: 'undefined',
      process: 'undefined',
      module: 'undefined',
      bridge: ['invoke', 'onPush'],
    });
    const preferences = await launched.app.evaluate(({ BrowserWindow }) => {
      const contents = BrowserWindow.getAllWindows()[0]?.webContents as unknown as {
        getLastWebPreferences: () => Record<string, unknown>;
      };
      const { sandbox, contextIsolation, nodeIntegration, webSecurity, webviewTag } = contents.getLastWebPreferences();
      return { sandbox, contextIsolation, nodeIntegration, webSecurity, webviewTag };
    });
    expect(preferences).toEqual({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
    });
  });

  it('sends a policy with a nonce that each load has for itself', async () => {
    const load = () =>
      page.evaluate(async () => {
        const response = await fetch('app://lockstep/index.html');
        return {
          policy: response.headers.get('content-security-policy') ?? '',
          sniff: response.headers.get('x-content-type-options'),
          html: await response.text(),
        };
      });
    const [first, second] = [await load(), await load()];
    const nonce = (policy: string) => /script-src 'self' 'nonce-([A-Za-z0-9+/=]{20,})'/.exec(policy)?.[1];
    expect(nonce(first.policy)).toBeDefined();
    expect(nonce(first.policy)).not.toBe(nonce(second.policy));
    expect(first.html).toContain(`"${nonce(first.policy)}"`);
    expect(first.html).not.toContain('LOCKSTEP_CSP_NONCE');
    expect(first.policy).toContain("default-src 'none'");
    expect(first.policy).not.toContain('unsafe');
    expect(first.policy).not.toContain('*');
    expect(first.sniff).toBe('nosniff');
  });

  it('shows the page without breaking its own policy', async () => {
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(error.message));
    await page.reload();
    await page.waitForLoadState('load');
    await page.waitForTimeout(500);
    expect(said.filter((line) => /Content Security Policy|Refused to|is not defined/.test(line))).toEqual([]);
    expect((await page.locator('body').innerText()).trim()).not.toBe('');
  });

  it('runs no inline script, no inline handler, no eval', async () => {
    const stopped = await violations(() => {
      const script = document.createElement('script');
      script.textContent = 'globalThis.inlineRan = true';
      document.head.append(script);
      const button = document.createElement('button');
      button.setAttribute('onclick', 'globalThis.handlerRan = true');
      document.body.append(button);
      button.click();
      button.remove();
      // Outside of what the debugger evaluates, which is allowed more.
      setTimeout(() => {
        try {
          // oxlint-disable-next-line no-eval -- this is what must not work
          (0, eval)('globalThis.evalRan = true');
        } catch {}
      });
    });
    expect(
      await page.evaluate(() => ['inlineRan', 'handlerRan', 'evalRan'].filter((name) => name in globalThis)),
    ).toEqual([]);
    expect(stopped.map((one) => one.blocked).sort()).toEqual(['eval', 'inline', 'inline']);
  });

  it('loads nothing from elsewhere, and no frame', async () => {
    const stopped = await violations(() => {
      void fetch('https://example.org/').catch(() => undefined);
      void fetch('http://127.0.0.1:9/').catch(() => undefined);
      const frame = document.createElement('iframe');
      frame.src = 'app://lockstep/index.html';
      document.body.append(frame);
      setTimeout(() => frame.remove(), 150);
    });
    expect(stopped.map((one) => one.directive).sort()).toEqual(['connect-src', 'connect-src', 'frame-src']);
  });

  it('serves nothing outside the renderer', async () => {
    const ask = (url: string) =>
      page.evaluate(async (address) => (await fetch(address).catch(() => ({ status: 0 }))).status, url);
    expect(await ask('app://lockstep/index.html')).toBe(200);
    expect(await ask('app://lockstep/..%2felectron%2fmain.js')).toBe(403);
    expect(await ask('app://lockstep/%2e%2e/electron/main.js')).toBe(404);
    expect(await ask('app://lockstep/..%5celectron%5cmain.js')).toBe(403);
    expect(await ask('app://elsewhere/index.html')).toBe(0);
  });

  it('opens no other window and goes nowhere', async () => {
    const opened = await page.evaluate(() =>
      ['https://example.org/', 'about:blank', 'app://lockstep/index.html'].map((url) => globalThis.open(url) === null),
    );
    expect(opened).toEqual([true, true, true]);
    for (const url of [
      'https://example.org/',
      'app://lockstep/other.html',
      'data:text/html,x',
      'file:///etc/hostname',
    ]) {
      await page.evaluate((address) => {
        globalThis.location.href = address;
      }, url);
      await page.waitForTimeout(150);
      expect([url, page.url()]).toEqual([url, 'app://lockstep/index.html']);
    }
    expect(await windows()).toBe(1);
    expect((await page.evaluate(() => globalThis.lockstep.invoke('app.info', {}))).ok).toBe(true);
  });

  it('grants no right that the table does not name', async () => {
    const rights = await page.evaluate(async () => ({
      notifications: await Notification.requestPermission(),
      camera: (await navigator.permissions.query({ name: 'camera' as PermissionName })).state,
      microphone: (await navigator.permissions.query({ name: 'microphone' as PermissionName })).state,
      position: await new Promise((resolve) =>
        navigator.geolocation.getCurrentPosition(
          () => resolve('granted'),
          (error) => resolve(error.code),
        ),
      ),
      clipboard: (await navigator.permissions.query({ name: 'clipboard-read' as PermissionName })).state,
      write: (await navigator.permissions.query({ name: 'clipboard-write' as PermissionName })).state,
    }));
    expect(rights).toEqual({
      notifications: 'denied',
      camera: 'denied',
      microphone: 'denied',
      position: 1,
      clipboard: 'denied',
      write: 'granted',
    });
  });

  it('downloads nothing', async () => {
    await launched.app.evaluate(({ session }) => {
      session.defaultSession.once('will-download', (event) =>
        Object.assign(globalThis, { refused: event.defaultPrevented }),
      );
    });
    await page.evaluate(() => {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob(['x']));
      link.download = 'x.txt';
      link.click();
    });
    await expect.poll(() => launched.app.evaluate(() => (globalThis as { refused?: boolean }).refused)).toBe(true);
  });

  it('answers a wrong input with ipc.invalid, and a channel that does not exist too', async () => {
    const answers = await page.evaluate(async () => {
      const invoke = globalThis.lockstep.invoke as (
        channel: string,
        input: unknown,
      ) => Promise<{ ok: boolean; error?: { code: string } }>;
      return Promise.all([
        invoke('guide.load', { guide: '/etc/passwd' }),
        invoke('secret.put', { value: 7 }),
        invoke('app.info', { more: true }),
        invoke('app.quit', {}),
        invoke('constructor', {}),
        invoke('guide.load', { guide: `h-${'0'.repeat(32)}` }),
      ]);
    });
    expect(answers.map((answer) => answer.error?.code)).toEqual([
      'ipc.invalid',
      'ipc.invalid',
      'ipc.invalid',
      'ipc.invalid',
      'ipc.invalid',
      'input.not-found',
    ]);
  });

  it('passes the commands of the menu to the page', async () => {
    await page.evaluate(() => {
      const commands: string[] = [];
      Object.assign(globalThis, { commands });
      globalThis.lockstep.onPush((push) => {
        if (push.kind === 'menu') commands.push(push.command);
      });
    });
    await launched.app.evaluate(({ Menu }) => {
      for (const id of ['next', 'previous', 'help']) Menu.getApplicationMenu()?.getMenuItemById(id)?.click();
    });
    await expect
      .poll(() => page.evaluate(() => (globalThis as unknown as { commands: string[] }).commands))
      .toEqual(['next', 'previous', 'help']);
    const appearance = await launched.app.evaluate(({ Menu, nativeTheme }) => {
      Menu.getApplicationMenu()?.getMenuItemById('appearance-dark')?.click();
      return nativeTheme.themeSource;
    });
    expect(appearance).toBe('dark');
    // Playwright imitates a light system unless told not to.
    await page.emulateMedia({ colorScheme: null });
    await expect.poll(() => page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches)).toBe(true);
    await launched.app.evaluate(({ Menu }) => Menu.getApplicationMenu()?.getMenuItemById('appearance-system')?.click());
  });

  it('survives the death of the engine', async () => {
    const list = () => page.evaluate(() => globalThis.lockstep.invoke('session.list', {}));
    expect(await list()).toEqual({ ok: true, value: [] });
    const killed = await launched.app.evaluate(({ app }) => {
      const engine = app
        .getAppMetrics()
        .find((metric) => metric.name === 'Lockstep engine' || metric.serviceName === 'Lockstep engine');
      return engine !== undefined && process.kill(engine.pid, 'SIGKILL');
    });
    expect(killed).toBe(true);
    await expect.poll(() => launched.output()).toContain("the engine's process ended");
    expect(await list()).toEqual({ ok: true, value: [] });
  });
});
