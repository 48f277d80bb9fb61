import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type AppError, appError, type ErrorCode, fail, ok, type Result } from '../../core/result.ts';

export type DialOptions = {
  /** Addresses for names that this network cannot resolve (the site's `hosts`). */
  readonly hosts?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Milliseconds to wait for the connection. */
  readonly timeoutMs?: number;
};

const CONNECT_TIMEOUT_MS = 5_000;
const MAX_BUFFERED = 1024 * 1024;

/** The address to dial for a host of the site. */
export function addressOf(host: string, hosts: Readonly<Record<string, string>> = {}): string {
  return Object.hasOwn(hosts, host) ? (hosts[host] ?? host) : host;
}

/**
 * Opens a TCP connection. The caller closes it (`Conversation.close` or `destroy`). Errors: `dns.not-found`,
 * `dns.failed`, `tcp.refused`, `tcp.unreachable`, `tcp.timeout`, `tcp.reset`, `probe.cancelled`, `probe.deadline`.
 */
export function dial(host: string, port: number, options: DialOptions): Promise<Result<Socket>> {
  const { signal, timeoutMs = CONNECT_TIMEOUT_MS } = options;
  const place = `${host}:${port}`;
  if (signal.aborted) return Promise.resolve({ ok: false, error: abortError(signal, place) });
  return new Promise((resolve) => {
    const socket = connect({
      host: addressOf(host, options.hosts),
      port,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: 1_000,
    });
    const finish = (result: Result<Socket>): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('connect', onConnect);
      socket.off('error', onError);
      if (!result.ok) {
        // A late error of a socket that is given up must not become an uncaught exception.
        socket.on('error', () => {});
        socket.destroy();
      }
      resolve(result);
    };
    const onConnect = (): void => finish(ok(socket));
    const onError = (error: Error): void => finish({ ok: false, error: socketError(error, place) });
    const onAbort = (): void => finish({ ok: false, error: abortError(signal, place) });
    const timer = setTimeout(
      () =>
        finish(
          fail(
            'tcp.timeout',
            `No answer to a connection within ${timeoutMs / 1000} s; a firewall may drop it, or the host is off.`,
            { place },
          ),
        ),
      timeoutMs,
    );
    socket.once('connect', onConnect);
    socket.once('error', onError);
    signal.addEventListener('abort', onAbort, { once: true });
  });
}

/** The AppError for a signal that fired: `probe.deadline` when a time-out was its reason, else `probe.cancelled`. */
export function abortError(signal: AbortSignal, place?: string): AppError {
  const reason: unknown = signal.reason;
  const more = place === undefined ? {} : { place };
  if (reason instanceof Error && reason.name === 'TimeoutError')
    return appError('probe.deadline', 'The time for this probe was over.', more);
  return appError('probe.cancelled', 'Cancelled.', more);
}

/** Whether an error is that of a signal that fired, so that whoever meets it ends, too. */
export function isAbort({ code }: AppError): boolean {
  return code === 'probe.cancelled' || code === 'probe.deadline';
}

/** Tells DNS, refusal, routing, time-out and reset apart in what Node reports. */
export function socketError(error: Error, place: string): AppError {
  const inner =
    error instanceof AggregateError
      ? ((error.errors as unknown[]).find((one) => one instanceof Error) ?? error)
      : error;
  const code = String((inner as NodeJS.ErrnoException).code ?? '');
  const [kind, sentence] = CODES[code] ?? (code.startsWith('EAI_') ? DNS_FAILED : OTHER);
  return appError(kind, sentence, { place, cause: code === '' ? (inner as Error).message : code });
}

