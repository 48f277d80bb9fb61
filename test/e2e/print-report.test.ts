import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { hostname, tmpdir } from 'node:os';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../support/debian.ts';
import { electronMissing, launchApp, type Launched } from '../support/electron.ts';
import { makeBundle, makeParties, type Parties } from '../support/evidence.ts';

/** Anyone can make a bundle, and what its report holds is printed by a real browser engine. */
describe.skipIf(electronMissing !== undefined || !needs('pdftotext'))('a hostile report that is printed', () => {
  let launched: Launched;
  let page: Page;
  let work: string;
  let parties: Parties;
  let server: Server;
  let asked: string[];
  const at = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'lockstep-print-'));
    asked = [];
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end('asked');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    parties = await makeParties();
    // What is extracted lies here, where no other test leaves anything.
    launched = await launchApp({ env: { TMPDIR: work } });
    page = await launched.app.firstWindow();
    await page.waitForLoadState('load');
  });
  afterAll(async () => {
    await launched?.close();
    await new Promise((resolve) => server.close(resolve));
    await rm(work, { recursive: true, force: true });
  });

  async function save(name: string, report: string) {
    const { bundle, dir } = await makeBundle(parties, { report });
    const out = join(work, `${name}.pdf`);
    await launched.app.evaluate(
      ({ dialog }, [chosen, saved]) => {
        dialog.showOpenDialog = async () => ({ canceled: false, filePaths: [chosen ?? ''] });
        dialog.showSaveDialog = async () => ({ canceled: false, filePath: saved ?? '' });
      },
      [bundle, out],
    );
    const saved = await page.evaluate(async () => {
      const chosen = await globalThis.lockstep.invoke('file.choose', { kind: 'bundle' });
      if (!chosen.ok || chosen.value === null) throw new Error('nothing was chosen');
      return globalThis.lockstep.invoke('report.save', { bundle: chosen.value.handle, report: 'pdf' });
    });
    await rm(dir, { recursive: true, force: true });
    return { saved, out };
  }
  const left = async () => (await readdir(work)).filter((name) => name.startsWith('lockstep-report-'));

  it('runs nothing, loads nothing and reads no other file', async () => {
    const { saved, out } = await save(
      'hostile',
      `<!doctype html><title>T</title><p id="t">Plain text.</p>
<script>document.getElementById('t').textContent = 'script ran'; fetch('${at()}/fetch')</script>
<img src="${at()}/image"><link rel="stylesheet" href="${at()}/style"><style>p { background: url(${at()}/ground) }</style>
<iframe src="${at()}/frame"></iframe><iframe src="file:///etc/hostname"></iframe><object data="file:///etc/hostname"></object>
<video autoplay src="${at()}/video"></video><svg><image href="${at()}/svg"/></svg>`,
    );
    expect(saved).toEqual({ ok: true, value: { name: 'hostile.pdf' } });
    const { stdout, status } = spawnSync('pdftotext', [out, '-'], { encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout).toContain('Plain text.');
    expect(stdout).not.toContain('script ran');
    expect(stdout).not.toContain(hostname());
    expect(asked).toEqual([]);
    expect(await left()).toEqual([]);
  });

  it('is not printed where it would send its reader elsewhere', async () => {
    const { saved, out } = await save('refresh', `<!doctype html><meta http-equiv="refresh" content="0;url=${at()}/">`);
    expect(saved).toMatchObject({ ok: false, error: { code: 'bundle.malformed' } });
    await expect(stat(out)).rejects.toThrow('ENOENT');
    expect(asked).toEqual([]);
    expect(await left()).toEqual([]);
  });
});
