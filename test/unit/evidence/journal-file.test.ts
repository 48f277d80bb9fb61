import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readChain } from '../../../core/session/chain.ts';
import {
  createJournal,
  type Journal,
  journalPath,
  openJournal,
  readJournal,
} from '../../../engine/evidence/journal-file.ts';
import { sha256, ticking, value } from '../../support/evidence.ts';

const OPENED = {
  format: 'lockstep-journal/2' as const,
  session: '6b4d6f0e-53b7-4f0e-9a39-0f8b1f8a2c11',
  lockstep: '0.1.0',
  guide: { id: 'g', version: '1', sha256: 'a'.repeat(64), trust: 'unsigned' as const },
  site: { id: 's', name: 'S', sha256: 'b'.repeat(64), practice: true },
  operator: { id: 'erika', name: 'Erika' },
  runtime: {},
};
const ITEM = 'c@site:s';

let dir: string;
const options = { by: 'erika', now: ticking() };

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lockstep-journal-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function start(): Promise<Journal> {
  return value(await createJournal(join(dir, 's'), OPENED, options));
}
const facts = (probe: string) => ({
  probe,
  version: 1,
  params: {},
  startedAt: '2026-11-23T10:00:00.000Z',
  finishedAt: '2026-11-23T10:00:00.000Z',
  runtime: {},
  connections: 0,
  facts: { x: 1 },
  absent: [],
});

