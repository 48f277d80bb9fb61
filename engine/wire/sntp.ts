import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { fail, ok, type Result } from '../../core/result.ts';
import { abortError, addressOf, type DialOptions } from './tcp.ts';

/** What a time server said. */
export type SntpAnswer = {
  /** The server's clock halfway between request and answer, milliseconds since 1970. */
  readonly time: number;
  readonly roundTripMs: number;
  readonly stratum: number;
};

const PACKET = 48;
const CLIENT_V4 = 0x23;
const MODE_SERVER = 4;
const UNSYNCHRONIZED = 3;
const MAX_STRATUM = 15;
/** Seconds from 1900 to 1970. */
const UNIX_EPOCH = 2_208_988_800;
const ERA_SECONDS = 2 ** 32;
const ANSWER_MS = 3_000;
const ATTEMPTS = 2;

/**
 * Asks a time server once, and once more where no answer comes (UDP may lose one). Nothing of this computer is told: what it
 * sends as its time is random, and only an answer that repeats it counts. RFC 4330. Errors: `ntp.protocol` (no answer, not
 * synchronized, refused), `dns.failed`, `probe.cancelled`, `probe.deadline`. Call it inside the host's connection slot.
 */
export async function askSntp(
  host: string,
  port: number,
  options: Pick<DialOptions, 'hosts' | 'signal'>,
): Promise<Result<SntpAnswer>> {
  let last: Result<SntpAnswer> = fail('ntp.protocol', 'The time server was not asked.', { place: `${host}:${port}` });
  for (let attempt = 0; attempt < ATTEMPTS && !last.ok && !options.signal.aborted; attempt += 1) {
    const answer = await once(host, port, options);
    if (answer !== 'silent') return answer;
    last = fail('ntp.protocol', `No answer within ${ANSWER_MS / 1000} s; a firewall may drop it.`, {
      place: `${host}:${port}`,
    });
  }
  return options.signal.aborted ? { ok: false, error: abortError(options.signal, `${host}:${port}`) } : last;
}

function once(
  host: string,
  port: number,
  { hosts, signal }: Pick<DialOptions, 'hosts' | 'signal'>,
): Promise<Result<SntpAnswer> | 'silent'> {
  const place = `${host}:${port}`;
  const address = addressOf(host, hosts);
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    const cookie = randomBytes(8);
    let sentAt = performance.now();
    const finish = (result: Result<SntpAnswer> | 'silent'): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.close();
      resolve(result);
    };
    const onAbort = (): void => finish({ ok: false, error: abortError(signal, place) });
    const timer = setTimeout(() => finish('silent'), ANSWER_MS);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? '';
      const dns = /^(?:ENOTFOUND|EAI_)/.test(code);
      finish(
        dns
          ? fail('dns.failed', 'The name of the time server cannot be resolved.', { place, cause: code })
          : fail('ntp.protocol', 'The time server cannot be asked.', { place, cause: code }),
      );
    });
    socket.on('message', (packet) => {
      const roundTripMs = performance.now() - sentAt;
      // A stray or forged packet is passed over; the answer may still come.
      if (packet.length >= PACKET && packet.subarray(24, 32).equals(cookie)) finish(read(packet, roundTripMs, place));
    });
    // Connected, so that only this server is heard, and that its refusal arrives.
    socket.connect(port, address, () => {
      const packet = Buffer.alloc(PACKET);
      packet[0] = CLIENT_V4;
      cookie.copy(packet, 40);
      sentAt = performance.now();
      socket.send(packet);
    });
  });
}

function read(packet: Buffer, roundTripMs: number, place: string): Result<SntpAnswer> {
  const stratum = packet.readUInt8(1);
  if ((packet.readUInt8(0) & 7) !== MODE_SERVER)
    return fail('ntp.protocol', 'The answer is not one of a time server.', { place });
  if (stratum === 0) {
    const code = packet
      .subarray(12, 16)
      .toString('latin1')
      .replace(/[^A-Z]/g, '');
    return fail('ntp.protocol', 'The time server refuses to tell the time.', { place, cause: code });
  }
  const received = timestamp(packet, 32);
  const transmitted = timestamp(packet, 40);
  if (packet.readUInt8(0) >> 6 === UNSYNCHRONIZED || stratum > MAX_STRATUM || transmitted === undefined)
    return fail('ntp.protocol', 'The time server has no right time itself.', { place });
  return ok({ time: ((received ?? transmitted) + transmitted) / 2, roundTripMs, stratum });
}

/** Milliseconds since 1970; undefined for zero, which is no time. The first bit tells the era (RFC 4330 section 3). */
function timestamp(packet: Buffer, at: number): number | undefined {
  const seconds = packet.readUInt32BE(at);
  const fraction = packet.readUInt32BE(at + 4);
  if (seconds === 0 && fraction === 0) return undefined;
  const era = seconds >= ERA_SECONDS / 2 ? 0 : ERA_SECONDS;
  return 1000 * (seconds + era - UNIX_EPOCH + fraction / ERA_SECONDS);
}
