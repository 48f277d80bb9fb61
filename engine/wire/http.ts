import { type IncomingMessage, request, type RequestOptions } from 'node:http';
import type { Duplex } from 'node:stream';
import { fail, ok, type Result } from '../../core/result.ts';
import { abortError, type DialOptions, dial, socketError } from './tcp.ts';
import { connectVerified, failureError, observeHandshake } from './tls/handshake.ts';

export type HttpRequest = {
  /** Absolute http or https URL. User and password in it are refused. */
  readonly url: string;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
};

export type HttpOptions = DialOptions & {
  /** PEM of the anchors for https. */
  readonly anchors: readonly string[];
  /** Milliseconds for the answer, from the request to the last byte. */
  readonly answerMs?: number;
  /** Bytes of the body that are kept. */
  readonly maxBody?: number;
};

export type HttpAnswer = {
  readonly status: number;
  /** As Node joins them, names in lower case. */
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  /** The body was longer than is kept. */
  readonly truncated: boolean;
  /** Absent for plain http. */
  readonly tlsVersion?: string;
};

const ANSWER_TIMEOUT_MS = 15_000;
const MAX_BODY = 1024 * 1024;

/** The host of a URL; an IPv6 address without its brackets. */
export function hostOfUrl(url: string | URL): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, '');
}

/**
 * One HTTP/1.1 request on a connection of its own; https is always verified, redirects are not followed. Errors: those
 * of `dial` and `connectVerified`, `http.protocol`, `input.malformed`. Call it inside the host's connection slot.
 */
export async function requestHttp(message: HttpRequest, options: HttpOptions): Promise<Result<HttpAnswer>> {
  const url = new URL(message.url);
  const host = hostOfUrl(url);
  const secure = url.protocol === 'https:';
  const port = Number(url.port || (secure ? 443 : 80));
  const place = `${url.host}${url.pathname}`;
  if (url.username !== '' || url.password !== '')
    return fail('input.malformed', 'A URL must not hold a user name or a password.', { place: url.host });
  if (!secure && message.headers?.authorization !== undefined) {
    return fail('input.malformed', 'A password is never sent over plain HTTP.', { place });
  }
  let stream: Duplex;
  let tlsVersion: string | undefined;
  if (secure) {
    const connected = await connectVerified({ host, port }, options);
    if (!connected.ok) return connected;
    stream = connected.value.socket;
    tlsVersion = connected.value.peer.version;
  } else {
    const dialled = await dial(host, port, options);
    if (!dialled.ok) return dialled;
    stream = dialled.value;
  }
  const answer = await exchange(message, url, stream, options, place);
  stream.on('error', () => {});
  stream.destroy();
  return answer.ok && tlsVersion !== undefined ? ok({ ...answer.value, tlsVersion }) : answer;
}

/**
 * Asks whether an HTTP server answers at all, whoever it is: a device with an expired certificate is alive. So https is not
 * verified here, nothing but the address is sent, and only status and date come back (milliseconds since 1970; undefined
 * where none can be read). Errors: those of `dial`, of a failed handshake, `http.protocol`. Call it inside the host's connection slot.
 */
export async function askWhetherAlive(
  address: string,
  options: DialOptions & { answerMs: number; method?: 'GET' | 'HEAD' },
): Promise<Result<{ readonly status: number; readonly date: number | undefined }>> {
  const url = new URL(address);
  const host = hostOfUrl(url);
  const secure = url.protocol === 'https:';
  const port = Number(url.port || (secure ? 443 : 80));
  let stream: Duplex;
  if (secure) {
    const shaken = await observeHandshake({ host, port }, { ...options, anchors: [] });
    if (!shaken.ok) return shaken;
    if (!shaken.value.ok) return { ok: false, error: failureError(shaken.value.failure, `${host}:${port}`) };
    stream = shaken.value.socket;
  } else {
    const dialled = await dial(host, port, options);
    if (!dialled.ok) return dialled;
    stream = dialled.value;
  }
  const { method = 'GET' } = options;
  const answer = await exchange({ url: address, method }, url, stream, { ...options, anchors: [] }, address);
  stream.on('error', () => {});
  stream.destroy();
  if (!answer.ok) return answer;
  const date = Date.parse(answer.value.headers.date ?? '');
  return ok({ status: answer.value.status, date: Number.isNaN(date) ? undefined : date });
}

function exchange(
  message: HttpRequest,
  url: URL,
  stream: Duplex,
  options: HttpOptions,
  place: string,
): Promise<Result<HttpAnswer>> {
  const answerMs = options.answerMs ?? ANSWER_TIMEOUT_MS;
  return new Promise((resolve) => {
    const finish = (result: Result<HttpAnswer>): void => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', onAbort);
      stream.destroy();
      resolve(result);
    };
    const onAbort = (): void => finish({ ok: false, error: abortError(options.signal, place) });
    const timer = setTimeout(
      () => finish(fail('tcp.timeout', `The server did not finish its answer within ${answerMs / 1000} s.`, { place })),
      answerMs,
    );
    if (options.signal.aborted) return onAbort();
    options.signal.addEventListener('abort', onAbort, { once: true });
    const body = message.body === undefined ? undefined : Buffer.from(message.body);
    const details: RequestOptions = {
      method: message.method,
      path: `${url.pathname}${url.search}`,
      headers: {
        host: url.host,
        'user-agent': 'lockstep',
        accept: '*/*',
        connection: 'close',
        ...(body === undefined ? {} : { 'content-length': body.length }),
        ...message.headers,
      },
      createConnection: () => stream,
      maxHeaderSize: 65_536,
    };
    const onError = (error: NodeJS.ErrnoException): void => {
      const code = error.code ?? '';
      if (code.startsWith('HPE_')) finish(fail('http.protocol', 'The answer is not HTTP.', { place, cause: code }));
      else if (code === 'ECONNRESET' && error.message === 'socket hang up')
        finish(fail('http.protocol', 'The server hung up without a complete HTTP answer.', { place }));
      else finish({ ok: false, error: socketError(error, place) });
    };
    const sent = request(details, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      const done = (truncated: boolean): void =>
        finish(
          ok({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks), truncated }),
        );
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > (options.maxBody ?? MAX_BODY)) return done(true);
        chunks.push(chunk);
      });
      response.on('end', () => done(false));
      response.on('error', onError);
      response.on('aborted', () =>
        finish(fail('http.protocol', 'The server hung up in the middle of its answer.', { place })),
      );
    });
    sent.on('error', onError);
    sent.end(body);
  });
}