const DNS_FAILED: readonly [ErrorCode, string] = [
  'dns.failed',
  'The name could not be looked up; the name server did not answer properly.',
];
const OTHER: readonly [ErrorCode, string] = [
  'probe.fault',
  'The connection failed in a way that Lockstep does not know.',
];
const RESET: readonly [ErrorCode, string] = ['tcp.reset', 'The other end reset the connection.'];
const UNREACHABLE: readonly [ErrorCode, string] = ['tcp.unreachable', 'There is no route to the host from here.'];
const CODES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  ENOTFOUND: [
    'dns.not-found',
    "The name is not known here; give its address in the site's hosts, or mend the name server.",
  ],
  EAI_NONAME: [
    'dns.not-found',
    "The name is not known here; give its address in the site's hosts, or mend the name server.",
  ],
  ECONNREFUSED: ['tcp.refused', 'The connection was refused: nothing listens there, or a firewall rejects it.'],
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  EHOSTDOWN: UNREACHABLE,
  ENETDOWN: UNREACHABLE,
  EADDRNOTAVAIL: UNREACHABLE,
  EACCES: ['tcp.unreachable', 'This computer may not connect there.'],
  EPERM: ['tcp.unreachable', 'A firewall on this computer forbids the connection.'],
  ETIMEDOUT: ['tcp.timeout', 'No answer to a connection; a firewall may drop it, or the host is off.'],
  ECONNRESET: RESET,
  EPIPE: RESET,
};

/** Why nothing more comes. `closed`: an orderly end; `silent`: the time given was over. */
export type Ended = 'closed' | 'reset' | 'failed' | 'silent' | 'cancelled' | 'too-long';
export type Received<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly ended: Ended; readonly error?: Error; readonly bytes: Buffer };

/** A stream that is read by parsing what came so far. Nothing that arrives between two reads is lost. */
export type Conversation = {
  readonly send: (bytes: Uint8Array) => void;
  /**
   * Waits until `parse` returns something for the bytes buffered so far, at most `timeoutMs` in all (a peer that drips
   * does not prolong it). The bytes stay buffered; take them with `consume`.
   */
  readonly receive: <T>(parse: (bytes: Buffer) => T | undefined, timeoutMs: number) => Promise<Received<T>>;
  readonly consume: (count: number) => void;
  /** Destroys the stream; more than once does no harm. */
  readonly close: () => void;
};

/** Begins to read a connected stream (TCP or TLS). It dies with `signal`. */
export function converse(stream: Duplex, signal: AbortSignal): Conversation {
  let buffer: Buffer = Buffer.alloc(0);
  let ended: { readonly ended: Ended; readonly error?: Error } | undefined;
  let wake: (() => void) | undefined;
  const end = (how: Ended, error?: Error): void => {
    ended ??= { ended: how, ...(error === undefined ? {} : { error }) };
    wake?.();
  };
  const onAbort = (): void => {
    end('cancelled');
    stream.destroy();
  };
  stream.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    if (buffer.length > MAX_BUFFERED) {
      end('too-long');
      stream.destroy();
    }
    wake?.();
  });
  stream.on('error', (error: NodeJS.ErrnoException) =>
    end(error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'reset' : 'failed', error),
  );
  stream.on('end', () => end('closed'));
  stream.on('close', () => {
    signal.removeEventListener('abort', onAbort);
    end('closed');
  });
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });

  const receive = <T>(parse: (bytes: Buffer) => T | undefined, timeoutMs: number): Promise<Received<T>> =>
    new Promise((resolve) => {
      const finish = (result: Received<T>): void => {
        clearTimeout(timer);
        wake = undefined;
        resolve(result);
      };
      const look = (): void => {
        const value = parse(buffer);
        if (value !== undefined) finish({ ok: true, value });
        else if (ended !== undefined) finish({ ok: false, ...ended, bytes: buffer });
      };
      const timer = setTimeout(() => finish({ ok: false, ended: 'silent', bytes: buffer }), timeoutMs);
      wake = look;
      look();
    });

  return {
    send: (bytes) => {
      if (ended === undefined && stream.writable) stream.write(bytes);
    },
    receive,
    consume: (count) => {
      buffer = buffer.subarray(count);
    },
    close: () => {
      signal.removeEventListener('abort', onAbort);
      stream.destroy();
    },
  };
}
