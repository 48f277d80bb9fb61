import { X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { KeyAndCertificate } from './certificates.ts';
import {
  dropDeviceRequest,
  installCertificate,
  makeDeviceRequest,
  restoreCertificate,
  shownRequest,
} from './device-certificate.ts';
import { type DeviceState, FACTORY_PASSWORD } from './device-state.ts';
import { loopbackAddress, sendTestMessage } from './device-link.ts';
import { mergeSettings } from './device-settings.ts';

const MAX_BODY = 256 * 1024;
const MIN_PASSWORD = 12;
const SECURITY_HEADERS = {
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'self'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

export type ApiContext = {
  readonly state: DeviceState;
  readonly keys: KeyAndCertificate;
  /** What the hospital's authority revoked. */
  readonly crlPem: string;
  readonly now: () => Date;
  readonly refresh: () => Promise<void>;
};

type Answer = {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
  readonly afterwards?: () => Promise<void>;
};
type Handler = (context: ApiContext, body: unknown) => Answer | Promise<Answer>;

const OPEN: Readonly<Record<string, Handler>> = {
  'GET /api/version': () => ({ status: 200, body: { product: 'MDIP', version: '3.3.1' } }),
  'GET /api/health': (context) => ({ status: 200, body: { status: 'ok', time: context.now().toISOString() } }),
};

const PROTECTED: Readonly<Record<string, Handler>> = {
  'GET /api/settings': (context) => ({ status: 200, body: shownSettings(context.state) }),
  'PUT /api/settings': (context, body) => {
    const merged = mergeSettings(context.state.settings, body);
    if (typeof merged === 'string') return { status: 400, body: { error: merged } };
    context.state.settings = merged;
    return { status: 200, body: shownSettings(context.state), afterwards: context.refresh };
  },
  'GET /api/certificates/emr': (context) => ({ status: 200, body: shownAnchor(context.state.anchorPem) }),
  'PUT /api/certificates/emr': (context, body) => {
    const pem = field(body, 'pem');
    try {
      context.state.anchorPem = new X509Certificate(pem).toString();
    } catch {
      return { status: 400, body: { error: 'pem must hold one certificate' } };
    }
    return { status: 200, body: shownAnchor(context.state.anchorPem), afterwards: context.refresh };
  },
  'GET /api/certificates/web/request': ({ state }) => shownRequest(state),
  'POST /api/certificates/web/request': ({ state }, body) => makeDeviceRequest(state, body),
  'POST /api/certificates/web/request/drop': ({ state }) => dropDeviceRequest(state),
  'PUT /api/certificates/web': ({ state, refresh }, body) => ({
    ...installCertificate(state, body),
    afterwards: refresh,
  }),
  'POST /api/certificates/web/former': ({ state, refresh }) => ({ ...restoreCertificate(state), afterwards: refresh }),
  'POST /api/password': (context, body) => {
    const password = field(body, 'password');
    if (!context.state.users.has(field(body, 'user')))
      return { status: 404, body: { error: 'there is no such account' } };
    if (password.length < MIN_PASSWORD)
      return { status: 400, body: { error: `a password has ${MIN_PASSWORD} characters or more` } };
    context.state.users.set(field(body, 'user'), password);
    return { status: 200, body: { changed: true } };
  },
  'POST /api/test-message': async (context, body) => {
    const host = field(body, 'host');
    const port = typeof body === 'object' && body !== null ? (body as { port?: unknown }).port : undefined;
    const address = loopbackAddress(host);
    if (address === undefined) return { status: 400, body: { error: 'the practice device sends to loopback only' } };
    if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65535)
      return { status: 400, body: { error: 'port must be 1 to 65535' } };
    const { settings, anchorPem } = context.state;
    return {
      status: 200,
      body: await sendTestMessage(
        { address, port },
        settings.emrLink,
        context.keys,
        { anchorPem, crlPem: context.crlPem },
        context.now(),
      ),
    };
  },
};

/** Answers one request of the administration API. */
export async function handleApi(
  request: IncomingMessage,
  response: ServerResponse,
  context: ApiContext,
): Promise<void> {
  const { web } = context.state.settings;
  const path = (request.url ?? '/').split('?')[0] ?? '/';
  const route = `${request.method} ${path}`;
  const answer = await respond(route, path, request, context);
  const html = typeof answer.body === 'string';
  const payload = html ? (answer.body as string) : JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    'content-type': html ? 'text/html; charset=utf-8' : 'application/json',
    'content-length': Buffer.byteLength(payload),
    ...(web.securityHeaders ? SECURITY_HEADERS : { server: 'MDIP-Embedded/3.3.1 (lwIP 1.4)' }),
    ...answer.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : payload);
  // The answer leaves first: what it changed may shut the port it came by.
  if (answer.afterwards !== undefined) await answer.afterwards();
}

