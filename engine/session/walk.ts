import type { PlanItem } from '../../core/guide/plan.ts';
import { withChanges } from '../../core/people/with-changes.ts';
import { appError, ok, type Result } from '../../core/result.ts';
import type { FactsFile } from '../../core/session/events.ts';
import type { SessionState } from '../../core/session/state.ts';
import { judgeItem } from '../../core/verdict/judge.ts';
import type { Journal } from '../evidence/journal-file.ts';
import { createHeartbeats, type Heartbeats } from '../heartbeat.ts';
import { PROBES } from '../probes/index.ts';
import { type RunEnvironment, runProbe } from '../run.ts';
import { type Outcomes, setOutcome } from './outcomes.ts';
import { runJobs, usesOf } from './schedule.ts';

export type Progress = { readonly key: string; readonly line: string; readonly done: number; readonly total: number };

/** Hosts that are looked at side by side; each of them sees one connection at a time. */
const AT_ONCE = 32;

/**
 * Runs the checks of items and judges each: in order, except that items which touch different hosts do not wait for each
 * other. A failing probe is an error in the journal and the walk goes on; only a journal that cannot be written stops it.
 * The same probe with the same parameters runs once per walk: devices are fragile.
 */
export async function runItems(
  items: readonly PlanItem[],
  journal: Journal,
  outcomes: Outcomes,
  state: () => SessionState,
  environment: Omit<RunEnvironment, 'progress'>,
  onProgress: (progress: Progress) => void,
  cancel: AbortSignal,
): Promise<Result<{ finished: number; cancelled: boolean }>> {
  const seen: Seen = new Map();
  const heartbeats = createHeartbeats(environment.site, environment.budget, environment.now);
  const ask = oneAtATime(environment.ask);
  let done = 0;
  const runItem = async (item: PlanItem): Promise<Result<unknown>> => {
    const report = (line: string) => onProgress({ key: item.key, line, done, total: items.length });
    report(item.control.title);
    if (item.applies.kind === 'yes') {
      for (const check of item.checks.keys()) {
        if (cancel.aborted) break;
        const recorded = await runCheck(
          item,
          check,
          journal,
          outcomes,
          { ...environment, ask, progress: report },
          seen,
          heartbeats,
          cancel,
        );
        if (!recorded.ok) return recorded;
      }
    }
    const judged = await recordJudgement(item, journal, outcomes, state());
    done += 1;
    return judged;
  };
  const jobs = items.map((item) => ({ uses: usesOf(item, environment.site), run: () => runItem(item) }));
  const finished = await runJobs(jobs, AT_ONCE, cancel);
  return finished.ok ? ok({ finished: finished.value, cancelled: cancel.aborted }) : finished;
}

/** The operator is asked one question after the other. */
function oneAtATime(ask: RunEnvironment['ask']): RunEnvironment['ask'] {
  let before: Promise<unknown> = Promise.resolve();
  return (question, options) => {
    const mine = before.then(() => ask(question, options));
    before = mine.catch(() => undefined);
    return mine;
  };
}

async function runCheck(
  item: PlanItem,
  check: number,
  journal: Journal,
  outcomes: Outcomes,
  environment: RunEnvironment,
  seen: Seen,
  heartbeats: Heartbeats,
  cancel: AbortSignal,
): Promise<Result<unknown>> {
  const planned = item.checks[check];
  if (planned === undefined || !planned.params.ok) return ok(undefined);
  const about = { key: item.key, check, probe: planned.probe };
  const started = await journal.append('probe.started', { ...about, params: planned.params.value });
  if (!started.ok) return started;
  const identity = JSON.stringify([planned.probe, planned.params.value]);
  const running =
    seen.get(identity) ?? runWatched(planned.probe, planned.params.value, environment, heartbeats, cancel);
  seen.set(identity, running);
  const known = await running;
  // Facts of a device that has fallen silent since are not used again.
  const silent = heartbeats.stopped(known.devices);
  const result: Result<FactsFile> = silent === undefined ? known.result : { ok: false, error: silent };
  if (result.ok) {
    const facts = withChanges(result.value, item.key, environment.baseline);
    setOutcome(outcomes, item.key, check, { facts });
    return journal.recordFacts(about, facts);
  }
  setOutcome(outcomes, item.key, check, { error: result.error });
  return journal.append('probe.failed', { ...about, error: result.error });
}

type Watched = { readonly result: Result<FactsFile>; readonly devices: readonly string[] };
type Seen = Map<string, Promise<Watched>>;

/** Runs a probe between the heartbeats of the devices that it touches. */
async function runWatched(
  probe: string,
  params: Record<string, unknown>,
  environment: RunEnvironment,
  heartbeats: Heartbeats,
  cancel: AbortSignal,
): Promise<Watched> {
  const watch = heartbeats.watch(cancel);
  const result = await runNamed(probe, params, { ...environment, budget: watch.budget }, cancel);
  const after = await watch.finish();
  if (!after.ok) return { result: after, devices: [] };
  if (!result.ok || after.value.length === 0) return { result, devices: after.value.map(({ device }) => device) };
  const file = { ...result.value, connections: watch.budget.used(), heartbeats: after.value };
  return { result: ok(file), devices: after.value.map(({ device }) => device) };
}

/** Runs a probe by its id. */
export function runNamed(
  id: string,
  params: Record<string, unknown>,
  environment: RunEnvironment,
  cancel: AbortSignal,
): Promise<Result<FactsFile>> {
  const probe = PROBES.find((candidate) => candidate.declaration.id === id);
  if (probe === undefined) {
    return Promise.resolve({
      ok: false,
      error: appError('guide.invalid', `This version of Lockstep has no probe "${id}".`),
    });
  }
  return runProbe(probe, params, environment, cancel);
}

/** Judges one item from what is known now and appends the judgement. */
export async function recordJudgement(
  item: PlanItem,
  journal: Journal,
  outcomes: Outcomes,
  state: SessionState,
): Promise<Result<unknown>> {
  const itemState = state.items[item.key];
  const answered = itemState?.answer;
  const answer =
    answered === undefined
      ? undefined
      : { answer: answered.answer, attachments: itemState?.attachments.length ?? 0, at: answered.at };
  const judgement = judgeItem(item, outcomes.get(item.key) ?? new Map(), answer);
  return journal.append('judged', {
    key: item.key,
    control: item.control.id,
    revision: item.control.revision,
    target: item.target,
    verdict: judgement.verdict,
    findings: [...judgement.findings],
    basis: Object.values(itemState?.checks ?? {}).map((check) => check.event),
    ...(judgement.goodUntil === undefined ? {} : { goodUntil: judgement.goodUntil }),
  });
}
