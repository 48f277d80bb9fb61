/// <reference types="vite/client" />
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { page } from 'vitest/browser';
import { appError } from '../../core/result.ts';
import { useWizard } from '../../renderer/store.ts';
import { BASELINE, file, type FakeMain, SEALED } from './support/fake-bridge.ts';
import { axeFaults, setTheme, settle, startApp, stopApp, type Theme, until } from './support/render.tsx';
import { practiceGuide, practiceSite } from './support/practice-views.ts';

/** Name a folder inside the project in VITE_LOCKSTEP_SCREENS to keep a picture of every screen, to be looked at. */
const PICTURES = import.meta.env.VITE_LOCKSTEP_SCREENS as string | undefined;

function walked(main: FakeMain): void {
  main.openWalk();
  main.run(main.keys.filter((key) => !key.startsWith('web.') && !key.startsWith('audit.')));
  main.append('waived', {
    key: 'network.ports@device:mdip-1',
    reason: 'The service port is needed until release 3.4.',
    compensating: 'The ward firewall blocks it from everywhere but the service VLAN.',
    until: '2027-02-28T23:59:59.000Z',
  });
}

type Screen = {
  readonly name: string;
  readonly prepare?: (main: FakeMain) => void;
  readonly then?: (main: FakeMain) => Promise<void> | void;
  readonly sees: string;
};

const click = async (name: string | RegExp): Promise<void> => {
  await page.getByRole('button', { name }).first().click();
  await settle();
};
const show = (state: Partial<ReturnType<typeof useWizard.getState>>) => () => useWizard.setState(state);

