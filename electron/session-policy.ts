import type { App, Session, WebContents } from 'electron';
import { isAppUrl } from './app-paths.ts';
import { isAllowed } from './permissions.ts';

/** Binds a session: permissions by the table, no device, no download, no request that leaves the app. */
export function bindSession(session: Session, options: { readonly developer: boolean }): void {
  session.setPermissionRequestHandler((contents, permission, answer) => {
    answer(isAppUrl(contents.getURL()) && isAllowed(permission));
  });
  session.setPermissionCheckHandler((_contents, permission, origin) => isAppUrl(origin) && isAllowed(permission));
  session.setDevicePermissionHandler(() => false);
  session.setDisplayMediaRequestHandler((_request, answer) => answer({}));
  session.on('will-download', (event) => event.preventDefault());
  session.setSpellCheckerEnabled(false);
  session.webRequest.onBeforeRequest((details, answer) => {
    const inside = isAppUrl(details.url) || details.url.startsWith('data:image/');
    answer({ cancel: !inside && !(options.developer && details.url.startsWith('devtools:')) });
  });
}

/** Binds every page that this app ever makes: it stays where it is, opens nothing and embeds nothing. */
export function bindPages(app: App): void {
  app.on('web-contents-created', (_event, contents) => bindPage(contents));
  // A certificate that does not hold is never waved through, and no client certificate is offered, for anything Chromium loads.
  app.on('certificate-error', (event, _contents, _url, _error, _certificate, answer) => {
    event.preventDefault();
    answer(false);
  });
  app.on('select-client-certificate', (event, _contents, _url, _list, answer) => {
    event.preventDefault();
    answer();
  });
  app.on('login', (event) => event.preventDefault());
}

function bindPage(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.on('will-navigate', (event) => event.preventDefault());
  contents.on('will-frame-navigate', (event) => event.preventDefault());
  contents.on('will-redirect', (event) => event.preventDefault());
}
