import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { appError } from '../../core/result.ts';
import { useWizard } from '../../renderer/store.ts';
import type { FakeMain } from './support/fake-bridge.ts';
import { setTheme, settle, startApp, stopApp, until } from './support/render.tsx';

const KEY = 'access.directory-secure@site:st-anne';

beforeEach(async () => {
  await page.viewport(1280, 800);
  await setTheme('light');
});
afterEach(stopApp);

const heading = () => document.querySelector('h1')?.textContent ?? '';
const inputs = (main: FakeMain, channel: string) =>
  main.calls.filter((call) => call.channel === channel).map((call) => call.input as Record<string, unknown>);
const press = async (keys: string) => {
  await userEvent.keyboard(keys);
  await settle();
};

describe('the walk by keyboard alone', () => {
  it('goes from step to step, runs one, reads it, and filters', async () => {
    const main = await startApp((fake) => fake.openWalk());
    expect(heading()).toMatch(/^The directory proves who it is/);
    await press('j');
    expect(heading()).toMatch(/^Every directory server/);
    await press('{ArrowDown}');
    expect(heading()).toMatch(/^Only the people of a named/);
    await press('k');
    await press('{ArrowUp}');
    expect(heading()).toMatch(/^The directory proves who it is/);
    await press('r');
    expect(inputs(main, 'walk.run')).toEqual([{ keys: [KEY] }]);
    await until(() => document.body.innerText.includes('looks at passwords that are sent without encryption'));
    await press('{Enter}');
    expect(document.activeElement?.tagName).toBe('H1');
    await press('ff');
    expect(useWizard.getState().filter).toBe('failing');
    expect(document.querySelectorAll('[data-step]')).toHaveLength(1);
    await press('n');
    expect(heading()).toMatch(/^Every directory server/);
  });

  it('runs every probe, and records what does not apply, but answers no question', async () => {
    const main = await startApp((fake) => fake.openWalk());
    await press('{Shift>}R{/Shift}');
    const runnable = useWizard
      .getState()
      .snapshot?.items.filter((item) => !item.applies || item.checks.length > 0)
      .map((item) => item.key);
    expect(inputs(main, 'walk.run')[0]?.keys).toEqual(runnable);
    expect(runnable?.length).toBeGreaterThan(20);
    // What does not apply counts as undecided until the journal says so.
    const inapplicable = useWizard.getState().snapshot?.items.filter((item) => !item.applies) ?? [];
    expect(inapplicable.length).toBeGreaterThan(0);
    for (const { key } of inapplicable) expect(useWizard.getState().session.items[key]?.verdict).toBe('not-applicable');
  });

  it('leaves letters alone while somebody types', async () => {
    const main = await startApp((fake) => fake.openWalk());
    useWizard.setState({ current: 'browser.supported' });
    await settle();
    await page.getByRole('textbox', { name: /^Note/ }).click();
    await press('jrn?');
    expect(heading()).toMatch(/^Browsers and tablets/);
    expect(inputs(main, 'walk.run')).toEqual([]);
    expect(useWizard.getState().help).toBe(false);
  });

  it('shows the shortcuts with ?, and starts nothing behind the dialog', async () => {
    const main = await startApp((fake) => fake.openWalk());
    await press('?');
    expect(document.querySelector('[role=dialog]')?.textContent).toContain('Run all checks');
    await press('r');
    expect(inputs(main, 'walk.run')).toEqual([]);
    await press('{Escape}');
    expect(document.querySelector('[role=dialog]')).toBeNull();
  });
});

