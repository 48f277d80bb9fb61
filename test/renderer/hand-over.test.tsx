import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { appError } from '../../core/result.ts';
import { useWizard } from '../../renderer/store.ts';
import type { FakeMain } from './support/fake-bridge.ts';
import { axeFaults, setTheme, settle, startApp, stopApp, until } from './support/render.tsx';

beforeEach(async () => {
  await page.viewport(1280, 800);
  await setTheme('light');
});
afterEach(stopApp);

const inputs = (main: FakeMain, channel: string) =>
  main.calls.filter((call) => call.channel === channel).map((call) => call.input as Record<string, unknown>);
const click = async (role: 'button' | 'radio', name: string | RegExp) => {
  // The input of a radio lies under its label.
  await (role === 'radio' ? page.getByRole('dialog').getByText(name) : page.getByRole(role, { name })).first().click();
  await settle();
};
const fill = async (label: string, text: string) => {
  await userEvent.fill(page.getByLabelText(label, { exact: true }), text);
  await settle();
};
const isOff = (name: string) =>
  page.getByRole('button', { name, exact: true }).query()?.hasAttribute('disabled') ?? true;

describe('handing a session over', () => {
  it('asks for a passphrase twice, long enough, and an identity; then shows that it went', async () => {
    const main = await startApp((fake) => fake.openWalk());
    await click('button', 'Hand this session over');
    await until(() => document.body.innerText.includes('PRACTICE Erin Field'));
    await click('radio', /Erin Field/);
    await fill('Passphrase of the identity', 'own');
    await fill('Passphrase for the file', 'too short');
    await fill('The same again', 'too short');
    expect(isOff('Hand over…')).toBe(true);
    await fill('Passphrase for the file', 'a night at the ward');
    expect(isOff('Hand over…')).toBe(true);
    await fill('The same again', 'a night at the ward');
    expect(await axeFaults()).toEqual([]);
    await click('button', 'Hand over…');
    await until(() => document.body.innerText.includes('Handed over as session.p7m'));
    expect(inputs(main, 'secret.put').map(({ value }) => value)).toEqual(['own', 'a night at the ward']);
    const [{ to, ...signed } = {}] = inputs(main, 'session.handOver');
    expect(to).toEqual({ secret: expect.stringMatching(/^h-/) });
    expect(Object.keys(signed).toSorted()).toEqual(['identity', 'passphrase']);
    expect(useWizard.getState().page).toBe('start');
    expect(useWizard.getState().snapshot).toBeUndefined();
  });

  it('goes to a certificate, and stays open where it was refused or thought better of', async () => {
    const main = await startApp((fake) => fake.openWalk());
    main.answer('session.handOver', () => null);
    main.push({ kind: 'menu', command: 'hand-over' });
    await until(() => document.body.innerText.includes('PRACTICE Erin Field'));
    await click('radio', /Erin Field/);
    await fill('Passphrase of the identity', 'own');
    await click('radio', 'A certificate');
    expect(isOff('Hand over…')).toBe(true);
    await click('button', /Choose the next operator/);
    expect(inputs(main, 'file.choose').at(-1)).toEqual({ kind: 'recipient' });
    await click('button', 'Hand over…');
    expect(inputs(main, 'session.handOver')[0]?.to).toEqual({ recipient: expect.stringMatching(/^h-/) });
    expect(useWizard.getState().snapshot).toBeDefined();
    main.fails('session.handOver', appError('identity.invalid', 'The certificate is not for encryption.'));
    await fill('Passphrase of the identity', 'own');
    await click('button', 'Hand over…');
    await until(() => document.body.innerText.includes('not for encryption'));
    expect(useWizard.getState().snapshot).toBeDefined();
  });
});

describe('taking a session over', () => {
  it('checks it with passphrase and identity, and goes on with both operators', async () => {
    const main = await startApp();
    main.push({ kind: 'menu', command: 'take-over' });
    await until(() => document.body.innerText.includes('PRACTICE Erin Field'));
    await click('radio', /Erin Field/);
    await fill('Passphrase of the identity', 'own');
    await click('button', 'Choose the file…');
    expect(inputs(main, 'file.choose').at(-1)).toEqual({ kind: 'session' });
    await fill('Your name', 'Otto Night');
    expect(isOff('Take over')).toBe(true);
    await fill('Passphrase of the file', 'a night at the ward');
    expect(await axeFaults()).toEqual([]);
    await click('button', 'Take over');
    await until(() => useWizard.getState().snapshot !== undefined);
    expect(inputs(main, 'session.takeOver')[0]).toMatchObject({
      operator: 'Otto Night',
      opens: { secret: expect.stringMatching(/^h-/) },
    });
    expect(inputs(main, 'session.resume')[0]).toMatchObject({ operator: 'Otto Night' });
    expect(useWizard.getState().session.operators.map(({ name }) => name)).toEqual(['Erin Field', 'Otto Night']);
    expect(document.querySelector('[role=dialog]')).toBeNull();
  });

  it('says why it is refused, with the file still chosen', async () => {
    const main = await startApp();
    main.fails('session.takeOver', appError('session.state', 'This file was taken over here already.'));
    await click('button', 'Take a session over…');
    await until(() => document.body.innerText.includes('PRACTICE Erin Field'));
    await click('radio', /Erin Field/);
    await fill('Passphrase of the identity', 'own');
    await click('button', 'Choose the file…');
    await click('radio', 'My key');
    await click('button', 'Choose the key…');
    await fill('Your name', 'Otto Night');
    await click('button', 'Take over');
    await until(() => document.body.innerText.includes('taken over here already'));
    expect(inputs(main, 'session.takeOver')[0]?.opens).toEqual({ key: expect.stringMatching(/^h-/) });
    expect(document.body.innerText).toContain('chosen.session');
    expect(useWizard.getState().snapshot).toBeUndefined();
  });

  it('shows on the first page what was handed over', async () => {
    const main = await startApp((fake) =>
      fake.answer('session.list', () => [
        {
          session: 'c5a1e2b3-7d64-4f80-9a1b-3c2d1e0f9a8b',
          guide: 'Hardening Orthanc',
          site: 'North Clinic',
          operator: 'Sam Okafor',
          openedAt: '2026-08-04T08:02:00.000Z',
          events: 342,
          sealed: true,
          handedOver: 'CN=Night shift',
        },
      ]),
    );
    await until(() => document.body.innerText.includes('Handed over'));
    main.fails('session.resume', appError('session.state', 'This session was handed over to CN=Night shift.'));
    await click('button', /North Clinic/);
    await click('button', 'Go on');
    await until(() => document.body.innerText.includes('handed over to CN=Night shift'));
  });
});