const SCREENS: readonly Screen[] = [
  { name: 'start', sees: 'Hardening the MDIP 3.3' },
  {
    name: 'start-empty',
    prepare: (main) => (
      main.answer('library.list', () => ({ guides: [], sites: [] })), main.answer('session.list', () => [])
    ),
    sees: 'No guides are installed',
  },
  {
    name: 'start-failed',
    prepare: (main) =>
      main.fails(
        'library.list',
        appError('input.not-found', 'The guide library cannot be read.', {
          place: '/opt/lockstep/guides',
          cause: 'EACCES: permission denied',
        }),
      ),
    sees: 'EACCES',
  },
  { name: 'guide-trusted', then: () => click(/Hardening the MDIP/), sees: 'Use this guide' },
  {
    name: 'guide-untrusted',
    prepare: (main) => (main.trust = 'untrusted'),
    then: () => click(/Hardening the MDIP/),
    sees: 'Trust this publisher',
  },
  {
    name: 'guide-unsigned',
    prepare: (main) => (main.trust = 'unsigned'),
    then: () => click(/Hardening the MDIP/),
    sees: 'Nobody signed it',
  },
  { name: 'resume', then: () => click(/St\. Anne/), sees: 'Your name' },
  { name: 'take-over', then: () => click('Take a session over…'), sees: 'All of it is checked first' },
  {
    name: 'hand-over',
    prepare: walked,
    then: () => click('Hand this session over'),
    sees: 'Nothing more can be recorded on this laptop',
  },
  {
    name: 'start-handed-over',
    then: show({ handed: { name: 'session.p7m', to: 'whoever knows the passphrase' } }),
    sees: 'Handed over as session.p7m',
  },
  {
    name: 'site-empty',
    then: show({ page: 'site', guide: { file: file('g'), view: practiceGuide() } }),
    sees: 'No site chosen',
  },
  {
    name: 'site',
    then: show({
      page: 'site',
      guide: { file: file('g'), view: practiceGuide() },
      site: { file: file('s'), view: practiceSite() },
    }),
    sees: 'svc-lockstep@hospital.test',
  },
  {
    name: 'site-faults',
    prepare: (main) =>
      main.fails(
        'site.load',
        appError('site.invalid', 'The site file has 3 faults.', {
          place: '/home/erin/sites/st-anne.yaml',
          cause: [
            '/home/erin/sites/st-anne.yaml:12:11 directory.servers.0.ldaps: Too big: expected number to be <=65535',
            '/home/erin/sites/st-anne.yaml:31:5 devices.0: unknown key "passwrd"',
            '/home/erin/sites/st-anne.yaml:44:7 links.1.client.device: use lower-case letters, digits, dots and dashes',
          ].join('\n'),
        }),
      ),
    then: async () => {
      useWizard.setState({ page: 'site', guide: { file: file('g'), view: practiceGuide() } });
      await settle();
      await click(/Open a site file/);
    },
    sees: 'unknown key "passwrd"',
  },
  {
    name: 'secrets',
    prepare: (main) => ((main.supplied = false), main.open()),
    then: show({ page: 'site' }),
    sees: 'Supplied',
  },
  {
    name: 'secrets-key',
    prepare: (main) => ((main.people = { keyed: false, asking: [] }), main.open()),
    then: async () => {
      useWizard.setState({ page: 'site' });
      await settle();
      await click(/Make a new key/);
      document.querySelector('[aria-label="New site key"]')?.scrollIntoView({ block: 'center' });
    },
    sees: 'Lockstep keeps no copy',
  },
  {
    name: 'secrets-compared',
    prepare: (main) => (main.open(), main.append('baseline.chosen', { ...BASELINE, provisional: true })),
    then: async () => {
      useWizard.setState({ page: 'site' });
      await settle();
      [...document.querySelectorAll('h2')].find((each) => /Compare/.test(each.innerText))?.scrollIntoView();
    },
    sees: 'have not both signed it',
  },
  {
    name: 'gate-names',
    prepare: (main) => (
      (main.people = {
        keyed: true,
        asking: [
          {
            key: 'access.separation-of-duties@site:st-anne',
            title: 'Nobody holds two roles that are to be kept apart',
            target: 'St. Anne’s Hospital',
          },
        ],
      }),
      main.open()
    ),
    then: async () => {
      await click('Agree to names');
      document.querySelector('[data-pane]')?.scrollTo(0, 400);
    },
    sees: 'You agreed',
  },
  { name: 'gate', prepare: (main) => main.open(), sees: 'Read the version from the device' },
  { name: 'gate-in-range', prepare: (main) => main.open(), then: () => click(/Read the version/), sees: 'In range' },
  {
    name: 'gate-outside',
    prepare: (main) => {
      main.open();
      main.append('gate.checked', {
        basis: 'typed',
        version: '3.5.0',
        range: '>=3.3.0 <3.4.0',
        inRange: false,
        overridden: false,
        reason: 'The device did not answer: connect ETIMEDOUT mdip1.hospital.test:8443',
      });
    },
    sees: 'Go on outside the range',
  },
  { name: 'walk-fresh', prepare: (main) => main.openWalk(), sees: 'Nothing ran yet' },
  { name: 'walk', prepare: walked, then: show({ current: 'access.clinical-group' }), sees: 'Domain Users' },
  {
    name: 'walk-changed',
    prepare: walked,
    then: async () => {
      useWizard.setState({ current: 'access.separation-of-duties' });
      await settle();
      await click(/What was seen/);
      [...document.querySelectorAll('h5')][0]?.scrollIntoView();
    },
    sees: '2 people joined and 1 left since 2026-10-01',
  },
  {
    name: 'walk-seen',
    prepare: walked,
    then: async () => {
      useWizard.setState({ current: 'access.clinical-group' });
      await settle();
      await click(/What was seen/);
      document.querySelector('[aria-label="Findings"]')?.scrollIntoView();
    },
    sees: 'Near matches',
  },
  {
    name: 'walk-change',
    prepare: (main) => {
      walked(main);
      main.append('change.planned', {
        key: 'access.clinical-group@role:admin',
        change: 'chg-1',
        kind: 'directory.create-group',
        summary: 'Creates the empty global security group MDIP-Admins.',
        diff: 'dn: CN=MDIP-Admins,CN=Users,DC=hospital,DC=test\n+changetype: add\n+objectClass: group\n+cn: MDIP-Admins\n+sAMAccountName: MDIP-Admins\n+groupType: -2147483646\n',
        operations: [],
        undo: false,
      });
    },
    then: async () => {
      useWizard.setState({ current: 'access.clinical-group' });
      await settle();
      document.querySelector('[data-change] [role=group]')?.closest('article')?.scrollIntoView();
    },
    sees: 'Apply this plan',
  },
  {
    name: 'walk-change-cut-off',
    prepare: (main) => {
      walked(main);
      const about = { key: 'access.clinical-group@role:admin', change: 'chg-1' };
      main.append('change.planned', {
        ...about,
        kind: 'directory.create-group',
        summary: 'Creates the empty global security group MDIP-Admins.',
        diff: '',
        operations: [],
        undo: false,
      });
      const notAfter = '2026-11-24T22:30:00.000Z';
      main.append('change.approved', { ...about, ticket: 'CHG-10442', approver: 'Ada Lee', notAfter });
      main.append('change.preimage', { ...about, preImage: null });
      main.append('deferred', { key: about.key, to: 'hospital', note: 'Handed to the directory team as plan.txt.' });
    },
    then: async () => {
      useWizard.setState({ current: 'access.clinical-group' });
      await settle();
      document.querySelector('[data-change] [role=group]')?.closest('article')?.scrollIntoView();
    },
    sees: 'Find out how it ended',
  },
  {
    name: 'walk-link',
    prepare: walked,
    then: show({ current: 'link.emr.authenticated' }),
    sees: 'The device sent data to an impostor',
  },
  { name: 'walk-manual', prepare: walked, then: show({ current: 'browser.supported' }), sees: 'Record the answer' },
  {
    name: 'walk-error',
    prepare: walked,
    then: show({ current: 'certificate.emr-server', filter: 'todo' }),
    sees: 'ECONNREFUSED',
  },
  { name: 'walk-waived', prepare: walked, then: show({ current: 'network.ports' }), sees: 'Waiver requested' },
  {
    name: 'walk-running',
    prepare: (main) => main.openWalk(),
    then: (main) => {
      useWizard.setState({ current: 'access.clinical-group' });
      main.push({ kind: 'running', running: true });
      main.push({
        kind: 'progress',
        key: 'access.clinical-group@role:clinical',
        line: 'MDIP-Clinical: read 800 of 2184 members',
        done: 7,
        total: 41,
      });
    },
    sees: 'read 800 of 2184',
  },
  {
    name: 'walk-readonly',
    prepare: (main) => {
      main.readOnly =
        'This guide is signed by a publisher whom you have not approved, so Lockstep reads and changes nothing.';
      main.supplied = false;
      walked(main);
    },
    sees: 'Read-only',
  },
  {
    name: 'ask',
    prepare: walked,
    then: (main) =>
      main.push({
        kind: 'ask',
        ask: 'a1',
        key: 'link.emr.device-refuses-impostor@link:emr-vitals',
        question: 'Point the MDIP gateway at 127.20.0.40 port 2576 and send one test message.',
      }),
    sees: 'send one test message',
  },
  {
    name: 'ask-free',
    prepare: walked,
    then: (main) =>
      main.push({
        kind: 'ask',
        ask: 'a2',
        key: 'link.emr.device-refuses-impostor@link:emr-vitals',
        about: 'free',
        question: 'Is the device free, and nobody treated with it now?',
        until: new Date(Date.now() + 600_000).toISOString(),
        otherwise: 'the device is left alone, and this check ends as an error',
      }),
    sees: 'Without a yes in this time the device is left alone',
  },
  {
    name: 'ask-confirm-late',
    prepare: walked,
    then: (main) =>
      main.push({
        kind: 'ask',
        ask: 'a3',
        key: 'network.ports@device:mdip-1',
        about: 'confirm',
        question: '/etc/ssh/sshd_config was changed, and a new connection to mdip-1 works. Keep the change?',
        until: new Date(Date.now() + 9_000).toISOString(),
        otherwise: 'the device puts the old version back by itself',
      }),
    sees: 'Without a yes in this time the device puts the old version back by itself',
  },
  {
    name: 'waiver',
    prepare: walked,
    then: async () => {
      useWizard.setState({ current: 'access.directory-secure' });
      await settle();
      await click(/Request a waiver/);
    },
    sees: 'What protects meanwhile',
  },
  { name: 'help', prepare: walked, then: show({ help: true }), sees: 'Run all checks' },
  { name: 'review', prepare: walked, then: show({ page: 'review' }), sees: 'Who must act' },
  {
    name: 'sign',
    prepare: walked,
    then: async () => (show({ page: 'sign' })(), await settle(), await page.getByText(/Erin Field, O=/).click()),
    sees: 'Passphrase of the identity',
  },
  {
    name: 'countersign',
    prepare: walked,
    then: show({ page: 'sign', sealed: SEALED }),
    sees: 'Provisional: one signature is missing',
  },
  {
    name: 'done',
    prepare: walked,
    then: async () => (
      show({ page: 'done', sealed: { ...SEALED, provisional: false } })(), await settle(), await click(/Verify it here/)
    ),
    sees: 'Sound',
  },
  {
    name: 'done-provisional',
    prepare: walked,
    then: show({ page: 'done', sealed: SEALED }),
    sees: 'openssl cms -verify',
  },
  {
    name: 'verify-bad',
    prepare: (main) =>
      main.answer('bundle.verify', () => ({
        sound: false,
        complete: false,
        findings: [
          {
            severity: 'bad',
            code: 'digest.differs',
            sentence: 'facts/17.json is not the file that was sealed.',
            place: 'facts/17.json',
          },
          {
            severity: 'bad',
            code: 'signature.broken',
            sentence: 'The engineer’s signature does not fit its manifest.',
          },
        ],
        signers: [],
        waivers: [],
      })),
    then: show({ page: 'verify', bundle: file('st-anne.asice') }),
    sees: 'Not sound',
  },
  {
    name: 'verify-provisional',
    prepare: (main) =>
      main.answer('bundle.verify', () => ({
        sound: false,
        complete: true,
        findings: [
          {
            severity: 'warn',
            code: 'provisional',
            sentence: 'This bundle is provisional: the engineer and the hospital have not both signed it.',
          },
        ],
        signers: [{ role: 'engineer', subject: 'CN=PRACTICE Erin Field', at: '2026-11-23T11:02:00.000Z' }],
        waivers: [
          {
            key: 'network.ports@device:mdip-1',
            reason: 'The vendor needs port 22 until the update in March.',
            compensating: 'The firewall lets in one address.',
            until: '2027-03-31T00:00:00.000Z',
          },
        ],
      })),
    then: show({ page: 'verify', bundle: file('st-anne.asice') }),
    sees: 'Countersign for the hospital',
  },
  {
    name: 'countersign-elsewhere',
    prepare: walked,
    then: async () => {
      show({ page: 'sign', sealed: SEALED })();
      await settle();
      await page.getByText('on another machine').click();
    },
    sees: 'Write what is to be signed',
  },
  { name: 'verify-empty', then: show({ page: 'verify' }), sees: 'No bundle chosen' },
];

