import type { z } from 'zod';
import type { AbsentFact } from '../../core/probes/declaration.ts';
import { httpRequest } from '../../core/probes/http-request.ts';
import { ok } from '../../core/result.ts';
import { defineProbe } from '../context.ts';
import { type HttpAnswer, hostOfUrl, requestHttp } from '../wire/http.ts';
import { anchorPems } from '../wire/tls/anchors.ts';

const MAX_JSON = 256 * 1024;
const MAX_TEXT = 2_000;
/** Headers that tell about hardening; what may hold a session or a credential is not among them. */
const KEPT_HEADERS = [
  'server',
  'content-type',
  'content-length',
  'strict-transport-security',
  'content-security-policy',
  'x-frame-options',
  'x-content-type-options',
  'referrer-policy',
  'cache-control',
  'access-control-allow-origin',
  'x-powered-by',
];

type Facts = z.input<typeof httpRequest.facts>;

export const httpRequestProbe = defineProbe(
  httpRequest,
  async ({ url, method, credential, anchors, body }, context) => {
    const pems = anchorPems(anchors, context);
    if (!pems.ok) return pems;
    const headers: Record<string, string> = {};
    if (credential !== undefined) {
      const password = await context.secret(credential.secret);
      if (!password.ok) return password;
      headers.authorization = `Basic ${Buffer.from(`${credential.user}:${password.value}`).toString('base64')}`;
    }
    if (body !== undefined)
      headers['content-type'] = parseJson(body) === undefined ? 'text/plain; charset=utf-8' : 'application/json';
    const host = hostOfUrl(url);
    context.progress(`${method} ${new URL(url).origin}${new URL(url).pathname}`);
    const answer = await context.connection(host, () =>
      requestHttp(
        { url, method, headers, ...(body === undefined ? {} : { body }) },
        { anchors: pems.value, hosts: context.site.hosts, signal: context.signal },
      ),
    );
    if (!answer.ok) return answer;
    return ok({ kind: 'facts', ...readAnswer(answer.value, url, method) });
  },
);

function readAnswer(answer: HttpAnswer, url: string, method: string): { facts: Facts; absent: AbsentFact[] } {
  const absent: AbsentFact[] = [];
  const lacks = (path: string, reason: string): void => void absent.push({ path, reason });
  const facts: Facts = {
    status: answer.status,
    tls: answer.tlsVersion !== undefined,
    headers: Object.fromEntries(
      KEPT_HEADERS.flatMap((name) => (typeof answer.headers[name] === 'string' ? [[name, answer.headers[name]]] : [])),
    ),
  };
  if (answer.tlsVersion === undefined) lacks('tlsVersion', 'The request went over plain HTTP.');
  else facts.tlsVersion = answer.tlsVersion;

  const { location, date } = answer.headers;
  if (location === undefined) lacks('location', 'The answer names no other place.');
  else facts.location = withoutQuery(location, url);
  const scheme = /^[A-Za-z0-9-]+/.exec(answer.headers['www-authenticate'] ?? '')?.[0];
  if (scheme === undefined) lacks('authenticate', 'The answer asks for no authentication.');
  else facts.authenticate = scheme;
  const time = Date.parse(date ?? '');
  if (Number.isNaN(time)) lacks('date', 'The answer has no Date header that can be read.');
  else facts.date = new Date(time).toISOString();
  const mediaType = answer.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (mediaType === undefined || mediaType === '') lacks('mediaType', 'The answer names no media type.');
  else facts.mediaType = mediaType;
  readBody(answer, method, facts, lacks);
  return { facts, absent };
}

function readBody(
  answer: HttpAnswer,
  method: string,
  facts: Facts,
  lacks: (path: string, reason: string) => void,
): void {
  if (answer.truncated || method === 'HEAD') {
    const reason = answer.truncated ? 'The body is longer than Lockstep reads.' : 'A HEAD request gets no body.';
    for (const path of ['bytes', 'json', 'text']) lacks(path, reason);
    return;
  }
  facts.bytes = answer.body.length;
  const text = decode(answer.body);
  const json = text === undefined || answer.body.length > MAX_JSON ? undefined : parseJson(text);
  if (json !== undefined) {
    facts.json = json.value as Facts['json'];
    lacks('text', 'The body is JSON.');
    return;
  }
  lacks('json', answer.body.length > MAX_JSON ? 'The body is longer than 256 kB.' : 'The body is not JSON.');
  if (text === undefined || text.includes('\0')) lacks('text', 'The body is not text.');
  else facts.text = text.slice(0, MAX_TEXT);
}

function decode(body: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}

function parseJson(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** A redirect's query may carry a session, so it is left out. */
function withoutQuery(location: string, base: string): string {
  try {
    const target = new URL(location, base);
    return `${target.origin}${target.pathname}`;
  } catch {
    return location.split(/[?#]/)[0] ?? '';
  }
}
