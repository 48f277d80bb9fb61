import { basename } from 'node:path';
import type { Plan, PlanItem } from '../../core/guide/plan.ts';
import type { SiteKey } from '../../core/people/site-key.ts';
import type { Baseline } from '../../core/people/with-changes.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { JournalEvent } from '../../core/session/events.ts';
import {
  type InterruptedChange,
  interruptedChanges,
  reduce,
  reduceAll,
  type SessionState,
} from '../../core/session/state.ts';
import { budgetOfHost, type ConnectionBudget, createConnectionBudget } from '../budget.ts';
import type { ProbeContext } from '../context.ts';
import { machinesOf } from '../devices.ts';
import type { Journal } from '../evidence/journal-file.ts';
import { redact, type RedactOptions } from '../evidence/redact.ts';
import type { Identity } from '../keys/identity.ts';
import type { RunEnvironment } from '../run.ts';
import { checkGate, type GateInput } from './gate.ts';
import type { LoadedGuide } from './load-guide.ts';
import type { LoadedSite } from './load-site.ts';
import type { Outcomes } from './outcomes.ts';
import { mediaTypeOf } from './media-types.ts';
import { visibleItems } from './visible.ts';
import { type Progress, recordJudgement, runItems, runNamed } from './walk.ts';
import { withoutSecrets } from './typed-text.ts';

/** What a session needs from its host. */
export type SessionOptions = {
  readonly now: () => Date;
  readonly lockstep: string;
  readonly runtime: Readonly<Record<string, string>>;
  readonly operator: string;
  /** Name of this computer; by default what the system calls it. */
  readonly computer?: string;
  /** Asks the operator to do something at a device; false where nobody is there to do it. */
  readonly ask: ProbeContext['ask'];
  readonly onEvent?: (event: JournalEvent) => void;
  readonly onProgress?: (progress: Progress) => void;
};

/** What a session holds in memory only: it is given again when the session is resumed. */
export type SessionMemory = {
  siteKey?: SiteKey;
  baseline?: Baseline;
};

export type Session = {
  readonly id: string;
  readonly dir: string;
  readonly guide: LoadedGuide;
  readonly site: LoadedSite;
  readonly plan: Plan;
  /** Goes on by another plan, once the journal says what makes it another. */
  readonly replan: (plan: Plan) => void;
  readonly journal: Journal;
  readonly outcomes: Outcomes;
  readonly state: () => SessionState;
  /** Passwords by the site's names, in memory only. */
  readonly secrets: Map<string, string>;
  readonly memory: SessionMemory;
  readonly environment: Omit<RunEnvironment, 'progress'>;
  readonly now: () => Date;
  readonly checkGate: (input: GateInput) => Promise<Result<{ inRange: boolean }>>;
  readonly acceptPreflight: () => Promise<Result<unknown>>;
  readonly run: (
    keys: readonly string[],
    cancel: AbortSignal,
  ) => Promise<Result<{ finished: number; cancelled: boolean }>>;
  readonly answer: (key: string, answer: string, note: string) => Promise<Result<unknown>>;
  /** Attaches a file; of a picture, without its metadata, what `options` say. */
  readonly attach: (
    key: string,
    path: string,
    options?: RedactOptions,
  ) => Promise<Result<{ name: string; sha256: string }>>;
  readonly waive: (
    key: string,
    waiver: { reason: string; compensating: string; until: string },
  ) => Promise<Result<unknown>>;
  readonly signHead: (at: 'open' | 'close', identity: Identity) => Promise<Result<unknown>>;
  readonly close: () => Promise<void>;
};

