import { webcrypto } from 'node:crypto';
import type { WebCrypto } from '../../core/bundle/host.ts';
import { makePlan, type PlanItem } from '../../core/guide/plan.ts';
import type { EarlierFacts } from '../../core/people/earlier.ts';
import { readSiteKey, type SiteKey } from '../../core/people/site-key.ts';
import { withChanges } from '../../core/people/with-changes.ts';
import { appError, ok } from '../../core/result.ts';
import type { Finding, Verdict } from '../../core/session/events.ts';
import { type CheckOutcome, judgeItem } from '../../core/verdict/judge.ts';
import { createConnectionBudget } from '../../engine/budget.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { runNamed } from '../../engine/session/walk.ts';
import type { Lab } from '../../lab/index.ts';

export const REFERENCE_GUIDE = 'assets/guides/reference-mdip.yaml';

const SINCE = { bundle: 'b'.repeat(64), session: '6b4d6f0e-53b7-4f0e-9a39-0f8b1f8a2c11', provisional: false };

export type Row = { readonly key: string; readonly verdict: Verdict; readonly findings: readonly Finding[] };

/**
 * Judges a control of the shipped guide for each of its targets, by the real probes; manual questions stay open.
 * @param earlier what an earlier bundle would hold, where the walk is compared with one
 */
export async function judgeInLab(
  lab: Lab,
  wanted: (item: PlanItem) => boolean,
  earlier?: EarlierFacts,
): Promise<Row[]> {
  const seen = await seeInLab(lab, wanted, earlier);
  return seen.map(({ item, outcomes }) => ({ key: item.key, ...judgeItem(item, outcomes) }));
}

/** What the probes of these controls see, as an earlier bundle would hold it. */
export async function earlierInLab(lab: Lab, wanted: (item: PlanItem) => boolean): Promise<EarlierFacts> {
  const seen = await seeInLab(lab, wanted);
  return seen.flatMap(({ item, outcomes }) =>
    [...outcomes.values()].flatMap((outcome) => ('facts' in outcome ? [{ key: item.key, facts: outcome.facts }] : [])),
  );
}

type Seen = { readonly item: PlanItem; readonly outcomes: Map<number, CheckOutcome> };

async function seeInLab(lab: Lab, wanted: (item: PlanItem) => boolean, earlier?: EarlierFacts): Promise<Seen[]> {
  const guide = await loadGuide(REFERENCE_GUIDE, { roots: [] });
  if (!guide.ok) throw new Error(guide.error.message);
  const site = await loadSite(lab.siteFile);
  if (!site.ok) throw new Error(site.error.message);
  const plan = makePlan(guide.value.guide, site.value.sealed, { hasBaseline: earlier !== undefined });
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
    siteKey: (await readKey(lab.siteKey)).bytes,
  };
  const baseline = earlier === undefined ? undefined : { since: SINCE, facts: earlier };
  const seen: Seen[] = [];
  for (const item of plan.value.items.filter(wanted)) {
    const outcomes = new Map<number, CheckOutcome>();
    for (const [index, check] of item.checks.entries()) {
      if (!check.params.ok) outcomes.set(index, { error: check.params.error });
      else {
        const result = await runNamed(check.probe, check.params.value, environment, new AbortController().signal);
        outcomes.set(
          index,
          result.ok ? { facts: withChanges(result.value, item.key, baseline) } : { error: result.error },
        );
      }
    }
    seen.push({ item, outcomes });
  }
  return seen;
}

async function readKey(text: string): Promise<SiteKey> {
  const key = await readSiteKey(text, webcrypto as WebCrypto);
  if (!key.ok) throw new Error(key.error.message);
  return key.value;
}

/** What did not pass, a line each. */
export const sentences = (rows: readonly Row[]) =>
  rows.flatMap((row) =>
    row.findings
      .filter((finding) => finding.verdict !== 'pass')
      .map((finding) => `${row.key}: ${finding.verdict}: ${finding.sentence}`),
  );