describe('the journal', () => {
  it('chains every line to the one before, and reads back what was acknowledged', async () => {
    const journal = await start();
    value(await journal.append('preflight.accepted', { visible: ['a connection'] }));
    value(
      await journal.append('judged', {
        key: ITEM,
        control: 'c',
        revision: 1,
        target: { kind: 'site', id: 's', name: 'S' },
        verdict: 'fail',
        findings: [{ verdict: 'fail', sentence: 'ü\u2028' }],
        basis: [1],
      }),
    );
    await journal.close();
    const bytes = new Uint8Array(await readFile(journalPath(journal.dir)));
    const reading = await readChain(bytes, sha256);
    expect(reading.faults).toEqual([]);
    expect(reading.events).toEqual(journal.events);
    const again = value(await openJournal(journal.dir, options));
    expect(again.events).toEqual(journal.events);
    expect(again.head()).toBe(journal.head());
    expect(again.notices).toEqual([]);
    value(await again.append('preflight.accepted', { visible: [] }));
    await again.close();
    expect((await readChain(new Uint8Array(await readFile(journalPath(journal.dir))), sha256)).faults).toEqual([]);
  });

  it('gives appends made at once their numbers one after the other', async () => {
    const journal = await start();
    const results = await Promise.all([
      ...Array.from({ length: 20 }, (_, index) => journal.append('preflight.accepted', { visible: [String(index)] })),
      journal.recordFacts({ key: ITEM, check: 0, probe: 'p' }, facts('p')),
      journal.recordFacts({ key: ITEM, check: 1, probe: 'q' }, facts('q')),
    ]);
    expect(results.map((result) => (result.ok ? result.value.n : result.error))).toEqual(
      Array.from({ length: 22 }, (_, index) => index + 1),
    );
    await journal.close();
    expect(await readdir(join(journal.dir, 'facts'))).toEqual(['21.json', '22.json']);
    const event = journal.events[21];
    expect(event?.type === 'facts.recorded' && event.data.sha256).toBe(
      sha256(await readFile(join(journal.dir, 'facts/21.json'))),
    );
  });

  it('stores an attachment once under its digest', async () => {
    const journal = await start();
    await writeFile(join(dir, 'Photo of Ward.JPG'), 'pixels');
    const one = value(
      await journal.attach({
        key: ITEM,
        name: 'Photo of Ward.JPG',
        mediaType: 'image/jpeg',
        source: join(dir, 'Photo of Ward.JPG'),
      }),
    );
    const two = value(
      await journal.attach({
        key: ITEM,
        name: 'again.jpg',
        mediaType: 'image/jpeg',
        source: join(dir, 'Photo of Ward.JPG'),
      }),
    );
    expect(one.data).toMatchObject({ sha256: sha256('pixels'), file: `attachments/${sha256('pixels')}.jpg`, size: 6 });
    expect(two.data.file).toBe(one.data.file);
    expect(await readdir(join(journal.dir, 'attachments'))).toEqual([`${sha256('pixels')}.jpg`]);
    const gone = await journal.attach({ key: ITEM, name: 'x', mediaType: 'x/x', source: join(dir, 'nothing') });
    expect(gone).toMatchObject({ ok: false, error: { code: 'input.not-found' } });
    const thrown = await journal.attach({
      key: ITEM,
      name: 'x',
      mediaType: 'x/x',
      source: (async function* () {
        yield new Uint8Array([1]);
        throw new Error('card pulled out');
      })(),
    });
    expect(thrown).toMatchObject({ ok: false, error: { cause: 'card pulled out' } });
    expect(await readdir(join(journal.dir, 'attachments'))).toHaveLength(1);
    await journal.close();
  });

  it('refuses an event that JSON would change in silence', async () => {
    const journal = await start();
    const bad = await journal.append('change.preimage', { key: ITEM, change: '1', preImage: { size: Number.NaN } });
    expect(bad).toMatchObject({ ok: false, error: { code: 'internal' } });
    expect(await journal.append('preflight.accepted', { visible: 3 } as never)).toMatchObject({
      ok: false,
      error: { code: 'internal' },
    });
    expect(value(await journal.append('preflight.accepted', { visible: [] })).n).toBe(1);
    await journal.close();
    expect(await journal.append('preflight.accepted', { visible: [] })).toMatchObject({
      ok: false,
      error: { code: 'session.state' },
    });
  });

  it('loses no acknowledged line wherever the last one was cut off', async () => {
    const journal = await start();
    value(await journal.append('preflight.accepted', { visible: ['one'] }));
    value(await journal.append('preflight.accepted', { visible: ['twö'] }));
    await journal.close();
    const path = journalPath(journal.dir);
    const whole = await readFile(path);
    const lastStart = whole.subarray(0, -1).lastIndexOf(0x0a) + 1;
    for (let length = lastStart; length < whole.length; length++) {
      await writeFile(path, whole.subarray(0, length));
      const again = value(await openJournal(journal.dir, options));
      expect(again.events).toEqual(journal.events.slice(0, 2));
      const kept = (await readdir(journal.dir)).filter((name) => name.endsWith('.torn'));
      if (length === lastStart) expect(kept).toEqual([]);
      else {
        expect(again.notices[0]).toContain('cut off');
        expect(kept).toHaveLength(1);
        expect(await readFile(join(journal.dir, kept[0] ?? ''))).toEqual(whole.subarray(lastStart, length));
      }
      value(await again.append('preflight.accepted', { visible: ['after'] }));
      await again.close();
      expect((await readChain(new Uint8Array(await readFile(path)), sha256)).faults).toEqual([]);
      for (const name of kept) await rm(join(journal.dir, name));
    }
  });

  it('keeps aside a last line of zeros, as a dying system leaves it', async () => {
    const journal = await start();
    await journal.close();
    const path = journalPath(journal.dir);
    const whole = await readFile(path);
    await writeFile(path, Buffer.concat([whole, Buffer.alloc(30), Buffer.from('}\n')]));
    const again = value(await openJournal(journal.dir, options));
    expect(again.events).toHaveLength(1);
    expect(again.notices[0]).toContain('journal.1.torn');
    await again.close();
  });

  it('refuses a journal that was altered, and writes nothing', async () => {
    const journal = await start();
    value(await journal.append('preflight.accepted', { visible: ['one'] }));
    value(await journal.append('preflight.accepted', { visible: ['two'] }));
    await journal.close();
    const path = journalPath(journal.dir);
    const text = await readFile(path, 'utf8');
    const [zero, one, two] = text.split('\n');
    for (const altered of [
      text.replace('"one"', '"ten"'),
      `${zero}\n${two}\n`,
      `${zero}\n${two}\n${one}\n`,
      `${one}\n${two}\n`,
      text.replace('{"n":1,', '{"n": 1,'),
      text.replace('{"n":1,', '{"n":7,"n":1,'),
      text.replace('"preflight.accepted"', '"preflight.invented"'),
      `${zero}\n{broken\n${two}\n`,
      `${zero}\n${one}\n${zero}\n`,
    ]) {
      expect(altered).not.toBe(text);
      await writeFile(path, altered);
      expect(await openJournal(journal.dir, options)).toMatchObject({ ok: false, error: { code: 'journal.broken' } });
      expect(await readJournal(journal.dir)).toMatchObject({ ok: false, error: { code: 'journal.broken' } });
      expect(await readFile(path, 'utf8')).toBe(altered);
    }
  });

  it('tells the operator when the clock went back', async () => {
    const times = ['2026-11-23T10:00:00.000Z', '2026-11-23T09:00:00.000Z'];
    const journal = value(
      await createJournal(join(dir, 's'), OPENED, { by: 'e', now: () => new Date(times.shift() ?? 0) }),
    );
    value(await journal.append('preflight.accepted', { visible: [] }));
    await journal.close();
    const again = value(await openJournal(journal.dir, { by: 'e', now: () => new Date('2026-01-01T00:00:00.000Z') }));
    expect(again.notices.join(' ')).toMatch(/clock went back.*clock is behind/s);
    await again.close();
  });
});

