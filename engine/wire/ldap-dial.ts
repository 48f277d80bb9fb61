import { X509Certificate } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';
import { BerReader } from 'ldapts';
import { type AppError, appError, fail, ok, type Result } from '../../core/result.ts';
import { resultError } from './ldap-errors.ts';
import { abortError, dial, socketError } from './tcp.ts';

/** One way to one directory server. */
export type DialTarget = {
  /** Name that the certificate must carry. */
  readonly host: string;
  /** Address to dial, where the name cannot be resolved here. */
  readonly address?: string;
  readonly port: number;
  readonly mode: 'ldaps' | 'starttls';
  /** Trust anchors as PEM; nothing else is trusted. */
  readonly anchors: readonly string[];
};

/** The server as it proved itself. Times as ISO 8601 in UTC. */
export type DialedPeer = {
  readonly protocol: string;
  readonly cipher: string;
  readonly certificate: {
    readonly subject: string;
    readonly issuer: string;
    readonly notBefore: string;
    readonly notAfter: string;
    readonly sha256: string;
    readonly key: string;
  };
};

const HANDSHAKE_MS = 5_000;
const START_TLS_OID = '1.3.6.1.4.1.1466.20037';
const MAX_START_TLS_ANSWER = 65_536;

const CHAIN_CODES = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
  'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'CERT_SIGNATURE_FAILURE',
  'CERT_CHAIN_TOO_LONG',
  'CERT_REVOKED',
  'CERT_REJECTED',
  'CERT_UNTRUSTED',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'ERROR_IN_CERT_NOT_BEFORE_FIELD',
  'ERROR_IN_CERT_NOT_AFTER_FIELD',
  'OUT_OF_MEM',
  'UNSPECIFIED',
]);

/** Sorts what Node says about a broken connection into the stage that failed. */
function connectionError(error: unknown, place: string): AppError {
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  const more = { place, cause: message };
  if (code === 'CERT_HAS_EXPIRED') return appError('tls.expired', 'A certificate of the server has expired.', more);
  if (code === 'CERT_NOT_YET_VALID')
    return appError('tls.clock', 'A certificate of the server is not valid yet: compare the clocks.', more);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return appError('tls.name', 'The certificate of the server is made out to another name.', more);
  if (CHAIN_CODES.has(code))
    return appError('tls.chain', 'The certificate of the server does not lead to an anchor of the site.', more);
  if (
    /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|UNEXPECTED_MESSAGE|RECORD_TOO_LARGE|BAD_PACKET_LENGTH|RECORD_LAYER_FAILURE/.test(
      code,
    )
  ) {
    return appError('tls.not-spoken', 'The port does not speak TLS.', more);
  }
  if (/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE|VERSION_TOO_LOW/.test(code)) {
    return appError('tls.protocol', 'The server offers no TLS version that is still safe.', more);
  }
  if (code.startsWith('ERR_SSL') || code === 'EPROTO')
    return appError('tls.alert', 'The server refused the TLS handshake.', more);
  return socketError(error instanceof Error ? error : new Error(message), place);
}

/** Runs `start` with a deadline and the caller's signal; `stop` must kill whatever is under way. */
async function bounded<T>(
  ms: number,
  signal: AbortSignal,
  late: () => AppError,
  place: string,
  start: () => Promise<T>,
  stop: () => void,
): Promise<Result<T>> {
  if (signal.aborted) return { ok: false, error: abortError(signal, place) };
  let timer: NodeJS.Timeout | undefined;
  let abort = () => {};
  const ended = new Promise<Result<T>>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, error: late() }), ms);
    abort = () => resolve({ ok: false, error: abortError(signal, place) });
    signal.addEventListener('abort', abort, { once: true });
  });
  const work = start().then(ok, (error: unknown) => ({ ok: false as const, error: connectionError(error, place) }));
  const result = await Promise.race([work, ended]);
  clearTimeout(timer);
  signal.removeEventListener('abort', abort);
  if (!result.ok) stop();
  return result;
}

/** Opens a TCP connection. Errors as `dial`. */
export async function dialTcp(
  target: Pick<DialTarget, 'host' | 'address' | 'port'>,
  signal: AbortSignal,
): Promise<Result<net.Socket>> {
  const { host, address, port } = target;
  const dialed = await dial(host, port, { signal, ...(address === undefined ? {} : { hosts: { [host]: address } }) });
  // A socket without an error listener would end the whole process when a server misbehaves later.
  if (dialed.ok) dialed.value.on('error', () => {});
  return dialed;
}

/** Reads the answer to StartTLS, whole and alone: bytes behind it would be an injection into the secured session. */
function readStartTlsAnswer(socket: net.Socket): Promise<{ code: number; diagnostic: string } | undefined> {
  return new Promise((resolve, reject) => {
    let read = Buffer.alloc(0);
    const done = (settle: () => void) => {
      socket.off('data', onData).off('close', onClose).off('error', onError);
      socket.pause();
      settle();
    };
    const onClose = () =>
      done(() => reject(Object.assign(new Error('closed before the answer to StartTLS'), { code: 'ECONNRESET' })));
    const onError = (error: Error) => done(() => reject(error));
    const onData = (chunk: Buffer) => {
      read = Buffer.concat([read, chunk]);
      if (read.length > MAX_START_TLS_ANSWER) return done(() => resolve(undefined));
      const answer = parseStartTlsAnswer(read);
      if (answer !== 'more') done(() => resolve(answer));
    };
    socket.on('data', onData).on('close', onClose).on('error', onError);
  });
}

