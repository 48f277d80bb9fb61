import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openJournal } from '../../../engine/evidence/journal-file.ts';
import { type ListedSession, listSessions } from '../../../engine/session/list.ts';
import { purgeRecordPath, purgeSession, sessionsToPurge } from '../../../engine/session/purge.ts';
import { lockstep } from '../../support/cli.ts';
import { makeParties, makeSession, NOW, sha256, ticking, value } from '../../support/evidence.ts';

const ID = '6b4d6f0e-53b7-4f0e-9a39-0f8b1f8a2c11';
const later = new Date(NOW.getTime() + 91 * 86_400_000);

describe('purging a session', () => {
  let data: string;
  let sessions: string;
  beforeEach(async () => {
    data = await mkdtemp(join(tmpdir(), 'lockstep-purge-'));
    sessions = join(data, 'sessions');
    await makeSession(join(sessions, ID), await makeParties(), false);
  });
  afterEach(() => rm(data, { recursive: true, force: true }));
  const listed = async (): Promise<ListedSession> => value(await sessionsToPurge(sessions, { id: ID }, later))[0]!;
  const record = async () =>
    (await readFile(purgeRecordPath(sessions), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));

  it('removes all of it and keeps on record what was there, when it went and by whom', async () => {
    const journal = await readFile(join(sessions, ID, 'journal.jsonl'), 'utf8');
    const last = journal.trim().split('\n').at(-1) ?? '';
    value(await purgeSession(sessions, await listed(), 'hannah', later));
    expect(await readdir(sessions)).toEqual([]);
    expect(await record()).toEqual([
      {
        at: later.toISOString(),
        by: 'hannah',
        session: ID,
        guide: 'example 1.0.0',
        site: 'Example hospital',
        openedAt: JSON.parse(journal.split('\n')[0] ?? '').at,
        lastAt: JSON.parse(last).at,
        sealed: false,
        events: journal.trim().split('\n').length,
        head: sha256(last),
      },
    ]);
    expect(
      await purgeSession(sessions, { ...(await listSessions(sessions))[0], session: ID } as ListedSession, 'x', later),
    ).toMatchObject({
      ok: false,
      error: { code: 'session.not-found' },
    });
  });

  it('chooses by site, by its id or name, and by age within it', async () => {
    const chosen = async (which: { olderThan?: string; site?: string }) =>
      value(await sessionsToPurge(sessions, which, later)).length;
    expect(await chosen({ site: 'example' })).toBe(1);
    expect(await chosen({ site: 'EXAMPLE hospital', olderThan: 'P90D' })).toBe(1);
    expect(await chosen({ site: 'example', olderThan: 'P1Y' })).toBe(0);
    expect(await chosen({})).toBe(0);
    expect(await sessionsToPurge(sessions, { site: 'elsewhere' }, later)).toMatchObject({
      ok: false,
      error: { code: 'session.not-found' },
    });
    const listed = await lockstep(['session', 'list', '--data', data, '--site', 'elsewhere']);
    expect(listed.stdout).toContain('No session is of the site "elsewhere"');
    expect((await lockstep(['session', 'list', '--data', data, '--site', 'example'])).stdout).toContain(ID);
  }, 60_000);

  it('chooses by the age of the last event, not of the first', async () => {
    const old = async (olderThan: string, now = later) =>
      value(await sessionsToPurge(sessions, { olderThan }, now)).length;
    expect(await old('P90D')).toBe(1);
    expect(await old('P92D')).toBe(0);
    expect(await old('P90D', NOW)).toBe(0);
    const journal = value(await openJournal(join(sessions, ID), { by: 'erika', now: ticking(later) }));
    value(await journal.append('preflight.accepted', { visible: [] }));
    await journal.close();
    expect(await old('P90D')).toBe(0);
    for (const wrong of ['90', 'P', 'P0D', '', 'P-1D', 'ninety days'])
      expect(await sessionsToPurge(sessions, { olderThan: wrong }, later)).toMatchObject({ ok: false });
  });

  it('refuses a session that is open, and leaves it whole', async () => {
    const journal = value(await openJournal(join(sessions, ID), { by: 'erika', now: ticking() }));
    const before = await readdir(join(sessions, ID));
    expect(await purgeSession(sessions, await listed(), 'hannah', later)).toMatchObject({
      ok: false,
      error: { code: 'journal.locked' },
    });
    expect(await readdir(join(sessions, ID))).toEqual(before);
    await expect(record()).rejects.toThrow('ENOENT');
    await journal.close();
  });

  it('follows no link out of the folder, and trusts no name', async () => {
    const elsewhere = join(data, 'elsewhere');
    const one = await listed();
    await rename(join(sessions, ID), elsewhere);
    await symlink(elsewhere, join(sessions, ID));
    expect((await purgeSession(sessions, one, 'x', later)).ok).toBe(false);
    expect((await purgeSession(sessions, { ...one, session: '../elsewhere' }, 'x', later)).ok).toBe(false);
    expect((await readdir(elsewhere)).length).toBeGreaterThan(1);
  });

  it('removes nothing where the record cannot be written', async () => {
    await mkdir(purgeRecordPath(sessions));
    expect(await purgeSession(sessions, await listed(), 'x', later)).toMatchObject({
      ok: false,
      error: { code: 'journal.write' },
    });
    expect(await readdir(sessions)).toEqual([ID]);
  });

  it('asks on the command line, and does as it is told with --yes', async () => {
    const run = (...args: string[]) => lockstep(['session', ...args, '--data', data]);
    expect(JSON.parse((await run('list', '--json')).stdout)).toMatchObject([
      { session: ID, ageDays: expect.any(Number) },
    ]);
    const unasked = await run('purge', ID);
    expect(unasked).toMatchObject({ code: 2 });
    expect(unasked.stderr).toContain('--yes');
    await writeFile(join(sessions, 'a-file'), '');
    expect(await run('purge', ID, '--yes')).toMatchObject({ code: 0, stderr: '' });
    expect(await readdir(sessions)).toEqual(['a-file']);
    expect((await run('purge')).code).toBe(2);
  }, 60_000);
});
