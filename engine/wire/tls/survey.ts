import type { z } from 'zod';
import type { AbsentFact } from '../../../core/probes/declaration.ts';
import { TLS_VERSIONS, type tlsEndpoint, type TlsVersion } from '../../../core/probes/tls-endpoint.ts';
import { fail, ok, type Result } from '../../../core/result.ts';
import { isAbort } from '../tcp.ts';
import { describeAnswer } from './describe-answer.ts';
import type { OfferAnswer } from './offer.ts';
import { isHangUp, type Refuses } from './refusals.ts';
import { type Offer, offerVersion, type VersionAnswer } from './version-offer.ts';
import { surveyWeak } from './weak-survey.ts';

type EndpointFacts = z.input<typeof tlsEndpoint.facts>;
type VersionEntry = NonNullable<EndpointFacts['versions']>[number];
export type Survey = Pick<EndpointFacts, 'versions' | 'accepts' | 'weakSuites' | 'acceptsWeakSuite'> & {
  readonly absent: readonly AbsentFact[];
};
/** An offer that the server accepted. */
export type GoodOffer = { readonly version: TlsVersion; readonly suites: readonly number[] };
export type SurveyResult =
  /** `stopped`: why the server is to be left alone. */
  | { readonly kind: 'tls'; readonly survey: Survey; readonly good?: GoodOffer; readonly stopped?: string }
  | { readonly kind: 'not-tls'; readonly seen: string }
  | { readonly kind: 'no-answer'; readonly reason: string };

const ORDER: readonly TlsVersion[] = ['TLS 1.2', 'TLS 1.3', 'TLS 1.1', 'TLS 1.0', 'SSL 3.0'];
/** The fields of `accepts` and `suites`. */
export const VERSION_KEYS: Readonly<Record<TlsVersion, 'ssl30' | 'tls10' | 'tls11' | 'tls12' | 'tls13'>> = {
  'SSL 3.0': 'ssl30',
  'TLS 1.0': 'tls10',
  'TLS 1.1': 'tls11',
  'TLS 1.2': 'tls12',
  'TLS 1.3': 'tls13',
};

/**
 * Finds out which versions and weak suites a server accepts, with as few connections as it can. An answer other than
 * TLS to the newest two versions ends it. After each silence, close or reset at a later offer the known-good one is
 * repeated; a server that no longer answers it is left alone (rule 5). Errors: those of the first connection.
 */
export async function surveyVersions(offer: Offer, refuses: Refuses): Promise<Result<SurveyResult>> {
  const answers = new Map<TlsVersion, VersionAnswer>();
  let good: GoodOffer | undefined;
  let stopped: string | undefined;
  const stillAlive = async (): Promise<boolean> => {
    if (good === undefined || stopped !== undefined) return false;
    const again = await offer(good.version, good.suites);
    const alive = again.ok && again.value.kind === 'hello';
    if (!alive) stopped = 'the server no longer answered the offer that it had accepted before, so it was left alone';
    return alive;
  };
  const refused = async (answer: OfferAnswer, version: TlsVersion, suites: readonly number[]): Promise<boolean> => {
    const settled = await refuses(answer, { again: () => offer(version, suites), control: stillAlive });
    // Silence and nonsense refuse nothing, but the server may be the worse for the offer.
    if (!settled && answer.kind !== 'alert' && !isHangUp(answer)) await stillAlive();
    return settled;
  };
  const ask = (version: TlsVersion): Promise<Result<VersionAnswer>> =>
    offerVersion(offer, version, (answer, suites) => refused(answer, version, suites));

  for (const version of ORDER) {
    if (stopped !== undefined) break;
    const asked = await ask(version);
    if (!asked.ok) {
      if (answers.size === 0 || isAbort(asked.error)) return asked;
      stopped = asked.error.message;
      break;
    }
    const { answer, suites } = asked.value;
    if (answer.kind === 'not-tls' && good === undefined) return ok({ kind: 'not-tls', seen: answer.seen });
    answers.set(version, asked.value);
    if (suites !== undefined) good ??= { version, suites };
    if (version === 'TLS 1.3' && ![...answers.values()].some((one) => isTls(one.answer)))
      return ok({
        kind: 'no-answer',
        reason: [...answers].map(([name, one]) => `${name}: ${describeAnswer(one.answer)}`).join('; '),
      });
  }
  // Asked first, before there was a control.
  const first = answers.get('TLS 1.2');
  if (first !== undefined && isHangUp(first.answer) && good !== undefined && stopped === undefined) {
    const asked = await ask('TLS 1.2');
    if (asked.ok) answers.set('TLS 1.2', asked.value);
    else if (isAbort(asked.error)) return asked;
    else stopped = asked.error.message;
  }
  const verdict: Decide = (version) => decide(answers.get(version), good !== undefined);
  const weak = await surveyWeak(offer, good === undefined ? [] : weakVersions(verdict), {
    refused,
    stopped: () => stopped,
  });
  if (!weak.ok) return weak;
  return ok({
    kind: 'tls',
    ...(good === undefined ? {} : { good }),
    ...(stopped === undefined ? {} : { stopped }),
    survey: {
      ...versionFacts(answers, verdict, stopped),
      ...weak.value.facts,
      absent: [...versionAbsent(answers, good !== undefined, verdict, stopped), ...weak.value.absent],
    },
  });
}

