import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderCsvReport } from '../../../core/report/csv.ts';
import { renderHdfReport } from '../../../core/report/hdf.ts';
import { REPORTS } from '../../../core/report/index.ts';
import { renderOpenItems } from '../../../core/report/open-items.ts';
import { renderOscalReport } from '../../../core/report/oscal-ar.ts';
import { uuidOf } from '../../../core/report/uuid.ts';
import { nameFault } from '../../../core/bundle/layout.ts';
import { type JsonSchema, schemaFaults } from '../../support/json-schema.ts';
import { everyStanding, HOSTILE, hostileItems, reportItem, reportModel } from '../../support/report-model.ts';

/** Reads RFC 4180 as strictly as it is written: CRLF, doubled quotes, nothing bare. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  let at = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    rows.at(-1)?.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '\r\n') rows.push([]);
    at = pattern.lastIndex;
  }
  if (at !== text.length) throw new Error(`not RFC 4180 at ${at}: ${JSON.stringify(text.slice(at, at + 40))}`);
  return rows.slice(0, -1);
}

const all = reportModel(everyStanding());
const column = (rows: string[][], name: string) => rows.slice(1).map((row) => row[rows[0]?.indexOf(name) ?? -1]);

describe('every report', () => {
  it('has a name by which the command line calls it, and a place in the bundle', () => {
    expect(REPORTS.map(({ id, file }) => [id, file])).toEqual([
      ['html', 'report.html'],
      ['csv', 'reports/results.csv'],
      ['hdf', 'reports/hdf.json'],
      ['oscal', 'reports/oscal-ar.json'],
      ['ics', 'reports/expiry.ics'],
      ['verdicts', 'reports/verdicts.json'],
      ['open-items-hospital', 'reports/open-items-hospital.md'],
      ['open-items-manufacturer', 'reports/open-items-manufacturer.md'],
    ]);
  });

  it.each(REPORTS.map((report) => [report.id, report] as const))(
    '%s gives the same bytes for the same model',
    (_, report) => {
      expect(report.render(all)).toBe(report.render(structuredClone(all)));
      expect(nameFault(report.file)).toBeUndefined();
      expect(report.file === 'report.html' || report.file.startsWith('reports/')).toBe(true);
    },
  );

  it.each(REPORTS.map((report) => [report.id, report] as const))(
    '%s says that it comes from a practice hospital',
    (_, report) => {
      expect(report.render(all)).toContain('PRACTICE');
      expect(report.render({ ...all, practice: false })).not.toContain('PRACTICE');
    },
  );
});

describe('the CSV report', () => {
  it('has one row per item, of equal length, and never calls an expired pass a pass', () => {
    const rows = parseCsv(renderCsvReport(all));
    expect(new Set(rows.map((row) => row.length)).size).toBe(1);
    expect(column(rows, 'standing')).toEqual([
      'pass',
      'fail',
      'error',
      'not-reviewed',
      'not-applicable',
      'expired',
      'pass',
    ]);
    expect(column(rows, 'verdict as judged')[5]).toBe('pass');
  });

  it.each(HOSTILE)('keeps %j a text in a spreadsheet', (text) => {
    const rows = parseCsv(renderCsvReport(reportModel(hostileItems(text), { title: text })));
    expect(rows).toHaveLength(2);
    for (const cell of rows[1] ?? []) expect(cell).not.toMatch(/^\s*[=+\-@|%]/);
    const shown = column(rows, 'note')[0] ?? '';
    expect(shown.replace(/^'/, '')).toBe(
      text.replace('\u202e', '\\u202e').replace('\u0000', '\\u0000').replace('\u2028', '\\u2028'),
    );
  });
});

describe('the HDF report', () => {
  type Hdf = {
    platform: { name: string; release: string };
    statistics: { duration: number };
    version: string;
    profiles: {
      name: string;
      sha256: string;
      attributes: unknown[];
      supports: unknown[];
      groups: { controls: string[] }[];
      controls: {
        id: string;
        impact: number;
        refs: unknown[];
        tags: Record<string, unknown>;
        source_location: object;
        results: { status: string; code_desc: string; start_time: string; message?: string; skip_message?: string }[];
      }[];
    }[];
  };
  const hdf = (model = all) => JSON.parse(renderHdfReport(model)) as Hdf;

  /** How Heimdall and inspecjs join results into one status of a control. */
  const statusOf = ({ impact, results }: Hdf['profiles'][number]['controls'][number]): string => {
    const found = results.map((result) => result.status);
    if (found.includes('error')) return 'Profile Error';
    if (impact === 0) return 'Not Applicable';
    if (found.includes('failed')) return 'Failed';
    return found.includes('passed') ? 'Passed' : found.includes('skipped') ? 'Not Reviewed' : 'Profile Error';
  };

  it('holds all that exec-json asks for', () => {
    const { platform, profiles, statistics, version } = hdf();
    expect(platform).toEqual({ name: 'Lockstep', release: '0.1.0', target_id: 'site' });
    expect([statistics.duration, version, profiles.length]).toEqual([3600, '0.1.0', 1]);
    const [profile] = profiles;
    expect(profile).toMatchObject({ name: 'example', sha256: 'a'.repeat(64), attributes: [], supports: [] });
    expect(profile?.groups.flatMap((group) => group.controls).sort()).toEqual(
      profile?.controls.map((control) => control.id).sort(),
    );
    for (const control of profile?.controls ?? []) {
      expect(control).toMatchObject({ refs: [], source_location: {}, tags: {} });
      expect(control.results).toHaveLength(1);
      expect(control.results[0]?.start_time).toBe('2026-11-23T10:30:00.000Z');
    }
  });

  it('reads in Heimdall as it was judged: an error is neither failed nor passed, and what has expired is not passed', () => {
    expect(hdf().profiles[0]?.controls.map(statusOf)).toEqual([
      'Passed',
      'Failed',
      'Profile Error',
      'Not Reviewed',
      'Not Applicable',
      'Not Reviewed',
      'Passed',
    ]);
  });

  it('takes the impact from the severity, and keeps a requested waiver a failure', () => {
    const severities = (['high', 'medium', 'low'] as const).map((severity) =>
      reportItem({ id: severity, control: { ...reportItem().control, severity } }),
    );
    expect(hdf(reportModel(severities)).profiles[0]?.controls.map((control) => control.impact)).toEqual([
      0.7, 0.5, 0.3,
    ]);
    const waiver = { reason: 'r', compensating: 'c', until: '2027-01-01T00:00:00.000Z' };
    const [waived] = hdf(reportModel([reportItem({ waiver })])).profiles[0]?.controls ?? [];
    expect(waived).not.toHaveProperty('waiver_data');
    expect(waived?.results[0]?.status).toBe('failed');
    expect(waived?.tags.waiver_requested_until).toBe(waiver.until);
  });
});

