import type { Plan, PlanItem } from '../guide/plan.ts';
import { ALL_ENDS, deriveLink } from '../links/link.ts';
import type { EventType, Finding, JournalEvent } from '../session/events.ts';
import { reduceAll, type SessionState } from '../session/state.ts';
import { summarize } from '../session/summary.ts';
import { type CheckOutcome, observationsOf } from '../verdict/judge.ts';
import { seenCertificates } from './seen-certificates.ts';
import type { Lane, ReportItem, ReportModel } from './model.ts';
import { changedOf } from './since.ts';

/** The newest outcome of each check, by item key and index. */
export type ItemOutcomes = ReadonlyMap<string, ReadonlyMap<number, CheckOutcome>>;

const LANES: Readonly<Partial<Record<EventType, Lane>>> = {
  'facts.recorded': 'checks',
  'probe.failed': 'checks',
  answered: 'answers',
  attached: 'answers',
  'change.applied': 'changes',
  'change.failed': 'changes',
  'change.readback': 'changes',
  'change.undone': 'changes',
  waived: 'waivers',
  'head.signed': 'signatures',
};
const SEVERITIES = ['high', 'medium', 'low'] as const;

/**
 * What reports show of a session, from its plan, its journal and the facts that the journal names. Pure: the same
 * journal gives the same report.
 * @param head SHA-256 of the last of the events, hex
 * @param outcomes the facts; without them the report cannot say who proved what on a link
 */
export function sessionReport(
  plan: Plan,
  events: readonly JournalEvent[],
  head: string,
  outcomes: ItemOutcomes = new Map(),
): ReportModel {
  const state = reduceAll(events);
  const opened = state.opened;
  const last = events.at(-1);
  if (opened === undefined || last === undefined || state.openedAt === undefined)
    throw new Error('the journal does not begin with session.opened');
  const { product } = plan.guide;
  return {
    title: plan.guide.title,
    practice: opened.site.practice,
    guide: {
      id: opened.guide.id,
      version: opened.guide.version,
      sha256: opened.guide.sha256,
      trust: opened.guide.trust,
      publisher: plan.guide.publisher.name,
      ...(opened.guide.publisherSha256 === undefined ? {} : { publisherSha256: opened.guide.publisherSha256 }),
      product: `${product.vendor} ${product.name} ${product.versions}`,
    },
    site: { id: opened.site.id, name: opened.site.name, sha256: opened.site.sha256 },
    session: {
      id: opened.session,
      operators: state.operators,
      openedAt: state.openedAt,
      lastAt: last.at,
      lockstep: opened.lockstep,
    },
    generatedFrom: { upTo: last.n, sha256: head },
    ...(state.gate === undefined ? {} : { gate: state.gate }),
    ...peopleOf(state),
    ...(state.baseline === undefined ? {} : { baseline: state.baseline }),
    items: plan.items.map((item): ReportItem => {
      const known = state.items[item.key];
      const { id, title, owner, why, references, revision } = item.control;
      const group = item.control.group ?? id.split('.')[0] ?? id;
      const link = linkOf(item, outcomes.get(item.key));
      const changed = changedOf(outcomes.get(item.key));
      return {
        key: item.key,
        control: { id, title, owner, why, revision, group, severity: severityOf(item), references },
        target: item.target,
        verdict: known?.verdict ?? 'not-reviewed',
        findings: known?.findings ?? [],
        facts: Object.values(known?.checks ?? {}).flatMap((check) => check.file ?? []),
        changes: known?.changes ?? [],
        attachments: (known?.attachments ?? []).map(({ name, file, sha256, size, redacted }) => ({
          name,
          file,
          sha256,
          size,
          ...(redacted === undefined ? {} : { redacted }),
        })),
        ...(link === undefined ? {} : { link }),
        ...(changed === undefined ? {} : { changed }),
        ...(known?.judgedAt === undefined ? {} : { judgedAt: known.judgedAt }),
        ...(known?.goodUntil === undefined ? {} : { goodUntil: known.goodUntil }),
        ...(known?.answer === undefined ? {} : { answer: known.answer }),
        ...(known?.waiver === undefined ? {} : { waiver: known.waiver }),
        ...(known?.deferred === undefined ? {} : { deferred: known.deferred }),
      };
    }),
    certificates: seenCertificates(plan, outcomes),
    reminders: plan.guide.reminders,
    timeline: events.flatMap(({ type, at }) => {
      const lane = LANES[type];
      return lane === undefined ? [] : [{ lane, at }];
    }),
    summary: summarize(plan.items, state, new Date(last.at)),
  };
}

function peopleOf({ keyId, namesAgreed }: SessionState): Pick<ReportModel, 'people'> {
  if (keyId === undefined && namesAgreed === undefined) return {};
  return {
    people: {
      ...(keyId === undefined ? {} : { keyId }),
      ...(namesAgreed === undefined ? {} : { namesAgreed }),
    },
  };
}

function severityOf({ control }: PlanItem): Finding['severity'] {
  const expectations = [...control.checks.flatMap((check) => check.expect), ...control.expect];
  // A question to a person carries no severity of its own.
  const manual = control.manual === undefined ? [] : (['high'] as const);
  const found = new Set([...expectations.map((each) => each.severity), ...manual]);
  return SEVERITIES.find((severity) => found.has(severity)) ?? 'high';
}

/** Who proved what on the link that an item judges; undefined where it judges none, or nothing ran yet. */
export function linkOf(item: PlanItem, outcomes: ReadonlyMap<number, CheckOutcome> | undefined): ReportItem['link'] {
  if (item.control.expect.length === 0 || item.applies.kind !== 'yes' || outcomes === undefined) return undefined;
  const { state, sentence, ends } = deriveLink(observationsOf(item, outcomes), item.control.requires);
  const requires = item.control.requires ?? ALL_ENDS;
  return { ...(state === undefined ? {} : { state }), sentence, ends, requires };
}
