import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { appError } from '../../core/result.ts';
import { useWizard } from '../../renderer/store.ts';
import type { FakeMain } from './support/fake-bridge.ts';
import { setTheme, settle, startApp, stopApp, until } from './support/render.tsx';

const PICTURES = import.meta.env.VITE_LOCKSTEP_SCREENS as string | undefined;
const KEY = 'certificate.device-web@device:mdip-1';

beforeEach(async () => {
  await page.viewport(1280, 900);
  await setTheme('light');
});
afterEach(stopApp);

const inputs = (main: FakeMain, channel: string) =>
  main.calls.filter((call) => call.channel === channel).map((call) => call.input as Record<string, unknown>);
const stages = () =>
  [...document.querySelectorAll('[aria-label="How far it has come"] li')].map((stage) =>
    (stage.textContent ?? '').replace(/^\d/, ''),
  );
const says = (words: string) => until(() => document.body.innerText.includes(words));

/** A request whose key was made here: planned, or made and waiting. */
function request(fake: FakeMain, waits: boolean): void {
  const about = { key: KEY, change: 'chg-1' };
  fake.append('change.planned', {
    ...about,
    kind: 'certificate.enroll',
    summary: "Make a key here and a request for the hospital's authority.",
    diff: '+ names:      mdip-1.hospital.test\n',
    operations: { do: 'request', made: 'here' },
    undo: false,
  });
  if (!waits) return;
  fake.append('change.approved', { ...about, ticket: 'CHG-1', approver: 'Ada' });
  fake.append('change.preimage', { ...about, preImage: {} });
  fake.append('change.applied', about);
  const state = {
    request: 'PEM',
    subject: 'CN=mdip-1.hospital.test',
    names: ['mdip-1.hospital.test'],
    key: 'EC P-256',
    publicKeySha256: 'ab'.repeat(32),
  };
  fake.append('change.readback', { ...about, asPlanned: true, differences: [], state });
}

async function open(waits: boolean): Promise<FakeMain> {
  const main = await startApp((fake) => (fake.openWalk(), request(fake, waits)));
  useWizard.setState({ current: 'certificate.device-web' });
  await settle();
  return main;
}

describe('a device’s certificate in the wizard', () => {
  it('asks for a passphrase and no account where the key is made here; the passphrase crosses once', async () => {
    const main = await open(false);
    await says('Passphrase for the new key');
    expect(document.body.innerText).not.toContain('Write account');
    await page.getByRole('textbox', { name: 'Ticket' }).first().fill('CHG-1');
    await page.getByRole('textbox', { name: 'Approved by' }).first().fill('Ada');
    const apply = page.getByRole('button', { name: 'Apply this plan' });
    await page.getByLabelText('Passphrase for the new key').fill('short');
    await expect.element(apply).toBeDisabled();
    await page.getByLabelText('Passphrase for the new key').fill('long-enough-9');
    await apply.click();
    await until(() => inputs(main, 'change.apply').length === 1);
    expect(inputs(main, 'secret.put')).toEqual([{ value: 'long-enough-9' }]);
    const [input = {}] = inputs(main, 'change.apply');
    expect(input.keyPassphrase).toMatch(/^h-/);
    expect(Object.keys(input)).not.toEqual(expect.arrayContaining(['user']));
    expect(JSON.stringify(useWizard.getState())).not.toContain('long-enough-9');
  });

  it('waits for the authority: saves the request, imports the answer by keyboard, installs with the passphrase', async () => {
    const main = await open(true);
    await says("The request waits for the hospital's authority.");
    await says('mdip-1.hospital.test');
    expect(stages()).toEqual(['Request, done', 'Authority, under way', 'Installed, to come']);
    if (PICTURES !== undefined) await page.screenshot({ path: `${PICTURES}/certificate-waits.png` });
    await page.getByRole('button', { name: 'Save the request…' }).click();
    await says('Saved: mdip-1.csr, mdip-1-README.txt.');
    expect(inputs(main, 'certificate.handOff')).toEqual([{ key: KEY }]);
    await says('The request went out as mdip-1.csr (chg-1). Import what comes back.');
    expect(document.body.innerText).not.toContain('Left to the hospital');
    await page.getByLabelText('Passphrase of the answer (optional)').fill('from the CA');
    (page.getByRole('button', { name: 'Import what came back…' }).element() as HTMLElement).focus();
    await userEvent.keyboard('{Enter}');
    await says('It is for the key of the request.');
    expect(inputs(main, 'certificate.import')[0]).toMatchObject({ key: KEY, passphrase: expect.stringMatching(/^h-/) });
    expect(JSON.stringify(useWizard.getState())).not.toContain('from the CA');
    // Once the answer is here, there is one next step: to approve its installation.
    await says("The answer of the hospital's authority is here.");
    expect(stages()).toEqual(['Request, done', 'Authority, done', 'Installed, under way']);
    await expect.element(page.getByRole('button', { name: 'Import what came back…' })).not.toBeInTheDocument();
    await says('Passphrase of the key');
    await says('Write account');
  });

  it('says every check of an answer that is refused', async () => {
    const main = await open(true);
    const cause = 'good     It is for the key of the request.\nREFUSED  It lacks the name x.';
    main.fails(
      'certificate.import',
      appError('change.refused', 'What came back is not installed: It lacks the name x.', { cause }),
    );
    await page.getByRole('button', { name: 'Import what came back…' }).click();
    await says('Refused: It lacks the name x.');
    await says('Good: It is for the key of the request.');
    expect(document.querySelector('[role="alert"]')?.textContent).toContain('What came back is not installed');
  });

  it('offers the anchor for the other side and the renewal once it is installed', async () => {
    const main = await open(true);
    const about = { key: KEY, change: 'chg-2' };
    await page.getByRole('button', { name: 'Import what came back…' }).click();
    await says('Install the certificate.');
    main.append('change.approved', { ...about, ticket: 'CHG-1', approver: 'Ada' });
    main.append('change.preimage', { ...about, preImage: {} });
    main.append('change.applied', about);
    main.append('change.readback', { ...about, asPlanned: true, differences: [], state: {} });
    await says('Plan the renewal…');
    expect(document.body.innerText).not.toContain('The request waits');
    expect(stages()).toEqual(['Request, done', 'Authority, done', 'Installed, done']);
    await page.getByRole('button', { name: 'Save the anchor for the other side…' }).click();
    await says('Saved: mdip-1-trust-anchor.crt.');
    await page.getByRole('button', { name: 'Plan the renewal…' }).click();
    await until(() => inputs(main, 'change.plan').length === 1);
  });
});
