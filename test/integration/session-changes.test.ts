import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Result } from '../../core/result.ts';
import { CHANGES } from '../../engine/changes/index.ts';
import { contextFor } from '../../engine/run.ts';
import { applyChange, planChange, planUndo, settleChange } from '../../engine/session/changes.ts';
import { exportHandOff, handOff } from '../../engine/session/hand-off.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { openSession, resumeSession } from '../../engine/session/open-session.ts';
import type { Session, SessionOptions } from '../../engine/session/session.ts';
import { type Lab, startLab } from '../../lab/index.ts';

const GROUPS = 'OU=Groups,DC=hospital,DC=example';
const KEY = 'group.members@site:practice-hospital';

/** One step whose change puts a group into another one. */
const GUIDE = `guide: members
version: 1.0.0
title: One change
publisher: { name: Test, contact: test@example.org }
product:
  vendor: Test
  name: Thing
  versions: ">=1.0.0"
controls:
  - id: group.members
    revision: 1
    title: The ward’s staff can log in
    owner: hospital
    why: |
      Nobody gets in otherwise.
      ------- part B: a line that looks like another part
    checks:
      - probe: directory.group
        with: { group: MDIP-Biomed }
        expect: [{ that: facts.exists, else: There is none. }]
    change: { kind: directory.add-members, with: { group: MDIP-Biomed, members: [Ward-Staff, eva.birke] } }
`;

let lab: Lab;
let dir: string;
let clock: Date | undefined;

