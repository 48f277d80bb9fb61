import { alertName } from './alerts.ts';

export type HandshakeMessage = { readonly type: number; readonly body: Buffer };

/** The server's side of a conversation as far as it was readable without keys. */
export type Flight = {
  readonly messages: readonly HandshakeMessage[];
  /** A fatal alert, by name. Warnings (such as unrecognized_name) are skipped: the handshake goes on. */
  readonly alert?: string;
  /** Encrypted records began, so nothing more can be read. */
  readonly encrypted: boolean;
};

export type FlightResult =
  | { readonly kind: 'flight'; readonly flight: Flight }
  /** What came is not TLS. */
  | { readonly kind: 'not-tls'; readonly bytes: Buffer }
  /** It began as TLS and then broke the rules of it. */
  | { readonly kind: 'malformed'; readonly reason: string };

const RECORD_HEADER = 5;
const MAX_RECORD = 16_384 + 2_048;
const MAX_HANDSHAKE = 131_072;
const HANDSHAKE = { change: 20, alert: 21, handshake: 22, data: 23 } as const;

/** Reads complete records from the start of `bytes` (RFC 8446 section 5, RFC 5246 section 6). Never throws. */
export function parseFlight(bytes: Buffer): FlightResult {
  const fragments: Buffer[] = [];
  let alert: string | undefined;
  let encrypted = false;
  let offset = 0;
  while (offset < bytes.length && alert === undefined && !encrypted) {
    const record = bytes.subarray(offset);
    const type = record.readUInt8(0);
    if (type < HANDSHAKE.change || type > HANDSHAKE.data || (record.length > 1 && record.readUInt8(1) !== 3)) {
      return offset === 0 ? { kind: 'not-tls', bytes } : { kind: 'malformed', reason: 'a record of an unknown kind' };
    }
    if (record.length < RECORD_HEADER) break;
    const length = record.readUInt16BE(3);
    if (length > MAX_RECORD)
      return offset === 0 ? { kind: 'not-tls', bytes } : { kind: 'malformed', reason: 'a record that is too long' };
    if (record.length < RECORD_HEADER + length) break;
    const content = record.subarray(RECORD_HEADER, RECORD_HEADER + length);
    offset += RECORD_HEADER + length;
    if (type === HANDSHAKE.handshake) {
      if (length === 0) return { kind: 'malformed', reason: 'an empty handshake record' };
      fragments.push(content);
    } else if (type === HANDSHAKE.alert) {
      if (length !== 2) return { kind: 'malformed', reason: 'an alert of the wrong length' };
      const level = content.readUInt8(0);
      if (level !== 1 && level !== 2) return { kind: 'malformed', reason: 'an alert of an unknown level' };
      const name = alertName(content.readUInt8(1));
      // close_notify is a warning that ends the conversation all the same.
      if (level === 2 || name === 'close_notify') alert = name;
    } else {
      encrypted = true;
    }
  }
  const joined = joinMessages(Buffer.concat(fragments));
  if ('reason' in joined) return { kind: 'malformed', reason: joined.reason };
  return {
    kind: 'flight',
    flight: { messages: joined.messages, encrypted, ...(alert === undefined ? {} : { alert }) },
  };
}

function joinMessages(bytes: Buffer): { messages: HandshakeMessage[] } | { reason: string } {
  const messages: HandshakeMessage[] = [];
  let offset = 0;
  while (bytes.length - offset >= 4) {
    const length = bytes.readUIntBE(offset + 1, 3);
    if (length > MAX_HANDSHAKE) return { reason: 'a handshake message that is too long' };
    if (bytes.length - offset - 4 < length) break;
    messages.push({ type: bytes.readUInt8(offset), body: bytes.subarray(offset + 4, offset + 4 + length) });
    offset += 4 + length;
  }
  return { messages };
}

export type ServerHello = {
  readonly version: number;
  readonly random: Buffer;
  readonly suite: number;
  readonly retry: boolean;
  readonly compression: number;
  /** Content by extension number; empty for a server that sends none. */
  readonly extensions: ReadonlyMap<number, Buffer>;
};

const SUPPORTED_VERSIONS = 43;
const TLS13 = 0x0304;

/** SHA-256 of "HelloRetryRequest", the random by which one is known (RFC 8446 section 4.1.3). */
const RETRY_RANDOM = 'cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c';

/** Reads a ServerHello or HelloRetryRequest body; undefined when it is malformed. Never throws. */
export function parseServerHello(body: Buffer): ServerHello | undefined {
  if (body.length < 38) return undefined;
  const legacy = body.readUInt16BE(0);
  const random = body.subarray(2, 34);
  const sessionLength = body.readUInt8(34);
  let offset = 35 + sessionLength;
  if (sessionLength > 32 || body.length < offset + 3) return undefined;
  const suite = body.readUInt16BE(offset);
  const compression = body.readUInt8(offset + 2);
  offset += 3;
  const extensions = new Map<number, Buffer>();
  let version = legacy;
  if (body.length > offset) {
    if (body.length < offset + 2 || body.readUInt16BE(offset) !== body.length - offset - 2) return undefined;
    offset += 2;
    while (offset < body.length) {
      if (body.length < offset + 4) return undefined;
      const type = body.readUInt16BE(offset);
      const length = body.readUInt16BE(offset + 2);
      if (body.length < offset + 4 + length) return undefined;
      // Each at most once (RFC 8446 section 4.2).
      if (extensions.has(type)) return undefined;
      if (type === SUPPORTED_VERSIONS) {
        if (length !== 2) return undefined;
        version = body.readUInt16BE(offset + 4);
        if (version < TLS13) return undefined;
      }
      extensions.set(type, body.subarray(offset + 4, offset + 4 + length));
      offset += 4 + length;
    }
  }
  // TLS 1.3 and later are chosen by the extension alone (RFC 8446 section 4.1.3).
  if (legacy < 0x0300 || legacy >= TLS13 || version > TLS13) return undefined;
  return { version, random, suite, retry: random.toString('hex') === RETRY_RANDOM, compression, extensions };
}

/** DER certificates of a Certificate message up to TLS 1.2 (RFC 5246 section 7.4.2); undefined when it is malformed. */
export function parseCertificates(body: Buffer): Buffer[] | undefined {
  if (body.length < 3 || body.readUIntBE(0, 3) !== body.length - 3) return undefined;
  const certificates: Buffer[] = [];
  let offset = 3;
  while (offset < body.length) {
    if (body.length < offset + 3) return undefined;
    const length = body.readUIntBE(offset, 3);
    if (length === 0 || body.length < offset + 3 + length) return undefined;
    certificates.push(body.subarray(offset + 3, offset + 3 + length));
    offset += 3 + length;
  }
  return certificates;
}
