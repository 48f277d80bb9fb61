import { createECDH, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type { TlsVersion } from '../../../core/probes/tls-endpoint.ts';
import type { ServerHello } from './flight.ts';
import { ALL_GROUPS } from './groups.ts';
import { isEllipticSuite } from './suites.ts';

export const VERSION_NUMBERS: Readonly<Record<TlsVersion, number>> = {
  'SSL 3.0': 0x0300,
  'TLS 1.0': 0x0301,
  'TLS 1.1': 0x0302,
  'TLS 1.2': 0x0303,
  'TLS 1.3': 0x0304,
};

const EMPTY_RENEGOTIATION_INFO = 0x00ff;
/** The usual groups first, and all others that are known, or a server with an odd one seems to refuse the version. */
const GROUPS = [...new Set([0x001d, 0x0017, 0x0018, 0x0019, 0x0100, ...ALL_GROUPS])];
/** Groups for which a TLS 1.3 hello carries a key. */
const SHARED = [0x001d, 0x0017];
// SHA-1 and DSA are offered on purpose: a server that has nothing better must still be able to answer.
const SIGNATURES = [
  0x0403, 0x0503, 0x0603, 0x0807, 0x0808, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601,
  0x0203, 0x0201, 0x0202, 0x081a, 0x081b, 0x081c,
];

/** What a ClientHello asks for beyond versions and suites. */
export type HelloOptions = {
  /** Named groups; default: those that most servers know. */
  readonly groups?: readonly number[];
  /** Signature schemes for the handshake; certificates may be signed with any. Default: all that are known. */
  readonly signatures?: readonly number[];
  /** False: no TLS 1.3 key share at all, so that the server names the group it wants (RFC 8446 section 4.2.8). */
  readonly keyShares?: false;
  /** Application protocols (RFC 7301). */
  readonly alpn?: readonly string[];
  /** DEFLATE (RFC 3749) before no compression. */
  readonly compression?: true;
  /** An empty session ticket: the client would take one (RFC 5077). */
  readonly sessionTicket?: true;
};

export type ClientHello = { readonly bytes: Buffer; readonly random: Buffer };

/**
 * Builds one record with a ClientHello that offers exactly one version (RFC 6101, 2246, 4346, 5246, 8446). Our own TLS
 * library cannot offer the old versions and weak suites; so these bytes never become a full handshake.
 * @param serverName SNI; left out for IP addresses and for SSL 3.0, which knows no extensions.
 */
export function buildClientHello(
  version: TlsVersion,
  suites: readonly number[],
  serverName: string,
  options: HelloOptions = {},
): ClientHello {
  const number = VERSION_NUMBERS[version];
  const random = randomBytes(32);
  const offered = version === 'SSL 3.0' ? suites.filter((suite) => !isEllipticSuite(suite)) : suites;
  const tls13 = version === 'TLS 1.3';
  const extensions =
    version === 'SSL 3.0' ? [] : [vector(2, Buffer.concat(extensionsFor(version, serverName, options)))];
  const body = Buffer.concat([
    uint16(Math.min(number, 0x0303)),
    random,
    vector(1, tls13 ? randomBytes(32) : Buffer.alloc(0)),
    vector(2, Buffer.concat([...offered, ...(tls13 ? [] : [EMPTY_RENEGOTIATION_INFO])].map(uint16))),
    vector(1, Buffer.from(options.compression === true ? [1, 0] : [0])),
    ...extensions,
  ]);
  const handshake = Buffer.concat([Buffer.from([1]), vector(3, body)]);
  const record = Buffer.concat([
    Buffer.from([22]),
    uint16(version === 'SSL 3.0' ? 0x0300 : 0x0301),
    vector(2, handshake),
  ]);
  return { bytes: record, random };
}

function extensionsFor(version: TlsVersion, serverName: string, options: HelloOptions): Buffer[] {
  const name =
    isIP(serverName) === 0
      ? [extension(0, vector(2, Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(serverName, 'latin1'))])))]
      : [];
  const common = [
    ...name,
    extension(10, vector(2, Buffer.concat((options.groups ?? GROUPS).map(uint16)))),
    extension(11, vector(1, Buffer.from([0]))),
    ...(options.alpn === undefined
      ? []
      : [extension(16, vector(2, Buffer.concat(options.alpn.map((name) => vector(1, Buffer.from(name))))))]),
    ...(options.sessionTicket === true ? [extension(35, Buffer.alloc(0))] : []),
    // Some servers refuse every version below 1.3 without it (RFC 7627).
    ...(version === 'TLS 1.3' ? [] : [extension(23, Buffer.alloc(0))]),
  ];
  if (version === 'TLS 1.0' || version === 'TLS 1.1') return common;
  common.push(extension(13, schemes(options.signatures ?? SIGNATURES)));
  if (options.signatures !== undefined) common.push(extension(50, schemes(SIGNATURES)));
  if (version === 'TLS 1.2') return common;
  const ecdh = createECDH('prime256v1');
  const shares = Buffer.concat([
    // Any 32 bytes are a valid X25519 public key; the secret is never needed.
    Buffer.concat([uint16(0x001d), vector(2, randomBytes(32))]),
    Buffer.concat([uint16(0x0017), vector(2, ecdh.generateKeys())]),
  ]);
  return [
    ...common,
    extension(43, vector(1, uint16(VERSION_NUMBERS['TLS 1.3']))),
    extension(45, vector(1, Buffer.from([1]))),
    extension(51, vector(2, options.keyShares === false ? Buffer.alloc(0) : shares)),
  ];
}

/**
 * Why a ServerHello is no answer to a hello that was built with these suites and options; undefined where it is one. A
 * server that chooses what was not offered has accepted nothing.
 */
export function misfit(hello: ServerHello, suites: readonly number[], options: HelloOptions = {}): string | undefined {
  if (!suites.includes(hello.suite)) return `a suite that was not offered (0x${hello.suite.toString(16)})`;
  if (hello.compression !== 0 && options.compression !== true) return 'a compression that was not offered';
  if (hello.version !== VERSION_NUMBERS['TLS 1.3'])
    return hello.retry ? 'a HelloRetryRequest below TLS 1.3' : undefined;
  const share = hello.extensions.get(51);
  const shared = options.keyShares === false ? [] : SHARED;
  if (!hello.retry)
    return share !== undefined && share.length > 4 && shared.includes(share.readUInt16BE(0))
      ? undefined
      : 'a ServerHello without a key for a group that was offered';
  // Without a group it asks for its cookie back (RFC 8446 section 4.1.4).
  if (share === undefined) return hello.extensions.has(44) ? undefined : 'a HelloRetryRequest that asks for nothing';
  const group = share.length === 2 ? share.readUInt16BE(0) : undefined;
  return group === undefined || shared.includes(group) || !(options.groups ?? GROUPS).includes(group)
    ? 'a HelloRetryRequest for a group that was not offered, or that it had the key of'
    : undefined;
}

function schemes(list: readonly number[]): Buffer {
  return vector(2, Buffer.concat(list.map(uint16)));
}

function extension(type: number, data: Buffer): Buffer {
  return Buffer.concat([uint16(type), vector(2, data)]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

/** A vector with its length in front, in `lengthBytes` bytes (RFC 8446 section 3.4). */
function vector(lengthBytes: number, data: Buffer): Buffer {
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(data.length, 0, lengthBytes);
  return Buffer.concat([length, data]);
}