async function respond(route: string, path: string, request: IncomingMessage, context: ApiContext): Promise<Answer> {
  if (route === 'GET /' || route === 'HEAD /') {
    return {
      status: 200,
      body: '<!doctype html><html lang="en"><title>MDIP gateway (PRACTICE)</title><h1>MDIP gateway</h1><p>PRACTICE device, version 3.3.1.</p></html>',
    };
  }
  const open = OPEN[route];
  if (open !== undefined) return open(context, undefined);
  const handler = PROTECTED[route];
  if (handler === undefined) {
    const known = Object.keys({ ...OPEN, ...PROTECTED }).some((key) => key.endsWith(` ${path}`));
    return { status: known ? 405 : 404, body: { error: known ? 'method not allowed' : 'not found' } };
  }
  if (!isAuthorized(request, context.state) && !(context.state.settings.web.anonymousApi && route.startsWith('GET '))) {
    return {
      status: 401,
      body: { error: 'credentials required' },
      headers: { 'www-authenticate': 'Basic realm="MDIP", charset="UTF-8"' },
    };
  }
  if (request.method === 'GET') return handler(context, undefined);
  const body = await readBody(request);
  return body.ok ? handler(context, body.value) : { status: body.status, body: { error: body.error } };
}

/** Sends a browser from the clear-text port to the real one. */
export function redirectToHttps(request: IncomingMessage, response: ServerResponse, host: string, port: number): void {
  const path = request.url?.startsWith('/') === true && !request.url.startsWith('//') ? request.url : '/';
  response.writeHead(308, { location: `https://${host}:${port}${path}`, 'content-length': 0, connection: 'close' });
  response.end();
}

function isAuthorized(request: IncomingMessage, state: DeviceState): boolean {
  const match = /^Basic ([A-Za-z0-9+/=]{1,1000})$/i.exec(request.headers.authorization ?? '');
  if (match === null) return false;
  const [user = '', ...rest] = Buffer.from(match[1] ?? '', 'base64')
    .toString('utf8')
    .split(':');
  return rest.length > 0 && state.users.get(user) === rest.join(':');
}

type Body = { ok: true; value: unknown } | { ok: false; status: number; error: string };

function readBody(request: IncomingMessage): Promise<Body> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_BODY) resolve({ ok: false, status: 413, error: 'too large' });
      else chunks.push(chunk);
    });
    request.on('end', () => {
      try {
        resolve({ ok: true, value: JSON.parse(Buffer.concat(chunks).toString('utf8')) });
      } catch {
        resolve({ ok: false, status: 400, error: 'the body is not JSON' });
      }
    });
    request.on('error', () => resolve({ ok: false, status: 400, error: 'the request broke off' }));
  });
}

function shownSettings(state: DeviceState): unknown {
  return { ...state.settings, localAccounts: { defaultPasswordActive: state.users.get('admin') === FACTORY_PASSWORD } };
}

function shownAnchor(pem: string): unknown {
  const certificate = new X509Certificate(pem);
  return {
    pem,
    subject: certificate.subject,
    sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    notAfter: new Date(certificate.validTo).toISOString(),
  };
}

function field(body: unknown, name: string): string {
  const value = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;
  return typeof value === 'string' ? value : '';
}