describe('what main pushes', () => {
  it('shows a probe’s question until it is answered', async () => {
    const main = await startApp((fake) => fake.openWalk());
    main.push({ kind: 'ask', ask: 'a1', key: KEY, question: 'Send one test message.' });
    await settle();
    await press('{Escape}');
    expect(document.querySelector('[role=alertdialog]')?.textContent).toContain('Send one test message.');
    await page.getByRole('button', { name: 'I can’t' }).click();
    expect(inputs(main, 'walk.reply')).toEqual([{ ask: 'a1', yes: false }]);
    main.push({ kind: 'ask', ask: 'a2', key: KEY, question: 'Once more.' });
    await settle();
    await press('{Enter}');
    expect(inputs(main, 'walk.reply')[1]).toEqual({ ask: 'a2', yes: true });
    await settle();
    expect(document.querySelector('[role=alertdialog]')).toBeNull();
  });

  it('shows the live line of what runs, and cancels', async () => {
    const main = await startApp((fake) => fake.openWalk());
    main.push({ kind: 'running', running: true });
    main.push({ kind: 'progress', key: KEY, line: 'dc1.hospital.test: trying TLS 1.0', done: 3, total: 41 });
    await settle();
    expect(document.body.innerText).toContain('dc1.hospital.test: trying TLS 1.0');
    expect(document.body.innerText).toContain('3 of 41 done');
    await press('c');
    expect(inputs(main, 'walk.cancel')).toHaveLength(1);
  });

  it('fetches the journal again when a line is missing, and takes no line twice', async () => {
    const main = await startApp((fake) => fake.openWalk());
    const before = inputs(main, 'session.snapshot').length;
    const { last } = useWizard.getState().session;
    main.push({
      kind: 'journal',
      events: [
        {
          n: last + 2,
          at: '2026-11-23T10:20:00.000Z',
          prev: '0'.repeat(64),
          by: 'op-1',
          type: 'operator.joined',
          data: { id: 'op-2', name: 'Nobody', how: 'resumed' },
        },
      ],
    });
    await settle();
    expect(inputs(main, 'session.snapshot')).toHaveLength(before + 1);
    expect(useWizard.getState().session.operators.map((operator) => operator.name)).toEqual(['Erin Field']);
    main.push({
      kind: 'journal',
      events: [
        {
          n: 0,
          at: '2026-11-23T10:20:00.000Z',
          prev: '0'.repeat(64),
          by: 'op-1',
          type: 'operator.joined',
          data: { id: 'op-2', name: 'Nobody', how: 'resumed' },
        },
      ],
    });
    await settle();
    expect(useWizard.getState().session.operators).toHaveLength(1);
  });
});

