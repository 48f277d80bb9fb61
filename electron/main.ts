import { dirname, join, resolve } from 'node:path';
import { app, type BrowserWindow, dialog, nativeTheme, session, utilityProcess } from 'electron';
import type { Push } from '../core/ipc.ts';
import { ok } from '../core/result.ts';
import { registerAppScheme, serveApp } from './app-protocol.ts';
import { createEngine } from './engine-process.ts';
import { createExternalOpen } from './external-open.ts';
import { createFiles } from './files.ts';
import { bundleHandlers } from './handlers/bundle.ts';
import { extendHandlers } from './handlers/extend.ts';
import { libraryHandlers } from './handlers/library.ts';
import { peopleHandlers } from './handlers/people.ts';
import { reportHandlers } from './handlers/report.ts';
import { sessionHandlers } from './handlers/session.ts';
import type { Shell } from './handlers/shell.ts';
import { walkHandlers } from './handlers/walk.ts';
import { certificateHandlers } from './handlers/certificate.ts';
import { createIdentities } from './identities.ts';
import { installRouter } from './ipc-router.ts';
import { type Appearance, setMenu } from './menu.ts';
import { createPins } from './pins.ts';
import { startPractice } from './practice.ts';
import { removeReports } from './report-guard.ts';
import { createSecrets } from './secrets.ts';
import { bindPages, bindSession } from './session-policy.ts';
import { createSettings } from './settings.ts';
import { trustHandlers } from './handlers/trust.ts';
import { createTrust } from './trust.ts';
import { askToTrust } from './trust-dialog.ts';
import { openWindow } from './window.ts';

const scripts = import.meta.dirname;
const dist = dirname(scripts);
const assets = join(dist, 'assets');
const practising = process.argv.includes('--practice');
const developer = !app.isPackaged;
const report = (line: string) => void process.stderr.write(`lockstep: ${line}\n`);

// Undoes --no-sandbox, which root (the tests in a container) cannot do without; the window asks for the sandbox either way.
if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox();
registerAppScheme();
bindPages(app);
if (process.env.LOCKSTEP_DATA_DIR) app.setPath('userData', resolve(process.env.LOCKSTEP_DATA_DIR));

if (app.requestSingleInstanceLock()) {
  app
    .whenReady()
    .then(start)
    .catch((error: Error) => {
      report(`the app could not start: ${error.stack ?? error.message}`);
      app.exit(1);
    });
} else app.exit(0);

async function start(): Promise<void> {
  // Practice has a folder of its own, so that nothing of it is ever taken for a hospital's.
  const data = practising ? join(app.getPath('userData'), 'practice') : app.getPath('userData');
  const title = practising ? 'Lockstep — PRACTICE' : 'Lockstep';
  const open: { window?: BrowserWindow } = {};
  const present = () => (open.window?.isDestroyed() === false ? open.window : undefined);
  const push = (message: Push) => present()?.webContents.send('push', message);
  const tell = (message: string, detail = '') => {
    const window = present();
    if (window !== undefined) void dialog.showMessageBox(window, { type: 'error', title, message, detail });
  };

  const fork = (script: string, serviceName: string) => () => {
    const child = utilityProcess.fork(join(scripts, script), [], { serviceName, stdio: 'inherit' });
    return {
      postMessage: (message: unknown) => child.postMessage(message),
      on: child.on.bind(child),
      kill: () => child.kill(),
    };
  };
  const runtime = {
    electron: process.versions.electron,
    chrome: process.versions.chrome ?? '',
    node: process.versions.node,
    tls: 'BoringSSL',
  };
  const engine = createEngine({
    fork: fork('engine-host.js', 'Lockstep engine'),
    service: { dataDir: data, assetsDir: assets, lockstep: app.getVersion(), runtime },
    onPush: push,
    report,
  });
  const practice = practising
    ? startPractice({
        fork: fork('lab-host.js', 'Lockstep practice hospital'),
        folder: join(data, 'hospital'),
        assets,
        onDied: (error) => tell(error.message, error.cause),
      })
    : undefined;
  const lab: Shell['practice'] = async () => (practice === undefined ? ok(undefined) : practice.info);

  const files = createFiles();
  const secrets = createSecrets();
  const settings = createSettings(data);
  const trust = createTrust(data);
  const identities = createIdentities({
    files,
    secrets,
    settings,
    lab: async () => {
      const info = await lab();
      return info.ok ? info.value : undefined;
    },
  });
  const shell: Shell = {
    window: present,
    engine,
    files,
    secrets,
    identities,
    pins: createPins(data),
    trust,
    settings,
    external: createExternalOpen(),
    practice: lab,
    info: { version: app.getVersion(), runtime, practice: practising, platform: process.platform },
    shippedGuides: join(assets, 'guides'),
    report,
  };

  bindSession(session.defaultSession, { developer });
  serveApp(session.defaultSession, join(dist, 'renderer'));
  installRouter({
    handlers: {
      ...libraryHandlers(shell),
      ...trustHandlers(shell),
      ...sessionHandlers(shell),
      ...peopleHandlers(shell),
      ...walkHandlers(shell),
      ...certificateHandlers(shell),
      ...bundleHandlers(shell),
      ...reportHandlers(shell),
      ...extendHandlers(shell),
    },
    isOurs: (id) => present()?.webContents.id === id,
    report,
  });

  const setAppearance = (appearance: Appearance) => {
    nativeTheme.themeSource = appearance;
    void settings.update((present) => ({ ...present, appearance }));
  };
  nativeTheme.themeSource = (await settings.read()).appearance;
  setMenu({
    onCommand: (command) => push({ kind: 'menu', command }),
    onAppearance: setAppearance,
    onTrust: (role) => {
      const window = present();
      if (window !== undefined) void askToTrust(window, trust, role);
    },
    onAbout: () => app.showAboutPanel(),
    developer,
  });
  app.setAboutPanelOptions({ applicationName: 'Lockstep', applicationVersion: app.getVersion() });

  open.window = openWindow({ scripts, icon: join(assets, 'icons', '512.png'), title, developer, report });
  app.on('second-instance', () => {
    const window = present();
    if (window?.isMinimized() === true) window.restore();
    window?.focus();
  });
  app.on('window-all-closed', () => app.quit());

  let closed = false;
  app.on('will-quit', (event) => {
    if (closed) return;
    event.preventDefault();
    closed = true;
    secrets.clear();
    void Promise.allSettled([engine.close(), practice?.stop(), removeReports()]).then(() => app.exit(0));
  });
}
