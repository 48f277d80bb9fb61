import { isIP } from 'node:net';
import type { PeerCertificate, SecureVersion, TLSSocket } from 'node:tls';
import { connect, createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { appError, type AppError, fail, ok, type Result } from '../../../core/result.ts';
import type { Endpoint } from '../../../core/site/schema.ts';
import { matchName, type ReadCertificate, readCertificate } from '../../keys/read-certificate.ts';
import { abortError, converse, type DialOptions, dial, socketError } from '../tcp.ts';
import { alertOf } from './alerts.ts';
import { startTlsOverLdap } from './starttls-ldap.ts';

export type HandshakeOptions = DialOptions & {
  /** PEM of the anchors; never the runtime's own list. */
  readonly anchors: readonly string[];
  readonly identity?: { readonly certificate: string; readonly key: string };
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
  readonly requestStapled?: boolean;
};

export type Peer = {
  readonly version: string;
  readonly suite: string;
  /** Leaf first; certificates that are anchors are left out. */
  readonly presented: readonly ReadCertificate[];
  /** The runtime's own opinion of the chain, as a second one beside `checkChain`. */
  readonly refusal?: string;
  /** OCSP answer that came with the handshake, where it was asked for; DER. */
  readonly stapled?: Buffer;
};

export type HandshakeFailure = {
  readonly kind: 'alert' | 'closed' | 'reset' | 'silent' | 'no-starttls' | 'failed';
  readonly alert?: string;
  readonly error?: Error;
};
export type Handshake =
  | { readonly ok: true; readonly socket: TLSSocket; readonly peer: Peer }
  | { readonly ok: false; readonly failure: HandshakeFailure };

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

function readPeer(socket: TLSSocket, anchors: readonly string[]): Peer {
  const presented: ReadCertificate[] = [];
  const held = new Set(
    anchors
      .flatMap((pem) => pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [])
      .map((pem) => pem.replace(/-----[^-]+-----|\s/g, '')),
  );
  const seen = new Set<string>();
  let current: PeerCertificate | undefined = socket.getPeerCertificate(true);
  while (current?.raw !== undefined && !seen.has(current.fingerprint256)) {
    seen.add(current.fingerprint256);
    const read = readCertificate(current.raw);
    const leaf = presented.length === 0;
    // Node completes the list from the anchors; what the server did not need to send is no part of what it presented.
    if (read.ok && (leaf || !held.has(current.raw.toString('base64')))) presented.push(read.value);
    current = (current as { issuerCertificate?: PeerCertificate }).issuerCertificate;
  }
  const cipher = socket.getCipher();
  const refusal = socket.authorized ? undefined : refusalCode(socket.authorizationError);
  return {
    version:
      socket
        .getProtocol()
        ?.replace('TLSv1', 'TLS 1')
        .replace(/^TLS 1$/, 'TLS 1.0') ?? '',
    suite: cipher.standardName ?? cipher.name,
    presented,
    ...(refusal === undefined ? {} : { refusal }),
  };
}

/** Node declares an Error and gives the code as a string. */
function refusalCode(reason: unknown): string {
  if (typeof reason === 'string') return reason;
  return (reason as NodeJS.ErrnoException | undefined)?.code ?? 'unknown';
}

/** Names the stage at which a handshake failed. */
export function failureError(failure: HandshakeFailure, place: string): AppError {
  const code = String((failure.error as NodeJS.ErrnoException | undefined)?.code ?? '');
  const more = {
    place,
    ...(failure.error === undefined
      ? {}
      : { cause: code === 'NAME_MISMATCH' ? failure.error.message : code || failure.error.message }),
  };
  if (failure.kind === 'alert')
    return appError('tls.alert', `The server refused the TLS handshake with the alert ${failure.alert}.`, more);
  if (failure.kind === 'silent')
    return appError(
      'tcp.timeout',
      'The server accepted the connection and then kept silent in the TLS handshake.',
      more,
    );
  if (failure.kind === 'reset') return socketError(failure.error ?? new Error('reset'), place);
  if (failure.kind === 'closed')
    return appError('tls.not-spoken', 'The server hung up in the TLS handshake without saying why.', more);
  if (failure.kind === 'no-starttls') return appError('tls.not-spoken', 'The server does not start TLS.', more);
  if (code === 'NAME_MISMATCH')
    return appError('tls.name', "The server's certificate does not carry the name that was dialled.", more);
  if (code === 'CERT_HAS_EXPIRED')
    return appError('tls.expired', "A certificate in the server's chain has expired.", more);
  if (code === 'CERT_NOT_YET_VALID')
    return appError('tls.clock', "A certificate in the server's chain is not valid yet; is a clock wrong?", more);
  if (CHAIN_CODES.has(code))
    return appError('tls.chain', "The server's certificate does not lead to an anchor of the site.", more);
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG')
    return appError('tls.not-spoken', 'The server answers, but not in TLS.', more);
  return appError('tls.protocol', 'The TLS handshake failed.', more);
}

const CHAIN_CODES = new Set([
  'CERT_UNREADABLE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'CERT_SIGNATURE_FAILURE',
  'CERT_CHAIN_TOO_LONG',
  'CERT_UNTRUSTED',
  'CERT_REJECTED',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'UNSPECIFIED',
]);
