import type { Result } from '../../../core/result.ts';
import { ok } from '../../../core/result.ts';
import type { TlsVersion } from '../../../core/probes/tls-endpoint.ts';
import type { Endpoint } from '../../../core/site/schema.ts';
import { abortError, converse, type DialOptions, dial } from '../tcp.ts';
import { PARAMETER_REFUSALS } from './alerts.ts';
import { buildClientHello, misfit, VERSION_NUMBERS } from './client-hello.ts';
import { parseFlight, parseServerHello } from './flight.ts';
import { startTlsOverLdap } from './starttls-ldap.ts';
import { suiteName } from './suites.ts';

/** What a server said to one ClientHello. Only `hello` and `lower` show that it speaks TLS and chose something. */
export type OfferAnswer =
  | { readonly kind: 'hello'; readonly suite: number; readonly suiteName: string }
  /** It chose another version than the only one offered. */
  | { readonly kind: 'lower'; readonly version: number; readonly suite: number }
  | { readonly kind: 'alert'; readonly alert: string; readonly refusal: boolean }
  | { readonly kind: 'closed' | 'reset' | 'silent' }
  | { readonly kind: 'not-tls'; readonly seen: string }
  | { readonly kind: 'other'; readonly reason: string };

/** What may come instead of an answer in TLS. */
export type NoHello = Extract<OfferAnswer, { kind: 'closed' | 'reset' | 'silent' | 'not-tls' | 'other' }>;

const ANSWER_TIMEOUT_MS = 5_000;

/**
 * Offers one version and a list of suites on a connection of its own, reads the first answer and hangs up.
 * Errors are those of `dial`; everything that the server does afterwards is an answer. Call it inside the host's
 * connection slot.
 */
export async function offer(
  endpoint: Endpoint,
  version: TlsVersion,
  suites: readonly number[],
  options: DialOptions,
  timeoutMs = ANSWER_TIMEOUT_MS,
): Promise<Result<OfferAnswer>> {
  const { bytes } = buildClientHello(version, suites, endpoint.serverName ?? endpoint.host);
  return sendHello(endpoint, bytes, (answer) => firstAnswer(answer, version, suites), options, timeoutMs);
}

/**
 * Sends a ClientHello on a connection of its own, reads until `read` finds what decides, and hangs up. Errors and slot as
 * for `offer`.
 */
export async function sendHello<T>(
  endpoint: Endpoint,
  hello: Buffer,
  read: (bytes: Buffer) => T | undefined,
  options: DialOptions,
  timeoutMs = ANSWER_TIMEOUT_MS,
): Promise<Result<T | NoHello>> {
  const dialled = await dial(endpoint.host, endpoint.port, options);
  if (!dialled.ok) return dialled;
  const conversation = converse(dialled.value, options.signal);
  try {
    if (endpoint.starttls === 'ldap') {
      const started = await startTlsOverLdap(conversation, timeoutMs);
      if (options.signal.aborted) return { ok: false, error: abortError(options.signal) };
      if (started.kind === 'refused')
        return ok({ kind: 'not-tls', seen: `LDAP without StartTLS (result code ${started.resultCode})` });
      if (started.kind === 'other') return ok({ kind: 'other', reason: started.reason });
    }
    conversation.send(hello);
    const received = await conversation.receive(read, timeoutMs);
    if (received.ok) return ok(received.value);
    if (received.ended === 'cancelled') return { ok: false, error: abortError(options.signal) };
    if (received.ended === 'closed' || received.ended === 'reset' || received.ended === 'silent') {
      return ok(
        received.bytes.length === 0
          ? { kind: received.ended }
          : { kind: 'other', reason: 'the answer stopped in the middle' },
      );
    }
    return ok({
      kind: 'other',
      reason:
        received.ended === 'too-long' ? 'an endless answer' : (received.error?.message ?? 'the connection failed'),
    });
  } finally {
    conversation.close();
  }
}

/** The first thing that decides, in the bytes so far; undefined while more is needed. Never throws. */
export function firstAnswer(bytes: Buffer, offered: TlsVersion, suites: readonly number[]): OfferAnswer | undefined {
  if (bytes.length === 0) return undefined;
  const result = parseFlight(bytes);
  if (result.kind === 'not-tls') return { kind: 'not-tls', seen: recognise(bytes) };
  if (result.kind === 'malformed') return { kind: 'other', reason: `not proper TLS: ${result.reason}` };
  const { messages, alert, encrypted } = result.flight;
  const [first] = messages;
  if (first !== undefined) {
    if (first.type !== 2) return { kind: 'other', reason: `handshake message ${first.type} instead of ServerHello` };
    const hello = parseServerHello(first.body);
    if (hello === undefined) return { kind: 'other', reason: 'a malformed ServerHello' };
    const fault = misfit(hello, suites);
    if (fault !== undefined) return { kind: 'other', reason: fault };
    if (hello.version === VERSION_NUMBERS[offered])
      return { kind: 'hello', suite: hello.suite, suiteName: suiteName(hello.suite) };
    return hello.version < VERSION_NUMBERS[offered]
      ? { kind: 'lower', version: hello.version, suite: hello.suite }
      : { kind: 'other', reason: 'a higher version than was offered' };
  }
  if (alert !== undefined) return { kind: 'alert', alert, refusal: PARAMETER_REFUSALS.has(alert) };
  return encrypted ? { kind: 'other', reason: 'encrypted records without a ServerHello' } : undefined;
}

/** Names a protocol by its first bytes, as far as they tell. */
export function recognise(bytes: Buffer): string {
  const text = bytes.subarray(0, 64).toString('latin1');
  if (text.startsWith('HTTP/')) return 'HTTP in clear text';
  if (text.startsWith('SSH-')) return 'SSH';
  if (text.startsWith('220 ') || text.startsWith('220-')) return 'a text protocol with a greeting (SMTP or FTP)';
  if (bytes[0] === 0x0b) return 'HL7 (MLLP) in clear text';
  if (bytes[0] === 0x30) return 'LDAP in clear text';
  if (bytes.length >= 6 && (bytes[0] === 2 || bytes[0] === 3 || bytes[0] === 7) && bytes[1] === 0)
    return 'DICOM in clear text';
  return 'an answer that is not TLS';
}
