import { constants, createPublicKey, verify, X509Certificate } from 'node:crypto';
import { ok, type Result } from '../../../core/result.ts';
import type { Endpoint } from '../../../core/site/schema.ts';
import { abortError, converse, type DialOptions, dial } from '../tcp.ts';
import { buildClientHello } from './client-hello.ts';
import { parseCertificates, parseFlight, parseServerHello } from './flight.ts';
import { startTlsOverLdap } from './starttls-ldap.ts';
import { ORDINARY_SUITES, suiteName } from './suites.ts';

/** What a TLS 1.2 server sends before anything is encrypted. */
export type PlainHandshake = {
  readonly suite: string;
  /** DER, leaf first, as presented. */
  readonly certificates: readonly Buffer[];
  readonly requestsCertificate: boolean;
  /** The server signed this very exchange with the certificate's key. */
  readonly provesKey: boolean;
};

const TIMEOUT_MS = 5_000;
const TYPE = { serverHello: 2, certificate: 11, keyExchange: 12, certificateRequest: 13, helloDone: 14 } as const;

/**
 * Reads the first flight of a TLS 1.2 server (RFC 5246 section 7.3), which is in clear: the certificates of a server
 * that hangs up on clients without one of their own, and whether it asks for one. `undefined`: it sent no such flight.
 */
export async function readPlainHandshake(
  endpoint: Endpoint,
  options: DialOptions,
): Promise<Result<PlainHandshake | undefined>> {
  const dialled = await dial(endpoint.host, endpoint.port, options);
  if (!dialled.ok) return dialled;
  const conversation = converse(dialled.value, options.signal);
  try {
    if (endpoint.starttls === 'ldap' && (await startTlsOverLdap(conversation, TIMEOUT_MS)).kind !== 'ready')
      return ok(undefined);
    const hello = buildClientHello('TLS 1.2', ORDINARY_SUITES, endpoint.serverName ?? endpoint.host);
    conversation.send(hello.bytes);
    const received = await conversation.receive((bytes) => {
      const result = parseFlight(bytes);
      if (result.kind !== 'flight') return { messages: [] };
      const complete = result.flight.messages.some(({ type }) => type === TYPE.helloDone);
      return complete || result.flight.alert !== undefined || result.flight.encrypted
        ? { messages: result.flight.messages }
        : undefined;
    }, TIMEOUT_MS);
    if (!received.ok)
      return received.ended === 'cancelled' ? { ok: false, error: abortError(options.signal) } : ok(undefined);
    return ok(readFlight(received.value.messages, hello.random));
  } finally {
    conversation.close();
  }
}

function readFlight(
  messages: readonly { type: number; body: Buffer }[],
  clientRandom: Buffer,
): PlainHandshake | undefined {
  const body = (type: number): Buffer | undefined => messages.find((message) => message.type === type)?.body;
  const [helloBody, certificateBody, exchange] = [
    body(TYPE.serverHello),
    body(TYPE.certificate),
    body(TYPE.keyExchange),
  ];
  if (helloBody === undefined || certificateBody === undefined || body(TYPE.helloDone) === undefined) return undefined;
  const hello = parseServerHello(helloBody);
  const certificates = parseCertificates(certificateBody);
  if (hello === undefined || hello.version !== 0x0303 || certificates === undefined || certificates[0] === undefined)
    return undefined;
  return {
    suite: suiteName(hello.suite),
    certificates,
    requestsCertificate: body(TYPE.certificateRequest) !== undefined,
    provesKey:
      exchange !== undefined &&
      verifyKeyExchange(exchange, suiteName(hello.suite), Buffer.concat([clientRandom, hello.random]), certificates[0]),
  };
}

/** Checks the signature over both randoms and the parameters (RFC 5246 section 7.4.3, RFC 8422 section 5.4). Never throws. */
export function verifyKeyExchange(body: Buffer, suite: string, randoms: Buffer, certificate: Buffer): boolean {
  try {
    const length = parametersLength(body, suite);
    if (length === undefined) return false;
    const scheme = SCHEMES[body.readUInt16BE(length)];
    const signatureLength = body.readUInt16BE(length + 2);
    const signature = body.subarray(length + 4);
    if (scheme === undefined || signature.length !== signatureLength) return false;
    const key = createPublicKey(new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'pem' }));
    const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
    return verify(
      scheme.hash,
      Buffer.concat([randoms, body.subarray(0, length)]),
      { key, ...(scheme.pss ? pss : {}) },
      signature,
    );
  } catch {
    return false;
  }
}

/** The scheme of a ServerKeyExchange's signature (RFC 5246 section 7.4.3); undefined where there is none. Never throws. */
export function signatureScheme(body: Buffer, suite: string): number | undefined {
  try {
    const length = parametersLength(body, suite);
    return length === undefined ? undefined : body.readUInt16BE(length);
  } catch {
    return undefined;
  }
}

function parametersLength(body: Buffer, suite: string): number | undefined {
  if (suite.startsWith('TLS_ECDHE_')) return body.readUInt8(0) === 3 ? 4 + body.readUInt8(3) : undefined;
  if (!suite.startsWith('TLS_DHE_')) return undefined;
  if (suite.startsWith('TLS_DHE_PSK_') || suite.startsWith('TLS_ECDHE_PSK_')) return undefined;
  let offset = 0;
  for (let part = 0; part < 3; part += 1) offset += 2 + body.readUInt16BE(offset);
  return offset;
}

const SCHEMES: Readonly<Record<number, { readonly hash: string | null; readonly pss: boolean }>> = {
  0x0401: { hash: 'sha256', pss: false },
  0x0501: { hash: 'sha384', pss: false },
  0x0601: { hash: 'sha512', pss: false },
  0x0403: { hash: 'sha256', pss: false },
  0x0503: { hash: 'sha384', pss: false },
  0x0603: { hash: 'sha512', pss: false },
  0x0804: { hash: 'sha256', pss: true },
  0x0805: { hash: 'sha384', pss: true },
  0x0806: { hash: 'sha512', pss: true },
  0x0809: { hash: 'sha256', pss: true },
  0x080a: { hash: 'sha384', pss: true },
  0x080b: { hash: 'sha512', pss: true },
  0x0807: { hash: null, pss: false },
  0x0808: { hash: null, pss: false },
};