describe('the OSCAL report', () => {
  const schema = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../fixtures/oscal/assessment-results-1.2.1.schema.json'), 'utf8'),
  ) as JsonSchema;
  type Finding = { target: { status: { state: string; reason: string; remarks?: string } } };
  const oscal = (model = all) => JSON.parse(renderOscalReport(model)) as Record<string, Record<string, unknown>>;
  const results = (model = all) =>
    (oscal(model)['assessment-results']!.results as { findings: Finding[]; observations: unknown[] }[])[0];

  it("validates against NIST's schema", () => {
    expect(schemaFaults(oscal(), schema)).toEqual([]);
    expect(schemaFaults(oscal(reportModel([reportItem({ verdict: 'not-applicable' })])), schema)).toEqual([]);
  });

  it.each(HOSTILE)('stays valid with %j in every text', (text) => {
    const items = hostileItems(text);
    const model = reportModel(items, {
      title: text,
      site: { id: 'site', name: text, sha256: 'b'.repeat(64) },
      session: { ...all.session, operators: [{ id: 'e', name: text }] },
    });
    const found = oscal(model);
    expect(schemaFaults(found, schema)).toEqual([]);
    for (const line of JSON.stringify(found).match(/"(?:value|title)":"[^"]*"/g) ?? [])
      expect(line).not.toMatch(/\\[nrt]/);
    // Of these OSCAL says that they are Markdown; values and names are plain text.
    for (const markup of JSON.stringify(found).match(/"(?:title|description|remarks)":"[^"]*"/g) ?? [])
      expect(markup).not.toMatch(/[^\\]<script/);
  });

  it('is held by a check that finds what is planted', () => {
    const broken = (change: (report: Record<string, never>) => void) => {
      const report = oscal()['assessment-results'] as Record<string, never>;
      change(report);
      return schemaFaults({ 'assessment-results': report }, schema).length;
    };
    const results = (report: Record<string, unknown>) => (report.results as Record<string, unknown>[])[0] ?? {};
    expect(broken((report) => delete report['import-ap'])).toBe(1);
    expect(broken((report) => Object.assign(report, { uuid: 'x' }))).toBe(1);
    expect(broken((report) => Object.assign(report, { extra: 1 }))).toBe(1);
    expect(broken((report) => Object.assign(results(report), { start: 'yesterday' }))).toBeGreaterThan(0);
    expect(broken((report) => Object.assign(results(report), { observations: [] }))).toBe(1);
    expect(broken((report) => Object.assign(results(report), { props: [{ name: 'a:b', value: 'x' }] }))).toBe(1);
    expect(broken((report) => Object.assign(results(report), { title: 'a\nb' }))).toBe(1);
    expect(() => schemaFaults('x', { unheard: true })).toThrow('unheard');
  });

  it('is satisfied by nothing but a pass in date, and tells a failure from what could not be found out', () => {
    const found = results();
    expect(found?.observations).toHaveLength(7);
    expect(found?.findings.map(({ target }) => [target.status.state, target.status.reason])).toEqual([
      ['satisfied', 'pass'],
      ['not-satisfied', 'fail'],
      ['not-satisfied', 'other'],
      ['not-satisfied', 'other'],
      ['not-satisfied', 'other'],
      ['satisfied', 'pass'],
    ]);
    expect(found?.findings[2]?.target.status.remarks).toContain('not a failure');
  });

  it('names things by version 5 UUIDs, each its own', () => {
    const uuids = [...renderOscalReport(all).matchAll(/"uuid": "([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(uuids).size).toBe(uuids.length);
    for (const uuid of uuids)
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it.each(['', 'a', 'x'.repeat(39), 'x'.repeat(40), 'x'.repeat(48), 'x'.repeat(5000), 'Ünïcödé'])(
    'makes the UUID of a name as RFC 9562 says (%#)',
    (name) => {
      const hash = createHash('sha1')
        .update(Buffer.from('8f3c1a526d0e4b7a9c412e5d70b1a6f4', 'hex'))
        .update(name)
        .digest('hex');
      const uuid = uuidOf(name).replaceAll('-', '');
      expect(uuid.slice(0, 12)).toBe(hash.slice(0, 12));
      expect(uuid.slice(13, 16)).toBe(hash.slice(13, 16));
      expect(uuid.slice(17)).toBe(hash.slice(17, 32));
    },
  );
});

describe('the open items of a party', () => {
  it('lists what each must do, worst first, and what runs out next', () => {
    const text = renderOpenItems(all, 'hospital');
    expect(text).toContain('## To do (4)');
    const order = ['every.fail@', 'every.error@', 'every.not-reviewed@', 'late.pass@'].map((key) => text.indexOf(key));
    expect(order.every((place) => place > 0)).toBe(true);
    expect(order.toSorted((a, b) => a - b)).toEqual(order);
    expect(text).toContain('The evidence ran out on 2026-11-23.');
    expect(text).toContain('## Runs out next (1)\n\n- 2027-02-01');
    expect(text).not.toContain('every.not-applicable');
    expect(renderOpenItems(all, 'manufacturer')).toContain('Nothing is open.');
  });

  it('gives each party its own, the shared ones, and what was left to it or only it can mend', () => {
    const of = (owner: 'hospital' | 'manufacturer' | 'shared') => ({ ...reportItem().control, owner });
    const items = [
      reportItem({ id: 'own', control: of('manufacturer') }),
      reportItem({ id: 'both', control: of('shared') }),
      reportItem({ id: 'left', deferred: { to: 'manufacturer', note: 'ask for a patch' } }),
      reportItem({
        id: 'mend',
        findings: [{ verdict: 'error', sentence: 'No.', severity: 'low', fixBy: 'manufacturer' }],
      }),
      reportItem({ id: 'other' }),
    ];
    const keys = (party: 'hospital' | 'manufacturer') =>
      items.map(({ key }) => key).filter((key) => renderOpenItems(reportModel(items), party).includes(key));
    expect(keys('manufacturer')).toEqual(['own', 'both', 'left', 'mend'].map((id) => `${id}@role:nurse`));
    expect(keys('hospital')).toEqual(['both', 'left', 'mend', 'other'].map((id) => `${id}@role:nurse`));
    const text = renderOpenItems(reportModel(items), 'manufacturer');
    const headings = text.split('\n').filter((line) => line.startsWith('#'));
    expect(headings).toEqual([
      '# Open items for the manufacturer',
      '## To do (4)',
      '### For the manufacturer (1)',
      '### Together with the hospital (1)',
      "### The hospital's, where the manufacturer is asked for help (2)",
    ]);
    expect(text.indexOf('own@')).toBeLessThan(text.indexOf('both@'));
  });

  it.each(HOSTILE)('gives %j no meaning in Markdown', (text) => {
    const found = renderOpenItems(reportModel(hostileItems(text), { title: text }), 'hospital');
    expect(found).not.toMatch(/(^|[^\\])<script|^# not|[^\\]\[link\]/m);
    expect(found).toContain('## Waivers to decide (1)');
    for (const line of found.split('\n')) expect(line).toMatch(/^(|#{1,3} .*|- .*| {2}- .*|\*\*PRACTICE.*|[^#\-<].*)$/);
  });
});
