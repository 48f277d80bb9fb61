import { deriveLink, type Observation } from '../links/link.ts';
import type { PlanItem } from '../guide/plan.ts';
import type { Expectation } from '../guide/schema.ts';
import type { AppError } from '../result.ts';
import type { FactsFile, Finding, Verdict } from '../session/events.ts';
import { addDuration } from './duration.ts';
import { type AbsentByRoot, evaluateBoolean, fillTemplate, type Values } from './evaluate.ts';
import { joinVerdicts } from './join.ts';

/** The newest outcome of one check: its facts file, or the error that the probe ended with. */
export type CheckOutcome = { readonly facts: FactsFile } | { readonly error: AppError };

/** A person's answer to a manual question, with how many pieces of evidence came with it. */
export type Answer = { readonly answer: string; readonly attachments: number; readonly at: string };

export type Judgement = {
  readonly verdict: Verdict;
  readonly findings: readonly Finding[];
  /** ISO 8601; absent where the evidence does not age. */
  readonly goodUntil?: string;
};

/**
 * Judges one item from stored facts and answers. Pure: whoever has the guide, the site and the facts gets the same.
 * @param outcomes by check index; a check that is not there has not run.
 */
export function judgeItem(item: PlanItem, outcomes: ReadonlyMap<number, CheckOutcome>, answer?: Answer): Judgement {
  if (item.applies.kind === 'no')
    return { verdict: 'not-applicable', findings: [finding('not-applicable', item.applies.sentence)] };
  if (item.applies.kind === 'error') return { verdict: 'error', findings: [fromError(item.applies.error)] };
  const parts: { verdict: Verdict; findings: Finding[] }[] = item.control.checks.map((_, index) =>
    judgeCheck(item, index, outcomes.get(index)),
  );
  if (item.control.expect.length > 0) parts.push(judgeLink(item, outcomes));
  if (item.control.manual !== undefined) parts.push(judgeAnswer(item, answer));
  const verdict = joinVerdicts(parts.map((part) => part.verdict));
  const findings = parts.flatMap((part) => part.findings);
  const goodUntil = earliest(item, outcomes, answer);
  return { verdict, findings, ...(goodUntil === undefined ? {} : { goodUntil }) };
}

function judgeCheck(
  item: PlanItem,
  index: number,
  outcome: CheckOutcome | undefined,
): { verdict: Verdict; findings: Finding[] } {
  const check = item.control.checks[index];
  const params = item.checks[index]?.params;
  if (params !== undefined && !params.ok) return { verdict: 'error', findings: [fromError(params.error, index)] };
  if (outcome === undefined) return { verdict: 'not-reviewed', findings: [] };
  if ('error' in outcome) return { verdict: 'error', findings: [fromError(outcome.error, index)] };
  const { facts } = outcome;
  if (facts.notApplicable !== undefined)
    return { verdict: 'not-applicable', findings: [finding('not-applicable', facts.notApplicable, index)] };
  if (check === undefined || check.expect.length === 0) {
    // Its facts are judged together with those of the other checks; alone it proves nothing.
    return item.control.expect.length > 0
      ? { verdict: 'not-applicable', findings: [] }
      : { verdict: 'not-reviewed', findings: [] };
  }
  return judgeExpectations(check.expect, { ...item.values, facts: facts.facts }, { facts: facts.absent }, index);
}

/** Facts that expectations wanted and that are not there, for one reason. */
type Unknown = {
  readonly verdict: 'error' | 'not-applicable';
  readonly reason: string;
  readonly paths: readonly string[];
  readonly severity: Finding['severity'];
};