describe('what a person records', () => {
  it('answers a question with a note and a file', async () => {
    const main = await startApp((fake) => fake.openWalk());
    useWizard.setState({ current: 'browser.supported' });
    await settle();
    await page.getByText('Compliant', { exact: true }).click();
    await page.getByRole('textbox', { name: /^Note/ }).fill('Policy BR-7, ring 2.');
    await page.getByRole('button', { name: 'Attach a file…' }).click();
    await until(() => document.body.innerText.includes('browser-policy.png'));
    await page.getByRole('button', { name: 'Record the answer' }).click();
    await until(() => document.body.innerText.includes('Recorded 23 Nov 2026'));
    expect(inputs(main, 'walk.answer')).toEqual([
      { key: 'browser.supported@site:st-anne', answer: 'compliant', note: 'Policy BR-7, ring 2.' },
    ]);
  });

  it('requests a waiver for a fail only', async () => {
    const main = await startApp(
      (fake) => (fake.openWalk(), fake.run([KEY, 'access.directory-names-and-clock@site:st-anne'])),
    );
    useWizard.setState({ current: 'access.directory-names-and-clock' });
    await settle();
    expect(document.body.innerText).not.toContain('Request a waiver');
    useWizard.setState({ current: 'access.directory-secure' });
    await settle();
    await page.getByRole('button', { name: 'Request a waiver…' }).click();
    await page.getByRole('textbox', { name: 'Why it cannot be met now' }).fill('Old monitors.');
    await page.getByRole('textbox', { name: 'What protects meanwhile' }).fill('Own segment.');
    await page.getByRole('button', { name: 'Request it' }).click();
    await until(() => document.body.innerText.includes('It counts once the hospital countersigns'));
    expect(inputs(main, 'walk.waive')[0]).toMatchObject({
      key: KEY,
      reason: 'Old monitors.',
      compensating: 'Own segment.',
    });
    // The fail stays a fail.
    expect(document.querySelector('article')?.textContent).toContain('Fail');
  });

  it('plans, applies and undoes a change; the password crosses once and leaves the page', async () => {
    const key = 'access.clinical-group@role:admin';
    const main = await startApp((fake) => (fake.openWalk(), fake.run([key])));
    useWizard.setState({ current: 'access.clinical-group' });
    await settle();
    const card = page.getByRole('article', { name: 'Administrator' });
    await card.getByRole('button', { name: 'Plan the change…' }).click();
    await until(() => document.body.innerText.includes('+objectClass: group'));
    await card.getByRole('textbox', { name: 'Ticket' }).fill('CHG-1');
    await card.getByRole('textbox', { name: 'Approved by' }).fill('Ada');
    await card.getByRole('textbox', { name: 'Write account' }).fill('svc-write');
    await card.getByLabelText('Its password').fill('Correct-horse-7');
    await card.getByRole('button', { name: 'Apply this plan' }).click();
    await until(() => document.body.innerText.includes('Read back: as planned'));
    expect(inputs(main, 'secret.put')).toEqual([{ value: 'Correct-horse-7' }]);
    expect(inputs(main, 'change.apply')[0]).toMatchObject({
      key,
      change: 'chg-1',
      ticket: 'CHG-1',
      approver: 'Ada',
      user: 'svc-write',
    });
    expect(JSON.stringify(inputs(main, 'change.apply'))).not.toContain('Correct-horse');
    expect(JSON.stringify(useWizard.getState())).not.toContain('Correct-horse');
    expect([...document.querySelectorAll('input')].map((input) => input.value)).not.toContain('Correct-horse-7');
    await card.getByRole('button', { name: 'Plan the undo…' }).click();
    await until(() => document.body.innerText.includes('Apply the undo'));
    expect(inputs(main, 'change.undo')).toEqual([{ key, change: 'chg-1' }]);
  });

  it('keeps to a window, and hands the plan to those who have the right', async () => {
    const key = 'access.clinical-group@role:admin';
    const main = await startApp((fake) => (fake.openWalk(), fake.run([key])));
    useWizard.setState({ current: 'access.clinical-group' });
    await settle();
    const card = page.getByRole('article', { name: 'Administrator' });
    await card.getByRole('button', { name: 'Plan the change…' }).click();
    await card.getByLabelText('Not before (optional)').fill('2026-11-24T20:00');
    await card.getByLabelText('Not after (optional)').fill('2026-11-24T22:30');
    await card.getByRole('button', { name: 'Hand it to the directory team…' }).click();
    await until(() => document.body.innerText.includes('Saved as hand-off.txt'));
    expect(inputs(main, 'change.handOff')).toEqual([{ key, change: 'chg-1' }]);
    await until(() => document.body.innerText.includes('Left to the hospital'));
    await card.getByRole('textbox', { name: 'Ticket' }).fill('CHG-1');
    await card.getByRole('textbox', { name: 'Approved by' }).fill('Ada');
    await card.getByRole('textbox', { name: 'Write account' }).fill('svc-write');
    await card.getByLabelText('Its password').fill('Correct-horse-7');
    await card.getByRole('button', { name: 'Apply this plan' }).click();
    await until(() => document.body.innerText.includes('Read back: as planned'));
    expect(inputs(main, 'change.apply')[0]).toMatchObject({
      notBefore: new Date('2026-11-24T20:00').toISOString(),
      notAfter: new Date('2026-11-24T22:30').toISOString(),
    });
  });

  it('finds out how a change ended that was cut off', async () => {
    const key = 'access.clinical-group@role:admin';
    const about = { key, change: 'chg-1' };
    const main = await startApp((fake) => {
      fake.openWalk();
      fake.run([key]);
      fake.append('change.planned', {
        ...about,
        kind: 'directory.create-group',
        summary: 'Creates a group.',
        diff: '',
        operations: [],
        undo: false,
      });
      fake.append('change.approved', { ...about, ticket: 'CHG-1', approver: 'Ada' });
      fake.append('change.preimage', { ...about, preImage: null });
    });
    useWizard.setState({ current: 'access.clinical-group' });
    await settle();
    const card = page.getByRole('article', { name: 'Administrator' });
    await expect.element(card.getByText('It is not known how this ended.')).toBeVisible();
    await expect.element(card.getByRole('button', { name: 'Plan the change…' })).not.toBeInTheDocument();
    await card.getByRole('button', { name: 'Find out how it ended' }).click();
    await until(() => document.body.innerText.includes('Read back: as planned'));
    expect(inputs(main, 'change.settle')).toEqual([about]);
    await expect.element(card.getByRole('button', { name: 'Plan the undo…' })).toBeVisible();
  });

  it('says what the site file lacks for a change, in the place of a button that could not work', async () => {
    await startApp((fake) => fake.openWalk());
    const { snapshot } = useWizard.getState();
    if (snapshot === undefined) throw new Error('no session is open');
    const lacks = 'The site file names no SSH access for the device pacs.';
    const items = snapshot.items.map((item) => {
      const { change } = item.control;
      return change === undefined ? item : { ...item, control: { ...item.control, change: { ...change, lacks } } };
    });
    useWizard.setState({ current: 'access.clinical-group', snapshot: { ...snapshot, items } });
    await settle();
    const card = page.getByRole('article', { name: 'Administrator' });
    await expect.element(card.getByText(`Lockstep could do this for you. ${lacks}`)).toBeVisible();
    await expect.element(card.getByRole('button', { name: 'Plan the change…' })).not.toBeInTheDocument();
  });

  it('offers no change under an untrusted guide', async () => {
    await startApp((fake) => {
      fake.readOnly = 'This guide is not signed, so Lockstep reads and changes nothing.';
      fake.openWalk();
    });
    useWizard.setState({ current: 'access.clinical-group' });
    await settle();
    await expect.element(page.getByRole('button', { name: 'Plan the change…' }).first()).toBeDisabled();
  });
});

