import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderHdfReport } from '../../core/report/hdf.ts';
import type { Standing } from '../../core/report/standing.ts';
import { standingOf } from '../../core/report/standing.ts';
import { findProgram, needs } from '../support/debian.ts';
import { everyStanding, reportItem, reportModel } from '../support/report-model.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
};

// More of each than one, so that no two numbers are the same by chance.
const model = reportModel([
  ...everyStanding(),
  ...(['fail', 'fail', 'fail', 'error', 'error', 'not-applicable', 'pass'] as const).map((verdict, index) =>
    reportItem({ id: `more.number-${index}`, verdict }),
  ),
]);
const count = (...standings: readonly Standing[]) =>
  model.items.filter((item) => standings.includes(standingOf(item, model))).length;

/** MITRE's own reader, as its package serves it, on loopback and without the internet. */
describe.skipIf(!needs('chromium'))('HDF in Heimdall Lite', () => {
  let dir: string;
  let server: Server;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-heimdall-'));
    await writeFile(join(dir, 'hdf.json'), renderHdfReport(model));
    const dist = join(dirname(fileURLToPath(import.meta.resolve('@mitre/heimdall-lite/package.json'))), 'dist');
    server = createServer((request, response) => {
      const path = new URL(request.url ?? '/', 'http://localhost').pathname;
      const file = path === '/' ? '/index.html' : path;
      readFile(join(dist, file)).then(
        (bytes) => response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream').end(bytes),
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const executablePath = findProgram('chromium') ?? '';
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    page = await browser.newPage({ viewport: { width: 1500, height: 1200 } });
    page.setDefaultTimeout(30_000);
    await page.route(/^https?:\/\/(?!127\.0\.0\.1)/, (route) => route.abort());
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.locator('input[type=file]').first().setInputFiles(join(dir, 'hdf.json'));
    await page.getByText('Filename: hdf.json').waitFor();
  });
  afterAll(async () => {
    await browser?.close();
    await new Promise((resolve) => server.close(resolve));
    await rm(dir, { recursive: true, force: true });
  });

  it('opens, and counts what we count', async () => {
    const shown = await page.locator('body').innerText();
    const number = (word: RegExp) => Number(word.exec(shown)?.[1]);
    expect({
      passed: number(/Passed: (\d+)/),
      failed: number(/Failed: (\d+)/),
      notApplicable: number(/Not Applicable: (\d+)/),
      notReviewed: number(/Not Reviewed: (\d+)/),
      errors: number(/ALERT: (\d+) Profile Errors/),
      total: number(/Total\s+(\d+)/),
    }).toEqual({
      passed: count('pass'),
      failed: count('fail'),
      notApplicable: count('not-applicable'),
      notReviewed: count('not-reviewed', 'expired'),
      errors: count('error'),
      total: model.items.length,
    });
    expect(shown).toContain('Platform: Lockstep');
    expect(count('fail')).toBe(4);
  });

  it('shows every finding with the status that stands for it', async () => {
    await page.getByText('Expand All').click();
    await page.getByText('error: It is error.').waitFor();
    const shown = (await page.locator('body').innerText()).split('0/14 Controls Viewed')[1] ?? '';
    for (const item of [
      ['Failed', 'every.fail@role:nurse', 'FAILED', 'fail: It is fail.'],
      ['Profile Error', 'every.error@role:nurse', 'ERROR', 'error: It is error.'],
      ['Not Reviewed', 'late.pass@role:nurse', 'SKIPPED', 'The evidence ran out on 2026-11-23T10:45:00.000Z.'],
    ]) {
      const at = item.map((text, index) => shown.indexOf(text, index === 0 ? 0 : shown.indexOf(item[1] ?? '')));
      expect(at.every((place) => place >= 0)).toBe(true);
      // Key, badge and sentence follow one another, with no other control between them.
      const part = shown.slice(at[1], at[3]);
      expect(part.match(/@role:nurse/g)).toHaveLength(1);
      expect(part).toContain(item[2]);
    }
  });
});
