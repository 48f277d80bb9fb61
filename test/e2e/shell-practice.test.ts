import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright';
import type { Channel, Input, Output, Outputs } from '../../core/ipc.ts';
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

  beforeAll(async () => {
    launched = await launchApp({ args: ['--practice'] });
    page = await launched.app.firstWindow();
    await page.waitForLoadState('load');
    library = await ask('library.list', {});
  });
  afterAll(() => launched?.close());

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
    const guide = library.guides.find((one) => one.practice)?.file.handle ?? '';
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
    const guide = library.guides.find((one) => one.practice);
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

  it('probes the practice hospital from the engine, and pushes what it sees to the page', async () => {
    await page.evaluate(() => {
      const kinds: string[] = [];
      Object.assign(globalThis, { kinds });
      globalThis.lockstep.onPush((push) => kinds.push(push.kind));
    });
    expect(await ask('gate.check', {})).toEqual({ inRange: true });
    await ask('preflight.accept', {});
    const snapshot = await ask('session.snapshot', {});
    const item = snapshot?.items.find(
      (one) => one.applies && one.checks.some((check) => check.probe === 'directory.group'),
    );
    expect(await ask('walk.run', { keys: [item?.key ?? ''] })).toEqual({ finished: 1, cancelled: false });
    const events = (await ask('session.snapshot', {}))?.events ?? [];
    expect(events.map((event) => event.type)).toContain('facts.recorded');
    expect(events.filter((event) => event.type === 'judged').map((event) => event.data.verdict)).not.toContain('error');
    const kinds = await page.evaluate(() => [...new Set((globalThis as unknown as { kinds: string[] }).kinds)]);
    expect(kinds).toEqual(expect.arrayContaining(['journal', 'running']));
  });

  it("signs with the practice identities without typing, each under its own party's root", async () => {
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
  });
});
