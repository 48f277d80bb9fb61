import { fail, ok, type Result } from '../../core/result.ts';
import type { Endpoint } from '../../core/site/schema.ts';
import type { ProbeContext } from '../context.ts';
import { fingerprint, oneLine, publicKeyOf, type ReadCertificate, readCertificate } from '../keys/read-certificate.ts';
import { failureError, observeHandshake } from '../wire/tls/handshake.ts';
import { readPlainHandshake } from '../wire/tls/plain-handshake.ts';
import { NOTHING } from './certificate-way.ts';

/** A restarted service needs a moment until it listens again. */
const PATIENCE_MS = 15_000;
const PAUSE_MS = 400;

/** The certificate that an endpoint shows; undefined where nobody listens there. Errors: those of `shownChain`. */
export async function shownCertificate(
  endpoint: Endpoint,
  context: ProbeContext,
): Promise<Result<ReadCertificate | undefined>> {
  const chain = await shownChain(endpoint, context);
  return chain.ok ? ok(chain.value[0]) : chain;
}

/**
 * What an endpoint presents, its own certificate first; nothing where nobody listens there. Errors: those of `dial`, and of a
 * handshake that shows none.
 */
export async function shownChain(
  endpoint: Endpoint,
  context: ProbeContext,
): Promise<Result<readonly ReadCertificate[]>> {
  return context.connection(endpoint.host, async () => {
    const options = { hosts: context.site.hosts, signal: context.signal };
    const shaken = await observeHandshake(endpoint, { ...options, anchors: [] });
    if (!shaken.ok) return shaken.error.code === 'tcp.refused' ? ok([]) : shaken;
    if (shaken.value.ok) {
      shaken.value.socket.destroy();
      const { presented } = shaken.value.peer;
      if (presented.length > 0) return ok(presented);
    } else {
      // A server that hangs up on clients without a certificate shows its own before, in TLS 1.2.
      const plain = await readPlainHandshake(endpoint, options);
      const read = (plain.ok ? (plain.value?.certificates ?? []) : []).map(readCertificate);
      const presented = read.flatMap((one) => (one.ok ? [one.value] : []));
      if (presented.length > 0) return ok(presented);
      return { ok: false, error: failureError(shaken.value.failure, `${endpoint.host}:${endpoint.port}`) };
    }
    return fail('tls.protocol', 'The server presented no certificate that can be read.', {
      place: `${endpoint.host}:${endpoint.port}`,
    });
  });
}

/**
 * Looks until the endpoint shows the wanted certificate or patience is over, and says what it showed last. A service that
 * restarts refuses connections or hangs up for a moment; that alone is no error.
 * @param wanted SHA-256 of the certificate, hex
 */
export async function awaitCertificate(
  endpoint: Endpoint,
  wanted: string,
  context: ProbeContext,
): Promise<Result<ReadCertificate | undefined>> {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const seen = await shownCertificate(endpoint, context);
    if (seen.ok && seen.value !== undefined && fingerprint(seen.value) === wanted) return seen;
    if (context.signal.aborted || Date.now() + PAUSE_MS > until) return seen;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** SHA-256 of what an endpoint shows, or `nothing`. */
export function presentedOf(certificate: ReadCertificate | undefined): string {
  return certificate === undefined ? NOTHING : fingerprint(certificate);
}

/** A certificate in one line of a plan. */
export function describeCertificate(certificate: ReadCertificate): string {
  return `${oneLine(certificate.node.subject)}, until ${certificate.notAfter.toISOString()}, SHA-256 ${fingerprint(certificate)}, key ${publicKeyOf(certificate).slice(0, 16)}…`;
}
