import { describe, expect, it } from 'vitest';
import { accessChangesSchema } from '../../../core/people/access-changes.ts';
import { compareAccess } from '../../../core/people/compare-access.ts';
import { namesSomebody, withoutNames } from '../../../core/people/named.ts';
import type { Baseline } from '../../../core/people/with-changes.ts';
import { withChanges } from '../../../core/people/with-changes.ts';
import { type AccessFacts, directoryAccess } from '../../../core/probes/directory-access.ts';
import type { FactsFile } from '../../../core/session/events.ts';

const KEY = 'aaaaaaaaaaaaaaaa';
const SINCE = {
  at: '2026-10-01T08:00:00.000Z',
  bundle: 'b'.repeat(64),
  session: '6b4d6f0e-53b7-4f0e-9a39-0f8b1f8a2c11',
  provisional: false,
};
const id = (letter: string) => letter.repeat(64);
type Role = AccessFacts['roles'][number];

function role(name: string, people: string, more: Partial<Role> = {}): Role {
  return {
    id: name,
    group: `MDIP-${name}`,
    exists: true,
    holders: people.length,
    groups: [{ name: `MDIP-${name}`, parents: [], depth: 0, people: people.length }],
    people: Array.from(people, (letter) => ({ id: id(letter), via: [`MDIP-${name}`], canLogIn: true })),
    grantors: [],
    ...more,
  };
}
const facts = (roles: Role[], more: Partial<AccessFacts> = {}): AccessFacts => ({ keyId: KEY, roles, ...more });
const compare = (now: AccessFacts, before: AccessFacts) => {
  const { changed, absent } = compareAccess(now, before, SINCE);
  return {
    changed: accessChangesSchema.parse(changed),
    absent: Object.fromEntries(absent.map(({ path, reason }) => [path, reason])),
  };
};

