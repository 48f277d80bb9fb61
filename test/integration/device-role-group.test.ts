import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { evaluateParams, makePlan } from '../../core/guide/plan.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { ChangePlan } from '../../engine/changes/change.ts';
import { deviceRoleGroup as change } from '../../engine/changes/device-role-group.ts';
import type { ProbeContext } from '../../engine/context.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { NAMES } from '../../lab/tree.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { judgeInLab, REFERENCE_GUIDE } from '../support/lab-walk.ts';
import { testContext } from '../support/directory.ts';

let lab: Lab;
let dir: string;
let site: ProbeContext['site'];

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message} ${result.error.cause ?? ''}`);
  return result.value;
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lockstep-device-'));
  lab = await startLab({ dir, shipped: false });
  site = must(await loadSite(lab.siteFile)).site;
});
afterAll(async () => {
  await lab?.stop();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  await lab.reset();
  await lab.harden();
});

const context = (): ProbeContext => ({
  ...testContext(site, undefined),
  secret: async (name) => {
    const value = lab.secrets[name];
    return value === undefined ? fail('secret.missing', name) : ok(value);
  },
});
const throughJournal = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

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
    const made = must(await plan());
    expect(made.diff).toBe(
      `PUT ${url()}\n-  directory.roleGroups.biomed: "${NAMES.clinical}"\n+  directory.roleGroups.biomed: "${NAMES.biomed}"\n`,
    );
    must(await change.apply(throughJournal(made), writer(), context()));
    const read = must(await change.readBack(throughJournal(made), context()));
    expect(read).toMatchObject({ asPlanned: true });
    expect(groups().biomed).toBe(NAMES.biomed);
    expect(JSON.stringify(made)).not.toContain(writer().password);
    const undo = must(await change.planUndo(throughJournal(made), throughJournal(read.state), context()));
    must(await change.apply(throughJournal(undo), writer(), context()));
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
    const guide = must(await loadGuide(REFERENCE_GUIDE, {}));
    const planned = makePlan(guide.guide, must(await loadSite(lab.siteFile)).sealed);
    const item = planned.ok ? planned.value.items.find((one) => one.control.id === step) : undefined;
    expect(item?.control.change?.kind).toBe(change.declaration.id);
    const params = must(evaluateParams(item?.control.change?.with ?? {}, item?.values ?? {}));
    const made = must(await change.plan(change.declaration.params.parse(params), context()));
    must(await change.apply(made, writer(), context()));
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
    const made = must(await plan());
    expect(await change.apply(made, { ...writer(), password: 'wrong' }, context())).toMatchObject({ ok: false });
    expect(must(await change.readBack(made, context()))).toMatchObject({ asPlanned: false, state: made.preImage });
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
