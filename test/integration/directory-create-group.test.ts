import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Attribute, Change as LdapChange } from 'ldapts';
import { directoryCreateGroup as change } from '../../engine/changes/directory-create-group.ts';
import type { ChangePlan } from '../../engine/changes/change.ts';
import { directoryGroup } from '../../engine/probes/directory-group.ts';
import type { Result } from '../../core/result.ts';
import { isRoot, needs } from '../support/debian.ts';
import { directorySite, runDirectoryProbe, testContext } from '../support/directory.ts';
import { SAMBA_PROGRAMS, type SambaServer, startSamba } from '../support/samba.ts';

const READ_PASSWORD = 'Practice-Re4d!';

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message} ${result.error.cause ?? ''}`);
  return result.value;
}

describe.skipIf(!isRoot() || !needs(...SAMBA_PROGRAMS))('directory.create-group against Samba', () => {
  let server: SambaServer;
  let nurse: string;
  const context = () => testContext(directorySite({ ...server, bindAccount: 'reader@hospital.test' }), READ_PASSWORD);
  const writer = () => ({ user: server.adminDn, password: server.adminPassword });
  const params = (more: Record<string, unknown>) => change.declaration.params.parse(more);
  const plan = (more: Record<string, unknown>) => change.plan(params(more), context());
  const create = async (group: string): Promise<{ plan: ChangePlan; state: unknown }> => {
    const made = must(await plan({ group, description: 'Bedside view' }));
    must(await change.apply(made, writer(), context()));
    const read = must(await change.readBack(made, context()));
    expect(read).toMatchObject({ asPlanned: true, differences: [] });
    return { plan: made, state: read.state };
  };

  beforeAll(async () => {
    server = await startSamba();
    await server.addUser({ name: 'reader', password: READ_PASSWORD });
    nurse = await server.addUser({ name: 'nurse' });
  });
  afterAll(async () => server?.stop());

  it('shows the plan as LDIF with the state before', async () => {
    const made = must(await plan({ group: 'MDIP-Ärzte', scope: 'universal', description: 'Bedside view' }));
    expect(made.diff).toBe(
      [
        `dn:: ${Buffer.from(`CN=MDIP-Ärzte,CN=Users,${server.baseDn}`).toString('base64')}`,
        'changetype: add',
        'objectClass: top',
        'objectClass: group',
        'cn:: TURJUC3DhHJ6dGU=',
        'sAMAccountName:: TURJUC3DhHJ6dGU=',
        'groupType: -2147483640',
        'description: Bedside view',
        '',
      ].join('\n'),
    );
    expect(made.preImage).toEqual({ dn: `CN=MDIP-Ärzte,CN=Users,${server.baseDn}`, exists: false });
    expect((await runDirectoryProbe(directoryGroup, { group: 'MDIP-Ärzte' }, context())).facts.exists).toBe(false);
  });

  it('creates the group, reads it back, and undoes it', async () => {
    const made = await create('MDIP-Ärzte');
    const { facts } = await runDirectoryProbe(directoryGroup, { group: 'MDIP-Ärzte' }, context());
    expect(facts).toMatchObject({
      exists: true,
      group: { kind: 'security', scope: 'global', description: 'Bedside view' },
      effective: { count: 0 },
    });
    const undo = must(await change.planUndo(made.plan, JSON.parse(JSON.stringify(made.state)), context()));
    expect(undo).toMatchObject({ undo: true });
    expect(undo.diff).toMatch(/^dn::? .*\nchangetype: delete\n$/s);
    must(await change.apply(JSON.parse(JSON.stringify(undo)) as ChangePlan, writer(), context()));
    expect(must(await change.readBack(undo, context())).asPlanned).toBe(true);
    expect((await runDirectoryProbe(directoryGroup, { group: 'MDIP-Ärzte' }, context())).facts.exists).toBe(false);
  });

  it('refuses the undo once somebody is in, and keeps the SID', async () => {
    const made = await create('MDIP-Used');
    const early = must(await change.planUndo(made.plan, made.state, context()));
    const dn = `CN=MDIP-Used,CN=Users,${server.baseDn}`;
    await server.addMember(dn, nurse);
    const late = await change.planUndo(made.plan, made.state, context());
    expect(late).toMatchObject({ ok: false, error: { code: 'change.state-differs' } });
    expect(!late.ok && late.error.message).toMatch(/gained 1 members.*SID/);
    expect(await change.apply(early, writer(), context())).toMatchObject({
      ok: false,
      error: { code: 'change.state-differs' },
    });
    expect((await runDirectoryProbe(directoryGroup, { group: 'MDIP-Used' }, context())).facts.group.sid).toBe(
      (made.state as { sid: string }).sid,
    );
  });

  it('refuses the undo of a group that was changed or replaced', async () => {
    const made = await create('MDIP-Edited');
    const dn = `CN=MDIP-Edited,CN=Users,${server.baseDn}`;
    await server.admin((client) =>
      client.modify(
        dn,
        new LdapChange({
          operation: 'replace',
          modification: new Attribute({ type: 'description', values: ['Other'] }),
        }),
      ),
    );
    expect(await change.planUndo(made.plan, made.state, context())).toMatchObject({
      ok: false,
      error: { code: 'change.state-differs', message: 'The group was changed since: description.' },
    });
    await server.admin((client) => client.del(dn));
    expect(await change.planUndo(made.plan, made.state, context())).toMatchObject({
      ok: false,
      error: { message: 'The group is gone already.' },
    });
    await server.addGroup({ name: 'MDIP-Edited', attributes: { description: 'Bedside view' } });
    expect(await change.planUndo(made.plan, made.state, context())).toMatchObject({
      ok: false,
      error: { message: 'Another group stands in its place.' },
    });
  });

  it('refuses what is taken, out of bounds or stale', async () => {
    expect(await plan({ group: 'nurse' })).toMatchObject({
      ok: false,
      error: { code: 'change.refused', message: 'The name nurse is taken in the directory.' },
    });
    expect(await plan({ group: 'G', container: 'CN=Users,DC=other,DC=test' })).toMatchObject({
      ok: false,
      error: { code: 'change.refused' },
    });
    expect(await plan({ group: 'G', container: `OU=None,${server.baseDn}` })).toMatchObject({
      ok: false,
      error: { code: 'change.refused' },
    });
    const made = must(await plan({ group: 'MDIP-Race' }));
    await server.addGroup({ name: 'MDIP-Race' });
    expect(await change.apply(made, writer(), context())).toMatchObject({
      ok: false,
      error: { code: 'change.state-differs' },
    });
    const tampered = { ...made, operations: { do: 'delete', dn: nurse } };
    expect(await change.apply(tampered, writer(), context())).toMatchObject({
      ok: false,
      error: { code: 'change.refused' },
    });
  });

  it('says who can help when the write credential is wrong or has no right', async () => {
    const made = must(await plan({ group: 'MDIP-NoRight' }));
    expect(
      await change.apply(made, { user: 'reader@hospital.test', password: READ_PASSWORD }, context()),
    ).toMatchObject({
      ok: false,
      error: { code: 'ldap.no-right', fixBy: 'hospital' },
    });
    expect(await change.apply(made, { user: server.adminDn, password: 'wrong' }, context())).toMatchObject({
      ok: false,
      error: { code: 'ldap.credentials' },
    });
    expect(must(await change.readBack(made, context()))).toMatchObject({
      asPlanned: false,
      differences: ['The group is not there.'],
    });
  });
});
