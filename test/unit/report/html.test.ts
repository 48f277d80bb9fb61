import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { renderHtmlReport } from '../../../core/report/html.ts';
import { REPORTS } from '../../../core/report/index.ts';
import { escapeHtml, html } from '../../../core/report/markup.ts';
import type { ReportItem, ReportModel } from '../../../core/report/model.ts';
import { STYLE, STYLE_SHA256 } from '../../../core/report/style.ts';
import { everyStanding, reportItem, reportModel } from '../../support/report-model.ts';

const HOSTILE = `<script>alert(1)</script>"'&<img src=x onerror=alert(2)>`;

function item(overrides: Partial<ReportItem> = {}): ReportItem {
  return {
    key: 'access.group@role:nurse',
    control: {
      id: 'access.group',
      title: 'Only nurses',
      owner: 'hospital',
      why: 'Because.',
      revision: 1,
      group: 'access',
      severity: 'high',
      references: { mds2: ['AUTH-1.1'] },
    },
    target: { kind: 'role', id: 'nurse', name: 'Nurse' },
    verdict: 'fail',
    findings: [{ verdict: 'fail', sentence: 'Too wide.', severity: 'high', fixBy: 'hospital' }],
    facts: [],
    changes: [],
    attachments: [],
    ...overrides,
  };
}

function model(overrides: Partial<ReportModel> = {}): ReportModel {
  return {
    title: 'Hardening of MDIP',
    practice: true,
    guide: { id: 'example', version: '1.0.0', sha256: 'a'.repeat(64), trust: 'trusted' },
    site: { id: 'site', name: 'Example hospital', sha256: 'b'.repeat(64) },
    session: {
      id: '6b4d6f0e-53b7-4f0e-9a39-0f8b1f8a2c11',
      operators: [{ id: 'e', name: 'Erika' }],
      openedAt: '2026-11-23T10:00:00.000Z',
      lastAt: '2026-11-23T11:00:00.000Z',
      lockstep: '0.1.0',
    },
    generatedFrom: { upTo: 7, sha256: 'c'.repeat(64) },
    items: [item()],
    certificates: [],
    reminders: [],
    timeline: [],
    summary: {
      word: 'open',
      counts: { pass: 0, fail: 1, error: 0, 'not-reviewed': 0, 'not-applicable': 0 },
      expired: [],
      waived: [],
      total: 1,
    },
    ...overrides,
  };
}

