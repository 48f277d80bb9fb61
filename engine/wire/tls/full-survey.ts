import type { z } from 'zod';
import type { AbsentFact } from '../../../core/probes/declaration.ts';
import type { tlsEndpoint, TlsVersion } from '../../../core/probes/tls-endpoint.ts';
import { compareWithLevel, type SeenServer } from '../../../core/guidelines/tls-guideline.ts';
import { ok, type Result } from '../../../core/result.ts';
import { TLS_GUIDELINE } from '../../guideline.ts';
import type { Inquiry, InquiryAnswer } from './inquiry.ts';
import type { OfferAnswer } from './offer.ts';
import type { Refuses } from './refusals.ts';
import { SCHEMES, surveySignatures } from './signature-schemes.ts';
import { type KnownSuites, surveySuites } from './suite-lists.ts';
import { SUITE_CLASS_BY_NAME, suiteName, suiteNumber, weakSuitesOf } from './suites.ts';
import type { Survey } from './survey.ts';
import type { Offer } from './version-offer.ts';

type EndpointFacts = z.input<typeof tlsEndpoint.facts>;
type FullFacts = Pick<EndpointFacts, 'suites' | 'signatures' | 'weakSuites' | 'acceptsWeakSuite'>;

type Inquire = (inquiry: Inquiry) => Promise<Result<InquiryAnswer>>;

/** What is absent where only the essential survey was asked for. */
export const NOT_ASKED: readonly AbsentFact[] = ['suites', 'signatures', 'guideline', 'clientRenegotiation'].map(
  (path) => ({
    path,
    reason: 'Only the full survey looks for it, and the guide asked for the essential one.',
  }),
);

/**
 * Every suite and signature scheme that the server accepts. A weak suite among them counts as one, whatever the essential
 * survey said. Errors: cancel and deadline only.
 * @param seen what other inquiries told of the suites
 */
export async function surveyFully(
  offer: Offer,
  inquire: Inquire,
  refuses: Refuses,
  { accepts = {}, versions = [], weakSuites = [], acceptsWeakSuite }: Survey,
  stopped: string | undefined,
  seen: KnownSuites,
): Promise<Result<{ facts: FullFacts; absent: AbsentFact[] }>> {
  const known: Partial<Record<TlsVersion, KnownSuites[TlsVersion]>> = {};
  for (const { version, suite } of versions) {
    const number = suite === undefined ? undefined : suiteNumber(suite);
    known[version] = {
      // Each was refused together with all others of its kind.
      refused: acceptsWeakSuite === false ? weakSuitesOf(version) : [],
      ...seen[version],
      suites: [...new Set([...(number === undefined ? [] : [number]), ...(seen[version]?.suites ?? [])])],
    };
  }
  const watched = watchSchemes(offer, inquire);
  const suites = await surveySuites(watched.offer, refuses, accepts, stopped, known);
  if (!suites.ok) return suites;
  const signatures = await surveySignatures(inquire, refuses, accepts, stopped, watched.seen);
  if (!signatures.ok) return signatures;
  const weak = Object.values(suites.value.suites)
    .flat()
    .filter((name) => SUITE_CLASS_BY_NAME.has(name));
  return ok({
    facts: {
      suites: suites.value.suites,
      signatures: signatures.value.signatures,
      ...(acceptsWeakSuite === undefined || weak.length === 0
        ? {}
        : { weakSuites: [...new Set([...weakSuites, ...weak])], acceptsWeakSuite: true }),
    },
    absent: [...suites.value.absent, ...signatures.value.absent],
  });
}

/**
 * Offers of TLS 1.2 that leave out the signature schemes that were seen, so that most schemes are told on the way. The
 * first refusal may be due to that, so it is asked again with all, and nothing is left out from then on.
 */
function watchSchemes(offer: Offer, inquire: Inquire): { offer: Offer; seen: readonly number[] } {
  const seen: number[] = [];
  let narrowing = true;
  return {
    seen,
    offer: async (version, suites) => {
      if (version !== 'TLS 1.2') return offer(version, suites);
      const signatures = SCHEMES.filter((scheme) => !seen.includes(scheme));
      const ask = (more: Partial<Inquiry>) => inquire({ version, suites, wantsScheme: 'if-any', ...more });
      let answer = await ask(narrowing && signatures.length > 0 ? { signatures } : {});
      if (narrowing && answer.ok && answer.value.kind !== 'hello') {
        narrowing = false;
        answer = await ask({});
      }
      if (!answer.ok || answer.value.kind !== 'hello') return answer as Result<OfferAnswer>;
      const { hello, scheme } = answer.value;
      if (scheme !== undefined && signatures.includes(scheme)) seen.push(scheme);
      return ok({ kind: 'hello', suite: hello.suite, suiteName: suiteName(hello.suite) });
    },
  };
}

/** How everything that was seen compares with the guideline that the product carries. */
export function compareWithGuideline(seen: SeenServer): NonNullable<EndpointFacts['guideline']> {
  return {
    title: TLS_GUIDELINE.title,
    version: TLS_GUIDELINE.version,
    modern: compareWithLevel(TLS_GUIDELINE.levels.modern, seen),
    intermediate: compareWithLevel(TLS_GUIDELINE.levels.intermediate, seen),
  };
}

/** The parts of `guideline` that stayed open, as absent facts. */
export function openLevels({ modern, intermediate }: NonNullable<EndpointFacts['guideline']>): AbsentFact[] {
  return Object.entries({ modern, intermediate }).flatMap(([level, { meets, undecided }]) =>
    meets === undefined ? [{ path: `guideline.${level}.meets`, reason: `Not known: ${undecided.join(', ')}.` }] : [],
  );
}
