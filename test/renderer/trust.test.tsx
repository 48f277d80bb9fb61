import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page } from 'vitest/browser';
import type { TrustedView, VerifyView } from '../../core/ipc.ts';
import { useWizard } from '../../renderer/store.ts';
import { file, type FakeMain } from './support/fake-bridge.ts';
import { axeFaults, setTheme, settle, startApp, stopApp, until } from './support/render.tsx';

/** Name a folder inside the project in VITE_LOCKSTEP_SCREENS to keep pictures, to be looked at. */
const PICTURES = import.meta.env.VITE_LOCKSTEP_SCREENS as string | undefined;
const SHA256 = 'ab'.repeat(32);
const HOSPITAL: TrustedView = {
  role: 'hospital',
  subject: 'CN=Head of Clinical IT, O=St. Anne’s Hospital',
  sha256: SHA256,
  notAfter: '2028-11-23T00:00:00.000Z',
  kind: 'signer',
};

/** A bundle whose hospital nobody knows here, until it is pinned. */
async function opened(): Promise<{ main: FakeMain; trusted: TrustedView[] }> {
  const trusted: TrustedView[] = [];
  const main = await startApp();
  main.answer('trust.list', () => trusted);
  main.answer('trust.pin', () => {
    trusted.push(HOSPITAL);
    return null;
  });
  main.answer('trust.remove', ({ sha256 }) => {
    trusted.splice(0, trusted.length, ...trusted.filter((each) => each.sha256 !== sha256));
    return null;
  });
  main.answer('bundle.verify', (): VerifyView => {
    const known = trusted.length > 0;
    return {
      sound: known,
      complete: known,
      findings: known
        ? []
        : [{ severity: 'bad', code: 'trust.none', sentence: 'No root was given for the role hospital.' }],
      waivers: [],
      signers: [
        { role: 'engineer', subject: 'CN=Erin Field', sha256: 'cd'.repeat(32), trusted: true },
        { role: 'hospital', subject: HOSPITAL.subject, sha256: SHA256, trusted: known },
      ],
    };
  });
  useWizard.setState({ bundle: file('b.asice'), page: 'verify' });
  await settle();
  await until(() => document.body.innerText.includes('Head of Clinical IT'));
  return { main, trusted };
}

beforeEach(async () => {
  await page.viewport(1280, 900);
  await setTheme('light');
});
afterEach(stopApp);

describe('whom the person trusts', () => {
  it('grows by a signer only after a clear yes, and can be taken back', async () => {
    const { main } = await opened();
    expect(document.body.innerText).toContain('Nobody yet.');
    await page.getByRole('button', { name: 'Trust this signer…' }).click();
    await settle();
    expect(document.querySelector('[role=dialog]')?.textContent).toContain('as hospital?');
    expect((await axeFaults()).join('\n')).toBe('');
    if (PICTURES !== undefined) await page.screenshot({ path: `${PICTURES}/trust-pin.png` });
    await page.getByRole('button', { name: 'Not now' }).click();
    await settle();
    expect(main.calls.some(({ channel }) => channel === 'trust.pin')).toBe(false);
    await page.getByRole('button', { name: 'Trust this signer…' }).click();
    await page.getByRole('button', { name: 'Trust from now on' }).click();
    await until(() => document.body.innerText.includes('this signer alone'));
    expect(main.calls.find(({ channel }) => channel === 'trust.pin')?.input).toEqual({
      bundle: file('b.asice').handle,
      sha256: SHA256,
    });
    expect(document.body.innerText).not.toContain('Trust this signer…');
    expect((await axeFaults()).join('\n')).toBe('');
    if (PICTURES !== undefined) await page.screenshot({ path: `${PICTURES}/trust-list.png` });
    await page.getByRole('button', { name: /^Trust CN=Head of Clinical IT/ }).click();
    await until(() => document.body.innerText.includes('Nobody yet.'));
    await until(() => document.body.innerText.includes('Trust this signer…'));
  });

  it('says why when it cannot be kept', async () => {
    const { main } = await opened();
    main.fails('trust.pin');
    await page.getByRole('button', { name: 'Trust this signer…' }).click();
    await page.getByRole('button', { name: 'Trust from now on' }).click();
    await until(() => document.querySelector('[role=dialog] [role=alert]') !== null);
  });
});
