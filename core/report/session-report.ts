import type { Plan } from '../guide/plan.ts';
import type { JournalEvent } from '../session/events.ts';
import { reduceAll } from '../session/state.ts';
import { summarize } from '../session/summary.ts';
import type { ReportItem, ReportModel } from './model.ts';

/**
 * What reports show of a session, from its plan and its journal alone. Pure: the same journal gives the same report.
 * @param head SHA-256 of the last of the events, hex
 */
export function sessionReport(plan: Plan, events: readonly JournalEvent[], head: string): ReportModel {
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
    items: plan.items.map((item): ReportItem => {
      const known = state.items[item.key];
      const { id, title, owner, why, references } = item.control;
      return {
        key: item.key,
        control: { id, title, owner, why, references },
        target: item.target,
        verdict: known?.verdict ?? 'not-reviewed',
        findings: known?.findings ?? [],
        changes: known?.changes ?? [],
        attachments: (known?.attachments ?? []).map(({ name, file, sha256, size }) => ({ name, file, sha256, size })),
        ...(known?.judgedAt === undefined ? {} : { judgedAt: known.judgedAt }),
        ...(known?.goodUntil === undefined ? {} : { goodUntil: known.goodUntil }),
        ...(known?.answer === undefined ? {} : { answer: known.answer }),
        ...(known?.waiver === undefined ? {} : { waiver: known.waiver }),
        ...(known?.deferred === undefined ? {} : { deferred: known.deferred }),
      };
    }),
    summary: summarize(plan.items, state, new Date(last.at)),
  };
}
