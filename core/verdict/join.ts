import type { Verdict } from '../session/events.ts';

/** Lower wins. XCCDF 1.2 (NISTIR 7275r4, table 26, AND): a definite fail, then error, then not reviewed, then pass. */
const PRECEDENCE: readonly Verdict[] = ['fail', 'error', 'not-reviewed', 'pass', 'not-applicable'];

/**
 * Joins verdicts with AND. `not-applicable` counts only where nothing else is there; an empty list is `not-reviewed`,
 * because nothing ran.
 */
export function joinVerdicts(verdicts: readonly Verdict[]): Verdict {
  return PRECEDENCE.find((candidate) => verdicts.includes(candidate)) ?? 'not-reviewed';
}
