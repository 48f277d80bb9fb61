import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderHtmlReport } from '../../core/report/html.ts';
import type { ReportItem, ReportModel } from '../../core/report/model.ts';
import { findProgram, needs } from '../support/debian.ts';

const verdicts = ['fail', 'error', 'not-reviewed', 'pass', 'not-applicable'] as const;
const ends = (status: 'observed' | 'refuted' | 'not-tested') => ({
  server: { status: 'observed' as const, sentence: 'Seen.' },
  client: { status, sentence: 'A sentence.' },
  device: { status: 'not-tested' as const, sentence: 'Not run.' },
});
const links = [
  { state: 'encrypted-only' as const, sentence: 'Encrypted only.', ends: ends('refuted') },
  { sentence: 'Not decided.', ends: ends('not-tested') },
  { state: 'encrypted-and-authenticated' as const, sentence: 'Both.', ends: ends('observed') },
];
const linkAt = (index: number): Pick<ReportItem, 'link'> => {
  const link = links[index];
  return link === undefined ? {} : { link: { ...link, requires: ['server', 'client'] } };
};
const items = verdicts.map(
  (verdict, index): ReportItem => ({
    key: `control.${index}@role:nurse`,
    control: {
      id: `control.${index}`,
      title: `Control ${index}`,
      owner: 'shared',
      why: 'Because.',
      revision: 1,
      group: 'access',
      severity: 'high',
      references: { mds2: ['AUTH-1'] },
    },
    target: { kind: 'role', id: 'nurse', name: index === 0 ? 'N'.repeat(90) : 'Nurse' },
    verdict,
    findings: [{ verdict, sentence: '<img src=x onerror=alert(1)>', severity: 'high', fixBy: 'hospital' }],
    goodUntil: '2027-01-01T00:00:00.000Z',
    answer: { answer: 'compliant', note: 'seen', by: 'erika', at: '2026-11-23T10:00:00.000Z' },
    waiver: { reason: 'r', compensating: 'c', until: '2027-01-01T00:00:00.000Z' },
    facts: [`facts/${index}.json`],
    ...linkAt(index),
    changes: [
      {
        id: '1',
        summary: 'Create',
        diff: 'dn: x',
        phase: 'applied',
        undo: false,
        ticket: 'T',
        approver: 'A',
        asPlanned: false,
        differences: ['d'],
      },
    ],
    attachments: [{ name: 'a.png', file: 'attachments/a.png', sha256: 'ab', size: 1 }],
  }),
);
const model: ReportModel = {
  title: 'Hardening',
  practice: true,
  guide: { id: 'g', version: '1', sha256: 'a'.repeat(64), trust: 'untrusted' },
  site: { id: 's', name: 'S', sha256: 'b'.repeat(64) },
  session: {
    id: 'i',
    operators: [{ id: 'e', name: 'E' }],
    openedAt: '2026-11-23T10:00:00.000Z',
    lastAt: '2026-11-23T11:00:00.000Z',
    lockstep: '0.1.0',
  },
  generatedFrom: { upTo: 1, sha256: 'c'.repeat(64) },
  gate: { basis: 'typed', version: '9', range: '<9', inRange: false, reason: 'why', overridden: true },
  items,
  certificates: [],
  reminders: [],
  timeline: [
    { lane: 'signatures', at: '2026-11-23T10:00:00.000Z' },
    { lane: 'checks', at: '2026-11-23T10:10:00.000Z' },
    { lane: 'checks', at: '2026-11-23T11:00:00.000Z' },
  ],
  summary: {
    word: 'open',
    counts: { pass: 1, fail: 1, error: 1, 'not-reviewed': 1, 'not-applicable': 1 },
    expired: ['control.3@role:nurse'],
    waived: ['control.0@role:nurse'],
    total: 5,
  },
};

describe.skipIf(!needs('chromium'))('the HTML report in a browser', () => {
  let browser: Browser;
  let dir: string;
  let url: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-report-'));
    await writeFile(join(dir, 'report.html'), renderHtmlReport(model));
    url = pathToFileURL(join(dir, 'report.html')).href;
    browser = await chromium.launch({
      executablePath: findProgram('chromium') ?? '',
      args: ['--no-sandbox', '--disable-gpu'],
    });
  });
  afterAll(async () => {
    await browser.close();
    await rm(dir, { recursive: true, force: true });
  });

  it('opens offline under its own policy, styled, without a complaint or a script', async () => {
    const page = await browser.newPage();
    const messages: string[] = [];
    const requests: string[] = [];
    page.on('console', (message) => messages.push(message.text()));
    page.on('dialog', (dialog) => messages.push(dialog.message()));
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(url);
    expect(
      await page
        .locator('.banner')
        .first()
        .evaluate((element) => getComputedStyle(element).borderTopWidth),
    ).toBe('2px');
    expect(await page.locator('img, script').count()).toBe(0);
    expect(await page.locator('article').count()).toBe(5);
    for (const link of await page.locator('a[href^="#"]').all()) {
      const target = (await link.getAttribute('href')) ?? '';
      expect(await page.locator(`[id="${target.slice(1)}"]`).count()).toBe(1);
    }
    expect(messages).toEqual([]);
    expect(requests).toEqual([url]);
    await page.close();
  });

  it.each(['light', 'dark'] as const)('is accessible in %s colours', async (colorScheme) => {
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    // Only so that axe itself gets in.
    const context = await browser.newContext({ colorScheme, bypassCSP: true });
    const page = await context.newPage();
    await page.goto(url);
    await page.addScriptTag({ content: axe });
    const found = await page.evaluate(async () => {
      const { violations } = await (
        globalThis as unknown as { axe: { run: () => Promise<{ violations: { id: string }[] }> } }
      ).axe.run();
      return violations.map((violation) => violation.id);
    });
    expect(found).toEqual([]);
    await context.close();
  });

  it.each([
    ['A4', 680],
    ['Letter', 700],
  ])('prints on %s in light colours, with nothing cut off, also from a dark screen', async (format, width) => {
    const context = await browser.newContext({ colorScheme: 'dark', viewport: { width, height: 900 } });
    const page = await context.newPage();
    await page.goto(url);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    const printed = await page.evaluate(() => {
      const { backgroundColor, color } = getComputedStyle(document.body);
      const wide = [...document.querySelectorAll('main *')].filter(
        (element) => element.getBoundingClientRect().right > document.documentElement.clientWidth + 1,
      );
      return { backgroundColor, color, wide: wide.map((element) => element.outerHTML.slice(0, 80)) };
    });
    expect(printed).toEqual({ backgroundColor: 'rgb(255, 255, 255)', color: 'rgb(23, 32, 42)', wide: [] });
    // Chromium prints tagged, so that a screen reader has headings and tables on paper's screen too.
    const pdf = await page.pdf({ format, tagged: true, preferCSSPageSize: false });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    if (process.env.LOCKSTEP_SCREENS !== undefined)
      await writeFile(join(process.env.LOCKSTEP_SCREENS, `report-${format}.pdf`), pdf);
    await context.close();
  });
});
