import { ok, type Result } from '../../../core/result.ts';
import type { Endpoint } from '../../../core/site/schema.ts';
import type { ProbeContext } from '../../context.ts';
import { type ReadCertificate, readCertificate } from '../../keys/read-certificate.ts';
import { observeHandshake } from './handshake.ts';
import { readPlainHandshake } from './plain-handshake.ts';

/** What a server presents to a client without a certificate of its own. */
export type Presented = {
  negotiated?: { version: string; suite: string };
  certificates: readonly ReadCertificate[];
  refusal?: string;
  stapled?: boolean;
  why: string;
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
  if (!shaken.ok) return context.signal.aborted ? shaken : ok({ certificates: [], why: shaken.error.message });
  if (shaken.value.ok) {
    const { version, suite, presented, refusal, stapled } = shaken.value.peer;
    return ok({
      negotiated: { version, suite },
      stapled: stapled !== undefined,
      certificates: presented,
      ...(refusal === undefined ? {} : { refusal }),
      why: "The server's certificate could not be read.",
    });
  }
  const { failure } = shaken.value;
  const why = `The full handshake failed: ${failure.alert ?? failure.error?.message ?? failure.kind}.`;
  const plain = await context.connection(endpoint.host, () => readPlainHandshake(endpoint, options));
  if (!plain.ok) return context.signal.aborted ? plain : ok({ certificates: [], why });
  if (plain.value === undefined || !plain.value.provesKey) return ok({ certificates: [], why });
  const read = plain.value.certificates.map((der) => readCertificate(der));
  const certificates = read.flatMap((one) => (one.ok ? [one.value] : []));
  return ok({ certificates: read[0]?.ok === true ? certificates : [], why });
}