describe('the HTML report', () => {
  it('gives the same bytes for the same model', () => {
    expect(renderHtmlReport(model())).toBe(renderHtmlReport(structuredClone(model())));
  });

  it('lets in its own style and nothing else', () => {
    expect(createHash('sha256').update(STYLE).digest('base64')).toBe(STYLE_SHA256);
    const page = renderHtmlReport(model());
    expect(page).toContain(`default-src 'none'; style-src 'sha256-${STYLE_SHA256}'`);
    expect(page).toContain(`<style>${STYLE}</style>`);
    expect(page).not.toMatch(/<script|<img|<link|https?:\/\/|\son[a-z]+=|style="/i);
  });

  it('escapes whatever guide, site and journal put into it', () => {
    const hostile = item({
      key: HOSTILE,
      control: {
        ...item().control,
        id: HOSTILE,
        title: HOSTILE,
        owner: 'shared',
        why: HOSTILE,
        group: HOSTILE,
        references: { [HOSTILE]: [HOSTILE] },
      },
      link: {
        sentence: HOSTILE,
        requires: ['server'],
        ends: {
          server: { status: 'observed', sentence: HOSTILE },
          client: { status: 'refuted', sentence: HOSTILE },
          device: { status: 'not-tested', sentence: HOSTILE },
        },
      },
      target: { kind: 'role', id: HOSTILE, name: HOSTILE },
      findings: [{ verdict: 'error', sentence: HOSTILE, severity: 'high', fixBy: HOSTILE }],
      answer: { answer: HOSTILE, note: HOSTILE, by: HOSTILE, at: '2026-11-23T10:00:00.000Z' },
      waiver: { reason: HOSTILE, compensating: HOSTILE, until: '2026-12-23T10:00:00.000Z' },
      deferred: { to: HOSTILE, note: HOSTILE },
      changes: [
        {
          id: HOSTILE,
          summary: HOSTILE,
          diff: HOSTILE,
          phase: HOSTILE,
          undo: false,
          ticket: HOSTILE,
          approver: HOSTILE,
          asPlanned: false,
          differences: [HOSTILE],
        },
      ],
      attachments: [{ name: HOSTILE, file: `attachments/${HOSTILE}`, sha256: HOSTILE, size: 1 }],
    });
    const page = renderHtmlReport(
      model({
        title: HOSTILE,
        items: [hostile],
        guide: {
          id: HOSTILE,
          version: HOSTILE,
          sha256: HOSTILE,
          trust: 'untrusted',
          publisher: HOSTILE,
          product: HOSTILE,
        },
        site: { id: HOSTILE, name: HOSTILE, sha256: HOSTILE },
        gate: { basis: 'typed', version: HOSTILE, range: HOSTILE, inRange: false, reason: HOSTILE, overridden: true },
      }),
    );
    expect(page).not.toContain('<script');
    expect(page).not.toContain('<img');
    expect(page).not.toContain(`"'&<`);
  });

  it('says first what came of it, who must act, and what it does not prove', () => {
    const page = renderHtmlReport(model());
    const order = [
      'PRACTICE: this comes from',
      'Provisional until',
      'id="summary"',
      'Something does not meet the guide',
      'id="act"',
      '<h3>Hospital (1)</h3>',
      'id="overview"',
      'id="details"',
    ];
    const places = order.map((text) => page.indexOf(text));
    expect(places.every((place) => place >= 0)).toBe(true);
    expect(places.toSorted((a, b) => a - b)).toEqual(places);
  });

  it('marks guides that are not trusted and versions out of range', () => {
    const page = renderHtmlReport(
      model({
        practice: false,
        guide: { ...model().guide, trust: 'unsigned' },
        gate: {
          basis: 'observed',
          version: '9.9.9',
          range: '>=3',
          inRange: false,
          reason: 'asked to',
          overridden: true,
        },
      }),
    );
    expect(page).not.toContain('PRACTICE');
    expect(page).toContain('The guide is unsigned');
    expect(page).toContain('outside the range of this guide (9.9.9');
  });

  it('shows changes, answers, waivers, attachments and expiry', () => {
    const page = renderHtmlReport(
      model({
        items: [
          item({
            verdict: 'pass',
            goodUntil: '2027-02-01T00:00:00.000Z',
            answer: { answer: 'compliant', note: 'seen', by: 'erika', at: '2026-11-23T10:00:00.000Z' },
            changes: [
              {
                id: '1',
                summary: 'Create group',
                diff: 'dn: cn=x',
                phase: 'read-back',
                undo: false,
                ticket: 'T-1',
                approver: 'Boss',
                asPlanned: true,
              },
            ],
            attachments: [{ name: 'photo.png', file: 'attachments/ab.png', sha256: 'ab', size: 3 }],
          }),
        ],
        summary: {
          word: 'hardened',
          counts: { pass: 1, fail: 0, error: 0, 'not-reviewed': 0, 'not-applicable': 0 },
          expired: ['x'],
          waived: [],
          total: 1,
        },
      }),
    );
    for (const text of [
      'first evidence</a> runs out',
      '2027-02-01',
      'Create group',
      'dn: cn=x',
      'Ticket T-1, approved by Boss',
      'Read back as planned',
      'href="attachments/ab.png"',
      'evidence had expired',
      'Nobody: no item is open',
    ]) {
      expect(page).toContain(text);
    }
  });

  it('never shows as pass what has expired', () => {
    const passed = item({ verdict: 'pass', findings: [], goodUntil: '2026-11-23T10:30:00.000Z' });
    const counts = { pass: 1, fail: 0, error: 0, 'not-reviewed': 0, 'not-applicable': 0 };
    const summary = { word: 'undecided' as const, counts, expired: [passed.key], waived: [], total: 1 };
    const page = renderHtmlReport(model({ items: [passed], summary }));
    expect(page).toContain('✓ pass</span></th><td class="number">0</td>');
    expect(page).toContain('↻ expired</span></th><td class="number">1</td>');
    expect(page.split('✓ pass')).toHaveLength(2);
    expect(page).toContain('Hospital (1)');
    expect(page).not.toContain('first evidence</a>');
    expect(page).toContain('<dd>nothing was proved</dd>');
  });

  it('sums up what was proved, what not, who must act and until when it is true', () => {
    const glance = (items: readonly ReportItem[], word: 'open' | 'hardened') => {
      const page = renderHtmlReport(
        reportModel(items, { summary: { ...reportModel(items).summary, word }, practice: false }),
      );
      const [, part = ''] = /<dl class="glance">(.*?)<\/dl>/s.exec(page) ?? [];
      return part
        .replace(/<[^>]+>/g, ' ')
        .replace(/\s+/g, ' ')
        .trim();
    };
    expect(glance(everyStanding(), 'open')).toBe(
      'Proved 2 of 7 items; 1 more is not asked here ' +
        'Not proved 1 not met, 1 could not be found out, 1 not looked at yet, 1 run out ' +
        'Who must act Hospital (4) ' +
        'True until 2027-02-01 00:00 UTC for what was proved, when the first evidence runs out',
    );
    const passed = everyStanding().filter(({ key }) => key.startsWith('good'));
    expect(glance(passed, 'hardened')).toBe(
      'Proved 1 of 1 items Not proved nothing Who must act nobody ' +
        'True until 2027-02-01 00:00 UTC , when the first evidence runs out',
    );
  });

  it('shows what runs out ahead: evidence, certificates and waivers, and no root that lives for decades', () => {
    const certificate = (subject: string, notAfter: string) => ({
      sha256: 'c'.repeat(64),
      subject,
      notAfter,
      seen: [],
    });
    const waiver = { reason: 'r', compensating: 'c', until: '2027-01-15T00:00:00.000Z' };
    const page = renderHtmlReport(
      reportModel([...everyStanding(), reportItem({ id: 'w.aived', verdict: 'fail', waiver })], {
        certificates: [
          certificate('CN=emr', '2026-12-03T00:00:00.000Z'),
          certificate('CN=gone', '2026-11-01T00:00:00.000Z'),
          certificate('CN=root', '2046-01-01T00:00:00.000Z'),
        ],
      }),
    );
    const [, part = ''] = /id="expiry"(.*?)<\/table>/s.exec(page) ?? [];
    const rows = [...part.matchAll(/<time datetime="(20\d\d-\d\d-\d\d)">.*?class="number">(\d+)<.*?<strong>(\w+):/g)];
    expect(rows.map(([, end, left, what]) => [end, left, what])).toEqual([
      ['2026-12-03', '10', 'Certificate'],
      ['2027-01-15', '53', 'Waiver'],
      ['2027-02-01', '70', 'Evidence'],
    ]);
    expect(part).toContain('CN=emr');
    expect(part).toContain('<strong>Evidence:</strong> Only nurses: Nurse<br>');
    expect(part).not.toMatch(/CN=gone|CN=root/);
  });

  it('counts the targets of a control that run out together, where naming them would fill a page', () => {
    const goodUntil = '2027-02-01T00:00:00.000Z';
    const at = (id: string) => ({ kind: 'device' as const, id, name: `Monitor ${id}` });
    const some = (most: number) =>
      Array.from({ length: most }, (_, index) =>
        reportItem({ verdict: 'pass', goodUntil, key: `a@device:${index}`, target: at(String(index)) }),
      );
    expect(renderHtmlReport(reportModel(some(3)))).toContain('Only nurses: Monitor 0, Monitor 1, Monitor 2<br>');
    expect(renderHtmlReport(reportModel(some(500)))).toContain('Only nurses: 500 targets<br>');
  });

  it('begins what somebody must do with the worst, and says what was found', () => {
    const found = (sentence: string, severity: 'high' | 'low') => ({ verdict: 'fail' as const, sentence, severity });
    const page = renderHtmlReport(
      reportModel([
        reportItem({ id: 'a.later', verdict: 'not-reviewed' }),
        reportItem({ id: 'b.first', verdict: 'fail', findings: [found('Minor.', 'low'), found('Grave.', 'high')] }),
      ]),
    );
    const todo = page.slice(page.indexOf('id="act"'), page.indexOf('id="coverage"'));
    expect(todo.indexOf('b.first')).toBeGreaterThan(0);
    expect(todo.indexOf('b.first')).toBeLessThan(todo.indexOf('a.later'));
    expect(todo).toContain('Grave. And 1 more.');
  });

  it('says once what must be done at many targets, and stays quick for thousands', () => {
    const at = (index: number) => ({ kind: 'device' as const, id: String(index), name: `Monitor ${index}` });
    const findings = [{ verdict: 'fail' as const, sentence: 'Port 23 answers.', severity: 'high' as const }];
    const items = Array.from({ length: 10_000 }, (_, index) =>
      reportItem({ key: `a@device:${index}`, target: at(index), findings, goodUntil: '2026-11-23T10:45:00.000Z' }),
    );
    const start = performance.now();
    const page = renderHtmlReport(reportModel(items));
    expect(performance.now() - start).toBeLessThan(10_000);
    const todo = page.slice(page.indexOf('id="act"'), page.indexOf('id="coverage"'));
    expect(todo).toContain('Hospital (10000)');
    expect(todo.match(/<li>/g)).toHaveLength(1);
    expect(todo).toContain('Only nurses, Monitor 0, Monitor 1, Monitor 2 and 9997 more</a>');
    expect(todo).toContain('At Monitor 0: Port 23 answers.');
    expect(page.match(/<article/g)).toHaveLength(10_000);
  });

  it('is in the list of reports', () => {
    expect(REPORTS.map((report) => report.file)).toContain('report.html');
  });
});

describe('markup', () => {
  it('escapes text and shows characters that would hide or turn it', () => {
    expect(escapeHtml(`a<b>"c'&`)).toBe('a&#60;b&#62;&#34;c&#39;&#38;');
    expect(escapeHtml('x\u202ey\u0000z\n')).toBe('x\\u202ey\\u0000z\n');
  });

  it('escapes values of a template but not markup', () => {
    expect(html`<p>${'<'}${html`<b>${'&'}</b>`}</p>`.markup).toBe('<p>&#60;<b>&#38;</b></p>');
  });
});
