import type { z } from 'zod';
import type { AbsentFact, ProbeDeclaration } from '../core/probes/declaration.ts';
import type { Result } from '../core/result.ts';
import type { Site } from '../core/site/schema.ts';

/** How a question is put: what it is about, and how long. */
export type AskOptions = {
  /** When nobody's answer counts any more and the question is taken back; false then. */
  readonly until?: Date;
  /** What happens without a yes by then, as the end of a sentence: `the device puts the old version back by itself`. */
  readonly otherwise?: string;
  /** `free`: whether nobody is treated with the device; `confirm`: whether a change may stay. Default: something to do at the device. */
  readonly kind?: 'device' | 'free' | 'confirm';
};

/**
 * Everything that a probe may use from outside. Anchors and `file:` entries of the site are inlined already; paths of
 * certificate and key files are absolute.
 */
export type ProbeContext = {
  readonly site: Site;
  /** The only clock. */
  readonly now: () => Date;
  /** Aborts on cancel and at the probe's deadline; every socket must die with it. */
  readonly signal: AbortSignal;
  /** Password by the name the site gives it. `secret.missing` when the operator supplied none. */
  readonly secret: (name: string) => Promise<Result<string>>;
  /** PEM of an anchor by id. */
  readonly anchor: (id: string) => string | undefined;
  /**
   * Runs `work` while holding the one connection slot of `host`, within the guide's budget (rule 5). EVERY connection
   * that a probe opens goes through it, one at a time; do not nest.
   */
  readonly connection: <T>(host: string, work: () => Promise<T>) => Promise<T>;
  /** One short line for the person who waits. */
  readonly progress: (line: string) => void;
  /** Asks the operator to do something at the device (point it here, send a test message); resolves when told done, or false when declined. */
  readonly ask: (question: string, options?: AskOptions) => Promise<boolean>;
  /** HMAC key under which people appear in facts (32 bytes), held by the hospital; absent: counts only. */
  readonly siteKey?: Uint8Array;
  /** The operator agreed that people are named where the guide asks for it; without it they have only their HMAC. */
  readonly namesAgreed?: boolean;
};

/** Facts, or the probe's own word that the question does not arise here. */
export type ProbeOutcome<F = unknown> =
  | { readonly kind: 'facts'; readonly facts: F; readonly absent: readonly AbsentFact[] }
  | { readonly kind: 'not-applicable'; readonly reason: string };

/** A declaration with the code that looks. Never writes, never judges, never throws for what is expected. */
export type Probe<P extends z.ZodType = z.ZodType, F extends z.ZodType = z.ZodType> = {
  readonly declaration: ProbeDeclaration<P, F>;
  readonly run: (params: z.output<P>, context: ProbeContext) => Promise<Result<ProbeOutcome<z.input<F>>>>;
};

/** Keeps the types of a probe together; the list holds them with the types erased. */
export function defineProbe<P extends z.ZodType, F extends z.ZodType>(
  declaration: ProbeDeclaration<P, F>,
  run: Probe<P, F>['run'],
): Probe {
  return { declaration, run } as unknown as Probe;
}
