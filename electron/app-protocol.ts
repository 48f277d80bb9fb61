import { randomBytes } from 'node:crypto';
import { readFile, realpath, stat } from 'node:fs/promises';
import { protocol, type Session } from 'electron';
import { APP_SCHEME, MEDIA_TYPES, pathOnDisk, staysInside } from './app-paths.ts';

/** The word that the built index.html carries wherever the nonce of the response belongs. */
const NONCE_WORD = 'LOCKSTEP_CSP_NONCE';
const NONCE_BYTES = 16;

/** Makes `app:` an origin of its own with the rights of https. Must run before the app is ready. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: APP_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
}

/** Serves `root` (the built renderer), and nothing outside it, under `app://lockstep/`. */
export function serveApp(session: Session, root: string): void {
  session.protocol.handle(APP_SCHEME, (request) => answer(root, request));
}

async function answer(root: string, request: Request): Promise<Response> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405);
  const found = pathOnDisk(root, request.url);
  if (found === undefined) return refuse(403);
  try {
    const [real, realRoot] = await Promise.all([realpath(found.path), realpath(root)]);
    // A link inside the folder must not lead out of it.
    if (!staysInside(realRoot, real)) return refuse(403);
    if (!(await stat(real)).isFile()) return refuse(404);
    const nonce = randomBytes(NONCE_BYTES).toString('base64');
    const bytes = await readFile(real);
    const body =
      found.extension === '.html' ? Buffer.from(bytes.toString('utf8').replaceAll(NONCE_WORD, nonce)) : bytes;
    return new Response(request.method === 'HEAD' ? null : new Uint8Array(body), {
      headers: { ...securityHeaders(nonce), 'content-type': MEDIA_TYPES[found.extension] ?? '' },
    });
  } catch {
    return refuse(404);
  }
}

function refuse(status: number): Response {
  return new Response(null, { status, headers: securityHeaders(randomBytes(NONCE_BYTES).toString('base64')) });
}

/** The headers of every response. `nonce` is good for this response only. */
export function securityHeaders(nonce: string): Record<string, string> {
  return {
    'content-security-policy': contentSecurityPolicy(nonce),
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy':
      'camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=(), midi=(), display-capture=(), payment=()',
    // Each load gets its own nonce, so no copy may be kept.
    'cache-control': 'no-store',
  };
}

function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    // React Aria adds a style element of its own; it takes the nonce from the meta element in the page.
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
  ].join('; ');
}
