import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { ClientIdentity } from '../../keys/trial-identity.ts';
import { alertName, alertOf, CERTIFICATE_REFUSALS } from './alerts.ts';
import { offeredVersions } from './offered-versions.ts';

/** What one device connection did. Bytes are counted and thrown away. */
export type ImpostorVisit = {
  readonly peer: string;
  readonly spoke: 'tls' | 'clear' | 'nothing';
  readonly offered: readonly string[];
  readonly handshakeCompleted: boolean;
  readonly applicationBytes: number;
  /** The certificate was on its way when the device broke off. */
  readonly certificateSent: boolean;
  readonly alert?: string;
  /** Who ended it. `us`: because it was decided, or the time was over. */
  readonly endedBy: 'device' | 'us';
};

const VISIT_MS = 15_000;
const MAX_HELLO = 20_000;
const MAX_TAPPED = 65_536;
/** What the device sent before it hung up may still be on its way through the TLS library. */
const LINGER_MS = 250;
const STARTTLS_OID = Buffer.from('1.3.6.1.4.1.1466.20037');

/**
 * How the visit shows that the device refuses an impostor (`alert`), perhaps does (`closed-without-data`: it had the
 * certificate and hung up) or falls for it; undefined where it shows nothing. Whether a client that hangs up had finished
 * the handshake cannot be told reliably: a reset can overtake its last message.
 */
export function visitVerdict(
  visit: ImpostorVisit,
): 'alert' | 'closed-without-data' | 'application-data' | 'clear-text' | undefined {
  if (visit.spoke === 'clear') return 'clear-text';
  if (visit.applicationBytes > 0) return 'application-data';
  if (visit.spoke !== 'tls' || visit.endedBy !== 'device') return undefined;
  if (visit.alert !== undefined && visit.alert !== 'close_notify')
    return CERTIFICATE_REFUSALS.has(visit.alert) ? 'alert' : undefined;
  return visit.handshakeCompleted || visit.certificateSent ? 'closed-without-data' : undefined;
}

/** Attends to one connection until it decides, ends, or its time is over. */
export function receiveVisit(
  socket: Socket,
  secureContext: SecureContext,
  startTls: boolean,
  certificateLength: number,
  done: (visit: ImpostorVisit) => void,
): { end: () => void } {
  let spoke: ImpostorVisit['spoke'] = 'nothing';
  let offered: readonly string[] = [];
  let handshakeCompleted = false;
  let applicationBytes = 0;
  let alert: string | undefined;
  let settled = false;
  let buffered: Buffer = Buffer.alloc(0);
  const finish = (endedBy: 'device' | 'us'): void => {
    if (settled) return;
    settled = true;
    clearTimeout(timer);
    // Bytes that were still being put together and do not begin a ClientHello went out in clear.
    if (spoke === 'nothing' && buffered.length > 0 && helloLength(buffered) === undefined) {
      spoke = 'clear';
      applicationBytes += buffered.length;
    }
    const certificateSent = socket.bytesWritten > certificateLength;
    socket.destroy();
    done({
      peer,
      spoke,
      offered,
      handshakeCompleted,
      applicationBytes,
      certificateSent,
      endedBy,
      ...(alert === undefined ? {} : { alert }),
    });
  };
  // A socket that is open to both families names IPv4 in the form of IPv6.
  const peer = (socket.remoteAddress ?? 'unknown').replace(/^::ffff:(?=\d+\.)/, '');
  const timer = setTimeout(() => finish('us'), VISIT_MS);
  const gone = (): void => void setTimeout(() => finish('device'), LINGER_MS);
  socket.on('error', gone);
  socket.on('close', gone);

  const serveTls = (first: Buffer): void => {
    spoke = 'tls';
    offered = offeredVersions(first);
    const tap = tapped(socket, first);
    const tls = new TLSSocket(tap.stream, { isServer: true, secureContext });
    tls.on('secure', () => {
      handshakeCompleted = true;
    });
    tls.on('data', (chunk: Buffer) => {
      applicationBytes += chunk.length;
      finish('us');
    });
    // A failure without the device's alert is our own side's: no common version or suite. It says nothing about the device.
    tls.on('error', (error: NodeJS.ErrnoException) => {
      // OpenSSL clients send the alert in clear under TLS 1.3 as well, which BoringSSL does not read.
      alert = plainAlert(tap.received()) ?? alertOf(error);
      const byDevice = alert !== undefined || error.code === 'ECONNRESET' || error.code === 'EPIPE';
      finish(byDevice ? 'device' : 'us');
    });
    tls.on('end', () => finish('device'));
    tls.on('close', gone);
  };

  let startTlsDone = !startTls;
  const onData = (chunk: Buffer): void => {
    buffered = Buffer.concat([buffered, chunk]);
    if (!startTlsDone && buffered[0] === 0x30) {
      const id = buffered[2] === 0x02 && buffered[3] === 1 ? buffered[4] : undefined;
      if (buffered.includes(STARTTLS_OID) && id !== undefined) {
        startTlsDone = true;
        buffered = Buffer.alloc(0);
        socket.write(Buffer.from([0x30, 0x0c, 0x02, 0x01, id, 0x78, 0x07, 0x0a, 0x01, 0x00, 0x04, 0x00, 0x04, 0x00]));
        return;
      }
      if (isIncompleteLdap(buffered)) return;
    }
    const length = helloLength(buffered);
    if (length === undefined) {
      spoke = 'clear';
      applicationBytes += buffered.length;
      return finish('us');
    }
    if (buffered.length < length && buffered.length < MAX_HELLO) return;
    socket.off('data', onData);
    serveTls(buffered);
  };
  socket.on('data', onData);
  return { end: () => finish('us') };
}

