import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { renderHtmlReport } from '../../../core/report/html.ts';
import { guardReport, removeReport, removeReports } from '../../../electron/report-guard.ts';
import { everyStanding, HOSTILE, hostileItems, reportModel } from '../../support/report-model.ts';

const made: string[] = [];
async function extracted(html: string): Promise<string> {
  const path = join(await mkdtemp(join(tmpdir(), 'lockstep-guard-')), 'report.html');
  made.push(dirname(path));
  await writeFile(path, html);
  return path;
}
afterEach(async () => {
  for (const folder of made.splice(0)) await rm(folder, { recursive: true, force: true });
});

describe('the guard before a report from a bundle', () => {
  it('stands before everything else, once', async () => {
    const path = await extracted(renderHtmlReport(reportModel(everyStanding())));
    expect(await guardReport(path)).toEqual({ ok: true, value: null });
    expect(await guardReport(path)).toEqual({ ok: true, value: null });
    const html = await readFile(path, 'utf8');
    expect(html.indexOf("default-src 'none'")).toBeLessThan(120);
    expect(html.split('img-src data:; font-src data:')).toHaveLength(2);
  });

  it.each(HOSTILE)('lets in a report whose texts say %j', async (text) => {
    const path = await extracted(renderHtmlReport(reportModel(hostileItems(text), { title: text })));
    expect((await guardReport(path)).ok).toBe(true);
  });

  it.each([
    '<meta http-equiv="refresh" content="0;url=https://elsewhere.test">',
    '<META HTTP-EQUIV=refresh content=0>',
    '<meta http-equiv="&#114;efresh" content="0">',
    '<meta/http-equiv="refresh"/content="0">',
    '<meta\nhttp-equiv="refresh" content="0">',
    '<meta name="viewport" content="x" http-equiv="refresh">',
    '<meta charset="utf-8" http-equiv="refresh">',
  ])('refuses one that would send its reader elsewhere: %s', async (meta) => {
    const path = await extracted(`<!doctype html>${meta}<title>Report</title>`);
    expect(await guardReport(path)).toMatchObject({ ok: false, error: { code: 'bundle.malformed' } });
  });

  it('leaves nothing behind', async () => {
    const paths = [await extracted('<p>'), await extracted('<p>')] as const;
    for (const path of paths) await guardReport(path);
    await removeReport(paths[0]);
    await expect(stat(dirname(paths[0]))).rejects.toThrow('ENOENT');
    expect((await stat(paths[1])).isFile()).toBe(true);
    await removeReports();
    await expect(stat(dirname(paths[1]))).rejects.toThrow('ENOENT');
  });
});
