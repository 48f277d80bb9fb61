import type { Plan } from '../guide/plan.ts';
import { REPORTS } from '../report/index.ts';
import { type ItemOutcomes, sessionReport } from '../report/session-report.ts';
import { VERSION } from '../version.ts';
import type { BundleFinding } from './finding.ts';
import type { BundleParts } from './verify.ts';

/**
 * Renders every report again from the journal and the facts, and compares: people read the report, so it must not say what the
 * journal does not. A report of another version of Lockstep may be worded otherwise, and then only a warning is due.
 */
export async function checkReports(parts: BundleParts, plan: Plan, outcomes: ItemOutcomes): Promise<BundleFinding[]> {
  const [opened] = parts.events;
  if (opened?.type !== 'session.opened') return [];
  const sameVersion = opened.data.lockstep === VERSION;
  const model = sessionReport(plan, parts.events, parts.head, outcomes);
  const findings: BundleFinding[] = [];
  for (const report of REPORTS) {
    const digest = parts.digests.get(report.file);
    if (digest === (await parts.sha256(new TextEncoder().encode(report.render(model))))) continue;
    if (digest === undefined && !sameVersion) continue;
    findings.push({
      severity: sameVersion ? 'bad' : 'warn',
      code: 'report.differs',
      sentence: sameVersion
        ? 'This report does not say what journal and facts give.'
        : `This report is not what Lockstep ${VERSION} makes of journal and facts; it was made by ${opened.data.lockstep}. Where they differ, the journal counts.`,
      place: report.file,
    });
  }
  return findings;
}
