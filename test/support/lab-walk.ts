import { makePlan, type PlanItem } from '../../core/guide/plan.ts';
import { appError, ok } from '../../core/result.ts';
import type { Finding, Verdict } from '../../core/session/events.ts';
import { type CheckOutcome, judgeItem } from '../../core/verdict/judge.ts';
import { createConnectionBudget } from '../../engine/budget.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { runNamed } from '../../engine/session/walk.ts';
import type { Lab } from '../../lab/index.ts';

export const REFERENCE_GUIDE = 'assets/guides/reference-mdip.yaml';

export type Row = { readonly key: string; readonly verdict: Verdict; readonly findings: readonly Finding[] };

/** Judges a control of the shipped guide for each of its targets, by the real probes; manual questions stay open. */
export async function judgeInLab(lab: Lab, wanted: (item: PlanItem) => boolean): Promise<Row[]> {
  const guide = await loadGuide(REFERENCE_GUIDE, { roots: [] });
  if (!guide.ok) throw new Error(guide.error.message);
  const site = await loadSite(lab.siteFile);
  if (!site.ok) throw new Error(site.error.message);
  const plan = makePlan(guide.value.guide, site.value.sealed);
  if (!plan.ok) throw new Error(JSON.stringify(plan.error));
  const environment = {
    site: site.value.site,
    now: () => new Date(),
    secret: async (name: string) => {
      const value = lab.secrets[name];
      return value === undefined ? { ok: false as const, error: appError('secret.missing', name) } : ok(value);
    },
    ask: async () => false,
    progress: () => undefined,
    budget: createConnectionBudget({ connections: 10_000, perSecond: 10_000 }),
    runtime: {},
  };
  const rows: Row[] = [];
  for (const item of plan.value.items.filter(wanted)) {
    const outcomes = new Map<number, CheckOutcome>();
    for (const [index, check] of item.checks.entries()) {
      if (!check.params.ok) outcomes.set(index, { error: check.params.error });
      else {
        const result = await runNamed(check.probe, check.params.value, environment, new AbortController().signal);
        outcomes.set(index, result.ok ? { facts: result.value } : { error: result.error });
      }
    }
    rows.push({ key: item.key, ...judgeItem(item, outcomes) });
  }
  return rows;
}

/** What did not pass, a line each. */
export const sentences = (rows: readonly Row[]) =>
  rows.flatMap((row) =>
    row.findings
      .filter((finding) => finding.verdict !== 'pass')
      .map((finding) => `${row.key}: ${finding.verdict}: ${finding.sentence}`),
  );
