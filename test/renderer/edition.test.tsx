import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { appError } from '../../core/result.ts';
import { useWizard } from '../../renderer/store.ts';
import { file, type FakeMain } from './support/fake-bridge.ts';
import { axeFaults, setTheme, settle, startApp, stopApp, until } from './support/render.tsx';

/** Name a folder inside the project in VITE_LOCKSTEP_SCREENS to keep pictures, to be looked at. */
const PICTURES = import.meta.env.VITE_LOCKSTEP_SCREENS as string | undefined;

async function opened(): Promise<FakeMain> {
  const main = await startApp();
  useWizard.setState({ bundle: file('b.asice'), page: 'verify' });
  await until(() => document.body.innerText.includes('Edition for the manufacturer'));
  return main;
}
const asked = (main: FakeMain) =>
  main.calls.map(({ channel }) => channel).filter((channel) => channel === 'bundle.edition');

beforeEach(async () => {
  await page.viewport(1280, 800);
  await setTheme('light');
});
afterEach(stopApp);

describe("the manufacturer's edition", () => {
  it('is written only after what it leaves out was shown', async () => {
    const main = await opened();
    await page.getByRole('button', { name: 'Show what it leaves out…' }).click();
    await settle();
    const dialog = document.querySelector('[role=dialog]')?.textContent ?? '';
    for (const part of ['facts/12.json', 'facts, 2 files', 'reports/verdicts.json', 'Erin Field'])
      expect(dialog).toContain(part);
    expect(asked(main)).toEqual([]);
    expect((await axeFaults()).join('\n')).toBe('');
    if (PICTURES !== undefined) await page.screenshot({ path: `${PICTURES}/edition.png` });
    await page.getByRole('button', { name: 'Save the edition…' }).click();
    await until(() => document.body.innerText.includes('Saved as bundle-for-manufacturer.asice'));
    expect(asked(main)).toHaveLength(1);
  });

  it('says why it cannot be made', async () => {
    const main = await opened();
    main.answer('bundle.editionPlan', () => appError('bundle.malformed', 'This is an edition already.'));
    await page.getByRole('button', { name: 'Show what it leaves out…' }).click();
    await until(() => document.body.innerText.includes('This is an edition already.'));
    expect(asked(main)).toEqual([]);
  });
});
