import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PRACTICE_WRITER } from '../../core/practice.ts';
import { needs } from '../support/debian.ts';
import { electronMissing, launchApp, type Launched } from '../support/electron.ts';
import { exif, GPS, photograph } from '../support/pictures.ts';
import { unpack, verifySignature } from '../support/stock-tools.ts';
import { walkScreens } from '../support/walk-screens.ts';

/** One walk through the wizard as a newcomer takes it; each test goes on where the one before left off. */
describe.skipIf(electronMissing)('a whole walk in the window', () => {
  let launched: Launched;
  let page: Page;
  let work: string;
  const { folder, shot } = walkScreens('walk', () => page);

  beforeAll(async () => {
    work = mkdtempSync(join(tmpdir(), 'lockstep-walk-'));
    launched = await launchApp({ args: ['--practice'] });
    page = await launched.app.firstWindow();
    page.setDefaultTimeout(30_000);
    await page.waitForLoadState('load');
  });
  afterAll(async () => {
    await launched?.close().catch(() => undefined);
    rmSync(work, { recursive: true, force: true });
  });

  const button = (name: string | RegExp) => page.getByRole('button', { name });
  const step = (id: string) => page.locator(`[data-step="${id}"]`);

  it('starts with the guides, and shows who published the chosen one before it trusts it', async () => {
    const card = page.getByRole('button', { name: /Hardening the MDIP/ });
    await card.waitFor();
    await shot('start');
    await card.click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Use it read-only' }).waitFor();
    expect(await dialog.innerText()).toContain('PRACTICE');
    await shot('publisher');
    await dialog.getByRole('button', { name: 'Trust this publisher' }).click();
    await dialog.getByRole('button', { name: 'Use this guide' }).click();
  });

  it('takes the practice site and a name', async () => {
    await button(/^Choose/).click();
    await page.getByText('dc1.hospital.example').first().waitFor();
    await page.getByLabel('Your name').fill('Erin Engineer');
    await shot('site');
    await button('Start the session').click();
  });

  it('observes the version and says what monitoring will see before anything runs', async () => {
    await page.getByRole('radiogroup', { name: 'Identity' }).getByRole('radio').first().click({ force: true });
    await button('Sign the opening').click();
    await page.getByText('The journal is signed as it opened').waitFor();
    await shot('opening');
    await button('Continue').click();
    await page.getByRole('heading', { name: 'Before anything runs' }).waitFor();
    await button('Read the version from the device').click();
    await page.getByText('3.3.1').first().waitFor();
    await shot('gate');
    await button('Accept and start the walk').click();
  });

  it('runs every check, in the sight of the operator', async () => {
    await button('Run all checks').click();
    await page
      .getByText(/^\d+ of \d+|Cancel/)
      .first()
      .waitFor();
    await shot('running');
    await button('Run all checks').waitFor({ timeout: 120_000 });
    await step('link.emr.authenticated').click();
    await page
      .getByText(/Encrypted, but not authenticated/)
      .first()
      .waitFor();
    const picture = page.getByRole('figure', { name: /: Encrypted only$/ });
    await picture.getByText('The device sent data to an impostor').waitFor();
    await shot('walk');
  });

  it('creates a missing group under a ticket, reads it back, undoes it, and shows the verdict each time', async () => {
    await step('access.clinical-group').click();
    const card = page
      .locator('section, article, li')
      .filter({ hasText: 'Biomedical engineering' })
      .filter({ has: button('Plan the change…') })
      .last();
    await card.getByRole('button', { name: 'Plan the change…' }).click();
    await page.getByText('changetype: add').first().waitFor();
    await page.getByLabel('Ticket').fill('CHG-10442');
    await page.getByLabel('Approved by').fill('Hadley Hospital');
    await button('Use another account').click();
    await page.getByLabel('Write account').fill(PRACTICE_WRITER.user);
    await page.getByLabel('Its password').fill(PRACTICE_WRITER.password);
    await shot('change-planned');
    await button('Apply this plan').click();
    await page.getByText('Read back: as planned').first().waitFor();
    await shot('change-applied');
    await button('Plan the undo…').click();
    await page.getByText('changetype: delete').first().waitFor();
    await page.getByLabel('Ticket').fill('CHG-10443');
    await page.getByLabel('Approved by').fill('Hadley Hospital');
    await button('Apply the undo').click();
    await page.getByText('Read back: as planned').first().waitFor();
    await shot('change-undone');
  });

  it.skipIf(!needs('ldapmodify'))(
    'hands a plan to the directory team, and goes on once stock ldapmodify has made it',
    async () => {
      const file = join(work, 'hand-off.txt');
      await launched.app.evaluate(({ dialog }, path) => {
        dialog.showSaveDialog = async () => ({ canceled: false, filePath: path });
      }, file);
      await step('access.group-nesting').click();
      const card = page.getByRole('article', { name: 'Bedside view' });
      await card.getByRole('button', { name: 'Plan the change…' }).click();
      await card.getByText('MDIP-Clinical > Ward-Staff').first().waitFor();
      await card.getByRole('button', { name: 'Hand it to the directory team…' }).click();
      await card.getByText('Left to the hospital').waitFor();
      await shot('handed-over');
      const [, ldif = '', script = ''] = readFileSync(file, 'utf8').split(/^-{72} .*$/m);
      expect(script).toContain('Remove-ADGroupMember -Identity ');
      writeFileSync(join(work, 'change.ldif'), ldif);
      const site = filesBelow(launched.userData).find((name) => name.endsWith('site.yaml')) ?? '';
      const port = /id: dc1\n(?: +.*\n)*? +ldaps: (\d+)/.exec(readFileSync(site, 'utf8'))?.[1] ?? '';
      const modified = spawnSync(
        'ldapmodify',
        ['-x', '-H', `ldaps://127.0.0.1:${port}`, '-D', PRACTICE_WRITER.user, '-w', PRACTICE_WRITER.password].concat([
          '-f',
          join(work, 'change.ldif'),
        ]),
        {
          encoding: 'utf8',
          env: { ...process.env, LDAPTLS_CACERT: join(dirname(site), 'hospital-ca.pem'), LDAPTLS_REQCERT: 'demand' },
        },
      );
      expect(modified.status, modified.stderr).toBe(0);
      await card.getByRole('button', { name: 'Run again' }).click();
      await card.getByText('Done by the hospital').waitFor();
      await shot('done-by-the-hospital');
    },
  );

  it('takes an answer with a file', async () => {
    const file = join(work, 'mds2.txt');
    writeFileSync(file, 'PRACTICE form');
    await launched.app.evaluate(({ dialog }, path) => {
      dialog.showOpenDialog = async () => ({ canceled: false, filePaths: [path] });
    }, file);
    await step('governance.mds2').click();
    await page.getByRole('radio', { name: 'yes', exact: false }).first().click({ force: true });
    await button('Attach a file…').click();
    await page.getByText('mds2.txt').first().waitFor();
    await button('Record the answer').click();
    await page
      .getByText(/^Recorded /)
      .first()
      .waitFor();
    await shot('answer');
  });

  it('covers part of a photo before it is attached, and leaves its place out', async () => {
    const photo = join(work, 'ward.jpg');
    writeFileSync(photo, photograph([exif(6)], Buffer.from(GPS.owner)));
    await launched.app.evaluate(({ dialog }, path) => {
      dialog.showOpenDialog = async () => ({ canceled: false, filePaths: [path] });
    }, photo);
    await button('Attach a file…').click();
    await page.getByRole('heading', { name: 'Cover what must not be seen' }).waitFor();
    await button('Add a box').click();
    await page.keyboard.press('ArrowLeft');
    await shot('redact');
    await button('Attach with 1 box').click();
    // The button says "1 box", too.
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByText('1 box').first().waitFor();
    const stored = filesBelow(launched.userData).filter((file) => /attachments.*\.jpg$/.test(file));
    expect(stored).toHaveLength(1);
    for (const file of filesBelow(launched.userData)) expect(readFileSync(file).includes(GPS.owner), file).toBe(false);
    await button('Record again').click();
    await page
      .getByText(/^Recorded /)
      .first()
      .waitFor();
  });

  it('reviews, seals and signs, and the hospital countersigns', async () => {
    await button('Review and sign').click();
    await page.getByRole('heading', { name: 'Review' }).waitFor();
    await shot('review');
    await button('Seal and sign').click();
    await page
      .getByText(/Erin Engineer|PRACTICE/)
      .first()
      .waitFor();
    await page.getByRole('radio').first().click({ force: true });
    await shot('sign');
    await page.getByRole('listitem').getByRole('button', { name: 'Seal and sign' }).click();
    await page.getByText('Provisional: one signature is missing.').waitFor();
    await page.getByRole('radiogroup', { name: 'Identity' }).getByRole('radio').first().click({ force: true });
    await page.getByLabel('Role of who countersigns').fill('Head of practice IT');
    await shot('countersign');
    await button('Countersign').click();
    await button('To the bundle').click();
    await page.getByRole('heading', { name: 'Sealed, signed and countersigned' }).waitFor();
    await button('Verify it here').click();
    await page.getByText(/Sound/i).first().waitFor();
    await shot('done');
  });

  it('comes back to the bundle when the page was loaded anew', async () => {
    await page.reload();
    await page.getByRole('heading', { name: 'Sealed, signed and countersigned' }).waitFor();
    expect(
      await page
        .getByText(/\.asice$/)
        .first()
        .innerText(),
    ).toMatch(/\.asice$/);
  });

  it.skipIf(!needs('pdfinfo', 'pdftotext'))('saves the report as a tagged PDF with page numbers', async () => {
    const file = join(work, 'report.pdf');
    await launched.app.evaluate(({ dialog }, path) => {
      dialog.showSaveDialog = async () => ({ canceled: false, filePath: path });
    }, file);
    await button('Save as PDF…').click();
    await page.getByText('Saved as report.pdf').waitFor();
    await shot('saved-pdf');
    copyFileSync(file, join(folder, 'report.pdf'));
    const info = output('pdfinfo', [file]);
    expect(info).toMatch(/^Tagged: +yes$/m);
    expect(info).toMatch(/^JavaScript: +no$/m);
    expect(info).toMatch(/^Title: +PRACTICE: Hardening the MDIP/m);
    const pages = Number(/^Pages: +(\d+)$/m.exec(info)?.[1]);
    expect(pages).toBeGreaterThan(3);
    const texts = output('pdftotext', ['-layout', file, '-']).split('\f').slice(0, -1);
    expect(texts).toHaveLength(pages);
    for (const [index, text] of texts.entries()) {
      expect(text).toContain(`Page ${index + 1} of ${pages}`);
      expect(text).toMatch(/What counts is the signed bundle \S+\.asice/);
    }
    expect(texts.join('\n')).toContain('CHG-10442');
    const windows = await launched.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length);
    expect(windows).toBe(1);
  });

  it('leaves a bundle that stock openssl verifies, and no secret in any file', () => {
    const files = filesBelow(launched.userData);
    const bundle = files.find((file) => file.endsWith('.asice') && file.includes('bundles')) ?? '';
    const opened = join(work, 'opened');
    unpack(bundle, opened);
    for (const [index, role] of ['engineer', 'hospital'].entries()) {
      verifySignature(opened, index + 1, files.find((file) => file.endsWith(`${role}-root.pem`)) ?? '');
    }
    const holding = [...files, ...filesBelow(opened)].filter((file) =>
      readFileSync(file).includes(PRACTICE_WRITER.password),
    );
    expect(holding).toEqual([]);
    expect(readFileSync(join(opened, 'report.html'), 'utf8')).toContain('CHG-10442');
    copyFileSync(join(opened, 'report.html'), join(folder, 'report.html'));
  });

  it('compares a second session with the bundle of the first', async () => {
    const bundle = filesBelow(launched.userData).find((file) => file.endsWith('.asice') && file.includes('bundles'));
    await launched.app.evaluate(({ dialog }, path) => {
      dialog.showOpenDialog = async () => ({ canceled: false, filePaths: [path] });
    }, bundle ?? '');
    await button('Leave this session').click();
    await page.getByRole('button', { name: /Hardening the MDIP/ }).click();
    await button('Use this guide').click();
    await button(/^Choose/).click();
    await page.getByLabel('Your name').fill('Erin Engineer');
    await button('Start the session').click();
    await page.getByText('People are recorded as codes under the key').waitFor();
    await button('Choose a bundle…').click();
    await page.getByText(/^Compared with the bundle of /).waitFor();
    await page.getByText('The engineer and the hospital have signed it, and it is sound.').waitFor();
    await shot('compared');
    await button('Continue').click();
    await button('Read the version from the device').click();
    await page.getByText('3.3.1').first().waitFor();
    await button('Accept and start the walk').click();
    await step('access.changes').click();
    const card = page.getByRole('article', { name: 'PRACTICE Hospital' });
    await card.getByRole('button', { name: /^Run/ }).click();
    await button(/^What was seen/).click();
    await page
      .getByText(/ left .*since \d{4}-/)
      .first()
      .waitFor();
    await shot('changed');
  });
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
}

function output(program: string, args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return stdout;
}
