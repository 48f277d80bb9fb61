import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { needs } from '../support/debian.ts';
import { electronMissing, launchApp, type Launched } from '../support/electron.ts';
import { createThrowawayCa } from '../support/throwaway-ca.ts';
import { walkScreens } from '../support/walk-screens.ts';

const SECONDS = 6;
const GUIDE = `guide: fooled
version: 1.0.0
title: A device and an impostor
publisher: { name: Test, contact: test@example.org }
product: { vendor: Test, name: Thing, versions: "1.x" }
inputs: { emr: { type: link, title: The link } }
controls:
  - id: link.refuses
    revision: 1
    title: The device refuses an impostor
    owner: shared
    why: It hands its data to whoever answers.
    checks:
      - probe: tls.impostor
        with: { as: $emr.server, listen: $emr.impostor, seconds: ${SECONDS} }
        expect: [{ that: facts.refused, else: "It sent {{ facts.applicationBytes }} bytes." }]
`;

/** A probe that needs a person: whether the device is free, and to make it connect. */
describe.skipIf(electronMissing)('a question in the window', () => {
  let launched: Launched;
  let page: Page;
  let dir: string;
  const { shot } = walkScreens('ask', () => page);

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'lockstep-ask-'));
    const ca = await createThrowawayCa();
    writeFileSync(join(dir, 'guide.yaml'), GUIDE);
    const link = {
      id: 'link',
      name: 'Results to the EMR',
      protocol: 'other',
      client: { device: 'pump' },
      server: { host: 'emr.hospital.test', port: 6661 },
      impostor: { address: '127.0.0.1', trigger: 'operator' },
    };
    const site = {
      site: 'fooled',
      name: 'Hospital North',
      anchors: [{ id: 'root', pem: ca.root }],
      devices: [{ id: 'pump', name: 'Pump', host: '127.0.0.1' }],
      links: [link],
    };
    writeFileSync(join(dir, 'site.yaml'), JSON.stringify(site));
    await ca.remove();
    launched = await launchApp();
    page = await launched.app.firstWindow();
    page.setDefaultTimeout(30_000);
    await page.waitForLoadState('load');
    await launched.app.evaluate(({ dialog }, folder) => {
      const files = ['guide.yaml', 'site.yaml'].map((name) => `${folder}/${name}`);
      dialog.showOpenDialog = async () => ({ canceled: false, filePaths: files.splice(0, 1) });
    }, dir);
    await page.evaluate(async () => {
      const { invoke } = globalThis.lockstep;
      const chosen = async (kind: 'guide' | 'site') => {
        const file = await invoke('file.choose', { kind });
        return file.ok ? (file.value?.handle ?? '') : '';
      };
      const [guide, site] = [await chosen('guide'), await chosen('site')];
      await invoke('session.open', { guide, site, operator: 'Erin Engineer' });
      await invoke('gate.check', { typed: '1.0.0' });
      await invoke('preflight.accept', {});
    });
    await page.reload();
    await page.locator('[data-step="link.refuses"]').click();
  });
  afterAll(async () => {
    await launched?.close().catch(() => undefined);
    rmSync(dir, { recursive: true, force: true });
  });

  const dialog = () => page.getByRole('alertdialog');
  const left = async () => {
    const [, minutes, seconds] = /^(\d+):(\d\d)$/.exec(await dialog().getByRole('timer').innerText()) ?? [];
    return Number(minutes) * 60 + Number(seconds);
  };
  const run = () => page.getByRole('button', { name: /^Run/ }).last().click();

  it('asks first whether the device is free, and leaves it alone without a yes', async () => {
    await run();
    await dialog().getByText('Is the device free').waitFor();
    expect(await dialog().innerText()).toContain('Without a yes in this time the device is left alone');
    expect(await left()).toBeGreaterThan(590);
    await shot('free');
    await dialog().getByRole('button', { name: 'No, leave it alone' }).click();
    await page.getByText('Nobody confirmed that the device is not in clinical use').waitFor();
  });

  it('counts down while it waits for the device, and takes the question back at the end: never a pass', async () => {
    await run();
    await dialog().getByRole('button', { name: 'Yes, it is free' }).click();
    await dialog()
      .getByText(/Point the device at 127\.0\.0\.1 port \d+/)
      .waitFor();
    const first = await left();
    expect(first).toBeLessThanOrEqual(SECONDS + 1);
    await shot('point-the-device');
    await expect.poll(left, { timeout: 5000 }).toBeLessThan(first);
    await page.emulateMedia({ colorScheme: 'dark' });
    await shot('point-the-device-dark');
    await page.emulateMedia({ colorScheme: 'light' });
    await dialog().waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Run all checks' }).waitFor();
    await page.getByText('Nobody confirmed').waitFor({ state: 'detached' });
    await page.getByRole('article').locator('header').getByText('Error', { exact: true }).waitFor();
    await shot('nobody-came');
  });

  it.skipIf(!needs('curl'))('says what a careless device sent, after asking for it to be set back', async () => {
    await run();
    await dialog().getByRole('button', { name: 'Yes, it is free' }).click();
    const question = await dialog()
      .getByText(/Point the device at/)
      .innerText();
    const port = /port (\d+)/.exec(question)?.[1] ?? '';
    // The impostor hangs up, so curl ends with an error.
    spawnSync('curl', ['-sk', '--max-time', '2', '-d', 'patient=1', `https://127.0.0.1:${port}/`]);
    await dialog().getByRole('button', { name: 'Done' }).click();
    await dialog().getByText('Set the device back to emr.hospital.test').waitFor();
    expect(await dialog().innerText()).toContain('nobody checked whether the device was set back');
    await shot('set-back');
    await dialog().getByRole('button', { name: 'Done' }).click();
    await page.getByText(/It sent \d+ bytes\./).waitFor();
    await shot('fooled');
  });
});
