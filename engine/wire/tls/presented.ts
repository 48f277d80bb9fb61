import { type AppError, fail, ok, type Result } from '../../../core/result.ts';
import type { Endpoint } from '../../../core/site/schema.ts';
import type { ProbeContext } from '../../context.ts';
import { chainToAnchor } from '../../keys/chain.ts';
import { type ReadCertificate, readCertificate } from '../../keys/read-certificate.ts';
import { readAnchors } from './anchors.ts';
import { failureError, observeHandshake } from './handshake.ts';
import { readPlainHandshake } from './plain-handshake.ts';

/** What a server presents to a client without a certificate of its own. */
export type Presented = {
  readonly negotiated?: { readonly version: string; readonly suite: string };
  /** Leaf first; empty: none was seen, or the first cannot be read. */
  readonly certificates: readonly ReadCertificate[];
  readonly refusal?: string;
  /** Whether an OCSP answer came with the handshake, and the answer; absent where there was no handshake. */
  readonly stapled?: { readonly answer?: Buffer };
  /** Why there is none. */
  readonly why: string;
  /** The same, where the connection or the handshake failed. */
  readonly error?: AppError;
};

/** A full handshake; where the server ends it (it may want a client certificate), what it sent in clear under TLS 1.2. */
export async function readPresented(
  endpoint: Endpoint,
  anchors: readonly string[],
  context: ProbeContext,
): Promise<Result<Presented>> {
  const options = { hosts: context.site.hosts, signal: context.signal };
  const shaken = await context.connection(endpoint.host, async () => {
    const result = await observeHandshake(endpoint, { ...options, anchors, requestStapled: true });
    if (result.ok && result.value.ok) result.value.socket.destroy();
    return result;
  });
  if (!shaken.ok)
    return context.signal.aborted ? shaken : ok({ certificates: [], why: shaken.error.message, error: shaken.error });
  const readPlain = async (): Promise<Result<readonly ReadCertificate[]>> => {
    const plain = await context.connection(endpoint.host, () => readPlainHandshake(endpoint, options));
    if (!plain.ok) return context.signal.aborted ? plain : ok([]);
    if (plain.value?.provesKey !== true) return ok([]);
    const read = plain.value.certificates.map((der) => readCertificate(der));
    return ok(read[0]?.ok === true ? read.flatMap((one) => (one.ok ? [one.value] : [])) : []);
  };
  if (!shaken.value.ok) {
    const { failure } = shaken.value;
    const plain = await readPlain();
    if (!plain.ok) return plain;
    return ok({
      certificates: plain.value,
      why: `The full handshake failed: ${failure.alert ?? failure.error?.message ?? failure.kind}.`,
      error: failureError(failure, `${endpoint.host}:${endpoint.port}`),
    });
  }
  const { version, suite, presented, refusal, stapled } = shaken.value.peer;
  const [leaf] = presented;
  // Of several certificates for one issuer the library hands out one. Where it knew a way that those lack, there are more.
  const incomplete =
    leaf !== undefined &&
    refusal === undefined &&
    chainToAnchor(presented, readAnchors(anchors), context.now()) === undefined;
  const plain = incomplete ? await readPlain() : ok([]);
  if (!plain.ok) return plain;
  const [same, ...more] = plain.value;
  return ok({
    negotiated: { version, suite },
    stapled: stapled === undefined ? {} : { answer: stapled },
    certificates: same !== undefined && leaf?.der.equals(same.der) === true ? [...presented, ...more] : presented,
    ...(refusal === undefined ? {} : { refusal }),
    why: "The server's certificate could not be read.",
  });
}

/** For a probe that is about the certificate. */
export function noCertificate({ host, port }: Endpoint): Result<never> {
  return fail('tls.protocol', 'The server presented no certificate that can be read.', { place: `${host}:${port}` });
}
