import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fail, type Result } from '../../core/result.ts';
import type { Change, ChangeMaterial, ChangePlan } from '../../engine/changes/change.ts';
import { httpSetting } from '../../engine/changes/http-setting.ts';
import type { ProbeContext } from '../../engine/context.ts';
import { confirmSetting } from '../../engine/changes/http-setting-guard.ts';
import { value } from '../support/evidence.ts';
import { type HardenedLab, startHardenedLab, throughJournal } from '../support/hardened-lab.ts';

const change = httpSetting as unknown as Change;
const NOTHING = undefined as unknown as ChangeMaterial;

function errorOf<T>(result: Result<T>) {
  if (result.ok) throw new Error('an error was expected');
  return result.error;
}

describe('http.setting on the practice device', () => {
  let hardened: HardenedLab;
  let lab: HardenedLab['lab'];
  let site: HardenedLab['site'];
  let context: HardenedLab['context'];

  beforeAll(async () => {
    hardened = await startHardenedLab();
    ({ lab, site, context } = hardened);
  });
  afterAll(() => hardened?.stop());
  beforeEach(() => hardened.reset());
  const url = () => `${site.devices[0]?.adminUrl}/api/settings`;
  const credential = () => site.devices[0]?.credential;
  const writer = () => ({ user: credential()?.user ?? '', password: lab.secrets['device-admin'] ?? '' });
  const planFor = (more: Record<string, unknown>) =>
    change.plan(change.declaration.params.parse({ url: url(), credential: credential(), ...more }), context(), NOTHING);
  const apply = (plan: ChangePlan, more: Partial<ProbeContext> = {}) =>
    change.apply(throughJournal(plan), writer(), context(more), NOTHING);
  const readBack = async (plan: ChangePlan) => value(await change.readBack(throughJournal(plan), context(), NOTHING));
  const HEADERS = { at: '/web/securityHeaders', value: false };

  it('is shown, written, read back and undone', async () => {
    const plan = value(await planFor(HEADERS));
    expect(plan.diff).toBe(`PUT ${url()}\n-  /web/securityHeaders: true\n+  /web/securityHeaders: false\n`);
    expect(value(await apply(plan))).toBeUndefined();
    const read = await readBack(plan);
    expect(read).toEqual({
      asPlanned: true,
      differences: [],
      state: { url: url(), at: '/web/securityHeaders', value: false },
    });
    expect(errorOf(await planFor(HEADERS)).code).toBe('change.refused');
    expect(errorOf(await apply(plan)).code).toBe('change.state-differs');
    const undo = value(await change.planUndo(throughJournal(plan), throughJournal(read.state), context(), NOTHING));
    expect(undo).toMatchObject({ undo: true, diff: expect.stringContaining('+  /web/securityHeaders: true') });
    expect(errorOf(await change.planUndo(plan, undefined, context(), NOTHING)).code).toBe('change.refused');
    value(await apply(undo));
    expect(await readBack(undo)).toMatchObject({ asPlanned: true, state: { value: true } });
    expect(errorOf(await change.planUndo(plan, read.state, context(), NOTHING)).code).toBe('change.state-differs');
  });

  it('goes with a body that the guide gives, and takes a refusal for one', async () => {
    const plan = value(await planFor({ ...HEADERS, write: { body: { web: { securityHeaders: '{{ value }}' } } } }));
    value(await apply(plan));
    expect((await readBack(plan)).asPlanned).toBe(true);
    // The practice device shows more than it takes.
    const whole = value(await planFor({ at: '/web/securityHeaders', value: true, write: { body: '{{ whole }}' } }));
    expect(errorOf(await apply(whole))).toMatchObject({
      code: 'change.failed',
      message: expect.stringContaining('400'),
    });
    expect(await readBack(whole)).toMatchObject({ asPlanned: false, state: { value: false } });
  });

  it('sets some members of a section and leaves the others to themselves', async () => {
    const AUDIT = { at: '/audit', value: { syslogHost: 'log.hospital.example', syslogTls: true }, merge: true };
    const plan = value(await planFor(AUDIT));
    expect(plan.diff).toContain('+  /audit/syslogHost: "log.hospital.example"\n   /audit/syslogTls: true\n');
    expect(plan.preImage).toMatchObject({ value: { syslogHost: 'siem.hospital.example', syslogTls: true } });
    value(await apply(plan));
    // What it does not name may change meanwhile.
    lab.parts.device.state.settings.audit.syslogPort = 6515;
    const read = await readBack(plan);
    expect(read).toMatchObject({ asPlanned: true, state: { value: AUDIT.value } });
    const undo = value(await change.planUndo(throughJournal(plan), throughJournal(read.state), context(), NOTHING));
    value(await apply(undo));
    expect(lab.settings().audit).toMatchObject({ syslogHost: 'siem.hospital.example', syslogPort: 6515 });
    lab.parts.device.state.settings.audit.syslogPort = 6514;
    expect(errorOf(await planFor({ ...AUDIT, value: { none: 1 } })).code).toBe('http.protocol');
    expect(errorOf(await planFor({ ...AUDIT, value: [] })).code).toBe('guide.invalid');
    expect(errorOf(await planFor({ ...AUDIT, at: '', value: { web: { securityHeaders: true } } })).code).toBe(
      'change.refused',
    );
  });

  it('takes the guard by itself where an object moves the interface', async () => {
    const plan = value(await planFor({ at: '/emrLink', value: { port: 1, verifyServer: true }, merge: true }));
    expect(plan.diff).toContain('confirm from a new one');
    const same = value(await planFor({ at: '/audit', value: { syslogPort: 6515, syslogTls: false }, merge: true }));
    expect(same.diff).not.toContain('confirm');
  });

  it('puts a certificate in the place of another, and back', async () => {
    const at = { url: `${site.devices[0]?.adminUrl}/api/certificates/emr`, at: '/pem' };
    await lab.setFault('device-stale-anchor', true);
    const root = site.anchors[0]?.pem ?? '';
    const plan = value(await planFor({ ...at, value: root.replaceAll('\n', '\r\n') }));
    expect(plan.diff).toMatch(/^PUT .*\n- {2}\/pem: certificate of .*\n\+ {2}\/pem: certificate of .*\n$/);
    value(await apply(plan));
    const read = await readBack(plan);
    expect(read.asPlanned).toBe(true);
    expect(lab.faults().find(({ id }) => id === 'device-stale-anchor')?.on).toBe(false);
    value(await apply(value(await change.planUndo(plan, throughJournal(read.state), context(), NOTHING))));
    expect(lab.faults().find(({ id }) => id === 'device-stale-anchor')?.on).toBe(true);
  });

  it('refuses what it cannot see, what holds a secret, and a stranger', async () => {
    expect(errorOf(await planFor({ at: '/web/nothing', value: 1 })).code).toBe('http.protocol');
    expect(errorOf(await planFor({ at: '/web/password', value: 'x' })).code).toBe('change.refused');
    expect(errorOf(await planFor({ at: '/web', value: { adminPassword: 'x' } })).code).toBe('change.refused');
    expect(errorOf(await planFor({ url: `${url()}/none`, ...HEADERS })).code).toBe('http.protocol');
    const plan = value(await planFor(HEADERS));
    const wrong = await change.apply(plan, { user: 'lockstep', password: 'wrong' }, context(), NOTHING);
    expect(errorOf(wrong).code).toBe('secret.missing');
    expect(errorOf(await change.apply({ ...plan, operations: {} }, writer(), context(), NOTHING)).code).toBe(
      'change.refused',
    );
    expect((await readBack(plan)).state).toMatchObject({ value: true });
  });

  describe('that may cut off its own way', () => {
    const guarded = () => planFor({ ...HEADERS, guard: { seconds: 10 } });
    const answers = (...given: boolean[]) => {
      const questions: string[] = [];
      const ask: ProbeContext['ask'] = async (question) => {
        questions.push(question);
        return given[questions.length - 1] ?? false;
      };
      return { ask, questions };
    };

    it('says that nobody else can undo it, and is made only after two yeses', async () => {
      const plan = value(await guarded());
      for (const given of [[false], [true, false]]) {
        const { ask, questions } = answers(...given);
        expect(errorOf(await apply(plan, { ask }))).toMatchObject({ code: 'change.refused' });
        expect(questions).toHaveLength(given.length);
        expect(questions[0]).toContain('The device cannot undo it by itself');
      }
      expect((await readBack(plan)).state).toMatchObject({ value: true });
      const { ask, questions } = answers(true, true, true);
      expect(value(await apply(plan, { ask }))).toMatchObject({ confirmed: { seconds: 10 } });
      expect(questions.at(-1)).toContain('a new connection');
      expect((await readBack(plan)).asPlanned).toBe(true);
    });

    it('is set back when nobody confirms', async () => {
      const plan = value(await guarded());
      const undone = errorOf(await apply(plan, answers(true, true, false)));
      expect(undone).toMatchObject({
        code: 'change.failed',
        message: 'Nobody confirmed the change, so Lockstep set the old value again; it is there.',
      });
      expect((await readBack(plan)).state).toEqual(plan.preImage);
    });

    it('says so when the device is not reached any more', async () => {
      const gone = async () => fail('tcp.timeout', 'No answer.');
      const lost = errorOf(
        await confirmSetting(
          { url: url(), at: '/web/port', value: 443, guard: { seconds: 0 } },
          8443,
          Date.now() + 2_500,
          context(),
          { read: gone, write: gone },
        ),
      );
      expect(lost).toMatchObject({
        code: 'change.failed',
        message:
          'No new connection could be opened, and Lockstep cannot reach the device to set the old value again. Set /web/port to 8443 at the device.',
        cause: 'No answer.',
      });
    });
  });
});
