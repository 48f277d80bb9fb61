import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import type { WebCrypto } from '../../core/bundle/host.ts';
import type { Snapshot } from '../../core/ipc.ts';
import { readSiteKey } from '../../core/people/site-key.ts';
import { appError } from '../../core/result.ts';
import { useWizard } from '../../renderer/store.ts';
import { BASELINE, type FakeMain } from './support/fake-bridge.ts';
import { setTheme, settle, startApp, stopApp, until } from './support/render.tsx';

const ASKING = [{ key: 'access.people@site:st-anne', title: 'Who can log in', target: 'St. Anne’s Hospital' }];

beforeEach(async () => {
  await page.viewport(1280, 800);
  await setTheme('light');
});
afterEach(stopApp);

const inputs = (main: FakeMain, channel: string) =>
  main.calls.filter((call) => call.channel === channel).map((call) => call.input as Record<string, unknown>);
/** Moves with the Tab key until something with this name is reached, and presses Enter there. */
async function enter(name: RegExp): Promise<void> {
  for (let at = 0; at < 60; at += 1) {
    const element = document.activeElement as HTMLElement | null;
    if (element !== null && name.test(element.getAttribute('aria-label') ?? element.innerText ?? '')) {
      await userEvent.keyboard('{Enter}');
      await settle();
      return;
    }
    await userEvent.keyboard('{Tab}');
  }
  throw new Error(`no Tab stop is called ${name}`);
}
function without({ people: _people, ...snapshot }: Snapshot): Snapshot {
  return snapshot;
}
async function onSitePage(people: FakeMain['people'], prepare: (main: FakeMain) => void = () => undefined) {
  const main = await startApp((fake) => {
    fake.people = people;
    fake.open();
    prepare(fake);
  });
  useWizard.setState({ page: 'site' });
  await settle();
  return main;
}

describe('the site key, by keyboard alone', () => {
  it('is made, shown this once, put as a secret, and gone from the page', async () => {
    const main = await onSitePage({ keyed: false, asking: [] });
    await enter(/^Make a new key$/);
    await until(() => document.querySelector('[aria-label="New site key"]') !== null);
    const text = document.querySelector('[aria-label="New site key"]')?.textContent ?? '';
    const read = await readSiteKey(text, globalThis.crypto as WebCrypto);
    expect(read.ok).toBe(true);
    if (read.ok) expect(document.body.innerText).toContain(`people: { keyId: ${read.value.id} }`);
    await enter(/^It is in the vault: use it$/);
    await until(() => inputs(main, 'people.key').length === 1);
    expect(inputs(main, 'secret.put')).toEqual([{ value: text }]);
    expect(JSON.stringify(inputs(main, 'people.key'))).not.toContain(text);
    await until(() => document.body.innerText.includes('5f0c3a9e17b2d648'));
    expect(document.body.innerHTML).not.toContain(text);
  });

  it('is typed, and the field is emptied whatever comes of it', async () => {
    const main = await onSitePage({ keyed: false, expected: 'a1b2c3d4e5f60718', asking: [] }, (fake) =>
      fake.fails('people.key', appError('site.invalid', 'This is the site key 00, and the site file names a1.')),
    );
    expect(document.body.innerText).toContain('a1b2c3d4e5f60718');
    // Where the site names a key, another one is never the answer.
    expect(document.body.innerText).not.toContain('Make a new key');
    const field = page.getByLabelText(/Site key, from/);
    await field.fill('LSK1-AAAA');
    await userEvent.keyboard('{Enter}');
    await until(() => document.body.innerText.includes('the site file names a1.'));
    expect(inputs(main, 'secret.put')).toEqual([{ value: 'LSK1-AAAA' }]);
    expect((field.element() as HTMLInputElement).value).toBe('');
    expect((field.element() as HTMLInputElement).type).toBe('password');
  });

  it('is asked for again at the gate, where people were recorded under it before', async () => {
    await startApp((fake) => {
      fake.people = { keyed: false, asking: [] };
      fake.open();
      fake.append('people.keyed', { keyId: 'c0ffee00c0ffee00' });
    });
    expect(document.body.innerText).toContain('This session has people under the key c0ffee00c0ffee00');
    expect(document.body.innerText).not.toContain('Make a new key');
  });

  it('is not asked where the site has no directory', async () => {
    await onSitePage({ keyed: false, asking: [] });
    expect(document.body.innerText).toContain('Site key');
    useWizard.setState(({ snapshot }) => (snapshot === undefined ? {} : { snapshot: without(snapshot) }));
    await settle();
    expect(document.body.innerText).not.toContain('Site key');
  });
});

describe('the bundle to compare with', () => {
  it('is chosen, verified by main, and named', async () => {
    const main = await onSitePage({ keyed: true, asking: [] });
    await enter(/^Choose a bundle…$/);
    await until(() => document.body.innerText.includes('Compared with the bundle of 1 Oct 2026'));
    expect(inputs(main, 'file.choose')).toEqual([{ kind: 'bundle' }]);
    expect(inputs(main, 'baseline.choose')).toHaveLength(1);
    expect(document.body.innerText).toContain(BASELINE.bundle);
    expect(document.body.innerText).not.toContain('Choose a bundle…');
  });

  it('says why it was refused', async () => {
    await onSitePage({ keyed: true, asking: [] }, (fake) =>
      fake.fails('baseline.choose', appError('bundle.not-sound', 'This bundle is not sound.', { cause: 'Line 3.' })),
    );
    await enter(/^Choose a bundle…$/);
    await until(() => document.body.innerText.includes('Line 3.'));
  });

  it('is no longer asked for once a step was judged', async () => {
    await onSitePage({ keyed: true, asking: [] }, (fake) => fake.run(fake.keys.slice(0, 1)));
    expect(document.body.innerText).toContain('a bundle is chosen before the first check');
    expect(document.body.innerText).not.toContain('Choose a bundle…');
  });
});

it('does not say that nothing ran where only the answer is missing', async () => {
  const main = await startApp((fake) => fake.openWalk());
  const [key = ''] = main.keys;
  useWizard.setState({ current: key.slice(0, key.indexOf('@')) });
  await settle();
  expect(document.body.innerText).toContain('Nothing ran yet.');
  const check = { key, check: 0, probe: 'directory.access' };
  main.append('probe.started', { ...check, params: {} });
  main.append('facts.recorded', { ...check, file: 'facts/9.json', sha256: 'a'.repeat(64) });
  await until(() => document.body.innerText.includes('a person’s answer is missing'));
  expect(document.body.innerText).not.toContain('Nothing ran yet.');
});

describe('the consent to names', () => {
  const onGate = (asking: FakeMain['people']['asking']) =>
    startApp((fake) => {
      fake.people = { keyed: true, asking };
      fake.open();
    });

  it('is asked only where the guide asks for names', async () => {
    await onGate([]);
    expect(document.body.innerText).not.toContain('Names of people');
  });

  it('says for which steps and for how long, and is given and taken back by keyboard', async () => {
    const main = await onGate(ASKING);
    expect(document.body.innerText).toContain('Who can log in, St. Anne’s Hospital');
    expect(document.body.innerText).toContain('for as long as the bundle is kept');
    await enter(/^Agree to names$/);
    await until(() => document.body.innerText.includes('You agreed'));
    await enter(/^Take it back$/);
    await until(() => document.body.innerText.includes('You did not agree'));
    expect(inputs(main, 'people.names')).toEqual([{ agreed: true }, { agreed: false }]);
  });
});
