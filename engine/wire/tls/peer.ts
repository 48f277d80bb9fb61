import type { PeerCertificate, TLSSocket } from 'node:tls';
import { type ReadCertificate, readCertificate } from '../../keys/read-certificate.ts';

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

/**
 * What the library kept of the server's certificates.
 * @param anchors PEM
 */
export function readPeer(socket: TLSSocket, anchors: readonly string[]): Peer {
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
    const leaf = seen.size === 1;
    // Another certificate in its place would be taken for the server's own.
    if (leaf && !read.ok) break;
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
