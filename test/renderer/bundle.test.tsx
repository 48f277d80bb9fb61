import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import type { VerifyView } from '../../core/ipc.ts';
import { appError } from '../../core/result.ts';
import { useWizard } from '../../renderer/store.ts';
import { type FakeMain, file, SEALED } from './support/fake-bridge.ts';
import { setTheme, settle, startApp, stopApp, until } from './support/render.tsx';

beforeEach(async () => {
  await page.viewport(1280, 800);
  await setTheme('light');
});
afterEach(stopApp);

const WAIVER = {
  key: 'access.directory-secure@site:st-anne',
  reason: 'In March.',
  compensating: 'A firewall.',
  until: '2027-03-31T00:00:00.000Z',
};
const PROVISIONAL: VerifyView = {
  sound: false,
  complete: true,
  findings: [{ severity: 'warn', code: 'provisional', sentence: 'A signature is missing.' }],
  signers: [{ role: 'engineer', subject: 'CN=Erin Field' }],
  waivers: [WAIVER],
};
const inputs = (main: FakeMain, channel: string) =>
  main.calls.filter((call) => call.channel === channel).map((call) => call.input as Record<string, unknown>);
const button = (name: string | RegExp) => page.getByRole('button', { name, exact: typeof name === 'string' });
const shows = (text: string) => until(() => document.body.innerText.includes(text));
/** Presses a button as somebody does who has no mouse. */
async function press(name: string | RegExp): Promise<void> {
  (button(name).element() as HTMLElement).focus();
  await userEvent.keyboard('{Enter}');
  await settle();
}
const bundle = SEALED.bundle.handle;

async function onDone(view = SEALED): Promise<FakeMain> {
  const main = await startApp((fake) => fake.openWalk());
  useWizard.setState({ page: 'done', sealed: view });
  await settle();
  return main;
}
async function onVerify(view: VerifyView): Promise<FakeMain> {
  const main = await startApp((fake) => fake.answer('bundle.verify', () => view));
  useWizard.setState({ page: 'verify', bundle: SEALED.bundle });
  await shows('A signature is missing.');
  return main;
}

describe('the sealed bundle, by keyboard alone', () => {
  it('is still there after a reload, and a session that went on since goes on with the walk', async () => {
    await startApp((fake) => {
      fake.openWalk();
      fake.append('sealed', { upTo: 2, file: SEALED.bundle.name, sha256: SEALED.sha256 });
    });
    await shows('Sealed, and provisional');
    expect(document.body.innerText).toContain(SEALED.path);
    stopApp();
    await startApp((fake) => {
      fake.openWalk();
      fake.append('sealed', { upTo: 2, file: SEALED.bundle.name, sha256: SEALED.sha256 });
      fake.run([WAIVER.key]);
    });
    await until(() => useWizard.getState().sealed !== undefined);
    expect(useWizard.getState().page).toBe('walk');
    useWizard.setState({ page: 'done' });
    await shows('came later and are not in this bundle');
    await press('Seal again');
    await shows('Afterwards the session can be sealed again');
  });

  it('is not made up where it was taken away', async () => {
    await startApp((fake) => {
      fake.openWalk();
      fake.append('sealed', { upTo: 2, file: SEALED.bundle.name, sha256: SEALED.sha256 });
      fake.answer('bundle.list', () => []);
    });
    expect(useWizard.getState()).toMatchObject({ page: 'walk' });
    expect(useWizard.getState().sealed).toBeUndefined();
  });

  it('gives its reports, and says where each was saved; a dialog that was closed says nothing', async () => {
    const main = await onDone();
    await press('Save as PDF…');
    await shows('Saved as st-anne-pdf');
    await press('Save “Heimdall Data Format”…');
    await shows('Saved as st-anne-hdf');
    expect(inputs(main, 'report.save')).toEqual([
      { bundle, report: 'pdf' },
      { bundle, report: 'hdf' },
    ]);
    main.answer('report.save', () => null);
    await press('Save “OSCAL assessment results”…');
    expect(document.body.innerText).not.toContain('Saved as st-anne-oscal');
    main.fails('report.save', appError('journal.write', 'The disk is full.'));
    await press('Save as PDF…');
    await shows('The disk is full.');
  });

  it('is time-stamped by an address, and by files without a network', async () => {
    const main = await onDone();
    await page.getByLabelText('Address of the authority').fill(' https://tsa.test ');
    await userEvent.keyboard('{Enter}');
    await shows('Stamped 23 Nov 2026, 11:30 UTC');
    expect(inputs(main, 'timestamp.ask')).toEqual([{ bundle, authority: 'https://tsa.test' }]);
    expect(useWizard.getState().sealed?.sha256).not.toBe(SEALED.sha256);
    await press('Save the query…');
    await press('Add the answer…');
    expect(inputs(main, 'timestamp.answer')).toEqual([{ bundle }]);
  });

  it('is encrypted to the certificates that were chosen, and to none that was left out', async () => {
    const main = await onDone();
    expect(button('Encrypt and save…').element()).toHaveProperty('disabled', true);
    let chosen = 0;
    main.answer('file.choose', () => file(`recipient-${(chosen += 1)}.crt`));
    await press('Add a recipient’s certificate…');
    await press('Add a recipient’s certificate…');
    await press('Leave out recipient-1.crt');
    await press('Encrypt and save…');
    await shows('for CN=Archive');
    expect(inputs(main, 'bundle.encrypt')).toEqual([{ bundle, to: [file('recipient-2.crt').handle] }]);
  });
});

