import { randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Plan, PlanItem } from '../../core/guide/plan.ts';
import { appError, fail, ok, type Result } from '../../core/result.ts';
import type { JournalEvent } from '../../core/session/events.ts';
import {
  type InterruptedChange,
  interruptedChanges,
  reduce,
  reduceAll,
  type SessionState,
} from '../../core/session/state.ts';
import { budgetOfHost, type ConnectionBudget, createConnectionBudget } from '../budget.ts';
import { createJournal, type Journal, openJournal } from '../evidence/journal-file.ts';
import type { Identity } from '../keys/identity.ts';
import type { RunEnvironment } from '../run.ts';
import { planOf } from './plan-of.ts';
import { saveFile } from './save-file.ts';
import { checkGate, type GateInput } from './gate.ts';
import { type LoadedGuide, loadGuide, type PublisherTrust } from './load-guide.ts';
import { type LoadedSite, loadSite } from './load-site.ts';
import { type Outcomes, readOutcomes } from './outcomes.ts';
import { visibleItems } from './visible.ts';
import { type Progress, recordJudgement, runItems, runNamed } from './walk.ts';

/** What a session needs from its host. */
export type SessionOptions = {
  readonly now: () => Date;
  readonly lockstep: string;
  readonly runtime: Readonly<Record<string, string>>;
  readonly operator: string;
  /** Asks the operator to do something at a device; false where nobody is there to do it. */
  readonly ask: (question: string) => Promise<boolean>;
  readonly onEvent?: (event: JournalEvent) => void;
  readonly onProgress?: (progress: Progress) => void;
};

export type Session = {
  readonly id: string;
  readonly dir: string;
  readonly guide: LoadedGuide;
  readonly site: LoadedSite;
  readonly plan: Plan;
  readonly journal: Journal;
  readonly outcomes: Outcomes;
  readonly state: () => SessionState;
  /** Passwords by the site's names, in memory only. */
  readonly secrets: Map<string, string>;
  readonly environment: Omit<RunEnvironment, 'progress'>;
  readonly now: () => Date;
  readonly checkGate: (input: GateInput) => Promise<Result<{ inRange: boolean }>>;
  readonly acceptPreflight: () => Promise<Result<unknown>>;
  readonly run: (
    keys: readonly string[],
    cancel: AbortSignal,
  ) => Promise<Result<{ finished: number; cancelled: boolean }>>;
  readonly answer: (key: string, answer: string, note: string) => Promise<Result<unknown>>;
  readonly attach: (key: string, path: string) => Promise<Result<{ name: string; sha256: string }>>;
  readonly waive: (
    key: string,
    waiver: { reason: string; compensating: string; until: string },
  ) => Promise<Result<unknown>>;
  readonly signHead: (at: 'open' | 'close', identity: Identity) => Promise<Result<unknown>>;
  readonly close: () => Promise<void>;
};

/**
 * Starts a session in its own folder below `sessionsDir`.
 * Errors: those of the plan (`site.invalid`, one per missing input, joined), `journal.write`.
 */
export async function openSession(
  sessionsDir: string,
  guide: LoadedGuide,
  site: LoadedSite,
  options: SessionOptions,
): Promise<Result<Session>> {
  const plan = planOf(guide, site);
  if (!plan.ok) return plan;
  const id = randomUUID();
  const dir = join(sessionsDir, id);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  // The journal names the digests of these, so they must be on the disk before its first line.
  for (const [name, content] of [
    ['guide.yaml', guide.text],
    ['site.yaml', site.text],
    ['site-path.txt', site.path],
  ] as const) {
    const written = await saveFile(join(dir, name), content);
    if (!written.ok) return written;
  }
  if (guide.container !== undefined) {
    const written = await saveFile(join(dir, 'guide.asice'), guide.container);
    if (!written.ok) return written;
  }
  const operator = { id: operatorId(options.operator), name: options.operator };
  const journal = await createJournal(
    dir,
    {
      format: 'lockstep-journal/1',
      session: id,
      lockstep: options.lockstep,
      guide: {
        id: guide.guide.guide,
        version: guide.guide.version,
        sha256: guide.sha256,
        trust: guide.trust,
        ...(guide.signer === undefined
          ? {}
          : { publisher: guide.signer.subject, publisherSha256: guide.signer.sha256 }),
      },
      site: { id: site.sealed.site, name: site.sealed.name, sha256: site.sha256, practice: site.sealed.practice },
      operator,
      runtime: { ...options.runtime },
    },
    { by: operator.id, now: options.now },
  );
  if (!journal.ok) return journal;
  return ok(makeSession(id, guide, site, plan.value, journal.value, new Map(), options));
}

/**
 * Opens a session again. A probe that was cut off is recorded as an error, so that nothing looks as if it still ran.
 * Errors: `session.not-found`, `journal.locked`, `journal.broken`, and those of guide and site.
 */
