import { createSecureContext, createServer, type Server, type TlsOptions, type TLSSocket } from 'node:tls';

/** The TLS side of a practice server: what it presents, and how old a version it takes. */
export type TlsFace = {
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly oldVersions: boolean;
};

export type ClientDemand = {
  /** Roots of acceptable client certificates. */
  readonly caPem: string;
  readonly crlPem?: string;
  /** Ends the handshake without a client certificate, and drops one that does not verify. */
  readonly insist: boolean;
};

/** What Mozilla's guideline asks for in its intermediate level. */
const CURRENT = {
  minVersion: 'TLSv1.2',
  ciphers:
    'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!PSK',
  ecdhCurve: 'X25519:P-256:P-384',
} as const;

/** Options for node:tls and node:https. */
export function tlsOptions(face: TlsFace, demand?: ClientDemand): TlsOptions {
  return {
    cert: face.certificatePem,
    key: face.keyPem,
    ...(face.oldVersions ? { minVersion: 'TLSv1' as const, ...oldCiphers() } : CURRENT),
    ...(demand === undefined
      ? {}
      : {
          ca: demand.caPem,
          requestCert: true,
          rejectUnauthorized: demand.insist,
          ...(demand.crlPem === undefined ? {} : { crl: demand.crlPem }),
        }),
    handshakeTimeout: 10_000,
  };
}

/** OpenSSL 3 speaks TLS 1.0 only at security level 0; BoringSSL (Electron) knows no levels and needs none. */
function oldCiphers(): { ciphers?: string } {
  try {
    createSecureContext({ ciphers: 'DEFAULT:@SECLEVEL=0' });
    return { ciphers: 'DEFAULT:@SECLEVEL=0' };
  } catch {
    return {};
  }
}

/** A TLS server that listens nowhere: give it sockets with `emit('connection', socket)`. */
export function tlsWrapper(options: TlsOptions, greet: (socket: TLSSocket) => void): Server {
  const server = createServer(options, (socket) => {
    socket.on('error', () => socket.destroy());
    greet(socket);
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}
