import type { z } from 'zod';
import type { Earlier } from '../people/earlier.ts';

/** A fact that could not be learned, named by its path below `facts` (dots, `[]` for every list element). */
export type AbsentFact = {
  readonly path: string;
  readonly reason: string;
  /** There is no such thing here (what only Active Directory has, elsewhere): nothing was missed, the question does not arise. */
  readonly notApplicable?: true;
};

/**
 * What a probe is, without any code that touches a network. Facts leave out what is unknown (never null, [] or 0 for
 * "unknown"): make such a property `.optional()` in `facts` and let the probe list it under `absent` with its reason.
 */
export type ProbeDeclaration<P extends z.ZodType = z.ZodType, F extends z.ZodType = z.ZodType> = {
  /** Dotted id used in guides, e.g. `tls.endpoint`. */
  readonly id: string;
  /** A short noun phrase for people. */
  readonly title: string;
  /** Raised when the meaning of a fact changes. */
  readonly version: number;
  /** Parameters a guide passes with `with:`. Strict object; each field carries `.describe()`. */
  readonly params: P;
  /** Facts as stored. Each field carries `.describe()`. */
  readonly facts: F;
  /** What the hospital's monitoring will see, one sentence per item, listed before the probe runs. */
  readonly visible: (params: z.output<P>) => readonly string[];
  /** Rights the probe needs, in words ("an ordinary domain user", "none"). */
  readonly rights: string;
  /** Longest time one run may take, in milliseconds, before it becomes `error: probe.deadline`. */
  readonly deadlineMs: number;
  /**
   * Adds to facts what changed since those that an earlier bundle holds, or says why that is not known. Pure; absent where a
   * probe has nothing to compare. What `facts` call `changed` comes from here alone.
   */
  readonly compare?: (
    facts: z.output<F>,
    earlier: Earlier,
  ) => { readonly facts: z.output<F>; readonly absent: readonly AbsentFact[] };
};

/** Keeps the literal types of a declaration. */
export function declareProbe<P extends z.ZodType, F extends z.ZodType>(
  declaration: ProbeDeclaration<P, F>,
): ProbeDeclaration<P, F> {
  return declaration;
}