/** Parses an ExtendedResponse (RFC 4511, 4.12). `more` while incomplete, undefined when it is something else. */
export function parseStartTlsAnswer(bytes: Buffer): { code: number; diagnostic: string } | 'more' | undefined {
  try {
    const reader = new BerReader(bytes);
    const tag = reader.readSequence();
    if (tag === null || reader.remain < reader.length) return 'more';
    if (tag !== 0x30 || reader.remain !== reader.length) return undefined;
    if (reader.readInt() !== 1 || reader.readSequence() !== 0x78) return undefined;
    const code = reader.readEnumeration();
    reader.readString();
    const diagnostic = reader.readString() ?? '';
    return code === null ? undefined : { code, diagnostic };
  } catch {
    return undefined;
  }
}

function startTlsRequest(): Buffer {
  const oid = Buffer.from(START_TLS_OID, 'ascii');
  const operation = Buffer.concat([Buffer.from([0x77, oid.length + 2, 0x80, oid.length]), oid]);
  return Buffer.concat([Buffer.from([0x30, operation.length + 3, 0x02, 0x01, 0x01]), operation]);
}

async function requestStartTls(socket: net.Socket, place: string, signal: AbortSignal): Promise<Result<void>> {
  const late = () => appError('tcp.timeout', `StartTLS was not answered within ${HANDSHAKE_MS / 1000} s.`, { place });
  const ask = () => {
    const answer = readStartTlsAnswer(socket);
    socket.write(startTlsRequest());
    return answer;
  };
  const answer = await bounded(HANDSHAKE_MS, signal, late, place, ask, () => socket.destroy());
  if (!answer.ok) return answer;
  if (answer.value?.code === 0) return ok(undefined);
  socket.destroy();
  if (answer.value === undefined) return fail('ldap.protocol', 'The answer to StartTLS is not LDAP.', { place });
  return { ok: false, error: resultError(answer.value, 'StartTLS', place) };
}

/** Only subjectAltName counts (RFC 6125, 6.4.4): Node would fall back to the common name. */
function checkName(host: string, certificate: tls.PeerCertificate): Error | undefined {
  if (certificate.subjectaltname !== undefined) return tls.checkServerIdentity(host, certificate);
  return Object.assign(new Error('the certificate has no subjectAltName'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
}

function describeKey(certificate: X509Certificate): string {
  const { asymmetricKeyType = 'unknown', asymmetricKeyDetails: details } = certificate.publicKey;
  return [asymmetricKeyType, details?.modulusLength ?? details?.namedCurve]
    .filter((part) => part !== undefined)
    .join(' ');
}

function describePeer(socket: tls.TLSSocket): DialedPeer {
  const certificate = new X509Certificate(socket.getPeerCertificate(true).raw);
  return {
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName ?? socket.getCipher().name,
    certificate: {
      subject: certificate.subject.replaceAll('\n', ', '),
      issuer: certificate.issuer.replaceAll('\n', ', '),
      notBefore: new Date(certificate.validFrom).toISOString(),
      notAfter: new Date(certificate.validTo).toISOString(),
      sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
      key: describeKey(certificate),
    },
  };
}

/**
 * Opens a connection whose server has proved itself: chain to the anchors given, name, validity. LDAP has not been
 * spoken yet, except for StartTLS.
 * @returns the secured socket; errors dns.*, tcp.*, tls.*, and ldap.* for a StartTLS that was refused
 */
export async function dialDirectory(
  target: DialTarget,
  signal: AbortSignal,
): Promise<Result<{ socket: tls.TLSSocket; peer: DialedPeer }>> {
  const place = `${target.host}:${target.port}`;
  if (target.anchors.length === 0)
    return fail('site.invalid', 'The site gives no trust anchor for the directory.', { place });
  const dialed = await dialTcp(target, signal);
  if (!dialed.ok) return dialed;
  const raw = dialed.value;
  if (target.mode === 'starttls') {
    const asked = await requestStartTls(raw, place, signal);
    if (!asked.ok) return asked;
  }
  let secured: tls.TLSSocket | undefined;
  const handshake = () =>
    new Promise<tls.TLSSocket>((resolve, reject) => {
      const socket = tls.connect({
        socket: raw,
        host: target.host,
        servername: net.isIP(target.host) === 0 ? target.host : '',
        ca: [...target.anchors],
        minVersion: 'TLSv1.2',
        checkServerIdentity: (_name, certificate) => checkName(target.host, certificate),
      });
      secured = socket;
      socket.on('error', reject);
      socket.once('secureConnect', () => resolve(socket));
    });
  const late = () =>
    appError('tcp.timeout', `The TLS handshake did not end within ${HANDSHAKE_MS / 1000} s.`, { place });
  const done = await bounded(HANDSHAKE_MS, signal, late, place, handshake, () => {
    secured?.destroy();
    raw.destroy();
  });
  return done.ok ? ok({ socket: done.value, peer: describePeer(done.value) }) : done;
}
