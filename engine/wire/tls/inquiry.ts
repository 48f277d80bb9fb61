import type { Result } from '../../../core/result.ts';
import type { Endpoint } from '../../../core/site/schema.ts';
import type { DialOptions } from '../tcp.ts';
import { PARAMETER_REFUSALS } from './alerts.ts';
import { buildClientHello, type HelloOptions, misfit, VERSION_NUMBERS } from './client-hello.ts';
import { parseFlight, parseServerHello, type ServerHello } from './flight.ts';
import { signatureScheme } from './plain-handshake.ts';
import { suiteName } from './suites.ts';
import { type NoHello, recognise, sendHello } from './offer.ts';

/** A ClientHello that asks for one thing. */
export type Inquiry = HelloOptions & {
  readonly version: 'TLS 1.2' | 'TLS 1.3';
  readonly suites: readonly number[];
  /** Wait for the group too: of a ServerKeyExchange in TLS 1.2, of a HelloRetryRequest in TLS 1.3. */
  readonly wantsGroup?: true;
  /** Wait for the scheme with which a TLS 1.2 server signs its key exchange; `if-any`: not every suite has one. */
  readonly wantsScheme?: true | 'if-any';
};

export type InquiryAnswer =
  | { readonly kind: 'hello'; readonly hello: ServerHello; readonly group?: number; readonly scheme?: number }
  | { readonly kind: 'alert'; readonly alert: string; readonly refusal: boolean }
  | NoHello;

const SERVER_HELLO = 2;
const KEY_EXCHANGE = 12;
const HELLO_DONE = 14;
const NAMED_CURVE = 3;

/** Sends the inquiry on a connection of its own and hangs up. Errors and slot as for `offer`. */
export function inquire(endpoint: Endpoint, inquiry: Inquiry, options: DialOptions): Promise<Result<InquiryAnswer>> {
  const { version, suites } = inquiry;
  const { bytes } = buildClientHello(version, suites, endpoint.serverName ?? endpoint.host, inquiry);
  return sendHello<InquiryAnswer>(endpoint, bytes, (answer) => readAnswer(answer, inquiry), options);
}

/** What the bytes so far say; undefined while more is needed. Never throws. */
export function readAnswer(bytes: Buffer, inquiry: Inquiry): InquiryAnswer | undefined {
  if (bytes.length === 0) return undefined;
  const result = parseFlight(bytes);
  if (result.kind === 'not-tls') return { kind: 'not-tls', seen: recognise(bytes) };
  if (result.kind === 'malformed') return { kind: 'other', reason: `not proper TLS: ${result.reason}` };
  const { messages, alert, encrypted } = result.flight;
  const [first] = messages;
  if (first === undefined) {
    if (alert !== undefined) return { kind: 'alert', alert, refusal: PARAMETER_REFUSALS.has(alert) };
    return encrypted ? { kind: 'other', reason: 'encrypted records without a ServerHello' } : undefined;
  }
  const hello = first.type === SERVER_HELLO ? parseServerHello(first.body) : undefined;
  if (hello === undefined) return { kind: 'other', reason: 'no proper ServerHello' };
  if (hello.version !== VERSION_NUMBERS[inquiry.version])
    return { kind: 'other', reason: `another version than ${inquiry.version}, which was accepted before` };
  const fault = misfit(hello, inquiry.suites, inquiry);
  if (fault !== undefined) return { kind: 'other', reason: fault };
  if (inquiry.wantsGroup !== true && inquiry.wantsScheme === undefined) return { kind: 'hello', hello };
  if (inquiry.version === 'TLS 1.3') {
    const share = hello.retry ? hello.extensions.get(51) : undefined;
    return share?.length === 2
      ? { kind: 'hello', hello, group: share.readUInt16BE(0) }
      : { kind: 'other', reason: 'no request for a group' };
  }
  const exchange = messages.find(({ type }) => type === KEY_EXCHANGE)?.body;
  if (exchange !== undefined && inquiry.wantsScheme !== undefined) {
    const scheme = signatureScheme(exchange, suiteName(hello.suite));
    return scheme === undefined
      ? unsigned(hello, inquiry, 'a key exchange without a signature')
      : { kind: 'hello', hello, scheme };
  }
  if (exchange !== undefined)
    return exchange.length >= 3 && exchange.readUInt8(0) === NAMED_CURVE
      ? { kind: 'hello', hello, group: exchange.readUInt16BE(1) }
      : { kind: 'other', reason: 'a key exchange without a named group' };
  const over = alert !== undefined || encrypted || messages.some(({ type }) => type === HELLO_DONE);
  return over ? unsigned(hello, inquiry, 'no key exchange') : undefined;
}

function unsigned(hello: ServerHello, { wantsScheme }: Inquiry, reason: string): InquiryAnswer {
  return wantsScheme === 'if-any' ? { kind: 'hello', hello } : { kind: 'other', reason };
}