describe('who can log in, compared with an earlier bundle', () => {
  it('tells who joined, who left and who changed roles', () => {
    const { changed, absent } = compare(
      facts([role('clinical', 'abc'), role('biomed', 'd')]),
      facts([role('clinical', 'ad'), role('biomed', 'e')]),
    );
    expect(changed.joined).toEqual([
      { id: id('b'), roles: ['clinical'] },
      { id: id('c'), roles: ['clinical'] },
    ]);
    expect(changed.left).toEqual([{ id: id('e'), roles: ['biomed'] }]);
    expect(changed.moved).toEqual([{ id: id('d'), from: ['clinical'], to: ['biomed'] }]);
    expect(changed.counts).toEqual([
      { role: 'clinical', before: 2, now: 3 },
      { role: 'biomed', before: 1, now: 1 },
    ]);
    expect(changed.sentence).toBe('2 people joined, 1 left and 1 person changed roles since 2026-10-01.');
    expect(absent).toEqual({});
  });

  it('tells whose account was enabled or disabled', () => {
    const able = (letters: string) =>
      role('clinical', 'abc', {
        people: Array.from('abc', (letter) => ({ id: id(letter), via: [], canLogIn: letters.includes(letter) })),
      });
    const { changed } = compare(facts([able('ab')]), facts([able('bc')]));
    expect(changed).toMatchObject({
      joined: [],
      enabled: [{ id: id('a'), roles: ['clinical'] }],
      disabled: [{ id: id('c'), roles: ['clinical'] }],
    });
    expect(changed.sentence).toBe(
      'Nobody joined or left since 2026-10-01; 1 person who could not log in then can now; 1 person who could then cannot now.',
    );
    const unknown = role('clinical', 'a', { people: [{ id: id('a'), via: [] }] });
    expect(compare(facts([able('a')]), facts([unknown])).absent).toEqual({
      'changed.enabled': 'it is not known of everybody whether they can log in, now or then',
      'changed.disabled': 'it is not known of everybody whether they can log in, now or then',
    });
  });

  it('says that nothing changed where nothing did', () => {
    const { changed } = compare(facts([role('clinical', 'ab')]), facts([role('clinical', 'ba')]));
    expect(changed).toMatchObject({ joined: [], left: [], moved: [], groupsAdded: [], grantorsAdded: [] });
    expect(changed.sentence).toBe('Nobody joined or left since 2026-10-01.');
  });

  it('tells groups and grantors that came and went, and a role that is given by another group', () => {
    const nested = { name: 'Ward-7', parents: ['MDIP-clinical'], depth: 1, people: 1 };
    const grantor = { type: 'group' as const, name: 'Helpdesk', rights: ['WriteMember'], groups: ['Ward-7'] };
    const { changed } = compare(
      facts([
        role('clinical', 'a', {
          group: 'New',
          groups: [{ name: 'New', parents: [], depth: 0, people: 1 }, nested],
          grantors: [grantor],
        }),
      ]),
      facts([role('clinical', 'a', { grantors: [{ type: 'person', id: id('f'), rights: [], groups: [] }] })]),
    );
    expect(changed).toMatchObject({
      regrouped: [{ role: 'clinical', before: 'MDIP-clinical', now: 'New' }],
      groupsAdded: [{ role: 'clinical', group: 'Ward-7' }],
      groupsRemoved: [],
      grantorsAdded: [{ role: 'clinical', type: 'group', name: 'Helpdesk' }],
      grantorsRemoved: [{ role: 'clinical', type: 'person', id: id('f') }],
    });
    expect(changed.sentence).toContain('1 more can give a role; 1 can no longer give a role.');
  });

  it('takes a group that was not there for one that let nobody in', () => {
    const gone: Role = { id: 'clinical', group: 'MDIP-clinical', exists: false };
    const { changed } = compare(facts([role('clinical', 'a')]), facts([gone]));
    expect(changed).toMatchObject({ joined: [{ id: id('a') }], left: [], grantorsAdded: [], counts: [] });
  });

  it('does not compare people under two keys or without one, and says so; counts and groups it does', () => {
    const before = facts([role('clinical', 'ab')]);
    const now = facts([role('clinical', 'cde')]);
    const other = compare({ ...now, keyId: 'bbbbbbbbbbbbbbbb' }, before);
    expect(other.changed).not.toHaveProperty('joined');
    expect(other.absent['changed.joined']).toMatch(/under the site key aaaaaaaaaaaaaaaa, this session under bbbb/);
    expect(other.changed).toMatchObject({ counts: [{ before: 2, now: 3 }], groupsAdded: [], grantorsAdded: [] });
    expect(other.changed.sentence).toBe(
      'Who joined or left since 2026-10-01 cannot be told; clinical had 2 people, now 3.',
    );
    const { keyId: _key, ...unkeyed } = now;
    expect(compare(unkeyed, before).absent['changed.left']).toMatch(/this session has no site key/);
    expect(compare(now, { roles: before.roles }).absent['changed.moved']).toMatch(/recorded without a site key/);
  });

  it('does not compare people who can give a role under two keys', () => {
    const person = { type: 'person' as const, rights: [], groups: [] };
    const { changed, absent } = compare(
      { roles: [role('clinical', '', { grantors: [person] })] },
      { roles: [role('clinical', '', { grantors: [] })] },
    );
    expect(changed).not.toHaveProperty('grantorsAdded');
    expect(absent['changed.grantorsAdded']).toMatch(/no site key/);
  });

  it.each([
    ['people', 'joined', /who held clinical then/],
    ['groups', 'groupsAdded', /nested group of clinical/],
    ['grantors', 'grantorsRemoved', /who can give clinical/],
  ] as const)('leaves out what rests on %s that one side does not know', (lost, path, reason) => {
    const { [lost]: _lost, ...unknown } = role('clinical', 'a');
    const { changed, absent } = compare(facts([role('clinical', 'a')]), facts([unknown]));
    expect(changed).not.toHaveProperty(path);
    expect(absent[`changed.${path}`]).toMatch(reason);
  });

  it('does not take a role for new because the earlier bundle did not ask about it', () => {
    const { changed, absent } = compare(
      facts([role('clinical', 'a'), role('biomed', 'b')]),
      facts([role('clinical', 'a')]),
    );
    expect(changed).not.toHaveProperty('joined');
    expect(absent['changed.joined']).toMatch(/does not have the role biomed/);
    expect(compare(facts([role('clinical', 'a')]), facts([role('biomed', 'a'), role('clinical', 'a')])).absent).toEqual(
      expect.objectContaining({ 'changed.left': 'only the earlier bundle has the role biomed' }),
    );
  });
});

