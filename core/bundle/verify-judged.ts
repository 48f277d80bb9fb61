import type { Result } from '../result.ts';
import { ok } from '../result.ts';
import type { Summary } from '../session/summary.ts';
import { rejudge } from '../verdict/rejudge.ts';
import type { BundleFinding } from './finding.ts';
import type { Trust } from './trust.ts';
import { checkReports } from './verify-reports.ts';
import type { BundleParts, Verification, VerifyOptions } from './verify.ts';

export type JudgedVerification = Verification['summary'] & {
  /** Nothing bad was found, no signature is missing, and nothing was left out. */
  readonly sound: boolean;
  /** Nothing is undecided and nothing has run out. Never true for a guide or an edition. */
  readonly complete: boolean;
  /** Worst first. */
  readonly findings: readonly BundleFinding[];
  /** The state at the given date, from verdicts computed again. */
  readonly state?: Summary;
};

/**
 * Verifies a bundle with every verdict judged again from the facts in it: the one way for all who open a bundle.
 * @param verify `verifyContainer` over wherever the bytes lie
 * @param at the date at which certificates and evidence count
 * Errors: those of `verify`.
 */
export async function verifyJudged(
  verify: (options: VerifyOptions) => Promise<Result<Verification>>,
  trust: Trust,
  at: Date,
): Promise<Result<JudgedVerification>> {
  let state: Summary | undefined;
  const verified = await verify({
    trust,
    at,
    rejudge: async (parts) => {
      const judged = await judgeAgain(parts);
      state = judged.summary;
      return judged.findings;
    },
  });
  if (!verified.ok) return verified;
  const { sound, findings, summary } = verified.value;
  return ok({
    ...summary,
    sound: sound && !summary.provisional && summary.edition === undefined,
    complete: state !== undefined && undecidedOf(state) === 0 && state.expired.length === 0,
    findings,
    ...(state === undefined ? {} : { state }),
  });
}

function undecidedOf({ counts }: Summary): number {
  return counts.error + counts['not-reviewed'];
}

async function judgeAgain(parts: BundleParts): Promise<{ findings: BundleFinding[]; summary?: Summary }> {
  const facts = (file: string): unknown => parts.facts.get(Number(/^facts\/(\d+)\.json$/.exec(file)?.[1]));
  const accepted = new Set(parts.statements.flatMap((statement) => statement.acceptedWaivers));
  const { faults, judged } = rejudge({ ...parts, facts }, parts.at, accepted);
  const findings: BundleFinding[] = faults.map((fault) => ({ severity: 'bad', ...fault }));
  if (judged === undefined) return { findings };
  const { plan, summary, outcomes } = judged;
  findings.push(...(await checkReports(parts, plan, outcomes)));
  const { word, counts, expired } = summary;
  const counted = Object.entries(counts).filter(([, count]) => count > 0);
  findings.push({
    severity: 'info',
    code: 'state',
    sentence: `At ${parts.at.toISOString().slice(0, 10)} this is ${word}: ${counted.map(([verdict, count]) => `${count} ${verdict}`).join(', ')}.`,
  });
  const undecided = undecidedOf(summary);
  if (undecided > 0)
    findings.push({
      severity: 'warn',
      code: 'incomplete',
      sentence: `${undecided} ${undecided === 1 ? 'step is' : 'steps are'} undecided, so this bundle is incomplete.`,
    });
  for (const key of expired)
    findings.push({ severity: 'warn', code: 'expired', sentence: `The evidence for ${key} has run out.`, place: key });
  return { findings, summary };
}
