import type { Result } from '../../../core/result.ts';
import { ok } from '../../../core/result.ts';
import type { Endpoint } from '../../../core/site/schema.ts';
import type { ClientIdentity } from '../../keys/trial-identity.ts';
import { httpStatus, isCertificateRefusalPage, type Stimulus } from '../stimulus.ts';
import { abortError, converse, type DialOptions } from '../tcp.ts';
import { alertOf } from './alerts.ts';
import { observeHandshake } from './handshake.ts';

export type TrialVersion = 'TLS 1.2' | 'TLS 1.3';

/** What a server did with one client. A `refused` or `closed` means something only beside a positive control. */
export type TrialSeen = {
  /** data: application bytes came. refused: an alert or a refusal page. closed: hung up without either. */
  readonly kind: 'data' | 'refused' | 'closed' | 'inconclusive';
  readonly how: string;
  readonly alert?: string;
};

const ANSWER_TIMEOUT_MS = 4_000;
const QUIET_MS = 1_500;
/** HTTP answers that may mean a missing certificate as well as something else. */
const AMBIGUOUS_STATUS = new Set([403, 495, 496]);

/**
 * One handshake in exactly one version with or without a client certificate, followed by a harmless message, because
 * under TLS 1.3 (and with servers such as nginx) the refusal comes only then. Errors are those of `dial`.
 */
export async function tryClient(
  endpoint: Endpoint,
  version: TrialVersion,
  identity: ClientIdentity | undefined,
  stimulus: Stimulus | undefined,
  options: DialOptions,
): Promise<Result<TrialSeen>> {
  const exact = version === 'TLS 1.2' ? 'TLSv1.2' : 'TLSv1.3';
  const shaken = await observeHandshake(endpoint, {
    ...options,
    anchors: [],
    minVersion: exact,
    maxVersion: exact,
    ...(identity === undefined ? {} : { identity }),
  });
  if (!shaken.ok) return shaken;
  if (!shaken.value.ok) {
    const { kind, alert, error } = shaken.value.failure;
    if (kind === 'alert')
      return ok(
        alert === 'protocol_version'
          ? { kind: 'inconclusive', how: `the server does not speak ${version}` }
          : refusedBy(alert ?? 'an unknown alert', 'in the handshake'),
      );
    if (kind === 'closed' || kind === 'reset')
      return ok({ kind: 'closed', how: 'the server hung up in the handshake without an alert' });
    return ok({
      kind: 'inconclusive',
      how:
        kind === 'silent'
          ? 'the server kept silent in the handshake'
          : `the handshake failed: ${error?.message ?? kind}`,
    });
  }
  const conversation = converse(shaken.value.socket, options.signal);
  try {
    if (stimulus !== undefined) conversation.send(stimulus.bytes);
    const received = await conversation.receive(
      (bytes) =>
        stimulus?.recognise(bytes) ?? (stimulus === undefined && bytes.length > 0 ? 'application data' : undefined),
      stimulus === undefined ? QUIET_MS : ANSWER_TIMEOUT_MS,
    );
    if (received.ok) {
      const bytes = await conversation.receive((all) => all, 0);
      return ok(judgeData(received.value, bytes.ok ? bytes.value : Buffer.alloc(0), version));
    }
    if (options.signal.aborted) return { ok: false, error: abortError(options.signal) };
    if (received.bytes.length > 0)
      return ok(judgeData(`${received.bytes.length} bytes of application data`, received.bytes, version));
    const alert = alertOf(received.error);
    if (alert !== undefined) return ok(refusedBy(alert, 'after the handshake'));
    // An error of our own library, without the server's alert, is no word of the server.
    if (received.ended === 'failed')
      return ok({
        kind: 'inconclusive',
        how: `the connection failed after the handshake: ${received.error?.message ?? 'without a reason'}`,
      });
    if (received.ended === 'closed' || received.ended === 'reset')
      return ok({ kind: 'closed', how: 'the server hung up after the handshake, before any application byte' });
    return ok({
      kind: 'inconclusive',
      how:
        stimulus === undefined
          ? 'the handshake was completed, and no application protocol is known to ask further'
          : 'the handshake was completed, and the server kept silent',
    });
  } finally {
    conversation.close();
  }
}

function refusedBy(alert: string, when: string): TrialSeen {
  return { kind: 'refused', how: `alert ${alert} ${when}`, alert };
}

function judgeData(seen: string, bytes: Buffer, version: TrialVersion): TrialSeen {
  if (isCertificateRefusalPage(bytes))
    return { kind: 'refused', how: 'HTTP 400 that says the client certificate is missing or wrong' };
  const status = httpStatus(bytes);
  if (status !== undefined && AMBIGUOUS_STATUS.has(status))
    return {
      kind: 'inconclusive',
      // Our TLS library does not offer post-handshake authentication (RFC 8446 section 4.2.6).
      how: `HTTP ${status}, which may have another cause than the certificate${version === 'TLS 1.3' ? '; a server that asks for one only after the handshake cannot be tried under TLS 1.3. Have it asked for on the whole port' : ''}`,
    };
  return { kind: 'data', how: seen };
}
