import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readChain } from '../../../core/session/chain.ts';
import { relate } from '../../../core/session/fork.ts';
import { reduceAll } from '../../../core/session/state.ts';
import { JOURNAL_VERSION } from '../../../core/session/versions.ts';
import { journalPath, openJournal, readJournal } from '../../../engine/evidence/journal-file.ts';
import { listSessions } from '../../../engine/session/list.ts';
import { ROOT } from '../../support/cli.ts';
import { sha256, value } from '../../support/evidence.ts';

// Written by the program as it was before version 2; never to be changed.
const OLD = join(ROOT, 'test', 'fixtures', 'journal-version-1.jsonl');
const DIGEST = '278a08d66bb40479ff53d08febcba1287187fc822725913d1448b9037f25f24f';

let dir: string;
const options = { by: 'otto', now: () => new Date('2026-11-24T10:00:00.000Z') };
const bytesOf = async (file: string) => new Uint8Array(await readFile(file));

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lockstep-versions-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** The lines of the fixture, with `change` made to one of them and the chain mended behind it. */
async function rewritten(change: (line: Record<string, unknown>, n: number) => void): Promise<string> {
  let prev = '0'.repeat(64);
  const lines = (await readFile(OLD, 'utf8')).trimEnd().split('\n');
  return lines
    .map((text, n) => {
      const line = JSON.parse(text) as Record<string, unknown>;
      line.prev = prev;
      change(line, n);
      const { data, ...before } = line;
      const written = JSON.stringify({ ...before, data });
      prev = sha256(written);
      return `${written}\n`;
    })
    .join('');
}

describe('a journal of an earlier version', () => {
  it("is read with today's meaning, from bytes and digests that stay as they are", async () => {
    const bytes = await bytesOf(OLD);
    expect(sha256(bytes)).toBe(DIGEST);
    const reading = await readChain(bytes, sha256);
    expect(reading).toMatchObject({ faults: [], version: 1 });
    expect(reading.events.find(({ type }) => type === 'operator.joined')?.data).toEqual({
      how: 'resumed',
      id: 'otto',
      name: 'Otto Night',
    });
    const lines = (await readFile(OLD, 'utf8')).trimEnd().split('\n');
    expect(reading.hashes).toEqual(lines.map((line) => sha256(line)));
    expect(reduceAll(reading.events).operators.map(({ name }) => name)).toEqual(['Erika Engineer', 'Otto Night']);
  });

  it('is gone on with in the present version, which the first new line says and the next inherit', async () => {
    await writeFile(journalPath(dir), await readFile(OLD));
    const before = await readFile(OLD);
    const journal = value(await openJournal(dir, options));
    value(await journal.append('hand-over.withdrawn', { reason: 'a type that version 1 does not have' }));
    value(await journal.append('preflight.accepted', { visible: [] }));
    await journal.close();
    const after = await readFile(journalPath(dir));
    expect(after.subarray(0, before.length).equals(before)).toBe(true);
    const added = after.subarray(before.length).toString().trimEnd().split('\n');
    expect(added.map((line) => (JSON.parse(line) as { v?: number }).v)).toEqual([JOURNAL_VERSION, undefined]);
    const again = value(await openJournal(dir, options));
    expect(again.events).toEqual(journal.events);
    expect(again.events.slice(0, 10)).toEqual((await readChain(await bytesOf(OLD), sha256)).events);
    await again.close();
  });
});

describe('a journal of a later version', () => {
  const later = JOURNAL_VERSION + 1;

  it.each([
    [
      'from its first line',
      0,
      (line: Record<string, unknown>) => ((line.data as { format: string }).format = `lockstep-journal/${later}`),
    ],
    ['from a line in the middle', 4, (line: Record<string, unknown>) => (line.v = later)],
    ['in its last line only', 9, (line: Record<string, unknown>) => (line.v = later)],
  ])('%s is refused by name, and nothing is written', async (_name, at, change) => {
    const text = await rewritten((line, n) => void (n === at && change(line)));
    await writeFile(journalPath(dir), text);
    for (const refused of [await openJournal(dir, options), await readJournal(dir)]) {
      expect(refused).toMatchObject({ ok: false, error: { code: 'journal.later-version' } });
      expect(refused.ok ? '' : refused.error.message).toBe(
        `Line ${at} was written by a later version of Lockstep: it is of version ${later}, and this one reads up to ${JOURNAL_VERSION}. Open it with the later one.`,
      );
    }
    expect(await readFile(journalPath(dir), 'utf8')).toBe(text);
  });

  it('cannot be claimed backwards, twice, or by what is no number', async () => {
    for (const v of [1, 2, 2.5, '2', 0, -1, null]) {
      const text = await rewritten((line, n) => void (n >= 4 && n <= 5 && (line.v = v)));
      await writeFile(journalPath(dir), text);
      expect(await openJournal(dir, options), String(v)).toMatchObject({
        ok: false,
        error: { code: 'journal.broken' },
      });
    }
  });
});

describe('two journals of one session', () => {
  it('are the same, one goes on, or they fork at a line', () => {
    expect(relate(['a', 'b'], ['a', 'b'])).toEqual({ kind: 'same' });
    expect(relate(['a', 'b', 'c'], ['a', 'b'])).toEqual({ kind: 'first-goes-on' });
    expect(relate(['a'], ['a', 'b'])).toEqual({ kind: 'second-goes-on' });
    expect(relate(['a', 'b', 'c'], ['a', 'x'])).toEqual({ kind: 'fork', line: 1 });
  });
});

describe('a list of sessions', () => {
  it('shows one of an earlier version, and none that is just being taken over', async () => {
    for (const name of ['one', '.two.tmp']) {
      await mkdir(join(dir, name));
      await writeFile(journalPath(join(dir, name)), await readFile(OLD));
    }
    expect(await listSessions(dir)).toMatchObject([{ operator: 'Erika Engineer', events: 10 }]);
  });
});