describe('the countersignature', () => {
  it('accepts no waiver that was not ticked', async () => {
    const main = await startApp((fake) => fake.openWalk());
    useWizard.setState({ page: 'sign', sealed: { ...SEALED, waivers: [WAIVER] } });
    await shows('Tick those that the hospital accepts');
    const box = page.getByRole('checkbox', { name: /In March/ });
    expect((box.element() as HTMLInputElement).checked).toBe(false);
    await page.getByText(/Head of Clinical IT, O=/).click();
    await page.getByRole('textbox', { name: 'Role of who countersigns' }).fill('IT');
    await page.getByLabelText('Passphrase of the identity').fill('secret');
    await press('Countersign');
    expect(inputs(main, 'bundle.countersign')).toMatchObject([{ role: 'IT', remark: '', accept: [] }]);
    useWizard.setState({ sealed: { ...SEALED, waivers: [WAIVER] } });
    await settle();
    (box.element() as HTMLElement).focus();
    await userEvent.keyboard(' ');
    await page.getByText(/Head of Clinical IT, O=/).click();
    await page.getByRole('textbox', { name: 'Role of who countersigns' }).fill('IT');
    await page.getByLabelText('Passphrase of the identity').fill('secret');
    await press('Countersign');
    expect(inputs(main, 'bundle.countersign')[1]).toMatchObject({ accept: [WAIVER.key] });
    expect(useWizard.getState().sealed).toMatchObject({ provisional: false, accepted: [WAIVER.key] });
  });

  it('is made on another machine: what is to be signed goes out, the signature comes back', async () => {
    const main = await startApp((fake) => fake.openWalk());
    useWizard.setState({ page: 'sign', sealed: SEALED });
    await settle();
    (page.getByRole('radio', { name: 'in a file here' }).element() as HTMLElement).focus();
    await userEvent.keyboard('{ArrowRight}');
    await settle();
    expect(button('Write what is to be signed…').element()).toHaveProperty('disabled', true);
    await page.getByRole('textbox', { name: 'Who will sign' }).fill('Henry Hospital');
    await page.getByRole('textbox', { name: 'Role of who countersigns' }).fill('Head of IT');
    await press('Write what is to be signed…');
    await shows('openssl cms -sign');
    expect(inputs(main, 'outside.prepare')).toEqual([
      { bundle, name: 'Henry Hospital', role: 'Head of IT', remark: '', accept: [] },
    ]);
    main.fails('outside.import', appError('input.malformed', 'This signature cannot be taken.'));
    await press('Add the signature…');
    await shows('This signature cannot be taken.');
    main.answer('outside.import', () => ({ ...SEALED, provisional: false }));
    await press('Add the signature…');
    await until(() => useWizard.getState().sealed?.provisional === false);
  });
});

