import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { useWizard } from '../../renderer/store.ts';
import type { FakeMain } from './support/fake-bridge.ts';
import { setTheme, settle, startApp, stopApp, until } from './support/render.tsx';

const KEY = 'network.ports@device:mdip-1';

beforeEach(async () => {
  await page.viewport(1280, 900);
  await setTheme('light');
});
afterEach(stopApp);

const replies = (main: FakeMain) =>
  main.calls.flatMap(({ channel, input }) => (channel === 'walk.reply' ? [input] : []));
const dialog = () => document.querySelector('[role=alertdialog]')?.textContent ?? '';
const timer = () => document.querySelector('[role=timer]')?.textContent ?? '';
const aloud = () => document.querySelector('[data-countdown] [role=status]')?.textContent ?? '';
const bar = () => {
  const element = document.querySelector<HTMLElement>('[data-countdown] [style]');
  return Number.parseFloat(element?.style.width ?? '');
};

async function confirm(seconds: number, ask = 'a1'): Promise<FakeMain> {
  const main = await startApp((fake) => fake.openWalk());
  push(main, seconds, ask);
  await settle();
  return main;
}

function push(main: FakeMain, seconds: number, ask: string): void {
  main.push({
    kind: 'ask',
    ask,
    key: KEY,
    about: 'confirm',
    question: 'A new connection works. Keep the change?',
    until: new Date(Date.now() + seconds * 1000).toISOString(),
    otherwise: 'the device puts the old version back by itself',
  });
}

describe('a question that does not wait for ever', () => {
  it('shows the time that is left, and says what happens at its end', async () => {
    await confirm(125);
    expect(dialog()).toContain('Keep the change?');
    expect(dialog()).toContain('Without a yes in this time the device puts the old version back by itself.');
    expect(timer()).toMatch(/^2:0[345]$/);
    expect(bar()).toBeGreaterThan(97);
    const first = timer();
    await until(() => timer() !== first);
    expect(bar()).toBeLessThan(100);
  });

  it('is said aloud at a few moments only, and says when it is over without deciding anything', async () => {
    const main = await confirm(11.5);
    expect(aloud()).toBe('');
    await until(() => aloud() === '10 seconds left.');
    expect(timer()).toBe('0:10');
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(aloud()).toBe('10 seconds left.');
    stopApp();
    const short = await confirm(1.2, 'a2');
    await until(() => dialog().includes('The time is over.'));
    expect([timer(), bar(), aloud()]).toEqual(['0:00', 0, 'The time is over.']);
    // The engine decides: until it takes the question back, nothing is answered here.
    expect(replies(main).concat(replies(short))).toEqual([]);
    short.push({ kind: 'asked', ask: 'a2' });
    await settle();
    expect(dialog()).toBe('');
  });

  it('begins anew with the next question', async () => {
    const main = await confirm(4);
    push(main, 300, 'a2');
    await until(() => /^(5:00|4:59)$/.test(timer()));
    expect(bar()).toBeGreaterThan(98);
  });

  it('shows no countdown where there is no end', async () => {
    const main = await startApp((fake) => fake.openWalk());
    main.push({ kind: 'ask', ask: 'a1', key: KEY, about: 'confirm', question: 'Make the change all the same?' });
    await settle();
    expect(dialog()).toContain('Make the change all the same?');
    expect(document.querySelector('[role=timer]')).toBeNull();
  });

  it('takes no Enter for a yes where a change may stay or a device is free', async () => {
    const main = await confirm(60);
    await userEvent.keyboard('{Enter}');
    await settle();
    expect(replies(main)).toEqual([]);
    main.push({ kind: 'ask', ask: 'a2', key: KEY, about: 'free', question: 'Is the device free?' });
    await settle();
    await userEvent.keyboard('{Enter}');
    await settle();
    expect(replies(main)).toEqual([]);
    await page.getByRole('button', { name: 'Yes, it is free' }).click();
    expect(replies(main)).toEqual([{ ask: 'a2', yes: true }]);
  });

  it('is gone with an engine that died', async () => {
    const main = await confirm(60);
    main.push({ kind: 'running', running: false });
    await settle();
    expect(useWizard.getState().ask).toBeUndefined();
  });
});
