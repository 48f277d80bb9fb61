import type { Endpoint } from '../../core/site/schema.ts';
import type { ProbeContext } from '../context.ts';
import type { Trial } from './ldap-trials.ts';
import { describeAnswer } from './tls/describe-answer.ts';
import { offer } from './tls/offer.ts';
import { refusalsOf } from './tls/refusals.ts';
import { ORDINARY_SUITES, TLS13_SUITES } from './tls/suites.ts';
import { type Offer, offerVersion } from './tls/version-offer.ts';

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
  const put: Offer = (version, suites) =>
    context.connection(endpoint.host, () => offer(endpoint, version, suites, { hosts, signal: context.signal }));
  const refuses = refusalsOf(put);
  // A refusal without an alert counts only while the port goes on answering what it agreed to before.
  const control = async () => {
    if (agreed === undefined) return false;
    const answer = agreed === 'TLSv1.3' ? await put('TLS 1.3', TLS13_SUITES) : await put('TLS 1.2', ORDINARY_SUITES);
    return answer.ok && answer.value.kind === 'hello';
  };
  const accepted: OutdatedVersion[] = [];
  for (const version of OUTDATED) {
    const asked = await offerVersion(put, version, (answer, suites) =>
      refuses(answer, { again: () => put(version, suites), control }),
    );
    if (!asked.ok) return { inconclusive: `${version} was not decided: ${asked.error.message}` };
    if (asked.value.accepted === true) accepted.push(version);
    else if (asked.value.accepted === undefined)
      return { inconclusive: `${version} was not decided: the answer was ${describeAnswer(asked.value.answer)}` };
  }
  return { seen: accepted };
}
