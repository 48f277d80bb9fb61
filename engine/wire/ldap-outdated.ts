import type { Endpoint } from '../../core/site/schema.ts';
import type { ProbeContext } from '../context.ts';
import type { Trial } from './ldap-trials.ts';
import { offer, type OfferAnswer } from './tls/offer.ts';
import { ORDINARY_SUITES, TLS13_SUITES } from './tls/suites.ts';

const OUTDATED = ['TLS 1.0', 'TLS 1.1'] as const;
export type OutdatedVersion = (typeof OUTDATED)[number];

/**
 * Offers TLS 1.0 and 1.1 alone, with hand-built ClientHellos: our own TLS library may be unable to.
 * @param agreed version that the endpoint agreed to when it was verified, as Node names it; absent: it was not verified
 * @param hosts addresses of names that this network cannot resolve
 */
export async function tryOutdatedTls(
  endpoint: Endpoint,
  agreed: string | undefined,
  hosts: Readonly<Record<string, string>>,
  context: ProbeContext,
): Promise<Trial<OutdatedVersion[]>> {
  const put = (version: Parameters<typeof offer>[1], suites: readonly number[]) =>
    context.connection(endpoint.host, () => offer(endpoint, version, suites, { hosts, signal: context.signal }));
  const stillAnswers = async () => {
    if (agreed === undefined) return false;
    const answer = agreed === 'TLSv1.3' ? await put('TLS 1.3', TLS13_SUITES) : await put('TLS 1.2', ORDINARY_SUITES);
    return answer.ok && answer.value.kind === 'hello';
  };
  const accepted: OutdatedVersion[] = [];
  for (const version of OUTDATED) {
    const answer = await put(version, ORDINARY_SUITES);
    if (!answer.ok) return { inconclusive: `${version} was not decided: ${answer.error.message}` };
    if (answer.value.kind === 'hello') accepted.push(version);
    else if (isRefusal(answer.value)) continue;
    // GnuTLS hangs up instead of sending an alert: a refusal only while the port goes on answering what it agreed to before.
    else if (!(isHangUp(answer.value) && (await stillAnswers()))) {
      return { inconclusive: `${version} was not decided: the answer was ${answer.value.kind}` };
    }
  }
  return { seen: accepted };
}

function isRefusal(answer: OfferAnswer): boolean {
  return answer.kind === 'lower' || (answer.kind === 'alert' && answer.refusal);
}

function isHangUp(answer: OfferAnswer): boolean {
  return answer.kind === 'closed' || answer.kind === 'reset';
}
