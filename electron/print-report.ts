import { fileURLToPath, pathToFileURL } from 'node:url';
import { app, BrowserWindow, session } from 'electron';
import { escapeHtml } from '../core/report/markup.ts';
import { fail, ok, type Result } from '../core/result.ts';

/** How long loading and printing may take, in milliseconds: thousands of items make thousands of pages. */
const DEADLINE_MS = 300_000;
/** In inches; header and footer stand in them. */
const MARGINS = { top: 0.7, bottom: 0.75, left: 0.6, right: 0.6 };
/** Countries that print on US Letter (ISO 3166-1). */
const LETTER = new Set(['US', 'CA', 'MX', 'PH', 'CL', 'CO', 'VE', 'CR', 'GT', 'NI', 'PA', 'SV', 'PR', 'DO']);

/**
 * Prints a guarded report as a tagged PDF with page numbers, in a hidden window of its own: sandboxed, without scripts,
 * and in a session that can reach nothing but this one file. It never goes into a bundle: no two prints have the same bytes.
 * @param path the guarded report (HTML)
 * @param bundle name of the bundle that it comes from, for the foot of each page
 * Errors: `internal` when Chromium cannot print it.
 */
export async function printReport(path: string, bundle: string): Promise<Result<Uint8Array>> {
  // Without `persist:` it lives in memory only.
  const alone = session.fromPartition('print-report', { cache: false });
  alone.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  alone.setPermissionCheckHandler(() => false);
  alone.on('will-download', (event) => event.preventDefault());
  alone.webRequest.onBeforeRequest((details, answer) => answer({ cancel: !isFile(details.url, path) }));
  const window = new BrowserWindow({
    show: false,
    webPreferences: {
      session: alone,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      javascript: false,
      webSecurity: true,
      webviewTag: false,
      devTools: false,
      spellcheck: false,
    },
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`it took longer than ${DEADLINE_MS / 1000} s`)), DEADLINE_MS);
    });
    const print = async () => {
      await window.loadURL(pathToFileURL(path).href);
      return window.webContents.printToPDF({
        pageSize: LETTER.has(app.getLocaleCountryCode()) ? 'Letter' : 'A4',
        margins: MARGINS,
        printBackground: true,
        displayHeaderFooter: true,
        headerTemplate: strip('<span class="title"></span>'),
        footerTemplate: strip(
          `<span>A copy. What counts is the signed bundle ${escapeHtml(bundle)}.</span><span>Page <span class="pageNumber"></span> of <span class="totalPages"></span></span>`,
        ),
        generateTaggedPDF: true,
        generateDocumentOutline: true,
      });
    };
    return ok(new Uint8Array(await Promise.race([print(), late])));
  } catch (error) {
    return fail('internal', 'The report could not be printed as PDF. Open it in a browser and print it there.', {
      place: path,
      cause: (error as Error).message,
      fixBy: 'operator',
    });
  } finally {
    clearTimeout(timer);
    window.destroy();
  }
}

/** Compared as paths, because Chromium may write the address of a file otherwise than Node. */
function isFile(url: string, path: string): boolean {
  try {
    return url.startsWith('file:') && fileURLToPath(url) === path;
  } catch {
    return false;
  }
}

/** What stands in a page's margin. Chromium shows no text there without a size of its own. */
function strip(content: string): string {
  return `<div style="width:100%;margin:0 0.6in;display:flex;justify-content:space-between;gap:2em;font:8px sans-serif;color:#444">${content}</div>`;
}
