import type { ReportItem, ReportModel } from './model.ts';
import { visible } from './plain-text.ts';
import { isExpired, type Standing, STANDING_MEANS, standingOf } from './standing.ts';

/** InSpec's own scale: 0.7 is high, 0.5 medium, 0.3 low. */
const IMPACT = { high: 0.7, medium: 0.5, low: 0.3 } as const;
const STATUS: Readonly<Record<Standing, 'passed' | 'failed' | 'skipped' | 'error'>> = {
  pass: 'passed',
  fail: 'failed',
  error: 'error',
  'not-reviewed': 'skipped',
  expired: 'skipped',
  'not-applicable': 'skipped',
};

/**
 * Heimdall Data Format, exec-json 1.0 (MITRE SAF). One control per control *and target*, each with one result, so that
 * no reader's own joining turns an error at one target into a failure or a pass of all. The same model gives the same
 * bytes.
 */
export function renderHdfReport(model: ReportModel): string {
  const { guide, session } = model;
  const groups = [...new Set(model.items.map((item) => item.control.group))];
  const controls = model.items.map((item) => control(item, model));
  const hdf = {
    platform: { name: 'Lockstep', release: session.lockstep, target_id: model.site.id },
    profiles: [
      {
        name: guide.id,
        title: `${model.practice ? 'PRACTICE: ' : ''}${visible(model.title)}`,
        version: guide.version,
        sha256: guide.sha256,
        summary: visible(guide.product ?? ''),
        maintainer: visible(guide.publisher ?? ''),
        supports: [],
        attributes: [],
        groups: groups.map((id) => ({
          id,
          title: id,
          controls: model.items.filter((item) => item.control.group === id).map((item) => item.key),
        })),
        controls,
        status: 'loaded',
      },
    ],
    statistics: { duration: (Date.parse(session.lastAt) - Date.parse(session.openedAt)) / 1000 },
    version: session.lockstep,
  };
  return `${JSON.stringify(hdf, null, 2)}\n`;
}

function control(item: ReportItem, model: ReportModel) {
  const { control: about, target } = item;
  const standing = standingOf(item, model);
  const nist = about.references['nist-800-53'];
  return {
    id: item.key,
    title: visible(`${about.title}: ${target.name}`),
    desc: visible(about.why),
    descriptions: [
      { label: 'findings', data: visible(messageOf(item, model)) },
      ...(item.waiver === undefined
        ? []
        : [
            {
              label: 'waiver asked for',
              data: visible(`${item.waiver.reason} Instead: ${item.waiver.compensating} Until ${item.waiver.until}.`),
            },
          ]),
    ],
    // Readers take impact 0 for 'not applicable', and only so.
    impact: standing === 'not-applicable' ? 0 : IMPACT[about.severity],
    refs: [],
    tags: {
      severity: about.severity,
      control: about.id,
      revision: about.revision,
      owner: about.owner,
      target: `${target.kind}:${target.id}`,
      standing,
      ...(item.goodUntil === undefined ? {} : { good_until: item.goodUntil }),
      // No waiver_data: a waiver is a request until a countersignature accepts it, and readers would hide the failure.
      ...(item.waiver === undefined ? {} : { waiver_requested_until: item.waiver.until }),
      ...(nist === undefined ? {} : { nist }),
      references: about.references,
    },
    code: '',
    source_location: {},
    results: [result(item, model, standing)],
  };
}

function result(item: ReportItem, model: ReportModel, standing: Standing) {
  const status = STATUS[standing];
  const message = visible(messageOf(item, model));
  return {
    status,
    code_desc: visible(`${item.control.title}, at ${item.target.name}`),
    start_time: item.judgedAt ?? model.session.lastAt,
    ...(status === 'skipped' ? { skip_message: message } : status === 'passed' ? {} : { message }),
    ...(status === 'error' ? { exception: 'could not be found out' } : {}),
  };
}

function messageOf(item: ReportItem, model: ReportModel): string {
  const sentences = item.findings.map((found) => `${found.verdict}: ${found.sentence}`);
  if (isExpired(item, model)) sentences.unshift(`The evidence ran out on ${item.goodUntil ?? 'an unknown day'}.`);
  if (sentences.length === 0) sentences.push(`${item.verdict}: ${STANDING_MEANS[item.verdict]}.`);
  return sentences.join('\n');
}