describe.each<Theme>(['light', 'dark'])('every screen, %s', (theme) => {
  beforeAll(async () => {
    await page.viewport(1280, 800);
    await setTheme(theme);
  });
  afterEach(stopApp);

  it.each(SCREENS)('$name shows what it should, and axe finds nothing', async ({ name, prepare, then, sees }) => {
    const main = await startApp(prepare);
    await then?.(main);
    await settle();
    await until(() => document.body.innerText.includes(sees), 3000);
    if (PICTURES !== undefined) await page.screenshot({ path: `${PICTURES}/${theme}-${name}.png` });
    expect((await axeFaults()).join('\n')).toBe('');
  });
});

describe('the smallest window', () => {
  afterEach(stopApp);

  it.each(SCREENS)('$name does not scroll sideways at 1000 by 700', async ({ name, prepare, then }) => {
    await page.viewport(1000, 700);
    await setTheme('light');
    const main = await startApp(prepare);
    await then?.(main);
    await settle();
    if (PICTURES !== undefined) await page.screenshot({ path: `${PICTURES}/small-${name}.png` });
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(1000);
    const wide = [...document.querySelectorAll<HTMLElement>('[data-pane], [role=dialog] > div')].filter(
      (pane) => pane.scrollWidth > pane.clientWidth + 1,
    );
    expect(wide).toEqual([]);
  });
});