/**
 * Length of the record with the ClientHello that these bytes begin, as far as they tell: of TLS, or in the form of SSL 2.0
 * that old clients use for any version (RFC 5246 appendix E.2). `undefined`: they begin something else.
 */
function helloLength(bytes: Buffer): number | undefined {
  const [first = 0, second = 0, type = 1, major = 3] = bytes;
  if (first === 22) return bytes.length < 5 ? 5 : 5 + bytes.readUInt16BE(3);
  return first >= 0x80 && type === 1 && major === 3 ? 2 + (((first & 0x7f) << 8) | second) : undefined;
}

/** Whether more of this LDAP message is still to come; an odd length is not waited for. */
function isIncompleteLdap(bytes: Buffer): boolean {
  const length = bytes[1] ?? 0;
  return bytes.length < 2 || (length < 0x80 && bytes.length < 2 + length);
}

/** The socket as a stream whose incoming bytes are kept (up to a limit), starting behind the ClientHello. */
function tapped(socket: Socket, first: Buffer): { stream: Duplex; received: () => Buffer } {
  let kept: Buffer = first.subarray(helloLength(first) ?? 0);
  const stream = new Duplex({
    read: () => void socket.resume(),
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, () => done()),
    final: (done) => void socket.end(() => done()),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  stream.on('error', () => {});
  stream.push(first);
  socket.on('data', (chunk: Buffer) => {
    if (kept.length < MAX_TAPPED) kept = Buffer.concat([kept, chunk]);
    if (!stream.push(chunk)) socket.pause();
  });
  socket.on('end', () => stream.push(null));
  return { stream, received: () => kept };
}

/** The alert among records that are not encrypted; an encrypted one is longer than two bytes. Never throws. */
export function plainAlert(bytes: Buffer): string | undefined {
  let offset = 0;
  while (bytes.length - offset >= 7) {
    const length = bytes.readUInt16BE(offset + 3);
    if (
      bytes.readUInt8(offset) === 21 &&
      length === 2 &&
      (bytes.readUInt8(offset + 5) === 1 || bytes.readUInt8(offset + 5) === 2)
    )
      return alertName(bytes.readUInt8(offset + 6));
    offset += 5 + length;
  }
  return undefined;
}

/** A TLS context that even an old device gets as far as the certificate with. */
export function impostorContext({ certificate, key }: ClientIdentity): SecureContext {
  const base = { cert: certificate, key, minVersion: 'TLSv1', maxVersion: 'TLSv1.3' } as const;
  try {
    // An old device must get as far as the certificate, or nothing is learned; BoringSSL knows no security level.
    return createSecureContext({ ...base, ciphers: 'DEFAULT@SECLEVEL=0' });
  } catch {
    return createSecureContext(base);
  }
}
