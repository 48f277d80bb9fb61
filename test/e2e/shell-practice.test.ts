import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright';
import type { Channel, Input, Output, Outputs } from '../../core/ipc.ts';
import { exif, GPS, photograph } from '../support/pictures.ts';
import { electronMissing, launchApp, type Launched } from '../support/electron.ts';

describe.skipIf(electronMissing)('the shell in practice', () => {
  let launched: Launched;
  let page: Page;
  let library: Outputs['library.list'];

  const invoke = <C extends Channel>(channel: C, input: Input<C>): Promise<Output<C>> =>
    page.evaluate(([name, value]) => globalThis.lockstep.invoke(name as C, value as Input<C>), [
      channel,
      input,
    ] as const);
  /** The value of an answer, which must be one. */
  const ask = async <C extends Channel>(channel: C, input: Input<C>): Promise<Outputs[C]> => {
    const answer = await invoke(channel, input);
    if (!answer.ok) throw new Error(`${channel}: ${JSON.stringify(answer.error)}`);
    return answer.value;
  };

  /** The guide that the practice hospital is made for; others may be signed for practice too. */
  const madeForIt = () => library.guides.find((one) => one.practice && one.product.includes('MDIP'));

  beforeAll(async () => {
    launched = await launchApp({ args: ['--practice'] });
    page = await launched.app.firstWindow();
    await page.waitForLoadState('load');
    library = await ask('library.list', {});
  });
  afterAll(() => launched?.close().catch(() => undefined));

  it('says so in its title, and keeps what it makes apart', async () => {
    expect(await launched.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.getTitle())).toBe(
      'Lockstep — PRACTICE',
    );
    expect((await ask('app.info', {})).practice).toBe(true);
  });

  it("offers the practice hospital's site and signed guides, each guide once", async () => {
    expect(library.sites.map((site) => site.practice)).toEqual([true]);
    expect(library.guides.some((guide) => guide.practice)).toBe(true);
    expect(new Set(library.guides.map((guide) => guide.title)).size).toBe(library.guides.length);
    for (const guide of library.guides.filter((one) => one.practice)) expect(guide.trust).toBe('untrusted');
  });

  it('trusts a publisher only after its guide was shown and it was approved', async () => {
    const guide = madeForIt()?.file.handle ?? '';
    expect(await invoke('publisher.pin', { sha256: '0'.repeat(64) })).toMatchObject({
      ok: false,
      error: { code: 'guide.untrusted' },
    });
    const { signer, trust } = await ask('guide.load', { guide });
    expect(trust).toBe('untrusted');
    expect(signer?.subject).toContain('PRACTICE');
    await ask('publisher.pin', { sha256: signer?.sha256 ?? '' });
    expect((await ask('guide.load', { guide })).trust).toBe('trusted');
  });

  it('opens a session on its site with every secret supplied', async () => {
    const guide = madeForIt();
    const opened = await ask('session.open', {
      guide: guide?.file.handle ?? '',
      site: library.sites[0]?.file.handle ?? '',
      operator: 'Erin Engineer',
    });
    expect(opened.site.practice).toBe(true);
    expect(opened.readOnly).toBeUndefined();
    expect(opened.secrets.length).toBeGreaterThan(0);
    expect(opened.secrets.filter((secret) => !secret.supplied)).toEqual([]);
    // What came back names the secrets and holds none.
    expect(Object.keys(opened.secrets[0] ?? {}).sort()).toEqual(['name', 'purpose', 'supplied']);
  });

  it('probes the whole practice hospital from the engine, and pushes what it sees to the page', async () => {
    await page.evaluate(() => {
      const kinds = new Set<string>();
      Object.assign(globalThis, { kinds });
      globalThis.lockstep.onPush((push) => {
        kinds.add(push.kind);
        if (push.kind === 'ask') void globalThis.lockstep.invoke('walk.reply', { ask: push.ask, yes: true });
      });
    });
    expect(await ask('gate.check', {})).toEqual({ inRange: true });
    await ask('preflight.accept', {});
    const keys = ((await ask('session.snapshot', {}))?.items ?? [])
      .filter((one) => one.applies && one.checks.length > 0)
      .map((one) => one.key);
    expect(keys.length).toBeGreaterThan(10);
    expect(await ask('walk.run', { keys })).toEqual({ finished: keys.length, cancelled: false });

    const events = (await ask('session.snapshot', {}))?.events ?? [];
    const judged = events.filter((event) => event.type === 'judged').map((event) => event.data);
    expect(new Set(judged.map((one) => one.key))).toEqual(new Set(keys));
    expect(judged.some((one) => one.verdict === 'fail') && judged.some((one) => one.verdict === 'pass')).toBe(true);
    // Every secret was there, and no probe broke down under Electron's own TLS and keys.
    const broken = events.filter((event) => event.type === 'probe.failed').map((event) => event.data.error.code);
    expect(broken.filter((code) => ['secret.missing', 'probe.fault', 'internal'].includes(code))).toEqual([]);
    const kinds = await page.evaluate(() => [...(globalThis as unknown as { kinds: Set<string> }).kinds]);
    expect(kinds).toEqual(expect.arrayContaining(['journal', 'progress', 'running']));
  });

  it('attaches a photo in which the page covered something, without what the telephone wrote into it', async () => {
    const photo = photograph([exif(6)], Buffer.from(GPS.owner));
    const folder = mkdtempSync(join(tmpdir(), 'lockstep-photo-'));
    const chosen = join(folder, 'ward.jpg');
    writeFileSync(chosen, photo);
    await launched.app.evaluate(({ dialog }, path) => {
      dialog.showOpenDialog = async () => ({ canceled: false, filePaths: [path] });
    }, chosen);
    const snapshot = await ask('session.snapshot', {});
    const key = snapshot?.items.find((one) => one.applies && one.control.manual !== undefined)?.key ?? '';
    const told = await page.evaluate(async (item) => {
      const shown = await globalThis.lockstep.invoke('walk.attach', { key: item });
      if (!shown.ok || shown.value === null || !('picture' in shown.value)) throw new Error(JSON.stringify(shown));
      const { picture, type, bytes } = shown.value;
      const bitmap = await createImageBitmap(new Blob([bytes], { type }));
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const context = canvas.getContext('2d');
      context?.drawImage(bitmap, 0, 0);
      context?.fillRect(0, 0, 4, 4);
      const redacted = new Uint8Array(await (await canvas.convertToBlob({ type })).arrayBuffer());
      const attach = (content: Uint8Array<ArrayBuffer>) =>
        globalThis.lockstep.invoke('walk.attachPicture', {
          key: item,
          picture: picture.handle,
          redacted: content,
          boxes: 1,
          keepOriginal: false,
        });
      const refused = await attach(redacted.slice(0, 99));
      return {
        // Turned as the telephone says, before anything is covered.
        size: [bitmap.width, bitmap.height],
        shown: new TextDecoder('latin1').decode(bytes),
        refused: refused.ok ? 'taken' : refused.error.code,
        attached: await attach(redacted),
      };
    }, key);
    rmSync(folder, { recursive: true });
    expect(told.size).toEqual([8, 16]);
    expect(told.shown).not.toContain(GPS.camera);
    expect(told.refused).toBe('input.malformed');
    expect(told.attached).toMatchObject({ ok: true, value: { name: 'ward.jpg' } });
    const events = (await ask('session.snapshot', {}))?.events ?? [];
    const attached = events.flatMap((event) => (event.type === 'attached' ? [event.data] : [])).at(-1);
    expect(attached?.redacted).toEqual({
      from: createHash('sha256').update(photo).digest('hex'),
      boxes: 1,
      kept: false,
    });
  });

  it("signs with the practice identities without typing, each under its own party's root, and opens the report", async () => {
    const identities = await ask('identity.list', {});
    expect(identities.map(({ role, practice, needsPassphrase }) => ({ role, practice, needsPassphrase }))).toEqual([
      { role: 'engineer', practice: true, needsPassphrase: false },
      { role: 'hospital', practice: true, needsPassphrase: false },
    ]);
    const [engineer, hospital] = identities;
    expect((await ask('identity.unlock', { identity: engineer?.file.handle ?? '' })).subject).toContain('PRACTICE');
    const sealed = await ask('bundle.seal', { identity: engineer?.file.handle ?? '' });
    expect(sealed.provisional).toBe(true);
    const signed = await ask('bundle.countersign', {
      bundle: sealed.bundle.handle,
      identity: hospital?.file.handle ?? '',
      role: 'Clinical engineering',
      remark: '',
      accept: [],
    });
    expect(signed.provisional).toBe(false);
    const verified = await ask('bundle.verify', { bundle: signed.bundle.handle });
    expect(verified.signers.map((signer) => signer.role)).toEqual(['engineer', 'hospital']);
    expect(verified.findings.filter((finding) => finding.severity === 'bad')).toEqual([]);

    // The system's own programs are the only thing that is imitated here.
    await launched.app.evaluate(({ shell }) => {
      const opened: string[] = [];
      Object.assign(globalThis, { opened });
      shell.openPath = async (path) => {
        opened.push(path);
        return '';
      };
      shell.showItemInFolder = (path) => void opened.push(path);
    });
    await ask('bundle.openReport', { bundle: signed.bundle.handle });
    await ask('bundle.showInFolder', { bundle: signed.bundle.handle });
    const opened = await launched.app.evaluate(() => (globalThis as unknown as { opened: string[] }).opened);
    expect(opened[0]).toMatch(/report\.html$/);
    expect(opened[1]).toBe(signed.path);
    // A report is somebody's HTML: it may run and load nothing, and does not stay behind.
    const report = opened[0] ?? '';
    expect(readFileSync(report, 'utf8').slice(0, 200)).toContain(
      `http-equiv="Content-Security-Policy" content="default-src 'none'`,
    );
    await launched.close();
    expect(existsSync(report)).toBe(false);
    expect(launched.output()).not.toContain('lockstep: ');
  });
});