export async function resumeSession(
  dir: string,
  trust: PublisherTrust,
  options: SessionOptions,
): Promise<Result<Session>> {
  const operator = { id: operatorId(options.operator), name: options.operator };
  const signed = await readFile(join(dir, 'guide.asice')).catch(() => undefined);
  const guide = await loadGuide(join(dir, signed === undefined ? 'guide.yaml' : 'guide.asice'), trust);
  if (!guide.ok) return guide;
  // Trial keys lie beside the original site file, never in the session.
  const original = await readFile(join(dir, 'site-path.txt'), 'utf8').catch(() => undefined);
  const kept = await loadSite(join(dir, 'site.yaml'));
  if (!kept.ok) return kept;
  const live = original === undefined ? kept : await loadSite(original);
  const site = live.ok && live.value.sha256 === kept.value.sha256 ? live.value : kept.value;
  const plan = planOf(guide.value, site);
  if (!plan.ok) return plan;
  const journal = await openJournal(dir, { by: operator.id, now: options.now });
  if (!journal.ok) return journal;
  const opened = journal.value.events[0];
  const close = async (result: Result<never>): Promise<Result<never>> => {
    await journal.value.close();
    return result;
  };
  if (opened?.type !== 'session.opened')
    return close(fail('journal.broken', 'The journal does not begin with session.opened.', { place: dir }));
  if (opened.data.guide.sha256 !== guide.value.sha256)
    return close(
      fail('journal.broken', 'The guide in the session is not the one that the journal names.', { place: dir }),
    );
  if (opened.data.site.sha256 !== kept.value.sha256)
    return close(
      fail('journal.broken', 'The site in the session is not the one that the journal names.', { place: dir }),
    );
  const outcomes = await readOutcomes(dir, journal.value.events);
  if (!outcomes.ok) return close(outcomes);
  const session = makeSession(
    opened.data.session,
    guide.value,
    site,
    plan.value,
    journal.value,
    outcomes.value,
    options,
  );
  const joined = await joinSession(session, operator);
  return joined.ok ? ok(session) : close(joined);
}

async function joinSession(session: Session, operator: { id: string; name: string }): Promise<Result<unknown>> {
  if (!session.state().operators.some((known) => known.id === operator.id)) {
    const joined = await session.journal.append('operator.joined', operator);
    if (!joined.ok) return joined;
  }
  for (const item of Object.values(session.state().items)) {
    for (const [check, { phase, probe }] of Object.entries(item.checks)) {
      if (phase !== 'running') continue;
      const error = appError('probe.cancelled', 'The session ended while this ran. Run it again.');
      const failed = await session.journal.append('probe.failed', {
        key: item.key,
        check: Number(check),
        probe,
        error,
      });
      if (!failed.ok) return failed;
    }
  }
  return ok(undefined);
}

function makeSession(
  id: string,
  guide: LoadedGuide,
  site: LoadedSite,
  plan: Plan,
  file: Journal,
  outcomes: Outcomes,
  options: SessionOptions,
): Session {
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
  const budget: ConnectionBudget = createConnectionBudget(
    guide.guide.budget,
    Date.now,
    budgetOfHost(guide.guide, plan.values),
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
    plan,
    journal,
    outcomes,
    secrets,
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
      const attachments = (state.items[key]?.attachments ?? []).map((attachment) => attachment.sha256);
      const answered = await journal.append('answered', { key, answer, note, attachments });
      return answered.ok ? judge(item.value) : answered;
    },
    async attach(key, path) {
      const item = itemOf(key);
      if (!item.ok) return item;
      const name = basename(path);
      const attached = await journal.attach({ key, name, mediaType: mediaTypeOf(name), source: path });
      if (!attached.ok) return attached;
      const judged = state.items[key]?.answer === undefined ? ok(undefined) : await judge(item.value);
      return judged.ok ? ok({ name, sha256: attached.value.data.sha256 }) : judged;
    },
    async waive(key, waiver) {
      if (state.items[key]?.verdict !== 'fail')
        return fail('session.state', 'Only a failed step can be waived.', { place: key });
      if (Date.parse(waiver.until) <= options.now().getTime())
        return fail('input.malformed', 'The waiver ends in the past.', { place: waiver.until });
      return journal.append('waived', { key, ...waiver });
    },
    signHead: (at, identity) => journal.signHead(at, identity),
    async close() {
      secrets.clear();
      await journal.close();
    },
  };
}

function noticeOf({ key, change }: InterruptedChange): string {
  return `A change was cut off: "${change.summary}" (${change.id} of ${key}). Find out how it ended, then undo it or plan it again.`;
}

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  json: 'application/json',
  xml: 'application/xml',
  html: 'text/html',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

function mediaTypeOf(name: string): string {
  return MEDIA_TYPES[name.split('.').at(-1)?.toLowerCase() ?? ''] ?? 'application/octet-stream';
}

/** A short id for the `by` of events: letters, digits and dashes of the name. */
function operatorId(name: string): string {
  const slug = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return slug === '' ? 'operator' : slug.slice(0, 40);
}
