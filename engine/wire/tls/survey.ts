import type { z } from 'zod';
import type { AbsentFact } from '../../../core/probes/declaration.ts';
import {
  TLS_VERSIONS,
  type tlsEndpoint,
  type TlsVersion,
  WEAK_SUITE_CLASSES,
  type WeakSuiteClass,
} from '../../../core/probes/tls-endpoint.ts';
import { fail, ok, type Result } from '../../../core/result.ts';
import { isAbort } from '../tcp.ts';
import { describeAnswer, isHangUp } from './describe-answer.ts';
import type { OfferAnswer } from './offer.ts';
import { ORDINARY_SUITES, suiteName, TLS13_SUITES, WEAK_SUITES, weakClass } from './suites.ts';

type EndpointFacts = z.input<typeof tlsEndpoint.facts>;
type VersionEntry = NonNullable<EndpointFacts['versions']>[number];
export type Survey = Pick<EndpointFacts, 'versions' | 'accepts' | 'weakSuites' | 'acceptsWeakSuite'> & {
  readonly absent: readonly AbsentFact[];
};
/** Offers on a connection of its own. */
export type Offer = (version: TlsVersion, suites: readonly number[]) => Promise<Result<OfferAnswer>>;
export type SurveyResult =
  /** `stopped`: why the server is to be left alone. */
  | { readonly kind: 'tls'; readonly survey: Survey; readonly stopped?: string }
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
 * repeated; a server that no longer answers it is left alone (rule 5). A server that hangs up without an alert, as GnuTLS
 * does, refuses only where the known-good offer was answered just before and just after. Errors: those of the first
 * connection.
 */
export async function surveyVersions(offer: Offer): Promise<Result<SurveyResult>> {
  const answers = new Map<TlsVersion, OfferAnswer>();
  const refused = new Set<TlsVersion>();
  let good: { version: TlsVersion; suites: readonly number[] } | undefined;
  let stopped: string | undefined;
  const suitesOf = (version: TlsVersion): readonly number[] =>
    version === 'TLS 1.3'
      ? TLS13_SUITES
      : version === 'TLS 1.2'
        ? ORDINARY_SUITES
        : [...ORDINARY_SUITES, ...WEAK_SUITES];
  const stillAlive = async (): Promise<boolean> => {
    if (good === undefined) return false;
    const again = await offer(good.version, good.suites);
    const alive = again.ok && again.value.kind === 'hello';
    if (!alive) stopped = 'the server no longer answered the offer that it had accepted before, so it was left alone';
    return alive;
  };
  const hangsUpOn: HangsUpOn = async (version, suites) => {
    // The answer before may have been another refusal, so the trial is repeated between two of its controls.
    if (!(await stillAlive())) return false;
    const again = await offer(version, suites);
    return again.ok && isHangUp(again.value) && (await stillAlive());
  };

  for (const version of ORDER) {
    if (stopped !== undefined) break;
    const answer = await offer(version, suitesOf(version));
    if (!answer.ok) {
      if (answers.size === 0 || isAbort(answer.error)) return answer;
      stopped = answer.error.message;
      break;
    }
    if (answer.value.kind === 'not-tls' && good === undefined) return ok({ kind: 'not-tls', seen: answer.value.seen });
    answers.set(version, answer.value);
    if (answer.value.kind === 'hello') good ??= { version, suites: suitesOf(version) };
    if (version === 'TLS 1.3' && ![...answers.values()].some(isTls))
      return ok({
        kind: 'no-answer',
        reason: [...answers].map(([name, value]) => `${name}: ${describeAnswer(value)}`).join('; '),
      });
    if (isHangUp(answer.value) && good !== undefined) {
      if (await hangsUpOn(version, suitesOf(version))) refused.add(version);
    } else if (!isTls(answer.value)) await stillAlive();
  }
  // Asked first, before there was a control.
  const first = answers.get('TLS 1.2');
  if (
    first !== undefined &&
    isHangUp(first) &&
    stopped === undefined &&
    (await hangsUpOn('TLS 1.2', suitesOf('TLS 1.2')))
  )
    refused.add('TLS 1.2');
  const verdict: Decide = (version) =>
    refused.has(version) ? false : decide(answers.get(version), good !== undefined);
  const weak = await surveyWeak(offer, good !== undefined, stopped, { stillAlive, hangsUpOn }, () => stopped);
  if (!weak.ok) return weak;
  return ok({
    kind: 'tls',
    ...(stopped === undefined ? {} : { stopped }),
    survey: {
      ...versionFacts(answers, verdict, stopped),
      ...weak.value.facts,
      absent: [...versionAbsent(answers, good !== undefined, verdict, stopped), ...weak.value.absent],
    },
  });
}

