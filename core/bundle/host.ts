import { CryptoEngine } from 'pkijs';

/** WebCrypto as the host has it: Node's or a browser's. Taken from the library, because core has no DOM types. */
export type WebCrypto = NonNullable<ConstructorParameters<typeof CryptoEngine>[0]>['crypto'];

/** Random access to a container's bytes. The host streams: large parts are never held whole. */
export type ByteSource = {
  readonly size: number;
  /** Exactly `length` bytes from `offset`. */
  readonly read: (offset: number, length: number) => Promise<Uint8Array<ArrayBuffer>>;
  /** SHA-256 (lower-case hex) and CRC-32 of a range. */
  readonly digest: (offset: number, length: number) => Promise<{ sha256: string; crc32: number }>;
};

/** What verification needs from the world. */
export type Host = {
  readonly webCrypto: WebCrypto;
  /** Raw DEFLATE (RFC 1951); must throw when more than `limit` bytes come out, or when bytes follow its end. */
  readonly inflateRaw: (
    bytes: Uint8Array<ArrayBuffer>,
    limit: number,
  ) => Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>;
  /** CRC-32 of bytes in memory (only for entries that were compressed). */
  readonly crc32: (bytes: Uint8Array<ArrayBuffer>) => number;
};

/** A pkijs engine over the host's WebCrypto. */
export function cryptoEngine(webCrypto: WebCrypto): CryptoEngine {
  return new CryptoEngine({ name: 'host', crypto: webCrypto });
}

/** SHA-256 of bytes in memory, lower-case hex. */
export async function sha256Hex(webCrypto: WebCrypto, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return toHex(new Uint8Array(await webCrypto.subtle.digest('SHA-256', bytes)));
}

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** A source over bytes in memory, for a container inside a container. */
export function memorySource(bytes: Uint8Array<ArrayBuffer>, host: Host): ByteSource {
  return {
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
    digest: async (offset, length) => {
      const part = bytes.slice(offset, offset + length);
      return { sha256: await sha256Hex(host.webCrypto, part), crc32: host.crc32(part) };
    },
  };
}
