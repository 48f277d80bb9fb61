import { fail, ok, type Result } from '../../../core/result.ts';
import type { Endpoint } from '../../../core/site/schema.ts';
import type { ProbeContext } from '../../context.ts';
import type { TrialVersion } from './client-trial.ts';
import { describeAnswer } from './describe-answer.ts';
import { offer } from './offer.ts';
import { isHangUp, refusalsOf } from './refusals.ts';
import { type GoodOffer, noAnswer } from './survey.ts';
import { type Offer, offerVersion, type VersionAnswer } from './version-offer.ts';

export const TRIAL_VERSIONS: readonly TrialVersion[] = ['TLS 1.2', 'TLS 1.3'];

export type ClientVersions = {
  readonly versions: readonly TrialVersion[];
  /** Why it was not seen whether the server speaks a version. */
  readonly undecided: ReadonlyMap<TrialVersion, string>;
};

/**
 * Which of TLS 1.2 and 1.3 a server speaks: one that was not seen could let everybody in. Errors: those of `dial`,
 * `tls.not-spoken`, `probe.inconclusive` where it speaks neither.
 */
export async function spokenVersions(endpoint: Endpoint, context: ProbeContext): Promise<Result<ClientVersions>> {
  const place = `${endpoint.host}:${endpoint.port}`;
  const options = { hosts: context.site.hosts, signal: context.signal };
  const put: Offer = (version, suites) =>
    context.connection(endpoint.host, () => offer(endpoint, version, suites, options));
  const refuses = refusalsOf(put);
  const answers = new Map<TrialVersion, VersionAnswer>();
  let good: GoodOffer | undefined;
  const control = async (): Promise<boolean> => {
    if (good === undefined) return false;
    const again = await put(good.version, good.suites);
    return again.ok && again.value.kind === 'hello';
  };
  // TLS 1.2 is asked again where it ended without a word before there was a control.
  for (const version of [...TRIAL_VERSIONS, 'TLS 1.2'] as const) {
    const before = answers.get(version);
    if (before !== undefined && !(isHangUp(before.answer) && good !== undefined)) continue;
    const asked = await offerVersion(put, version, (answer, suites) =>
      refuses(answer, { again: () => put(version, suites), control }),
    );
    if (!asked.ok) return asked;
    const { answer, suites } = asked.value;
    if (answer.kind === 'not-tls')
      return fail('tls.not-spoken', `The server answers, but not in TLS (${answer.seen}).`, { place });
    answers.set(version, asked.value);
    if (suites !== undefined) good ??= { version, suites };
  }
  const undecided = new Map<TrialVersion, string>();
  for (const [version, { answer, accepted }] of answers)
    if (accepted === undefined)
      undecided.set(version, `Whether the server speaks ${version} was not seen: ${describeAnswer(answer)}.`);
  if (good === undefined)
    return noAnswer([...undecided.values()].join(' ') || 'neither TLS 1.2 nor TLS 1.3 is spoken', place);
  return ok({ versions: TRIAL_VERSIONS.filter((version) => answers.get(version)?.accepted === true), undecided });
}
