import { isIP } from 'node:net';
import type { PeerCertificate, SecureVersion, TLSSocket } from 'node:tls';
import { connect, createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { fail, ok, type Result } from '../../../core/result.ts';
import type { Endpoint } from '../../../core/site/schema.ts';
import { matchName, readCertificate } from '../../keys/read-certificate.ts';
import { abortError, converse, type DialOptions, dial } from '../tcp.ts';
import { alertOf } from './alerts.ts';
import { failureError, type HandshakeFailure } from './handshake-failure.ts';
import { type Peer, readPeer } from './peer.ts';
import { startTlsOverLdap } from './starttls-ldap.ts';

export type HandshakeOptions = DialOptions & {
  /** PEM of the anchors; never the runtime's own list. */
  readonly anchors: readonly string[];
  readonly identity?: { readonly certificate: string; readonly key: string };
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
  readonly requestStapled?: boolean;
};

export type Handshake =
  | { readonly ok: true; readonly socket: TLSSocket; readonly peer: Peer }
  | { readonly ok: false; readonly failure: HandshakeFailure };

export { failureError };

const HANDSHAKE_TIMEOUT_MS = 8_000;

/** The TLS library of this run, from what every Node-like runtime tells about itself. */
export function runtimeEngine(): string {
  const { openssl, electron, node } = process.versions;
  return electron === undefined
    ? `OpenSSL ${openssl} (Node ${node})`
    : `BoringSSL (Electron ${electron}, Node ${node})`;
}

/**
 * A full handshake that does not judge the server: the caller judges `peer`, or asks only what the server demands of
 * clients. Nothing confidential may be sent over the socket. Errors are those of `dial`. Call it inside the host's slot.
 */
export async function observeHandshake(endpoint: Endpoint, options: HandshakeOptions): Promise<Result<Handshake>> {
  return handshake(endpoint, options, false);
}

/**
 * A TLS connection on which data may be sent: chain against `anchors`, name by RFC 6125 (SAN only). Errors: those of
 * `dial`, `tls.chain`, `tls.name`, `tls.expired`, `tls.clock`, `tls.alert`, `tls.protocol`, `tls.not-spoken`.
 */
export async function connectVerified(
  endpoint: Endpoint,
  options: HandshakeOptions,
): Promise<Result<{ socket: TLSSocket; peer: Peer }>> {
  const place = `${endpoint.host}:${endpoint.port}`;
  if (options.anchors.length === 0)
    return fail('tls.chain', 'The site names no trust anchor, so the server cannot be verified.', {
      place,
      fixBy: 'operator',
    });
  const done = await handshake(endpoint, options, true);
  if (!done.ok) return done;
  return done.value.ok
    ? ok({ socket: done.value.socket, peer: done.value.peer })
    : { ok: false, error: failureError(done.value.failure, place) };
}

async function handshake(endpoint: Endpoint, options: HandshakeOptions, verified: boolean): Promise<Result<Handshake>> {
  const context = secureContext(options, verified);
  if (!context.ok) return context;
  const dialled = await dial(endpoint.host, endpoint.port, options);
  if (!dialled.ok) return dialled;
  const raw = dialled.value;
  if (endpoint.starttls === 'ldap') {
    const conversation = converse(raw, options.signal);
    const started = await startTlsOverLdap(conversation, HANDSHAKE_TIMEOUT_MS);
    if (started.kind !== 'ready') {
      conversation.close();
      return options.signal.aborted
        ? { ok: false, error: abortError(options.signal) }
        : ok({ ok: false, failure: { kind: 'no-starttls' } });
    }
    raw.removeAllListeners('data');
  }
  const name = endpoint.serverName ?? endpoint.host;
  return new Promise((resolve) => {
    const socket = connect({
      socket: raw,
      secureContext: context.value,
      ...(isIP(name) === 0 ? { servername: name } : {}),
      rejectUnauthorized: verified, // unverified for observeHandshake only: its callers judge the certificate, and send nothing
      requestOCSP: options.requestStapled === true,
      checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
        verified ? nameError(certificate, name) : undefined,
    });
    let settled = false;
    const finish = (result: Result<Handshake>): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      options.signal.removeEventListener('abort', onAbort);
      if (!result.ok || !result.value.ok) {
        socket.on('error', () => {});
        socket.destroy();
        raw.destroy();
      }
      resolve(result);
    };
    const failed = (failure: HandshakeFailure): void => finish(ok({ ok: false, failure }));
    const onAbort = (): void => finish({ ok: false, error: abortError(options.signal) });
    const timer = setTimeout(() => failed({ kind: 'silent' }), HANDSHAKE_TIMEOUT_MS);
    options.signal.addEventListener('abort', onAbort, { once: true });
    let stapled: Buffer | undefined;
    socket.once('OCSPResponse', (response: Buffer | null) => {
      if (response !== null && response.length > 0) stapled = response;
    });
    socket.once('secureConnect', () => {
      const peer = readPeer(socket, options.anchors);
      finish(ok({ ok: true, socket, peer: stapled === undefined ? peer : { ...peer, stapled } }));
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const alert = alertOf(error);
      // Node reports a peer that hangs up during the handshake as ECONNRESET, in words that name the case.
      const closed = error.message.includes('before secure TLS connection was established');
      failed({
        kind:
          alert !== undefined
            ? 'alert'
            : closed
              ? 'closed'
              : error.code === 'ECONNRESET' || error.code === 'EPIPE'
                ? 'reset'
                : 'failed',
        ...(alert === undefined ? {} : { alert }),
        error,
      });
    });
    socket.once('close', () => failed({ kind: 'closed' }));
  });
}

function secureContext(options: HandshakeOptions, verified: boolean): Result<SecureContext> {
  const base: SecureContextOptions = {
    ca: [...options.anchors],
    minVersion: options.minVersion ?? (verified ? 'TLSv1.2' : 'TLSv1'),
    maxVersion: options.maxVersion ?? 'TLSv1.3',
    ...(options.identity === undefined ? {} : { cert: options.identity.certificate, key: options.identity.key }),
  };
  try {
    if (verified) return ok(createSecureContext(base));
    try {
      // OpenSSL's security level would hide weak servers from observation; BoringSSL knows no such level.
      return ok(createSecureContext({ ...base, ciphers: 'DEFAULT@SECLEVEL=0' }));
    } catch {
      return ok(createSecureContext(base));
    }
  } catch (error) {
    return fail('identity.invalid', 'The certificate, its key or an anchor cannot be used for TLS.', {
      cause: (error as Error).message,
    });
  }
}

function nameError(certificate: PeerCertificate, name: string): Error | undefined {
  const read = readCertificate(certificate.raw);
  if (!read.ok) return Object.assign(new Error(read.error.message), { code: 'CERT_UNREADABLE' });
  const match = matchName(read.value, name);
  return match.matches
    ? undefined
    : Object.assign(new Error(`expected ${name}, found ${match.sans.join(', ') || 'no name'}`), {
        code: 'NAME_MISMATCH',
      });
}