type Decide = (version: TlsVersion) => boolean | undefined;
type HangsUpOn = (version: TlsVersion, suites: readonly number[]) => Promise<boolean>;
type WeakFacts = Pick<Survey, 'weakSuites' | 'acceptsWeakSuite'>;

async function surveyWeak(
  offer: Offer,
  controlled: boolean,
  stopped: string | undefined,
  control: { readonly stillAlive: () => Promise<boolean>; readonly hangsUpOn: HangsUpOn },
  reason: () => string | undefined,
): Promise<Result<{ facts: WeakFacts; absent: AbsentFact[] }>> {
  const found = new Map<WeakSuiteClass, string>();
  let undecided = stopped ?? (controlled ? undefined : 'no version was accepted at all, so a refusal proves nothing');
  let open = true;
  for (let round = 0; open && undecided === undefined && round <= WEAK_SUITE_CLASSES.length; round += 1) {
    const suites = WEAK_SUITES.filter((suite) => !found.has(weakClass(suite) as WeakSuiteClass));
    if (suites.length === 0) break;
    const answer = await offer('TLS 1.2', suites);
    if (!answer.ok) {
      if (isAbort(answer.error)) return answer;
      undecided = answer.error.message;
    } else if (answer.value.kind === 'alert' && answer.value.refusal) {
      open = false;
    } else if (answer.value.kind === 'hello' || answer.value.kind === 'lower') {
      const suite = answer.value.suite;
      const kind = suites.includes(suite) ? weakClass(suite) : undefined;
      if (kind === undefined) undecided = `the server chose ${suiteName(suite)}, which was not offered`;
      else found.set(kind, suiteName(suite));
    } else if (isHangUp(answer.value) && (await control.hangsUpOn('TLS 1.2', suites))) {
      open = false;
    } else {
      undecided = `answer to weak suites: ${describeAnswer(answer.value)}`;
      if (!isTls(answer.value) && !isHangUp(answer.value)) await control.stillAlive();
      undecided = reason() ?? undecided;
    }
  }
  if (undecided === undefined)
    return ok({ facts: { weakSuites: [...found.values()], acceptsWeakSuite: found.size > 0 }, absent: [] });
  const why = `Not every class of weak suites was decided: ${undecided}.`;
  const absent = [{ path: 'weakSuites', reason: why }];
  if (found.size > 0) return ok({ facts: { acceptsWeakSuite: true }, absent });
  return ok({ facts: {}, absent: [...absent, { path: 'acceptsWeakSuite', reason: why }] });
}

function versionFacts(
  answers: ReadonlyMap<TlsVersion, OfferAnswer>,
  verdict: Decide,
  stopped: string | undefined,
): Pick<Survey, 'versions' | 'accepts'> {
  const versions = TLS_VERSIONS.map((version): VersionEntry => {
    const answer = answers.get(version);
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
  answers: ReadonlyMap<TlsVersion, OfferAnswer>,
  controlled: boolean,
  verdict: Decide,
  stopped: string | undefined,
): AbsentFact[] {
  const open = TLS_VERSIONS.filter((version) => verdict(version) === undefined);
  const why = (version: TlsVersion): string => {
    const answer = answers.get(version);
    if (answer === undefined) return `${version} was not tried: ${stopped ?? 'the survey ended'}.`;
    const control = controlled ? '' : ' and no version was accepted at all';
    return `${version} is inconclusive: ${describeAnswer(answer)}${control}.`;
  };
  const absent = open.map((version) => ({ path: `accepts.${VERSION_KEYS[version]}`, reason: why(version) }));
  if (open.length > 0) absent.push({ path: 'versions[].accepted', reason: open.map(why).join(' ') });
  const suiteless = TLS_VERSIONS.filter((version) => answers.get(version)?.kind !== 'hello');
  if (suiteless.length > 0)
    absent.push({ path: 'versions[].suite', reason: `No suite was chosen in ${suiteless.join(', ')}.` });
  if ([...answers.values()].some((answer) => answer.kind !== 'alert') || stopped !== undefined)
    absent.push({ path: 'versions[].alert', reason: 'Not every version was answered with an alert.' });
  return absent;
}

/** A refusal counts only beside a version that the same server accepts: the positive control. */
function decide(answer: OfferAnswer | undefined, controlled: boolean): boolean | undefined {
  if (answer?.kind === 'hello') return true;
  if (!controlled) return undefined;
  return answer?.kind === 'lower' || (answer?.kind === 'alert' && answer.refusal) ? false : undefined;
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
