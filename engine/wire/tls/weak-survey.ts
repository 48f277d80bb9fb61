import type { AbsentFact } from '../../../core/probes/declaration.ts';
import type { TlsVersion, WeakSuiteClass } from '../../../core/probes/tls-endpoint.ts';
import { ok, type Result } from '../../../core/result.ts';
import { isAbort } from '../tcp.ts';
import { describeAnswer } from './describe-answer.ts';
import type { OfferAnswer } from './offer.ts';
import { suiteName, weakClass, weakSuitesOf } from './suites.ts';
import type { Survey } from './survey.ts';
import type { Offer } from './version-offer.ts';

export type WeakSurvey = {
  readonly facts: Pick<Survey, 'weakSuites' | 'acceptsWeakSuite'>;
  readonly absent: readonly AbsentFact[];
};

/** What the survey of versions lends. */
export type WeakControls = {
  /** Whether an answer to these suites is a refusal. */
  readonly refused: (answer: OfferAnswer, version: TlsVersion, suites: readonly number[]) => Promise<boolean>;
  /** Why the server is to be left alone by now. */
  readonly stopped: () => string | undefined;
};

/**
 * Looks for one weak suite of each class, in each of the versions: a class that was found is left out of the next offer,
 * until what is left is refused. Errors: cancel and deadline only.
 */
export async function surveyWeak(
  offer: Offer,
  versions: readonly TlsVersion[],
  { refused, stopped }: WeakControls,
): Promise<Result<WeakSurvey>> {
  const found = new Map<WeakSuiteClass, string>();
  const open = (version: TlsVersion): number[] =>
    weakSuitesOf(version).filter((suite) => !found.has(weakClass(suite) as WeakSuiteClass));
  let undecided = versions.length === 0 ? 'no version was accepted at all, so a refusal proves nothing' : stopped();
  for (const version of versions) {
    for (let suites = open(version); suites.length > 0 && undecided === undefined; suites = open(version)) {
      const answer = await offer(version, suites);
      if (!answer.ok) {
        if (isAbort(answer.error)) return answer;
        undecided = answer.error.message;
        break;
      }
      const { value } = answer;
      if (value.kind === 'hello' || (value.kind === 'lower' && suites.includes(value.suite)))
        found.set(weakClass(value.suite) as WeakSuiteClass, suiteName(value.suite));
      else if (await refused(value, version, suites)) break;
      else undecided = stopped() ?? `answer to weak suites in ${version}: ${describeAnswer(value)}`;
    }
  }
  if (undecided === undefined)
    return ok({ facts: { weakSuites: [...found.values()], acceptsWeakSuite: found.size > 0 }, absent: [] });
  const why = `Not every class of weak suites was decided: ${undecided}.`;
  const absent = [{ path: 'weakSuites', reason: why }];
  if (found.size > 0) return ok({ facts: { acceptsWeakSuite: true }, absent });
  return ok({ facts: {}, absent: [...absent, { path: 'acceptsWeakSuite', reason: why }] });
}