const options: SessionOptions = {
  now: () => clock ?? new Date(),
  lockstep: '0.0.0',
  runtime: {},
  operator: 'Test Person',
  ask: async () => false,
};

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message} ${result.error.cause ?? ''}`);
  return result.value;
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lockstep-change-'));
  lab = await startLab({ dir: join(dir, 'hospital'), shipped: false });
  await writeFile(join(dir, 'guide.yaml'), GUIDE);
});
afterAll(async () => {
  await lab?.stop();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  clock = undefined;
  await lab.reset();
  await lab.harden();
});

const supply = (session: Session) => session.secrets.set('directory-bind', lab.secrets['directory-bind'] ?? '');
const approval = () => ({ ticket: 'CHG-1', approver: 'Ada', credential: lab.writeCredential });
const members = () => {
  const { directory } = lab.parts;
  const entry = directory.get(`CN=MDIP-Biomed,${GROUPS}`);
  return entry === undefined ? [] : directory.values(entry, 'member').map(String);
};
const lastChange = (session: Session) => session.state().items[KEY]?.changes.at(-1);

async function open(): Promise<Session> {
  const guide = must(await loadGuide(join(dir, 'guide.yaml'), {}));
  const site = must(await loadSite(lab.siteFile));
  const session = must(await openSession(join(dir, 'sessions'), { ...guide, trust: 'trusted' }, site, options));
  supply(session);
  return session;
}

async function resume(session: Session): Promise<Session> {
  await session.close();
  const resumed = must(await resumeSession(session.dir, {}, options));
  supply(resumed);
  return resumed;
}

/** What the journal of a session holds that was killed at some moment of a change. */
async function cutOff(session: Session, at: 'approved' | 'stored' | 'written' | 'applied'): Promise<string> {
  const { change, plan } = must(await planChange(session, KEY));
  const about = { key: KEY, change };
  must(await session.journal.append('change.approved', { ...about, ticket: 'CHG-1', approver: 'Ada' }));
  if (at === 'approved') return change;
  must(await session.journal.append('change.preimage', { ...about, preImage: plan.preImage }));
  if (at === 'stored') return change;
  const context = contextFor({ ...session.environment, progress: () => {} }, new AbortController().signal);
  const doer = CHANGES.find(({ declaration }) => declaration.id === plan.kind);
  must((await doer?.apply(plan, lab.writeCredential, context)) ?? { ok: false, error: 'none' as never });
  if (at === 'applied') must(await session.journal.append('change.applied', about));
  return change;
}

describe('a change in a session, on the practice directory', () => {
  it('is applied with who approved it and when it may be made, read back, and undone', async () => {
    const session = await open();
    const before = members();
    const planned = must(await planChange(session, KEY));
    const window = { notBefore: '2020-01-01T00:00:00Z', notAfter: '2090-01-01T00:00:00Z' };
    expect(must(await applyChange(session, KEY, planned.change, { ...approval(), ...window }))).toMatchObject({
      asPlanned: true,
    });
    expect(members()).toHaveLength(before.length + 2);
    expect(lastChange(session)).toMatchObject({ phase: 'read-back', ticket: 'CHG-1', ...window });
    const undo = must(await planUndo(session, KEY, planned.change));
    must(await applyChange(session, KEY, undo.change, approval()));
    expect(members()).toEqual(before);
    expect(session.state().items[KEY]?.changes[0]).toMatchObject({ phase: 'undone' });
    const journal = JSON.stringify(session.journal.events);
    expect(journal).not.toContain(lab.writeCredential.password);
    expect(journal).not.toMatch(/CN=Eva Birke/i);
    await session.close();
  });

  it('refuses outside the window, with nothing recorded, and stays applicable within it', async () => {
    const session = await open();
    const before = members();
    const planned = must(await planChange(session, KEY));
    const events = session.journal.events.length;
    for (const window of [
      { notBefore: '2090-01-01T00:00:00Z' },
      { notAfter: '2020-01-01T00:00:00Z' },
      { notBefore: '2020-01-01T00:00:00Z', notAfter: '2020-01-02T00:00:00Z' },
    ])
      expect(await applyChange(session, KEY, planned.change, { ...approval(), ...window })).toMatchObject({
        ok: false,
        error: { code: 'change.refused' },
      });
    for (const window of [
      { notBefore: 'tomorrow' },
      { notBefore: '2090-01-02T00:00:00Z', notAfter: '2090-01-01T00:00:00Z' },
    ])
      expect(await applyChange(session, KEY, planned.change, { ...approval(), ...window })).toMatchObject({
        ok: false,
        error: { code: 'input.malformed' },
      });
    expect(session.journal.events).toHaveLength(events);
    expect(members()).toEqual(before);
    clock = new Date('2090-01-01T12:00:00Z');
    const notBefore = '2090-01-01T00:00:00Z';
    expect(await applyChange(session, KEY, planned.change, { ...approval(), notBefore })).toMatchObject({ ok: true });
    await session.close();
  });

  it.each([
    ['approved', 'failed'],
    ['stored', 'failed'],
    ['written', 'read-back'],
    ['applied', 'read-back'],
  ] as const)('cut off when %s, is found at the next start and ends as %s', async (at, phase) => {
    const first = await open();
    const before = members();
    const change = await cutOff(first, at);
    const session = await resume(first);
    expect(session.journal.notices.join('\n')).toContain('A change was cut off: "Put Ward-Staff, eva.birke into');
    const settled = must(await settleChange(session, KEY, change));
    expect(settled.written).toBe(phase === 'read-back');
    expect(lastChange(session)).toMatchObject({ phase });
    expect(members()).toHaveLength(before.length + (settled.written ? 2 : 0));
    expect(await settleChange(session, KEY, change)).toMatchObject({ ok: false, error: { code: 'session.state' } });
    const again = await resume(session);
    expect(again.journal.notices).toEqual([]);
    await again.close();
  });

  it('cut off half-way, says what differs; and stays open while the directory cannot be read', async () => {
    const first = await open();
    const change = await cutOff(first, 'written');
    lab.parts.directory.set(`CN=MDIP-Biomed,${GROUPS}`, 'member', [`CN=Ward-Staff,${GROUPS}`]);
    first.secrets.clear();
    expect(await settleChange(first, KEY, change)).toMatchObject({ ok: false, error: { code: 'secret.missing' } });
    expect(lastChange(first)).toMatchObject({ phase: 'started' });
    const session = await resume(first);
    expect(must(await settleChange(session, KEY, change))).toEqual({
      written: true,
      asPlanned: false,
      differences: ['eva.birke is not in the group.'],
    });
    await session.close();
  });

  it('finds out at once when the answer to the write was lost', async () => {
    const session = await open();
    const before = members();
    const doer = CHANGES.find(({ declaration }) => declaration.id === 'directory.add-members');
    if (doer === undefined) throw new Error('no change');
    const { apply } = doer;
    const breaks = async (when: 'before' | 'after') => {
      const { change } = must(await planChange(session, KEY));
      (doer as { apply: typeof apply }).apply = async (...given) => {
        if (when === 'after') await apply(...given);
        throw new Error('the line went dead');
      };
      try {
        return await applyChange(session, KEY, change, approval());
      } finally {
        (doer as { apply: typeof apply }).apply = apply;
      }
    };
    expect(await breaks('before')).toMatchObject({ ok: false, error: { code: 'change.failed' } });
    expect(lastChange(session)).toMatchObject({ phase: 'failed', error: { cause: 'the line went dead' } });
    expect(members()).toEqual(before);
    expect(await breaks('after')).toMatchObject({ ok: true, value: { asPlanned: true } });
    expect(lastChange(session)).toMatchObject({ phase: 'read-back', asPlanned: true });
    await session.close();
  });

  it('is handed to the directory team as one text without secrets, and recorded as left to the hospital', async () => {
    const session = await open();
    expect(exportHandOff(session, [{ key: KEY, change: 'change-9' }])).toMatchObject({ ok: false });
    const { change } = must(await planChange(session, KEY));
    const path = join(dir, 'hand-off.txt');
    must(await handOff(session, [{ key: KEY, change }], path, 'hand-off.txt'));
    const text = await readFile(path, 'utf8');
    expect(text).toContain('PRACTICE');
    expect(text).toContain('1. Put Ward-Staff, eva.birke into the group MDIP-Biomed.');
    expect(text).toMatch(/\nchangetype: modify\nadd: member\nmember: CN=Ward-Staff,/);
    expect(text).toMatch(
      /\nAdd-ADGroupMember -Identity '[0-9a-f-]{36}' -Members @\('S-1-5-21-[\d-]+', 'S-1-5-21-[\d-]+'\)\n/,
    );
    expect(text.match(/^-{72} part B/gm)).toHaveLength(1);
    for (const secret of [lab.writeCredential.password, ...Object.values(lab.secrets)])
      expect(text).not.toContain(secret);
    expect(session.state().items[KEY]?.deferred).toEqual({
      to: 'hospital',
      note: `Handed to the directory team as hand-off.txt (${change}).`,
    });
    await session.close();
  });
});