function judgeExpectations(
  expectations: readonly Expectation[],
  values: Values,
  absent: AbsentByRoot,
  check?: number,
): { verdict: Verdict; findings: Finding[] } {
  const findings: Finding[] = [];
  const unknown = new Map<string, Unknown>();
  const verdicts = expectations.map((expectation): Verdict => {
    const { severity } = expectation;
    const at = check === undefined ? {} : { check };
    const result = evaluateBoolean(expectation.that, values, absent);
    if (result.ok) {
      if (!result.value)
        findings.push({ verdict: 'fail', sentence: fillTemplate(expectation.else, values, absent), severity, ...at });
      return result.value ? 'pass' : 'fail';
    }
    const { code, message, place, cause, fixBy } = result.error;
    const verdict = code === 'expression.not-applicable' ? 'not-applicable' : 'error';
    if (verdict === 'error' && code !== 'expression.absent')
      findings.push({ verdict, sentence: message, severity, fixBy, ...at });
    else {
      const reason = cause ?? '';
      const known = unknown.get(`${verdict} ${reason}`) ?? { verdict, reason, paths: [], severity };
      unknown.set(`${verdict} ${reason}`, { ...known, paths: [...new Set([...known.paths, place ?? ''])] });
    }
    return verdict;
  });
  // One reason often hides several facts; it is said once.
  for (const { verdict, reason, paths, severity } of unknown.values()) {
    const names = paths.map((path) => path.replace(/^(?:facts|link)\./, '')).join(', ');
    findings.push({
      verdict,
      sentence: `${verdict === 'error' ? 'Not known' : 'Does not arise here'}: ${names}. ${sentenceCase(reason)}`,
      severity,
      ...(check === undefined ? {} : { check }),
    });
  }
  return { verdict: joinVerdicts(verdicts), findings };
}

function sentenceCase(text: string): string {
  // A reason that begins with a name ("dc2: …") keeps it as it is written.
  const whole = /^[\w.-]+:/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

function judgeLink(
  item: PlanItem,
  outcomes: ReadonlyMap<number, CheckOutcome>,
): { verdict: Verdict; findings: Finding[] } {
  if (outcomes.size === 0) return { verdict: 'not-reviewed', findings: [] };
  const link = deriveLink(observationsOf(item, outcomes), item.control.requires);
  const { absent, ...values } = link;
  return judgeExpectations(item.control.expect, { ...item.values, link: values }, { link: absent });
}

/** What the checks of a link's control saw, by probe. */
export function observationsOf(
  item: PlanItem,
  outcomes: ReadonlyMap<number, CheckOutcome>,
): Readonly<Record<string, Observation>> {
  return Object.fromEntries(
    item.control.checks.flatMap((check, index) => {
      const outcome = outcomes.get(index);
      if (outcome === undefined) return [];
      return [
        [
          check.probe,
          'error' in outcome ? { error: outcome.error } : { facts: outcome.facts.facts, absent: outcome.facts.absent },
        ],
      ];
    }),
  );
}

function judgeAnswer(item: PlanItem, answer: Answer | undefined): { verdict: Verdict; findings: Finding[] } {
  const manual = item.control.manual;
  if (manual === undefined || answer === undefined) return { verdict: 'not-reviewed', findings: [] };
  const verdict = Object.hasOwn(manual.answers, answer.answer) ? manual.answers[answer.answer] : undefined;
  if (verdict === undefined)
    return { verdict: 'error', findings: [finding('error', `The guide does not know the answer "${answer.answer}".`)] };
  if (verdict === 'pass' && manual.required && answer.attachments === 0) {
    return {
      verdict: 'not-reviewed',
      findings: [
        finding('not-reviewed', `The answer "${answer.answer}" needs evidence: ${manual.evidence.join(' or ')}.`),
      ],
    };
  }
  return { verdict, findings: verdict === 'pass' ? [] : [finding(verdict, `Answered "${answer.answer}".`)] };
}

/** Evidence ages from its oldest part. */
function earliest(
  item: PlanItem,
  outcomes: ReadonlyMap<number, CheckOutcome>,
  answer: Answer | undefined,
): string | undefined {
  const { validFor } = item.control;
  if (validFor === undefined) return undefined;
  const times = [...outcomes.values()].flatMap((outcome) => ('facts' in outcome ? [outcome.facts.finishedAt] : []));
  if (answer !== undefined) times.push(answer.at);
  const oldest = times.map((time) => Date.parse(time)).sort((a, b) => a - b)[0];
  return oldest === undefined ? undefined : addDuration(new Date(oldest), validFor).toISOString();
}

function finding(verdict: Verdict, sentence: string, check?: number): Finding {
  return { verdict, sentence, severity: 'high', ...(check === undefined ? {} : { check }) };
}

function fromError(error: AppError, check?: number): Finding {
  const place = error.place === undefined ? '' : ` (${error.place})`;
  const cause = error.cause === undefined ? '' : `: ${error.cause}`;
  return { ...finding('error', `${error.message}${place}${cause}`, check), fixBy: error.fixBy };
}