/** A session over an open journal: everything that is done in it goes through here. */
export function makeSession(
  id: string,
  guide: LoadedGuide,
  site: LoadedSite,
  firstPlan: Plan,
  file: Journal,
  outcomes: Outcomes,
  options: SessionOptions,
): Session {
  let plan = firstPlan;
  let state = reduceAll(file.events);
  const take = <T>(result: Result<T>): Result<T> => {
    if (result.ok) {
      const event = result.value as JournalEvent;
      state = reduce(state, event);
      options.onEvent?.(event);
    }
    return result;
  };
  const journal: Journal = {
    ...file,
    notices: [...file.notices, ...interruptedChanges(state).map(noticeOf)],
    append: async (type, data) => take(await file.append(type, data)),
    recordFacts: async (about, facts) => take(await file.recordFacts(about, facts)),
    attach: async (about) => take(await file.attach(about)),
    signHead: async (at, identity) => take(await file.signHead(at, identity)),
  };
  const secrets = new Map<string, string>();
  const memory: SessionMemory = {};
  const budget: ConnectionBudget = createConnectionBudget(
    guide.guide.budget,
    Date.now,
    budgetOfHost(guide.guide, plan.values),
    machinesOf(site.site),
  );
  const environment: Session['environment'] = {
    site: site.site,
    now: options.now,
    secret: async (name) => {
      const value = secrets.get(name);
      return value === undefined
        ? fail('secret.missing', `No password was given for "${name}".`, { place: name })
        : ok(value);
    },
    ask: options.ask,
    budget,
    runtime: options.runtime,
    get siteKey() {
      return memory.siteKey?.bytes;
    },
    get namesAgreed() {
      return state.namesAgreed === true;
    },
    get baseline() {
      return memory.baseline;
    },
  };
  const progress = options.onProgress ?? (() => {});
  const itemOf = (key: string): Result<PlanItem> => {
    const item = plan.items.find((candidate) => candidate.key === key);
    return item === undefined ? fail('session.state', `The plan has no step "${key}".`) : ok(item);
  };
  const judge = async (item: PlanItem): Promise<Result<unknown>> => recordJudgement(item, journal, outcomes, state);

  return {
    id,
    dir: file.dir,
    guide,
    site,
    get plan() {
      return plan;
    },
    replan: (next) => {
      plan = next;
    },
    journal,
    outcomes,
    secrets,
    memory,
    environment,
    state: () => state,
    now: options.now,
    async checkGate(input) {
      const cancel = new AbortController();
      const gate = await checkGate(plan, input, (probe, params) =>
        runNamed(probe, params, { ...environment, progress: () => {} }, cancel.signal),
      );
      const recorded = await journal.append('gate.checked', gate);
      return recorded.ok ? ok({ inRange: gate.inRange }) : recorded;
    },
    acceptPreflight: () => journal.append('preflight.accepted', { visible: [...visibleItems(plan)] }),
    async run(keys, cancel) {
      if (state.gate === undefined) return fail('session.state', 'Check the product version first.');
      if (!state.gate.inRange && !state.gate.overridden) {
        return fail(
          'guide.out-of-range',
          `This guide is for ${plan.guide.product.name} ${state.gate.range}; ${state.gate.version ?? 'an unknown version'} was found. Give a reason to go on.`,
        );
      }
      const items: PlanItem[] = [];
      for (const key of keys) {
        const item = itemOf(key);
        if (!item.ok) return item;
        items.push(item.value);
      }
      return runItems(items, journal, outcomes, () => state, environment, progress, cancel);
    },
    async answer(key, answer, note) {
      const item = itemOf(key);
      if (!item.ok) return item;
      const answers = item.value.control.manual?.answers ?? {};
      if (!Object.hasOwn(answers, answer))
        return fail(
          'input.malformed',
          `"${answer}" is not an answer to this question; it takes ${Object.keys(answers).join(', ') || 'none'}.`,
          { place: key },
        );
      const clean = withoutSecrets({ note }, secrets);
      if (!clean.ok) return clean;
      const attachments = (state.items[key]?.attachments ?? []).map((attachment) => attachment.sha256);
      const answered = await journal.append('answered', { key, answer, note, attachments });
      return answered.ok ? judge(item.value) : answered;
    },
    async attach(key, path, options = {}) {
      const item = itemOf(key);
      if (!item.ok) return item;
      const clean = withoutSecrets({ 'name of the file': basename(path) }, secrets);
      if (!clean.ok) return clean;
      const stored = await redact(path, options);
      if (!stored.ok) return stored;
      const { name, redacted } = stored.value;
      if (redacted?.kept === true) {
        const original = basename(path);
        const kept = await journal.attach({ key, name: original, mediaType: mediaTypeOf(original), source: path });
        if (!kept.ok) return kept;
        if (kept.value.data.sha256 !== redacted.from)
          return fail('input.malformed', 'The file changed while it was attached.', { place: original });
      }
      const attached = await journal.attach({ key, mediaType: mediaTypeOf(name), ...stored.value });
      if (!attached.ok) return attached;
      const judged = state.items[key]?.answer === undefined ? ok(undefined) : await judge(item.value);
      return judged.ok ? ok({ name, sha256: attached.value.data.sha256 }) : judged;
    },
    async waive(key, waiver) {
      if (state.items[key]?.verdict !== 'fail')
        return fail('session.state', 'Only a failed step can be waived.', { place: key });
      if (Date.parse(waiver.until) <= options.now().getTime())
        return fail('input.malformed', 'The waiver ends in the past.', { place: waiver.until });
      const { reason, compensating } = waiver;
      const clean = withoutSecrets({ reason, 'compensating control': compensating }, secrets);
      return clean.ok ? journal.append('waived', { key, ...waiver }) : clean;
    },
    signHead: (at, identity) => journal.signHead(at, identity),
    async close() {
      secrets.clear();
      memory.siteKey?.bytes.fill(0);
      delete memory.siteKey;
      await journal.close();
    },
  };
}

function noticeOf({ key, change }: InterruptedChange): string {
  return `A change was cut off: "${change.summary}" (${change.id} of ${key}). Find out how it ended, then undo it or plan it again.`;
}
