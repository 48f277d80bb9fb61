import type { ReportItem, ReportModel } from '../../core/report/model.ts';
import type { Verdict } from '../../core/session/events.ts';

/** Whatever a guide, a site, a directory or a person can write into a session to hurt who reads the report. */
export const HOSTILE = [
  '<script>alert(1)</script>',
  '=HYPERLINK("http://x.test";"click")',
  "+1+1|'cmd'!A0",
  '-2+3',
  '@SUM(A1)',
  '\t=1',
  'a,"b"\r\n=1',
  '# not a heading\n- nor a list\n[link](javascript:alert(1))',
  '  ',
  'x\u202ey\u0000z\u2028',
  '`; DROP',
  'Ünïcödé 漢字 😀',
] as const;

/** One control at one target. */
export function reportItem(overrides: Partial<ReportItem> & { readonly id?: string } = {}): ReportItem {
  const { id = 'access.group', ...rest } = overrides;
  return {
    key: `${id}@role:nurse`,
    control: {
      id,
      title: 'Only nurses',
      owner: 'hospital',
      why: 'Because.',
      revision: 1,
      group: id.split('.')[0] ?? id,
      severity: 'medium',
      references: { mds2: ['AUTH-1.1'] },
    },
    target: { kind: 'role', id: 'nurse', name: 'Nurse' },
    verdict: 'fail',
    findings: [],
    facts: [],
    changes: [],
    attachments: [],
    judgedAt: '2026-11-23T10:30:00.000Z',
    ...rest,
  };
}

/** A session with these items, summed up as it should be. */
export function reportModel(items: readonly ReportItem[], overrides: Partial<ReportModel> = {}): ReportModel {
  const lastAt = '2026-11-23T11:00:00.000Z';
  const counts: Record<Verdict, number> = { pass: 0, fail: 0, error: 0, 'not-reviewed': 0, 'not-applicable': 0 };
  for (const item of items) counts[item.verdict] += 1;
  return {
    title: 'Hardening of MDIP',
    practice: true,
    guide: { id: 'example', version: '1.0.0', sha256: 'a'.repeat(64), trust: 'trusted' },
    site: { id: 'site', name: 'Example hospital', sha256: 'b'.repeat(64) },
    session: {
      id: '6b4d6f0e-53b7-4f0e-9a39-0f8b1f8a2c11',
      operators: [{ id: 'e', name: 'Erika' }],
      openedAt: '2026-11-23T10:00:00.000Z',
      lastAt,
      lockstep: '0.1.0',
    },
    generatedFrom: { upTo: 7, sha256: 'c'.repeat(64) },
    items,
    certificates: [],
    reminders: ['P30D', 'P7D'],
    timeline: [],
    summary: {
      word: counts.fail > 0 ? 'open' : 'undecided',
      counts,
      expired: items.filter(({ goodUntil }) => goodUntil !== undefined && goodUntil <= lastAt).map(({ key }) => key),
      waived: [],
      total: items.length,
    },
    ...overrides,
  };
}

/** One item for each verdict, a pass that has run out, and one that will. */
export function everyStanding(): readonly ReportItem[] {
  const verdicts = ['pass', 'fail', 'error', 'not-reviewed', 'not-applicable'] as const;
  return [
    ...verdicts.map((verdict) =>
      reportItem({
        id: `every.${verdict}`,
        verdict,
        findings: verdict === 'pass' ? [] : [{ verdict, sentence: `It is ${verdict}.`, severity: 'high' }],
      }),
    ),
    reportItem({ id: 'late.pass', verdict: 'pass', goodUntil: '2026-11-23T10:45:00.000Z' }),
    reportItem({ id: 'good.pass', verdict: 'pass', goodUntil: '2027-02-01T00:00:00.000Z', facts: ['facts/3.json'] }),
  ];
}

/** Items in which every text that comes from outside is `text`. */
export function hostileItems(text: string): readonly ReportItem[] {
  return [
    reportItem({
      control: {
        ...reportItem().control,
        title: text,
        why: text,
        owner: 'shared',
        references: { mds2: [text] },
      },
      target: { kind: 'role', id: text, name: text },
      findings: [{ verdict: 'fail', sentence: text, severity: 'high', fixBy: text }],
      answer: { answer: text, note: text, by: text, at: '2026-11-23T10:00:00.000Z' },
      waiver: { reason: text, compensating: text, until: '2027-01-01T00:00:00.000Z' },
      deferred: { to: 'hospital', note: text },
      attachments: [{ name: text, file: 'attachments/ab.png', sha256: 'ab'.repeat(32), size: 1 }],
      changes: [{ id: '1', summary: text, diff: text, phase: 'applied', undo: false }],
    }),
  ];
}