describe('a bundle that somebody else made', () => {
  it('is opened with the key that it was encrypted to, and verified at once', async () => {
    const main = await startApp();
    useWizard.setState({ page: 'verify' });
    await shows('No bundle chosen');
    await page.getByText(/Erin Field, O=/).click();
    await page.getByLabelText('Passphrase of the identity').fill('secret');
    await press('Open an encrypted bundle…');
    await until(() => inputs(main, 'bundle.verify').length === 1);
    expect(inputs(main, 'bundle.decrypt')).toHaveLength(1);
    expect(inputs(main, 'bundle.verify')).toEqual([{ bundle: file('opened.asice').handle }]);
  });

  it('shows every finding, the worst first', async () => {
    const of = (severity: 'bad' | 'warn' | 'info', sentence: string) => ({ severity, code: severity, sentence });
    await onVerify({
      ...PROVISIONAL,
      findings: [of('info', 'Third.'), of('bad', 'First.'), of('warn', 'A signature is missing.'), of('info', 'Last.')],
    });
    const text = document.body.innerText;
    const places = ['First.', 'A signature is missing.', 'Third.', 'Last.'].map((found) => text.indexOf(found));
    expect(places.every((place) => place > 0)).toBe(true);
    expect(places.toSorted((a, b) => a - b)).toEqual(places);
  });

  it('is looked at as of another day', async () => {
    const main = await onVerify(PROVISIONAL);
    await page.getByLabelText(/As of this day/).fill('2027-05-01');
    await press('Check again');
    expect(inputs(main, 'bundle.verify')).toEqual([{ bundle }, { bundle, at: '2027-05-01T00:00:00Z' }]);
  });

  it('keeps what was saved and where the keyboard is while it is verified once more, and shows no other bundle', async () => {
    const main = await onVerify(PROVISIONAL);
    await press('Save as PDF…');
    await page.getByLabelText('Address of the authority').fill('https://tsa.test');
    await press('Ask for a time-stamp');
    await until(() => inputs(main, 'bundle.verify').length === 2);
    await shows('Stamped 23 Nov 2026, 11:30 UTC');
    await shows('Saved as st-anne-pdf');
    main.fails('bundle.verify', appError('bundle.malformed', 'This is not a container.'));
    useWizard.setState({ bundle: file('another.asice') });
    await shows('This is not a container.');
    expect(document.body.innerText).not.toContain('A signature is missing.');
  });

  it('is countersigned for the hospital when only that is missing, and then verified again', async () => {
    const main = await onVerify(PROVISIONAL);
    await page.getByText(/Head of Clinical IT, O=/).click();
    await page.getByRole('textbox', { name: 'Role of who countersigns' }).fill('IT');
    await page.getByLabelText('Passphrase of the identity').fill('secret');
    await press('Countersign');
    await until(() => inputs(main, 'bundle.verify').length === 2);
    expect(inputs(main, 'bundle.countersign')).toMatchObject([{ bundle, accept: [] }]);
  });

  it.each([
    [
      'something is wrong with it',
      { findings: [{ severity: 'bad' as const, code: 'x', sentence: 'A signature is missing.' }] },
    ],
    ['nobody known has signed it', { signers: [] }],
    ['parts of it were left out', { edition: { for: 'manufacturer', leftOut: 3 } }],
    ['both have signed it', { signers: [...PROVISIONAL.signers, { role: 'hospital', subject: 'CN=H' }] }],
  ])('is not offered for signing where %s', async (_why, view) => {
    await onVerify({ ...PROVISIONAL, ...view });
    expect(document.body.innerText).not.toContain('Countersign for the hospital');
  });
});
