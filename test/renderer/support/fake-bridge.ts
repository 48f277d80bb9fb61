import type {
  AskedWaiver,
  Bridge,
  Channel,
  FileRef,
  IdentityView,
  Input,
  Output,
  Outputs,
  PeopleView,
  Push,
  SealedView,
  Snapshot,
} from '../../../core/ipc.ts';
import type { LinkView } from '../../../core/report/link-picture.ts';
import { INPUTS } from '../../../core/ipc.ts';
import { appError, fail, ok, type AppError } from '../../../core/result.ts';
import type { EventData, EventType, JournalEvent } from '../../../core/session/events.ts';
import { JOURNAL_FORMAT, parseEvent } from '../../../core/session/events.ts';
import { DIGEST, practiceGuide, practiceItems, practiceSite } from './practice-views.ts';
import { factsOf, GATE, OUTCOMES, PLAN_LDIF } from './practice-outcomes.ts';

const SESSION = '0b6f1d52-9c4e-4a7b-8f10-2d3c4b5a6978';
const START = Date.parse('2026-11-23T10:15:00.000Z');

export type Call = { readonly channel: Channel; readonly input: unknown };
type Answers = { [C in Channel]?: (input: never) => Outputs[C] | AppError | Promise<Outputs[C] | AppError> };

/** Main's side of the bridge, kept in the test: a real journal of checked events, every input checked by the contract. */
export type FakeMain = {
  readonly bridge: Bridge;
  readonly calls: Call[];
  readonly push: (push: Push) => void;
  readonly append: <T extends EventType>(type: T, data: EventData<T>) => void;
  /** Makes a channel answer otherwise from now on. */
  readonly answer: <C extends Channel>(
    channel: C,
    answer: (input: Input<C>) => Outputs[C] | AppError | Promise<Outputs[C] | AppError>,
  ) => void;
  readonly fails: (channel: Channel, error?: AppError) => void;
  readonly open: () => void;
  /** Opens a session that is through gate and preflight. */
  readonly openWalk: () => void;
  readonly run: (keys: readonly string[]) => void;
  readonly keys: readonly string[];
  trust: 'trusted' | 'untrusted' | 'unsigned';
  supplied: boolean;
  people: PeopleView;
  readOnly?: string;
};

export const file = (name: string): FileRef => ({
  handle: `h-${Array.from(name)
    .reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) >>> 0, 7)
    .toString(16)
    .padStart(32, '0')}`,
  name,
});

export const IDENTITIES: readonly IdentityView[] = [
  {
    file: file('practice-engineer.p12'),
    subject: 'CN=PRACTICE Erin Field, O=Example Medical Systems',
    role: 'engineer',
    practice: true,
    needsPassphrase: true,
  },
  {
    file: file('practice-hospital.p12'),
    subject: 'CN=PRACTICE Head of Clinical IT, O=St. Anne’s Hospital',
    role: 'hospital',
    practice: true,
    needsPassphrase: true,
  },
];

/** What sealing answers. */
export const SEALED: SealedView = {
  bundle: file('st-anne-reference-mdip-2026-11-23.asice'),
  path: '/home/erin/Lockstep/bundles/st-anne-reference-mdip-2026-11-23.asice',
  provisional: true,
  sha256: DIGEST.bundle,
  waivers: [],
  accepted: [],
};
/** What was seen of a link that is encrypted and proves nothing to the device. */
const LINK: LinkView = {
  state: 'encrypted-only',
  sentence: 'Encrypted, but not authenticated.',
  ends: {
    server: { status: 'observed', sentence: 'The server proves itself with a certificate that the device can check.' },
    client: { status: 'not-tested', sentence: 'tls.client-authentication was not run.' },
    device: { status: 'refuted', sentence: 'The device sent data to an impostor.' },
  },
  requires: ['server', 'device'],
};
const STAMP = { time: '2026-11-23T11:30:00.000Z', authority: 'PRACTICE time-stamp authority', sha256: DIGEST.site };

const KEY_ID = '5f0c3a9e17b2d648';
/** The bundle that a session is compared with. */
export const BASELINE: EventData<'baseline.chosen'> = {
  bundle: DIGEST.bundle,
  session: '7c1f0d5e-2a3b-4c4d-8e5f-6a7b8c9d0e1f',
  guide: '3.3.0',
  lastAt: '2026-10-01T14:20:00.000Z',
  provisional: false,
  keyId: KEY_ID,
  facts: DIGEST.site,
};

