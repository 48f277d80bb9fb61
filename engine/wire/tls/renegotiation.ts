import type { TLSSocket } from 'node:tls';
import { ok, type Result } from '../../../core/result.ts';
import type { Endpoint } from '../../../core/site/schema.ts';
import { type DialOptions, isAbort } from '../tcp.ts';
import { observeHandshake } from './handshake.ts';

/** Whether a server renegotiates on a client's wish, or why that is not known. */
export type Renegotiation = { readonly clientRenegotiation: boolean } | { readonly why: string };

const ANSWER_MS = 4_000;
/** What the library says where the server answers with the warning no_renegotiation (RFC 5246 section 7.2.2), or ends it. */
const REFUSED = /no.renegotiation|NO_RENEGOTIATION/;

/**
 * One handshake in TLS 1.2, in which the client asks for another (RFC 5246 section 7.4.1.2): a server that gives it lets a
 * client have the costly part over and over. Nothing else is sent. Errors: cancel and deadline only. Call it inside the
 * host's slot, and only where TLS 1.2 was seen to be accepted.
 */
export async function tryRenegotiation(endpoint: Endpoint, options: DialOptions): Promise<Result<Renegotiation>> {
  if (process.versions['electron'] !== undefined) return ok({ why: 'BoringSSL does not ask for it.' });
  const shaken = await observeHandshake(endpoint, {
    ...options,
    anchors: [],
    minVersion: 'TLSv1.2',
    maxVersion: 'TLSv1.2',
  });
  if (!shaken.ok) return isAbort(shaken.error) ? shaken : ok({ why: shaken.error.message });
  if (!shaken.value.ok) return ok({ why: 'A full handshake in TLS 1.2 did not come about.' });
  const { socket } = shaken.value;
  try {
    return ok(await askAgain(socket));
  } finally {
    socket.on('error', () => {});
    socket.destroy();
  }
}

function askAgain(socket: TLSSocket): Promise<Renegotiation> {
  return new Promise((resolve) => {
    const finish = (seen: Renegotiation): void => {
      clearTimeout(timer);
      resolve(seen);
    };
    const timer = setTimeout(() => finish({ why: 'The server kept silent when it was asked.' }), ANSWER_MS);
    const failed = (error: NodeJS.ErrnoException): void =>
      finish(
        REFUSED.test(`${error.code ?? ''} ${error.message}`)
          ? { clientRenegotiation: false }
          : { why: `The connection failed when it was asked: ${error.message}` },
      );
    socket.once('error', failed);
    // Servers end connections for many reasons, so an end says nothing about what was asked.
    socket.once('close', () => finish({ why: 'The server hung up when it was asked.' }));
    socket.renegotiate({}, (error) => (error === null ? finish({ clientRenegotiation: true }) : failed(error)));
  });
}
