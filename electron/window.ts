import { join } from 'node:path';
import { BrowserWindow, nativeTheme } from 'electron';
import { APP_INDEX } from './app-paths.ts';

export type WindowOptions = {
  /** Folder with preload.cjs. */
  readonly scripts: string;
  readonly icon: string;
  readonly title: string;
  /** Whether the developer tools may be opened. */
  readonly developer: boolean;
  readonly report: (line: string) => void;
};

const SIZE = { width: 1280, height: 860, minWidth: 860, minHeight: 600 };
const BACKGROUND = { light: '#f8fafc', dark: '#0b1220' };
/** A page that dies again this soon after it was loaded anew is left alone. */
const RELOAD_PAUSE_MS = 10_000;

/** Opens the one window on the app's page. */
export function openWindow({ scripts, icon, title, developer, report }: WindowOptions): BrowserWindow {
  const window = new BrowserWindow({
    ...SIZE,
    title,
    icon,
    show: false,
    backgroundColor: nativeTheme.shouldUseDarkColors ? BACKGROUND.dark : BACKGROUND.light,
    webPreferences: {
      preload: join(scripts, 'preload.cjs'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      allowRunningInsecureContent: false,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
      devTools: developer,
    },
  });
  window.once('ready-to-show', () => window.show());
  // The title says whether this is practice, which a page must not be able to change.
  window.on('page-title-updated', (event) => event.preventDefault());
  let reloadedAt = 0;
  window.webContents.on('render-process-gone', (_event, details) => {
    report(`the page's process ended: ${details.reason} (${details.exitCode})`);
    if (details.reason === 'clean-exit' || Date.now() - reloadedAt < RELOAD_PAUSE_MS) return;
    reloadedAt = Date.now();
    void window.loadURL(APP_INDEX);
  });
  void window.loadURL(APP_INDEX).catch((error: Error) => report(`the page could not be loaded: ${error.message}`));
  return window;
}