describe('names in facts', () => {
  it('are found beside a code, wherever they stand, and nowhere else', () => {
    const named = role('clinical', 'a', { people: [{ id: id('a'), name: 'nurse', via: [] }] });
    expect(namesSomebody(facts([role('clinical', 'ab')]))).toBe(false);
    expect(namesSomebody(facts([named]))).toBe(true);
    const grantor = { type: 'group' as const, name: 'Helpdesk', rights: [], groups: [] };
    expect(namesSomebody(facts([role('clinical', 'a', { grantors: [grantor] })]))).toBe(false);
    expect(namesSomebody(undefined)).toBe(false);
    expect(withoutNames(facts([named]))).toEqual(facts([{ ...named, people: [{ id: id('a'), via: [] }] }]));
    const unnamed = facts([role('clinical', 'a', { grantors: [grantor] })]);
    expect(withoutNames(unnamed)).toEqual(unnamed);
  });
});

describe('facts that are compared with an earlier bundle', () => {
  const file = (value: unknown, more: Partial<FactsFile> = {}): FactsFile => ({
    probe: directoryAccess.id,
    version: directoryAccess.version,
    params: {},
    startedAt: SINCE.at,
    finishedAt: SINCE.at,
    runtime: {},
    connections: 1,
    facts: value,
    absent: [],
    ...more,
  });
  const { at: _at, ...since } = SINCE;
  const baseline = (...entries: [string, FactsFile][]): Baseline => ({
    since,
    facts: entries.map(([key, each]) => ({ key, facts: each })),
  });
  const now = file(facts([role('clinical', 'ab')]));
  const before = file(facts([role('clinical', 'a')]));
  const reasonOf = (compared: FactsFile) => compared.absent.find(({ path }) => path === 'changed')?.reason;

  it('say what changed, and from when the earlier ones are', () => {
    const compared = withChanges(now, 'access.people@site:ward', baseline(['access.people@site:ward', before]));
    expect(directoryAccess.facts.parse(compared.facts).changed).toMatchObject({
      since: SINCE,
      sentence: '1 person joined since 2026-10-01.',
    });
    expect(reasonOf(compared)).toBeUndefined();
  });

  it('take those of the same control, else of another at the same target', () => {
    const same = baseline(['access.people@site:ward', before], ['access.other@site:ward', now]);
    expect(withChanges(now, 'access.people@site:ward', same).facts).toMatchObject({ changed: { joined: [{}] } });
    expect(withChanges(now, 'access.new@site:ward', same).facts).toMatchObject({ changed: { joined: [] } });
    expect(reasonOf(withChanges(now, 'access.people@site:elsewhere', same))).toMatch(/does not hold/);
  });

  it('say why nothing is compared', () => {
    expect(reasonOf(withChanges(now, 'k@site:ward', undefined))).toBe('no earlier bundle was given to compare with');
    const old = file({ roles: [] }, { version: 1 });
    expect(reasonOf(withChanges(now, 'k@site:ward', baseline(['k@site:ward', old])))).toMatch(/version 1 of these/);
    const { facts: _facts, ...none } = file(undefined, { notApplicable: 'no directory' });
    expect(reasonOf(withChanges(now, 'k@site:ward', baseline(['k@site:ward', none])))).toMatch(/no directory/);
  });

  it('stay as they are where the probe compares nothing', () => {
    const other = file({ status: 200 }, { probe: 'http.request' });
    expect(withChanges(other, 'k@site:ward', undefined)).toBe(other);
    expect(withChanges(none(), 'k@site:ward', undefined)).toEqual(none());
    function none(): FactsFile {
      const { facts: _facts, ...rest } = now;
      return { ...rest, notApplicable: 'no directory' };
    }
  });
});