describe('the lock', () => {
  it('admits one writer, and a second when the first is done', async () => {
    const journal = await start();
    const second = await openJournal(journal.dir, options);
    expect(second).toMatchObject({
      ok: false,
      error: { code: 'journal.locked', place: `${journal.dir}/journal.lock` },
    });
    expect(second.ok ? '' : second.error.message).toMatch(
      new RegExp(
        `^This session is open in another window .*\\(process ${process.pid} since 20\\d\\d-.*Z\\)\\. Close it`,
      ),
    );
    expect(await createJournal(journal.dir, OPENED, options)).toMatchObject({
      ok: false,
      error: { code: 'journal.locked' },
    });
    await journal.close();
    expect(await createJournal(journal.dir, OPENED, options)).toMatchObject({
      ok: false,
      error: { code: 'session.state' },
    });
    await value(await openJournal(journal.dir, options)).close();
    expect(await readdir(journal.dir)).toEqual(['journal.jsonl']);
  });

  it('takes over from a process that is gone, not from another computer', async () => {
    const journal = await start();
    await journal.close();
    const lock = join(journal.dir, 'journal.lock');
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    for (const stale of [
      JSON.stringify({ token: 'x', pid: dead, host: hostname(), started: '' }),
      JSON.stringify({
        token: 'from an earlier process with this pid',
        pid: process.pid,
        host: hostname(),
        started: '1',
      }),
      '',
      '{"tok',
    ]) {
      await writeFile(lock, stale);
      await value(await openJournal(journal.dir, options)).close();
    }
    const elsewhere = { token: 'x', pid: 7, host: 'another.computer', started: '', since: '2026-11-23T08:00:00.000Z' };
    await writeFile(lock, JSON.stringify(elsewhere));
    expect(await openJournal(journal.dir, options)).toMatchObject({
      ok: false,
      error: {
        code: 'journal.locked',
        message:
          'This session is open on another computer (another.computer, process 7 since 2026-11-23T08:00:00.000Z). Close it there first; if that computer is gone, or this is a copy, delete the lock file.',
      },
    });
  });

  it('lets only one of many in at once, whatever lock they find', async () => {
    const journal = await start();
    await journal.close();
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    for (let round = 0; round < 20; round++) {
      const stale = JSON.stringify({ token: `x${round}`, pid: dead, host: hostname(), started: '' });
      await writeFile(join(journal.dir, 'journal.lock'), stale);
      const results = await Promise.all(Array.from({ length: 8 }, () => openJournal(journal.dir, options)));
      expect(results.filter((result) => result.ok)).toHaveLength(1);
      for (const result of results) if (result.ok) await result.value.close();
      expect(await readdir(journal.dir)).toEqual(['journal.jsonl']);
    }
  });
});
