import type { TlsVersion } from '../../../core/probes/tls-endpoint.ts';
import { ok, type Result } from '../../../core/result.ts';
import type { OfferAnswer } from './offer.ts';
import { ORDINARY_SUITES, portionsOf, suitesOf } from './suites.ts';

/** Offers on a connection of its own. */
export type Offer = (version: TlsVersion, suites: readonly number[]) => Promise<Result<OfferAnswer>>;

export type VersionAnswer = {
  /** What came, or of several refusals the first. */
  readonly answer: OfferAnswer;
  /** Absent: not decided. */
  readonly accepted?: boolean;
  /** The suites of the offer that was accepted. */
  readonly suites?: readonly number[];
};

/**
 * Offers one version alone, first with the usual suites and, as long as it is refused, with all others: a server may
 * accept a version with an odd suite only. Errors are those of `offer`.
 * @param refused whether an answer to these suites is a refusal
 */
export async function offerVersion(
  offer: Offer,
  version: TlsVersion,
  refused: (answer: OfferAnswer, suites: readonly number[]) => Promise<boolean>,
): Promise<Result<VersionAnswer>> {
  let first: OfferAnswer | undefined;
  for (const suites of portions(version)) {
    const answer = await offer(version, suites);
    if (!answer.ok) return answer;
    if (answer.value.kind === 'hello') return ok({ answer: answer.value, accepted: true, suites });
    // Who refused in TLS before does speak it.
    if (answer.value.kind === 'not-tls' && first !== undefined)
      return ok({ answer: { kind: 'other', reason: answer.value.seen } });
    if (!(await refused(answer.value, suites))) return ok({ answer: answer.value });
    first ??= answer.value;
  }
  return ok({ answer: first ?? { kind: 'other', reason: 'nothing was offered' }, accepted: false });
}

function portions(version: TlsVersion): readonly (readonly number[])[] {
  if (version !== 'TLS 1.2') return portionsOf(suitesOf(version));
  return [ORDINARY_SUITES, ...portionsOf(suitesOf(version).filter((suite) => !ORDINARY_SUITES.includes(suite)))];
}
