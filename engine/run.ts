import { z } from 'zod';
import type { Baseline } from '../core/people/with-changes.ts';
import { appError, type AppError, fail, ok, type Result } from '../core/result.ts';
import type { FactsFile } from '../core/session/events.ts';
import type { Site } from '../core/site/schema.ts';
import { ConnectionRefusedByBudget, type ConnectionBudget } from './budget.ts';
import type { Probe, ProbeContext } from './context.ts';

/** What a run needs from its session. */
export type RunEnvironment = {
  readonly site: Site;
  readonly now: () => Date;
  readonly secret: ProbeContext['secret'];
  readonly ask: ProbeContext['ask'];
  readonly progress: (line: string) => void;
  readonly budget: ConnectionBudget;
  readonly runtime: Readonly<Record<string, string>>;
  readonly siteKey?: Uint8Array | undefined;
  readonly namesAgreed?: boolean;
  /** The earlier bundle that facts are compared with. */
  readonly baseline?: Baseline | undefined;
};

/**
 * Runs one probe under its deadline and the guide's budget. Whatever goes wrong is an error with a cause, never a verdict:
 * unfit parameters, a throw inside the probe, the deadline, a cancel, facts that do not fit the declared schema.
 */
export async function runProbe(
  probe: Probe,
  params: Record<string, unknown>,
  environment: RunEnvironment,
  cancel: AbortSignal,
): Promise<Result<FactsFile>> {
  const { declaration } = probe;
  const parsed = declaration.params.safeParse(params);
  if (!parsed.success) {
    return fail('guide.invalid', `The parameters of ${declaration.id} do not fit.`, {
      cause: z.prettifyError(parsed.error),
    });
  }
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), declaration.deadlineMs);
  const signal = AbortSignal.any([cancel, deadline.signal]);
  const before = environment.budget.used();
  const startedAt = environment.now().toISOString();
  try {
    const outcome = await Promise.race([probe.run(parsed.data, contextFor(environment, signal)), whenAborted(signal)]);
    if (cancel.aborted) return cancelled(declaration.id);
    if (outcome === 'aborted') return overdue(declaration.id, declaration.deadlineMs);
    if (!outcome.ok)
      return deadline.signal.aborted ? overdue(declaration.id, declaration.deadlineMs, outcome.error) : outcome;
    const file = {
      probe: declaration.id,
      version: declaration.version,
      params: parsed.data,
      startedAt,
      finishedAt: environment.now().toISOString(),
      runtime: environment.runtime,
      connections: environment.budget.used() - before,
    };
    if (outcome.value.kind === 'not-applicable')
      return ok({ ...file, notApplicable: outcome.value.reason, absent: [] });
    const facts = declaration.facts.safeParse(outcome.value.facts);
    if (!facts.success)
      return fail('probe.fault', `${declaration.id} reported facts that do not fit its own declaration.`, {
        cause: z.prettifyError(facts.error),
      });
    return ok({ ...file, facts: facts.data, absent: [...outcome.value.absent] });
  } catch (error) {
    if (cancel.aborted) return cancelled(declaration.id);
    if (deadline.signal.aborted) return overdue(declaration.id, declaration.deadlineMs);
    if (error instanceof ConnectionRefusedByBudget) return { ok: false, error: error.error };
    return fail('probe.fault', `${declaration.id} broke down.`, {
      cause: error instanceof Error ? error.message : String(error),
    });
  } finally {
    clearTimeout(timer);
    // Sockets that a finished probe forgot must not outlive it.
    deadline.abort();
  }
}

/** What a probe or a change may use, bound to one run. */
export function contextFor(environment: RunEnvironment, signal: AbortSignal): ProbeContext {
  return {
    site: environment.site,
    now: environment.now,
    signal,
    secret: environment.secret,
    anchor: (id) => environment.site.anchors.find((anchor) => anchor.id === id)?.pem,
    connection: (host, work) => environment.budget.connection(host, work, signal),
    progress: environment.progress,
    ask: environment.ask,
    ...(environment.siteKey === undefined ? {} : { siteKey: environment.siteKey }),
    namesAgreed: environment.namesAgreed === true,
  };
}

function whenAborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('aborted');
    // A probe that honours the signal gets a moment to say what it saw.
    else signal.addEventListener('abort', () => setTimeout(() => resolve('aborted'), 250), { once: true });
  });
}

function cancelled(id: string): Result<never> {
  return fail('probe.cancelled', `${id} was cancelled.`);
}

function overdue(id: string, ms: number, cause?: AppError): Result<never> {
  const error = appError(
    'probe.deadline',
    `${id} did not finish within ${ms / 1000} s.`,
    cause === undefined ? {} : { cause: cause.message },
  );
  return { ok: false, error };
}
