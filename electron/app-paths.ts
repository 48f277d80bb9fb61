import { extname, isAbsolute, join, relative, sep } from 'node:path';

export const APP_SCHEME = 'app';
export const APP_HOST = 'lockstep';
export const APP_INDEX = `${APP_SCHEME}://${APP_HOST}/index.html`;

/** What the built renderer consists of. Anything else is not served. */
export const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

const SEGMENT = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
const WINDOWS_RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** True when `url` belongs to the app's own page. The origin of a scheme of one's own is "null" to Node, so parts are compared. */
export function isAppUrl(url: string): boolean {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  return (
    parsed?.protocol === `${APP_SCHEME}:` &&
    parsed.host === APP_HOST &&
    parsed.username === '' &&
    parsed.password === '' &&
    parsed.port === ''
  );
}

/**
 * The file below `root` that `url` asks for; undefined for anything that is not plainly a file of the renderer. Every
 * segment must consist of ordinary characters once decoded, so that no encoding of `..`, a drive or a stream gets through.
 */
export function pathOnDisk(
  root: string,
  url: string,
): { readonly path: string; readonly extension: string } | undefined {
  if (!isAppUrl(url)) return undefined;
  let decoded: string;
  try {
    decoded = decodeURIComponent(new URL(url).pathname);
  } catch {
    return undefined;
  }
  const segments = decoded === '/' ? ['index.html'] : decoded.slice(1).split('/');
  if (!segments.every((segment) => SEGMENT.test(segment) && !WINDOWS_RESERVED.test(segment))) return undefined;
  const path = join(root, ...segments);
  const extension = extname(path).toLowerCase();
  if (!Object.hasOwn(MEDIA_TYPES, extension) || !staysInside(root, path)) return undefined;
  return { path, extension };
}

/** True when `path` lies below `folder`. Both absolute; by path segments, never by a common beginning of the text. */
export function staysInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