type Decide = (version: TlsVersion) => boolean | undefined;

/** TLS 1.2 always, because a server may go down from there; another that is accepted may have weak suites of its own. */
function weakVersions(verdict: Decide): TlsVersion[] {
  return ORDER.filter((version) => version === 'TLS 1.2' || verdict(version) === true);
}

function versionFacts(
  answers: ReadonlyMap<TlsVersion, VersionAnswer>,
  verdict: Decide,
  stopped: string | undefined,
): Pick<Survey, 'versions' | 'accepts'> {
  const versions = TLS_VERSIONS.map((version): VersionEntry => {
    const answer = answers.get(version)?.answer;
    const accepted = verdict(version);
    return {
      version,
      ...(accepted === undefined ? {} : { accepted }),
      answer:
        answer === undefined
          ? stopped === undefined
            ? 'other'
            : 'not-tried'
          : answer.kind === 'not-tls'
            ? 'other'
            : answer.kind,
      ...(answer?.kind === 'hello' ? { suite: answer.suiteName } : {}),
      ...(answer?.kind === 'alert' ? { alert: answer.alert } : {}),
    };
  });
  const accepts: NonNullable<EndpointFacts['accepts']> = {};
  for (const { version, accepted } of versions) if (accepted !== undefined) accepts[VERSION_KEYS[version]] = accepted;
  return { versions, accepts };
}

function versionAbsent(
  answers: ReadonlyMap<TlsVersion, VersionAnswer>,
  controlled: boolean,
  verdict: Decide,
  stopped: string | undefined,
): AbsentFact[] {
  const open = TLS_VERSIONS.filter((version) => verdict(version) === undefined);
  const why = (version: TlsVersion): string => {
    const answer = answers.get(version)?.answer;
    if (answer === undefined) return `${version} was not tried: ${stopped ?? 'the survey ended'}.`;
    const control = controlled ? '' : ' and no version was accepted at all';
    return `${version} is inconclusive: ${describeAnswer(answer)}${control}.`;
  };
  const absent = open.map((version) => ({ path: `accepts.${VERSION_KEYS[version]}`, reason: why(version) }));
  if (open.length > 0) absent.push({ path: 'versions[].accepted', reason: open.map(why).join(' ') });
  const suiteless = TLS_VERSIONS.filter((version) => answers.get(version)?.answer.kind !== 'hello');
  if (suiteless.length > 0)
    absent.push({ path: 'versions[].suite', reason: `No suite was chosen in ${suiteless.join(', ')}.` });
  if ([...answers.values()].some(({ answer }) => answer.kind !== 'alert') || stopped !== undefined)
    absent.push({ path: 'versions[].alert', reason: 'Not every version was answered with an alert.' });
  return absent;
}

/** A refusal counts only beside a version that the same server accepts: the positive control. */
function decide(asked: VersionAnswer | undefined, controlled: boolean): boolean | undefined {
  return asked?.accepted === false && !controlled ? undefined : asked?.accepted;
}

function isTls(answer: OfferAnswer): boolean {
  return answer.kind === 'hello' || answer.kind === 'lower' || answer.kind === 'alert';
}

/** For the error of a probe that got nowhere. */
export function noAnswer(reason: string, place: string): Result<never> {
  return fail('probe.inconclusive', 'The port answered no TLS offer, and was not seen to speak anything else either.', {
    place,
    cause: reason,
    fixBy: 'hospital',
  });
}
