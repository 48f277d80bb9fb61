import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { evaluateParams, makePlan } from '../../core/guide/plan.ts';
import type { ChangePlan } from '../../engine/changes/change.ts';
import { deviceRoleGroup as change } from '../../engine/changes/device-role-group.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { NAMES } from '../../lab/directory-names.ts';
import { value } from '../support/evidence.ts';
import { type HardenedLab, startHardenedLab, throughJournal } from '../support/hardened-lab.ts';
import { judgeInLab, REFERENCE_GUIDE } from '../support/lab-walk.ts';

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

describe('device.role-group on the practice device', () => {
  const writer = () => ({ user: 'lockstep', password: lab.secrets['device-admin'] ?? '' });
  const url = () => `${site.devices[0]?.adminUrl}/api/settings`;
  const roles = () => site.roles;
  const plan = (more: Record<string, unknown> = {}) =>
    change.plan(
      change.declaration.params.parse({ url: url(), credential: site.devices[0]?.credential, roles: roles(), ...more }),
      context(),
    );
  const groups = () => lab.settings().directory.roleGroups;

  it('gives every role its own group, reads it back, and puts the former one back', async () => {
    expect(await plan()).toMatchObject({ ok: false, error: { message: 'Every role has its group already.' } });
    await lab.setFault('groups-shared', true);
    const before = { ...groups() };
    const made = value(await plan());
    expect(made.diff).toBe(
      `PUT ${url()}\n-  directory.roleGroups.biomed: "${NAMES.clinical}"\n+  directory.roleGroups.biomed: "${NAMES.biomed}"\n`,
    );
    value(await change.apply(throughJournal(made), writer(), context()));
    const read = value(await change.readBack(throughJournal(made), context()));
    expect(read).toMatchObject({ asPlanned: true });
    expect(groups().biomed).toBe(NAMES.biomed);
    expect(JSON.stringify(made)).not.toContain(writer().password);
    const undo = value(await change.planUndo(throughJournal(made), throughJournal(read.state), context()));
    value(await change.apply(throughJournal(undo), writer(), context()));
    expect(groups()).toEqual(before);
    expect(await change.planUndo(made, read.state, context())).toMatchObject({
      ok: false,
      error: { code: 'change.state-differs' },
    });
  });

  it('is what the reference guide offers where two roles share a group, and turns that step green', async () => {
    await lab.setFault('groups-shared', true);
    const step = 'access.separate-groups';
    const verdicts = async () =>
      (await judgeInLab(lab, (item) => item.control.id === step)).map(({ verdict }) => verdict);
    expect(await verdicts()).toEqual(['fail']);
    const guide = value(await loadGuide(REFERENCE_GUIDE, {}));
    const planned = makePlan(guide.guide, value(await loadSite(lab.siteFile)).sealed);
    const item = planned.ok ? planned.value.items.find((one) => one.control.id === step) : undefined;
    expect(item?.control.change?.kind).toBe(change.declaration.id);
    const params = value(evaluateParams(item?.control.change?.with ?? {}, item?.values ?? {}));
    const made = value(await change.plan(change.declaration.params.parse(params), context()));
    value(await change.apply(made, writer(), context()));
    expect(await verdicts()).toEqual(['pass']);
  });

  it('locks nobody out: no missing group, none without people who can log in', async () => {
    const wanted = (group: string) => plan({ roles: [{ id: 'administrator', group }] });
    expect(await wanted('No-Such-Group')).toMatchObject({ ok: false, error: { code: 'change.refused' } });
    expect(await wanted('Schema Admins')).toMatchObject({
      ok: false,
      error: {
        code: 'change.refused',
        message: 'Nobody who can log in is in Schema Admins: the role administrator would lock everybody out.',
      },
    });
    expect(await plan({ roles: [{ id: 'king', group: NAMES.biomed }] })).toMatchObject({
      ok: false,
      error: { code: 'change.refused', message: 'The device has no role king.' },
    });
  });

  it('refuses a stale plan and a wrong password, and writes nothing then', async () => {
    await lab.setFault('groups-shared', true);
    const made = value(await plan());
    expect(await change.apply(made, { ...writer(), password: 'wrong' }, context())).toMatchObject({ ok: false });
    expect(value(await change.readBack(made, context()))).toMatchObject({ asPlanned: false, state: made.preImage });
    await lab.setFault('groups-shared', false);
    expect(await change.apply(made, writer(), context())).toMatchObject({
      ok: false,
      error: { code: 'change.state-differs' },
    });
    expect(await change.apply({ ...made, operations: { do: 'put' } } as ChangePlan, writer(), context())).toMatchObject(
      {
        ok: false,
        error: { code: 'change.refused' },
      },
    );
  });
});