export function fakeMain(): FakeMain {
  const items = practiceItems();
  const calls: Call[] = [];
  let listeners: ((push: Push) => void)[] = [];
  let events: JournalEvent[] = [];
  let isOpen = false;
  let handles = 0;

  function append<T extends EventType>(type: T, data: EventData<T>): void {
    const n = events.length;
    const event = parseEvent({
      n,
      at: new Date(START + n * 1700).toISOString(),
      prev: '0'.repeat(64),
      by: 'op-1',
      type,
      data: JSON.parse(JSON.stringify(data)),
    });
    events = [...events, event];
    push({ kind: 'journal', events: [event] });
  }
  function push(value: Push): void {
    for (const listener of listeners) listener(value);
  }
  function open(): void {
    events = [];
    isOpen = true;
    append('session.opened', {
      format: JOURNAL_FORMAT,
      session: SESSION,
      lockstep: '0.1.0',
      guide: { id: 'reference-mdip', version: '3.3.0', sha256: DIGEST.guide, trust: main.trust },
      site: { id: 'st-anne', name: 'St. Anne’s Hospital', sha256: DIGEST.site, practice: true },
      operator: { id: 'op-1', name: 'Erin Field' },
      runtime: { node: '24' },
    });
  }
  function run(keys: readonly string[]): void {
    for (const key of keys) {
      const item = items.find((entry) => entry.key === key);
      if (item === undefined) throw new Error(`the plan has no item ${key}`);
      const outcome = OUTCOMES[key] ??
        OUTCOMES[item.control.id] ?? {
          verdict: item.control.manual === undefined ? ('pass' as const) : ('not-reviewed' as const),
          findings: [],
          goodUntil: '2027-02-21T10:21:40.000Z',
        };
      if (!item.applies) {
        const { id, revision } = item.control;
        append('judged', {
          key,
          control: id,
          revision,
          target: item.target,
          verdict: 'not-applicable',
          findings: [{ verdict: 'not-applicable', sentence: 'The site lists nothing for it.', severity: 'high' }],
          basis: [],
        });
        continue;
      }
      item.checks.forEach((check, index) => {
        append('probe.started', { key, check: index, probe: check.probe, params: {} });
        if (outcome.error === undefined)
          append('facts.recorded', {
            key,
            check: index,
            probe: check.probe,
            file: `facts/${events.length}.json`,
            sha256: DIGEST.site,
          });
        else append('probe.failed', { key, check: index, probe: check.probe, error: outcome.error });
      });
      append('judged', {
        key,
        control: item.control.id,
        revision: item.control.revision,
        target: item.target,
        verdict: outcome.verdict,
        findings: [...outcome.findings],
        basis: [],
        ...(outcome.goodUntil === undefined ? {} : { goodUntil: outcome.goodUntil }),
      });
    }
  }
  const asked = (): AskedWaiver[] =>
    events.flatMap(({ type, data }) => (type === 'waived' ? [data as AskedWaiver] : []));
  const snapshot = (): Snapshot => ({
    session: SESSION,
    guide: practiceGuide(main.trust),
    site: practiceSite(),
    items,
    events,
    secrets: [
      {
        name: 'directory-bind',
        purpose: 'Password of svc-lockstep@hospital.test, to read the directory',
        supplied: main.supplied,
      },
      { name: 'mdip-admin', purpose: 'Password of admin on MDIP gateway, ICU', supplied: true },
    ],
    running: false,
    people: main.people,
    notices: [],
    ...(main.readOnly === undefined ? {} : { readOnly: main.readOnly }),
  });

  const answers: Answers = {
    'app.info': () => ({ version: '0.1.0', runtime: {}, practice: true, platform: 'linux' }),
    'library.list': () => ({
      guides: [
        {
          file: file('reference-mdip.asice'),
          title: 'Hardening the MDIP 3.3',
          product: 'Example Medical Systems MDIP, versions >=3.3.0 <3.4.0',
          trust: main.trust,
          practice: true,
        },
        {
          file: file('orthanc.asice'),
          title: 'Hardening Orthanc 1.10 to 1.12',
          product: 'Orthanc, versions >=1.10.0 <1.13.0',
          trust: 'untrusted',
          practice: false,
        },
        {
          file: file('draft.yaml'),
          title: 'Infusion manager (draft)',
          product: 'Example Medical Systems IM, versions >=2.0.0',
          trust: 'unsigned',
          practice: false,
        },
      ],
      sites: [{ file: file('practice.site.yaml'), name: 'St. Anne’s Hospital', practice: true }],
    }),
    'file.choose': (input: Input<'file.choose'>) => file(`chosen.${input.kind}`),
    'guide.load': () => practiceGuide(main.trust),
    'publisher.pin': () => {
      main.trust = 'trusted';
      return null;
    },
    'publisher.unpin': () => {
      main.trust = 'untrusted';
      return null;
    },
    'site.load': () => practiceSite(),
    'session.list': () => [
      {
        session: SESSION,
        guide: 'Hardening the MDIP 3.3',
        site: 'St. Anne’s Hospital',
        operator: 'Erin Field',
        openedAt: '2026-11-23T10:15:00.000Z',
        events: 118,
        sealed: false,
      },
      {
        session: 'c5a1e2b3-7d64-4f80-9a1b-3c2d1e0f9a8b',
        guide: 'Hardening Orthanc 1.10 to 1.12',
        site: 'North Clinic',
        operator: 'Sam Okafor',
        openedAt: '2026-08-04T08:02:00.000Z',
        events: 342,
        sealed: true,
      },
    ],
    'session.open': () => {
      open();
      return snapshot();
    },
    'session.resume': () => {
      if (!isOpen) openWalk();
      return snapshot();
    },
    'session.snapshot': () => (isOpen ? snapshot() : null),
    'session.close': () => {
      isOpen = false;
      return null;
    },
    'session.handOver': (input: Input<'session.handOver'>) => {
      isOpen = false;
      return { name: 'session.p7m', to: 'secret' in input.to ? 'whoever knows the passphrase' : 'CN=Night shift' };
    },
    'session.takeOver': () => {
      openWalk();
      append('operator.joined', { id: 'op-2', name: 'Otto Night', how: 'taken-over' });
      return { session: SESSION, operators: ['Erin Field', 'Otto Night'], notices: [] };
    },
    'secret.put': () => ({
      handle: `h-${(++handles).toString(16).padStart(32, '0')}`,
      expiresAt: '2026-11-23T11:00:00.000Z',
    }),
    'secret.supply': () => {
      main.supplied = true;
      return null;
    },
    'people.key': () => {
      append('people.keyed', { keyId: KEY_ID });
      main.people = { ...main.people, keyed: true };
      return { keyId: KEY_ID };
    },
    'people.names': (input: Input<'people.names'>) => {
      append('people.names', { ...input, asking: main.people.asking.map(({ key }) => key) });
      return null;
    },
    'baseline.choose': () => {
      append('baseline.chosen', BASELINE);
      return null;
    },
    'gate.check': (input: Input<'gate.check'>) => {
      const gate: EventData<'gate.checked'> =
        input.typed === undefined
          ? GATE
          : { ...GATE, basis: 'typed', version: input.typed, inRange: input.typed.startsWith('3.3.') };
      append(
        'gate.checked',
        input.overrideReason === undefined ? gate : { ...gate, reason: input.overrideReason, overridden: true },
      );
      return { inRange: gate.inRange };
    },
    'preflight.accept': () => {
      append('preflight.accepted', { visible: [] });
      return null;
    },
    'walk.run': (input: Input<'walk.run'>) => {
      run(input.keys);
      return { finished: input.keys.length, cancelled: false };
    },
    'walk.cancel': () => null,
    'walk.reply': () => null,
    'walk.answer': (input: Input<'walk.answer'>) => {
      append('answered', {
        ...input,
        attachments: events.flatMap((event) =>
          event.type === 'attached' && event.data.key === input.key ? [event.data.sha256] : [],
        ),
      });
      const item = items.find((entry) => entry.key === input.key);
      if (item !== undefined)
        append('judged', {
          key: input.key,
          control: item.control.id,
          revision: 1,
          target: item.target,
          verdict: input.answer === 'no' ? 'fail' : 'pass',
          findings: [],
          basis: [],
        });
      return null;
    },
    'walk.attach': (input: Input<'walk.attach'>) => {
      append('attached', {
        key: input.key,
        sha256: DIGEST.site,
        file: 'attachments/a.png',
        name: 'browser-policy.png',
        mediaType: 'image/png',
        size: 1200,
      });
      return { name: 'browser-policy.png', sha256: DIGEST.site };
    },
    'walk.attachPicture': (input: Input<'walk.attachPicture'>) => {
      append('attached', {
        key: input.key,
        sha256: DIGEST.bundle,
        file: 'attachments/b.png',
        name: 'rack.png',
        mediaType: 'image/png',
        size: input.redacted?.length ?? 1200,
        redacted: { from: DIGEST.site, boxes: input.boxes, kept: input.keepOriginal },
      });
      return { name: 'rack.png', sha256: DIGEST.bundle };
    },
    'walk.waive': (input: Input<'walk.waive'>) => {
      append('waived', input);
      return null;
    },
    'facts.read': (input: Input<'facts.read'>) => factsOf(input.key),
    'facts.link': () => LINK,
    'change.plan': (input: Input<'change.plan'>) => {
      append('change.planned', {
        key: input.key,
        change: 'chg-1',
        kind: 'directory.create-group',
        summary: 'Creates the empty global security group MDIP-Admins.',
        diff: PLAN_LDIF,
        operations: [],
        undo: false,
      });
      return {
        change: 'chg-1',
        kind: 'directory.create-group',
        summary: '',
        diff: PLAN_LDIF,
        undo: false,
        visible: [],
        rights: '',
      };
    },
    'change.apply': (input: Input<'change.apply'>) => {
      const { key, change } = input;
      append('change.approved', { key, change, ticket: input.ticket, approver: input.approver });
      append('change.preimage', { key, change, preImage: null });
      append('change.applied', { key, change });
      append('change.readback', { key, change, asPlanned: true, differences: [], state: {} });
      return { asPlanned: true, differences: [] };
    },
    'change.settle': (input: Input<'change.settle'>) => {
      append('change.readback', { ...input, asPlanned: true, differences: [], state: {} });
      return { written: true, asPlanned: true, differences: [] };
    },
    'change.handOff': (input: Input<'change.handOff'>) => {
      append('deferred', { key: input.key, to: 'hospital', note: 'Handed to the directory team as hand-off.txt.' });
      return { name: 'hand-off.txt' };
    },
    'certificate.handOff': (input: Input<'certificate.handOff'>) => {
      append('deferred', { key: input.key, to: 'hospital', note: 'The request went out as mdip-1.csr (chg-1).' });
      return { names: ['mdip-1.csr', 'mdip-1-README.txt'] };
    },
    'certificate.import': (input: Input<'certificate.import'>) => {
      append('change.planned', {
        key: input.key,
        change: 'chg-2',
        kind: 'certificate.enroll',
        summary: 'Install the certificate.',
        diff: '+ mdip-1:443: CN=mdip-1\n# good     It is for the key of the request.\n',
        operations: { do: 'deploy', made: 'here' },
        undo: false,
      });
      return null;
    },
    'certificate.anchors': () => ({ names: ['mdip-1-trust-anchor.crt'] }),
    'change.undo': (input: Input<'change.undo'>) => {
      append('change.planned', {
        key: input.key,
        change: 'chg-2',
        kind: 'directory.create-group',
        summary: 'Deletes the group MDIP-Admins, which is still empty.',
        diff: PLAN_LDIF.replaceAll('+', '-'),
        operations: [],
        undo: true,
        undoOf: input.change,
      });
      return {
        change: 'chg-2',
        kind: 'directory.create-group',
        summary: '',
        diff: '',
        undo: true,
        visible: [],
        rights: '',
      };
    },
    'identity.list': () => IDENTITIES,
    'identity.unlock': () => ({ subject: 'CN=PRACTICE', issuer: 'CN=PRACTICE', notAfter: '2028-01-01T00:00:00.000Z' }),
    'identity.signOpening': () => null,
    'bundle.seal': () => {
      append('sealed', { upTo: events.length - 1, file: SEALED.bundle.name, sha256: SEALED.sha256 });
      return { ...SEALED, waivers: asked() };
    },
    'bundle.countersign': (input: Input<'bundle.countersign'>) => ({
      ...SEALED,
      provisional: false,
      waivers: asked(),
      accepted: input.accept,
    }),
    'bundle.list': () => events.flatMap((event) => (event.type === 'sealed' ? [{ ...SEALED, waivers: asked() }] : [])),
    'bundle.encrypt': () => ({ name: `${SEALED.bundle.name}.p7m`, recipients: ['CN=Archive'] }),
    'bundle.decrypt': () => file('opened.asice'),
    'report.save': ({ report }: Input<'report.save'>) => ({ name: `st-anne-${report}` }),
    'timestamp.ask': () => STAMP,
    'timestamp.query': () => ({ name: 'st-anne.tsq' }),
    'timestamp.answer': () => STAMP,
    'outside.prepare': () => ({ folder: '/home/erin/to-sign', command: 'openssl cms -sign -cades …' }),
    'outside.import': () => ({ ...SEALED, provisional: false }),
    'bundle.editionPlan': () => ({
      leftOut: [
        { name: 'journal.jsonl', rule: 'journal' },
        { name: 'site.yaml', rule: 'site' },
        { name: 'facts/7.json', rule: 'facts' },
        { name: 'facts/12.json', rule: 'facts' },
        { name: 'report.html', rule: 'reports' },
      ],
      stays: ['mimetype', 'README.txt', 'SHA256SUMS', 'guide/guide.yaml', 'reports/verdicts.json'],
      signers: ['CN=PRACTICE Erin Field, O=Example Medical Systems'],
    }),
    'bundle.edition': () => ({ name: 'bundle-for-manufacturer.asice' }),
    'trust.list': () => [],
    'trust.pin': () => null,
    'trust.remove': () => null,
    'bundle.verify': () => ({
      sound: true,
      complete: false,
      summary: {
        word: 'open',
        counts: { pass: 21, fail: 7, error: 4, 'not-reviewed': 23, 'not-applicable': 0 },
        expired: [],
        waived: [],
        total: 55,
      },
      findings: [
        {
          severity: 'info',
          code: 'practice',
          sentence: 'The bundle comes from a practice hospital and proves nothing about a real one.',
        },
        {
          severity: 'warn',
          code: 'summary.open',
          sentence: '9 items fail. The signatures are sound; the hospital is not hardened.',
          place: 'journal.jsonl',
        },
      ],
      waivers: [],
      signers: [
        {
          role: 'engineer',
          subject: 'CN=PRACTICE Erin Field, O=Example Medical Systems',
          at: '2026-11-23T11:02:00.000Z',
        },
        {
          role: 'hospital',
          subject: 'CN=PRACTICE Head of Clinical IT, O=St. Anne’s Hospital',
          at: '2026-11-23T11:20:00.000Z',
        },
      ],
    }),
    'bundle.openReport': () => null,
    'bundle.showInFolder': () => null,
  };

  function openWalk(): void {
    open();
    append('gate.checked', GATE);
    append('preflight.accepted', { visible: [] });
  }

  const main: FakeMain = {
    calls,
    push,
    append,
    open,
    openWalk,
    run,
    keys: items.map((item) => item.key),
    trust: 'trusted',
    supplied: true,
    people: { keyed: true, asking: [] },
    answer: (channel, answer) => {
      answers[channel] = answer as never;
    },
    fails: (channel, error = appError('internal', 'It went wrong.', { place: 'here', cause: 'a cause' })) => {
      answers[channel] = (() => error) as never;
    },
    bridge: {
      invoke: async <C extends Channel>(channel: C, input: Input<C>): Promise<Output<C>> => {
        calls.push({ channel, input });
        const checked = INPUTS[channel].safeParse(input);
        if (!checked.success)
          return fail(
            'ipc.invalid',
            `The page sent ${channel} something it may not: ${checked.error.message}`,
          ) as Output<C>;
        const answer = answers[channel] as ((input: unknown) => unknown) | undefined;
        if (answer === undefined) throw new Error(`nothing answers ${channel}`);
        const value = await answer(checked.data);
        return (isError(value) ? { ok: false, error: value } : ok(value)) as Output<C>;
      },
      onPush: (listener) => {
        listeners = [...listeners, listener];
        return () => {
          listeners = listeners.filter((entry) => entry !== listener);
        };
      },
    },
  };
  return main;
}

function isError(value: unknown): value is AppError {
  return typeof value === 'object' && value !== null && 'code' in value && 'fixBy' in value;
}