describe('what goes wrong', () => {
  it('shows message, place, cause and who can fix it', async () => {
    const main = await startApp((fake) => fake.openWalk());
    main.fails(
      'walk.run',
      appError('journal.write', 'The journal cannot be written.', {
        place: '/data/journal.jsonl',
        cause: 'ENOSPC: no space left on device',
      }),
    );
    await press('r');
    const alert = document.querySelector('[role=alert]')?.textContent ?? '';
    for (const part of ['The journal cannot be written.', '/data/journal.jsonl', 'ENOSPC', 'You can fix this'])
      expect(alert).toContain(part);
    expect(useWizard.getState().running).toBe(false);
  });

  it('says so when main does not answer at all', async () => {
    const main = await startApp((fake) => fake.openWalk());
    main.answer('walk.run', () => Promise.reject(new Error('the channel is closed')));
    await press('r');
    expect(document.querySelector('[role=alert]')?.textContent).toContain('the channel is closed');
  });

  it('keeps a wrong passphrase on the page that asked for it, with an empty field', async () => {
    const main = await startApp((fake) => fake.openWalk());
    main.fails('bundle.seal', appError('identity.passphrase', 'The passphrase does not open this identity.'));
    useWizard.setState({ page: 'sign' });
    await settle();
    await page.getByText(/Erin Field, O=/).click();
    await page.getByLabelText('Passphrase of the identity').fill('wrong');
    await page.getByRole('button', { name: 'Seal and sign', exact: true }).click();
    await until(() => document.body.innerText.includes('does not open this identity'));
    expect(document.querySelector<HTMLInputElement>('input[type=password]')?.value).toBe('');
    expect(useWizard.getState().sealed).toBeUndefined();
  });
});

describe('the road from guide to done', () => {
  it('is walked from the start page to a verified bundle', async () => {
    const main = await startApp((fake) => {
      fake.trust = 'untrusted';
      fake.supplied = false;
    });
    await page.getByRole('button', { name: /^Hardening the MDIP/ }).click();
    await page.getByRole('button', { name: 'Trust this publisher' }).click();
    await page.getByRole('button', { name: 'Use this guide' }).click();
    await page.getByRole('button', { name: /^Choose: / }).click();
    await page.getByRole('textbox', { name: 'Your name' }).fill('Erin Field');
    await page.getByRole('button', { name: 'Start the session' }).click();
    await page.getByLabelText(/svc-lockstep/).fill('Bind-me-5');
    await page.getByRole('button', { name: 'Supply' }).click();
    await page.getByRole('button', { name: 'Continue', exact: true }).click();
    await page.getByRole('button', { name: /Read the version/ }).click();
    await page.getByRole('button', { name: 'Accept and start the walk' }).click();
    await until(() => useWizard.getState().page === 'walk');
    await press('{Shift>}R{/Shift}');
    await page.getByRole('button', { name: 'Review and sign' }).click();
    expect(document.body.innerText).toContain('At least one item fails');
    await page.getByRole('button', { name: 'Seal and sign' }).click();
    await page.getByText(/Erin Field, O=/).click();
    await page.getByLabelText('Passphrase of the identity').fill('engineer');
    await page.getByRole('button', { name: 'Seal and sign', exact: true }).click();
    await until(() => document.body.innerText.includes('Provisional: one signature is missing.'));
    await page.getByText(/Head of Clinical IT, O=/).click();
    await page.getByRole('textbox', { name: 'Role of who countersigns' }).fill('Head of IT');
    await page.getByLabelText('Passphrase of the identity').fill('hospital');
    await page.getByRole('button', { name: 'Countersign', exact: true }).click();
    await page.getByRole('button', { name: 'To the bundle' }).click();
    await page.getByRole('button', { name: 'Verify it here' }).click();
    await until(() => document.body.innerText.includes('Nothing was altered'));
    expect(document.body.innerText).toContain('signature002.p7s');
    expect(main.calls.map((call) => call.channel)).toContain('bundle.verify');
    for (const secret of ['Bind-me-5', 'engineer', 'hospital'])
      expect(inputs(main, 'secret.put')).toContainEqual({ value: secret });
    expect(inputs(main, 'secret.put')).toHaveLength(3);
  }, 30_000);
});
