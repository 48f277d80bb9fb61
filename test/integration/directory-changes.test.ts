import { Attribute, Change } from 'ldapts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { directoryAddMembers } from '../../engine/changes/directory-add-members.ts';
import { directoryCreateOu } from '../../engine/changes/directory-create-ou.ts';
import { directoryProtectFromDeletion } from '../../engine/changes/directory-protect-from-deletion.ts';
import { directoryRemoveMembers } from '../../engine/changes/directory-remove-members.ts';
import { directorySetAttributes } from '../../engine/changes/directory-set-attributes.ts';
import type { Change as DirectoryChange, ChangePlan } from '../../engine/changes/change.ts';
import { directoryGroup } from '../../engine/probes/directory-group.ts';
import { ok, type Result } from '../../core/result.ts';
import { isRoot, needs } from '../support/debian.ts';
import { directorySite, runDirectoryProbe, testContext } from '../support/directory.ts';
import { SAMBA_PROGRAMS, type SambaServer, startSamba } from '../support/samba.ts';

const READ_PASSWORD = 'Practice-Re4d!';

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message} ${result.error.cause ?? ''}`);
  return result.value;
}

/** What a journal makes of a plan or a state. */
const throughJournal = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe.skipIf(!isRoot() || !needs(...SAMBA_PROGRAMS))('changes of the directory, against Samba', () => {
  let server: SambaServer;
  let base: string;
  const users = () => `CN=Users,${base}`;
  const context = () => testContext(directorySite({ ...server, bindAccount: 'reader@hospital.test' }), READ_PASSWORD);
  const writer = () => ({ user: server.adminDn, password: server.adminPassword });
  const plan = <P extends z.ZodType>(change: DirectoryChange<P>, params: z.input<P>) =>
    change.plan(change.declaration.params.parse(params), context());
  const write = async (change: DirectoryChange<never>, made: ChangePlan) => {
    must(await change.apply(throughJournal(made), writer(), context()));
    const read = must(await change.readBack(throughJournal(made), context()));
    expect(read.differences).toEqual([]);
    expect(read.asPlanned).toBe(true);
    return throughJournal(read.state);
  };
  const undo = async (change: DirectoryChange<never>, made: ChangePlan, state: unknown) => {
    const back = must(await change.planUndo(throughJournal(made), state, context()));
    expect(back.undo).toBe(true);
    await write(change, back);
    return back;
  };
  const read = (dn: string, attribute: string) =>
    server.admin(async (client) => {
      const { searchEntries } = await client.search(dn, { scope: 'base', attributes: [attribute] });
      const value = searchEntries[0]?.[attribute];
      return value === undefined ? [] : Array.isArray(value) ? value.map(String) : [String(value)];
    });
  const membersOf = (group: string) => read(`CN=${group},${users()}`, 'member');

  beforeAll(async () => {
    server = await startSamba();
    base = server.baseDn;
    await server.addUser({ name: 'reader', password: READ_PASSWORD });
    for (const name of ['Nora Nurse', 'Ole Other']) await server.addUser({ name });
    for (const name of ['MDIP-Clinical', 'Inner', 'Outer']) await server.addGroup({ name });
  });
  afterAll(async () => server?.stop());

  it('directory.create-ou creates a unit, reads it back, and deletes it only while it is empty', async () => {
    const change = directoryCreateOu as unknown as DirectoryChange<never>;
    const made = must(await plan(directoryCreateOu, { name: 'Geräte, "MDIP" + #1', description: 'Medical devices' }));
    expect(made.diff).toContain('changetype: add\nobjectClass: top\nobjectClass: organizationalUnit\n');
    expect(made.preImage).toMatchObject({ exists: false });
    const state = await write(change, made);
    expect(await plan(directoryCreateOu, { name: 'Geräte, "MDIP" + #1' })).toMatchObject({
      ok: false,
      error: { code: 'change.refused' },
    });
    expect(await change.apply(made, writer(), context())).toMatchObject({
      ok: false,
      error: { code: 'change.state-differs' },
    });
    const { dn } = made.preImage as { dn: string };
    await server.addGroup({ name: 'Inside', container: dn });
    expect(await change.planUndo(made, state, context())).toMatchObject({
      ok: false,
      error: { code: 'change.state-differs', message: 'Something lies in the organizational unit by now: it stays.' },
    });
    await server.admin((client) => client.del(`CN=Inside,${dn}`));
    await undo(change, made, state);
    expect(must(await change.readBack(made, context())).differences).toEqual(['The organizational unit is not there.']);
  });

  it('directory.create-ou says who can help without the right', async () => {
    const made = must(await plan(directoryCreateOu, { name: 'NoRight' }));
    expect(
      await directoryCreateOu.apply(made, { user: 'reader@hospital.test', password: READ_PASSWORD }, context()),
    ).toMatchObject({ ok: false, error: { code: 'ldap.no-right', fixBy: 'hospital' } });
    for (const container of ['DC=other,DC=test', users(), `OU=None,${base}`])
      expect(await plan(directoryCreateOu, { name: 'X', container })).toMatchObject({
        ok: false,
        error: { code: 'change.refused' },
      });
  });

  it('directory.add-members puts people and groups in without naming people, and takes them out again', async () => {
    const change = directoryAddMembers as unknown as DirectoryChange<never>;
    const made = must(await plan(directoryAddMembers, { group: 'MDIP-Clinical', members: ['Nora Nurse', 'Inner'] }));
    expect(made.summary).toBe('Put Nora Nurse, Inner into the group MDIP-Clinical.');
    const withoutLabel = made.diff.replace(/^# .*$/m, '');
    expect(withoutLabel).not.toContain('Nora');
    expect(Buffer.from(/member:: (\S+)/.exec(made.diff)?.[1] ?? '', 'base64').toString()).toMatch(/^<SID=S-1-5-21-/);
    expect(made.diff).toContain(`member: CN=Inner,${users()}\n`);
    const state = await write(change, made);
    expect((await membersOf('MDIP-Clinical')).sort()).toEqual([`CN=Inner,${users()}`, `CN=Nora Nurse,${users()}`]);
    expect(JSON.stringify(state)).not.toContain('Nora');
    expect(await plan(directoryAddMembers, { group: 'MDIP-Clinical', members: ['Inner'] })).toMatchObject({
      ok: false,
      error: { code: 'change.refused', message: 'All of them are in MDIP-Clinical already.' },
    });
    // Somebody else who came since stays: the undo is about these two only.
    await server.addMember(`CN=MDIP-Clinical,${users()}`, `CN=Ole Other,${users()}`);
    const back = await undo(change, made, state);
    expect(back.diff).toContain('delete: member');
    expect(await membersOf('MDIP-Clinical')).toEqual([`CN=Ole Other,${users()}`]);
    expect(await change.planUndo(made, state, context())).toMatchObject({
      ok: false,
      error: { code: 'change.state-differs' },
    });
    expect(await change.planUndo(back, state, context())).toMatchObject({
      ok: false,
      error: { code: 'change.refused' },
    });
  });

  it('directory.add-members makes no circle, no administrators and nothing of strangers', async () => {
    await server.addMember(`CN=Outer,${users()}`, `CN=Inner,${users()}`);
    const refused = async (group: string, members: string[]) => {
      const made = await plan(directoryAddMembers, { group, members });
      return made.ok ? 'planned' : `${made.error.code}: ${made.error.message}`;
    };
    expect(await refused('Inner', ['Outer'])).toBe(
      'change.refused: Outer contains Inner: nesting it would make a circle.',
    );
    expect(await refused('Inner', ['Inner'])).toMatch(/circle/);
    expect(await refused('Domain Admins', ['Ole Other'])).toMatch(
      /^change.refused: Domain Admins makes administrators/,
    );
    expect(await refused('Inner', ['Nobody Here'])).toBe(
      'change.refused: There is no account or group Nobody Here in the directory.',
    );
    expect(await refused('Nothing', ['Inner'])).toBe('change.refused: There is no group Nothing.');
  });

  it('directory.remove-members takes a broad group out by its number, whatever it is called, and puts it back', async () => {
    const change = directoryRemoveMembers as unknown as DirectoryChange<never>;
    await server.addGroup({ name: 'MDIP-Wide' });
    await server.addMember(`CN=MDIP-Wide,${users()}`, `CN=Domain Users,${users()}`);
    await server.addMember(`CN=MDIP-Wide,${users()}`, `CN=Ole Other,${users()}`);
    const made = must(
      await plan(directoryRemoveMembers, {
        group: 'MDIP-Wide',
        members: ['S-1-5-21-domain-513', 'S-1-5-21-domain-515', 'S-1-5-11', 'S-1-1-0'],
      }),
    );
    expect(made.diff).toBe(
      `dn: CN=MDIP-Wide,${users()}\nchangetype: modify\ndelete: member\nmember: CN=Domain Users,${users()}\n-\n`,
    );
    const state = await write(change, made);
    const { facts } = await runDirectoryProbe(directoryGroup, { group: 'MDIP-Wide' }, context());
    expect(facts).toMatchObject({ exists: true, effective: { broad: [], count: 1 } });
    expect(await plan(directoryRemoveMembers, { group: 'MDIP-Wide', members: ['Domain Users'] })).toMatchObject({
      ok: false,
      error: { code: 'change.refused', message: 'None of them is in MDIP-Wide, itself or by way of another group.' },
    });
    await undo(change, made, state);
    expect(await membersOf('MDIP-Wide')).toHaveLength(2);
  });

  it('directory.remove-members finds what is nested deeper, and touches other groups only where the guide says so', async () => {
    const change = directoryRemoveMembers as unknown as DirectoryChange<never>;
    for (const name of ['Top', 'Middle', 'Bottom', 'Elsewhere']) await server.addGroup({ name: `Nest-${name}` });
    const link = (group: string, member: string) =>
      server.addMember(`CN=Nest-${group},${users()}`, `CN=${member},${users()}`);
    await link('Top', 'Nest-Middle');
    await link('Middle', 'Nest-Bottom');
    await link('Elsewhere', 'Nest-Bottom');
    await link('Bottom', 'Nest-Top');
    await link('Bottom', 'Domain Users');
    await link('Bottom', 'Ole Other');
    const members = ['S-1-5-21-domain-513', 'S-1-1-0'];
    expect(await plan(directoryRemoveMembers, { group: 'Nest-Top', members })).toMatchObject({
      ok: false,
      error: {
        code: 'change.refused',
        message:
          'S-1-5-21-domain-513 is in Nest-Top by way of Nest-Middle > Nest-Bottom only, and the guide changes no group but Nest-Top itself. Take S-1-5-21-domain-513 out of Nest-Bottom, or Nest-Middle out of Nest-Top.',
      },
    });
    const made = must(await plan(directoryRemoveMembers, { group: 'Nest-Top', members, nested: true }));
    expect(made.summary).toBe(
      'Take S-1-5-21-domain-513 out of the group Nest-Bottom, which is nested in Nest-Top. Nest-Bottom is in Nest-Elsewhere too, which this touches as well.',
    );
    expect(made.diff).toContain(`# Nest-Top > Nest-Middle > Nest-Bottom\ndn: CN=Nest-Bottom,${users()}\n`);
    expect(must(change.powershell?.(made) ?? ok([]))).toContain('# Nest-Top > Nest-Middle > Nest-Bottom');
    const state = await write(change, made);
    const { facts } = await runDirectoryProbe(directoryGroup, { group: 'Nest-Top' }, context());
    expect(facts).toMatchObject({ effective: { broad: [], count: 1 } });
    await undo(change, made, state);
    expect(await membersOf('Nest-Bottom')).toContain(`CN=Domain Users,${users()}`);
    // Un-nesting: a group out of a group.
    const apart = must(await plan(directoryRemoveMembers, { group: 'Nest-Middle', members: ['Nest-Bottom'] }));
    await undo(change, apart, await write(change, apart));
    expect(await membersOf('Nest-Middle')).toEqual([`CN=Nest-Bottom,${users()}`]);
  });

  it('directory.remove-members undoes what it did of a plan for two groups that was cut off', async () => {
    const change = directoryRemoveMembers as unknown as DirectoryChange<never>;
    for (const name of ['Half-Outer', 'Half-Inner']) {
      await server.addGroup({ name });
      await server.addMember(`CN=${name},${users()}`, `CN=Domain Users,${users()}`);
    }
    await server.addMember(`CN=Half-Outer,${users()}`, `CN=Half-Inner,${users()}`);
    const members = ['Domain Users'];
    const made = must(await plan(directoryRemoveMembers, { group: 'Half-Outer', members, nested: true }));
    expect(made.diff.match(/^dn: /gm)).toHaveLength(2);
    const gone = new Change({
      operation: 'delete',
      modification: new Attribute({ type: 'member', values: [`CN=Domain Users,${users()}`] }),
    });
    await server.admin((client) => client.modify(`CN=Half-Outer,${users()}`, gone));
    const read = must(await change.readBack(made, context()));
    expect(read).toMatchObject({ asPlanned: false, differences: ['Domain Users is still in Half-Inner.'] });
    expect(await change.apply(made, writer(), context())).toMatchObject({
      ok: false,
      error: { code: 'change.state-differs' },
    });
    const back = await undo(change, made, throughJournal(read.state));
    expect(back.diff.match(/^dn: /gm)).toHaveLength(1);
    expect(await membersOf('Half-Outer')).toHaveLength(2);
  });

  it('refuses a plan whose state has changed, and one that was tampered with', async () => {
    await server.addGroup({ name: 'MDIP-Race' });
    await server.addMember(`CN=MDIP-Race,${users()}`, `CN=Ole Other,${users()}`);
    const made = must(await plan(directoryRemoveMembers, { group: 'MDIP-Race', members: ['Ole Other'] }));
    const late = must(await plan(directoryRemoveMembers, { group: 'MDIP-Race', members: ['Ole Other'] }));
    await write(directoryRemoveMembers as unknown as DirectoryChange<never>, made);
    expect(await directoryRemoveMembers.apply(late, writer(), context())).toMatchObject({
      ok: false,
      error: { code: 'change.state-differs' },
    });
    for (const tampered of [
      { ...made, kind: 'directory.add-members' },
      { ...made, operations: { do: 'delete' } },
    ])
      expect(await directoryRemoveMembers.apply(tampered, writer(), context())).toMatchObject({
        ok: false,
        error: { code: 'change.refused' },
      });
    await server.admin((client) => client.del(`CN=MDIP-Race,${users()}`));
    expect(
      await directoryRemoveMembers.planUndo(
        made,
        must(await directoryRemoveMembers.readBack(made, context())).state,
        context(),
      ),
    ).toMatchObject({
      ok: false,
      error: { code: 'change.state-differs', message: 'The group is gone.' },
    });
  });

  it('never names a person in an error of the server', async () => {
    const made = must(await plan(directoryAddMembers, { group: 'MDIP-Clinical', members: ['Nora Nurse'] }));
    const denied = await directoryAddMembers.apply(
      made,
      { user: 'reader@hospital.test', password: READ_PASSWORD },
      context(),
    );
    expect(denied).toMatchObject({ ok: false, error: { code: 'ldap.no-right' } });
    expect(JSON.stringify(denied)).not.toContain('Nora');
  });

  describe('the lockout guard', () => {
    const remove = async (group: string, members: string[]) => {
      const made = await plan(directoryRemoveMembers, { group, members });
      return made.ok ? made.value : `${made.error.code}: ${made.error.message}`;
    };

    it('never empties an administrators’ group, be it through nesting', async () => {
      expect(await remove('Domain Admins', ['Administrator'])).toBe(
        'change.refused: This would leave Domain Admins without anybody who can log in.',
      );
      // Once somebody else who can log in is left, it may go, but not by the hand of the very account.
      await server.addMember(`CN=Domain Admins,${users()}`, `CN=Ole Other,${users()}`);
      const made = await remove('Domain Admins', ['Administrator']);
      if (typeof made === 'string') throw new Error(made);
      const own = await directoryRemoveMembers.apply(made, writer(), context());
      expect(own).toMatchObject({ ok: false, error: { code: 'change.refused' } });
      expect(!own.ok && own.error.message).toContain('an account that this very work is done with');
      expect(await membersOf('Domain Admins')).toContain(server.adminDn);
    });

    it('counts only those who can log in', async () => {
      await server.addUser({ name: 'gone-admin', flags: 514 });
      await server.addGroup({ name: 'Admins-Inner' });
      await server.addMember(`CN=Schema Admins,${users()}`, `CN=gone-admin,${users()}`);
      expect(await remove('Schema Admins', ['Administrator'])).toMatch(/without anybody who can log in/);
    });

    it('looks at all groups of a plan together', async () => {
      await server.addUser({ name: 'twice-in' });
      await server.addGroup({ name: 'Admins-Twice' });
      await server.addMember(`CN=Admins-Twice,${users()}`, `CN=twice-in,${users()}`);
      await server.addMember(`CN=Enterprise Admins,${users()}`, `CN=twice-in,${users()}`);
      await server.addMember(`CN=Enterprise Admins,${users()}`, `CN=Admins-Twice,${users()}`);
      // Once Administrator is out, this one account is left, by two ways.
      const made = await remove('Enterprise Admins', ['Administrator']);
      if (typeof made === 'string') throw new Error(made);
      const gone = new Change({
        operation: 'delete',
        modification: new Attribute({ type: 'member', values: [server.adminDn] }),
      });
      await server.admin((client) => client.modify(`CN=Enterprise Admins,${users()}`, gone));
      expect(await remove('Enterprise Admins', ['twice-in'])).toMatchObject({ kind: 'directory.remove-members' });
      const both = await plan(directoryRemoveMembers, {
        group: 'Enterprise Admins',
        members: ['twice-in'],
        nested: true,
      });
      expect(both).toMatchObject({ ok: false, error: { code: 'change.refused' } });
    });

    it('never takes an administrators’ group from the account that reads', async () => {
      await server.addMember(`CN=Admins-Inner,${users()}`, `CN=reader,${users()}`);
      await server.addMember(`CN=Domain Admins,${users()}`, `CN=Admins-Inner,${users()}`);
      for (const [group, member] of [
        ['Admins-Inner', 'reader'],
        ['Domain Admins', 'Admins-Inner'],
      ] as const)
        expect(await remove(group, [member])).toMatch(
          /^change.refused: This would take .* from reader@hospital.test, an account/,
        );
      await server.admin((client) => client.del(`CN=Admins-Inner,${users()}`));
    });
  });

  it('directory.set-attributes sets manager and description, and restores what was there', async () => {
    const change = directorySetAttributes as unknown as DirectoryChange<never>;
    await server.addGroup({ name: 'MDIP-Owned', attributes: { managedBy: `CN=Ole Other,${users()}` } });
    const dn = `CN=MDIP-Owned,${users()}`;
    const made = must(
      await plan(directorySetAttributes, {
        object: 'MDIP-Owned',
        description: 'Für die Station',
        managedBy: 'Nora Nurse',
      }),
    );
    expect(made.diff.replace(/^# .*\n/m, '')).not.toMatch(/Nora|Ole/);
    expect(JSON.stringify(made.preImage)).not.toContain('Ole');
    const state = await write(change, made);
    expect(await read(dn, 'managedBy')).toEqual([`CN=Nora Nurse,${users()}`]);
    expect(await read(dn, 'description')).toEqual(['Für die Station']);
    expect(await plan(directorySetAttributes, { object: dn, managedBy: 'Nora Nurse' })).toMatchObject({
      ok: false,
      error: { code: 'change.refused' },
    });
    await undo(change, made, state);
    expect(await read(dn, 'managedBy')).toEqual([`CN=Ole Other,${users()}`]);
    expect(await read(dn, 'description')).toEqual([]);
    expect(await change.planUndo(made, state, context())).toMatchObject({
      ok: false,
      error: { code: 'change.state-differs', message: 'Somebody has changed description and managedBy since.' },
    });
    expect(await plan(directorySetAttributes, { object: `CN=Nora Nurse,${users()}`, description: 'x' })).toMatchObject({
      ok: false,
      error: { code: 'change.refused' },
    });
  });

  it('directory.protect-from-deletion keeps an administrator from deleting, and its undo lets them', async () => {
    const change = directoryProtectFromDeletion as unknown as DirectoryChange<never>;
    const unit = `OU=Kept,${base}`;
    await server.admin((client) => client.add(unit, { objectClass: ['top', 'organizationalUnit'], ou: 'Kept' }));
    const dn = await server.addGroup({ name: 'MDIP-Kept', container: unit });
    const remove = () => server.admin((client) => client.del(dn));
    const seen = async () =>
      (await runDirectoryProbe(directoryGroup, { group: 'MDIP-Kept' }, context())).facts.group.protected;
    expect(await seen()).toBe(false);
    const made = must(await plan(directoryProtectFromDeletion, { object: 'MDIP-Kept' }));
    expect(made.diff).toContain(`dn: ${unit}\ncontrol: 1.2.840.113556.1.4.801 true:: MAMCAQQ=\nchangetype: modify\n`);
    const state = await write(change, made);
    await expect(remove()).rejects.toThrow();
    expect(await seen()).toBe(true);
    expect(await plan(directoryProtectFromDeletion, { object: dn })).toMatchObject({
      ok: false,
      error: { code: 'change.refused', message: `${dn} is protected already.` },
    });
    // Everything else that was in the lists is still there: members can be changed as before.
    await server.addMember(dn, `CN=Ole Other,${users()}`);
    const early = must(await change.planUndo(made, state, context()));
    const sibling = must(await plan(directoryProtectFromDeletion, { object: unit }));
    await write(change, sibling);
    expect(await change.apply(early, writer(), context())).toMatchObject({
      ok: false,
      error: { code: 'change.state-differs' },
    });
    await undo(change, sibling, must(await change.readBack(sibling, context())).state);
    // What another protected group beside it rests on stays.
    const other = await server.addGroup({ name: 'MDIP-Kept-Too', container: unit });
    const too = must(await plan(directoryProtectFromDeletion, { object: other }));
    const stateToo = await write(change, too);
    const back = await undo(change, made, state);
    expect(back.operations).toMatchObject({ lists: ['object'] });
    await remove();
    await expect(server.admin((client) => client.del(other))).rejects.toThrow();
    await undo(change, too, stateToo);
    await server.admin((client) => client.del(other));
    expect(await change.planUndo(made, state, context())).toMatchObject({
      ok: false,
      error: { code: 'change.state-differs' },
    });
  });

  it('directory.protect-from-deletion writes nothing without the right', async () => {
    await server.addGroup({ name: 'MDIP-Open' });
    const made = must(await plan(directoryProtectFromDeletion, { object: 'MDIP-Open' }));
    expect(
      await directoryProtectFromDeletion.apply(
        made,
        { user: 'reader@hospital.test', password: READ_PASSWORD },
        context(),
      ),
    ).toMatchObject({ ok: false, error: { code: 'ldap.no-right' } });
    expect(must(await directoryProtectFromDeletion.readBack(made, context()))).toMatchObject({
      asPlanned: false,
      state: made.preImage,
    });
  });
});
