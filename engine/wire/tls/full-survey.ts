import type { z } from 'zod';
import type { AbsentFact } from '../../../core/probes/declaration.ts';
import type { tlsEndpoint } from '../../../core/probes/tls-endpoint.ts';
import { compareWithLevel, type SeenServer, tlsGuidelineSchema } from '../../../core/guidelines/tls-guideline.ts';
import { ok, type Result } from '../../../core/result.ts';
import mozilla from '../../../assets/guidelines/mozilla-server-side-tls.json' with { type: 'json' };
import type { Inquiry, InquiryAnswer } from './inquiry.ts';
import { surveySignatures } from './signature-schemes.ts';
import { surveySuites } from './suite-lists.ts';
import { SUITE_CLASS_BY_NAME } from './suites.ts';
import type { Offer, Survey } from './survey.ts';

type EndpointFacts = z.input<typeof tlsEndpoint.facts>;
type FullFacts = Pick<EndpointFacts, 'suites' | 'signatures' | 'weakSuites' | 'acceptsWeakSuite'>;

const guideline = tlsGuidelineSchema.parse(mozilla);

/** What is absent where only the essential survey was asked for. */
export const NOT_ASKED: readonly AbsentFact[] = ['suites', 'signatures', 'guideline'].map((path) => ({
  path,
  reason: 'Only the full survey looks for it, and the guide asked for the essential one.',
}));

/**
 * Every suite and signature scheme that the server accepts. A weak suite among them counts as one, whatever the essential
 * survey said. Errors: cancel and deadline only.
 */
export async function surveyFully(
  offer: Offer,
  inquire: (inquiry: Inquiry) => Promise<Result<InquiryAnswer>>,
  { accepts = {}, weakSuites = [], acceptsWeakSuite }: Survey,
  stopped: string | undefined,
): Promise<Result<{ facts: FullFacts; absent: AbsentFact[] }>> {
  const suites = await surveySuites(offer, accepts, stopped);
  if (!suites.ok) return suites;
  const signatures = await surveySignatures(inquire, accepts, stopped);
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

/** How everything that was seen compares with the guideline that the product carries. */
export function compareWithGuideline(seen: SeenServer): NonNullable<EndpointFacts['guideline']> {
  return {
    title: guideline.title,
    version: guideline.version,
    modern: compareWithLevel(guideline.levels.modern, seen),
    intermediate: compareWithLevel(guideline.levels.intermediate, seen),
  };
}

/** The parts of `guideline` that stayed open, as absent facts. */
export function openLevels({ modern, intermediate }: NonNullable<EndpointFacts['guideline']>): AbsentFact[] {
  return Object.entries({ modern, intermediate }).flatMap(([level, { meets, undecided }]) =>
    meets === undefined ? [{ path: `guideline.${level}.meets`, reason: `Not known: ${undecided.join(', ')}.` }] : [],
  );
}
