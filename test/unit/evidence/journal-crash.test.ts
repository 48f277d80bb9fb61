import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readChain } from '../../../core/session/chain.ts';
import { journalPath, openJournal } from '../../../engine/evidence/journal-file.ts';
import { sha256, value } from '../../support/evidence.ts';

// A process of its own, because it is killed or runs out of room. Says a number when its line is acknowledged.
const WRITER = `
  import { createJournal } from ${JSON.stringify(new URL('../../../engine/evidence/journal-file.ts', import.meta.url).href)};
  const [dir] = process.argv.slice(2);
  const created = await createJournal(dir, {
    format: 'lockstep-journal/2', session: '6b4d6f0e-53b7-4f0e-9a39-0f8b1f8a2c11', lockstep: '0.1.0',
    guide: { id: 'g', version: '1', sha256: 'a'.repeat(64), trust: 'unsigned' },
    site: { id: 's', name: 'S', sha256: 'b'.repeat(64), practice: true },
    operator: { id: 'e', name: 'E' }, runtime: {},
  }, { by: 'e', now: () => new Date() });
  if (!created.ok) throw new Error(JSON.stringify(created.error));
  for (let count = 0; count < 2000; count++) {
    const result = await created.value.append('preflight.accepted', { visible: ['x'.repeat(count % 300)] });
    process.stdout.write(result.ok ? result.value.n + '\\n' : JSON.stringify(result.error) + '\\n');
    if (!result.ok) break;
  }
`;

let dir: string;
let script: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lockstep-crash-'));
  script = join(dir, 'writer.mts');
  await writeFile(script, WRITER);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function linesOf(child: ChildProcess, until: (lines: number) => boolean): Promise<string[]> {
  let output = '';
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (until(output.split('\n').length)) child.kill('SIGKILL');
  });
  await ended;
  return output.split('\n').slice(0, -1);
}

async function reopen(acknowledged: number): Promise<void> {
  const session = join(dir, 's');
  const journal = value(await openJournal(session, { by: 'e', now: () => new Date() }));
  expect(journal.events.length).toBeGreaterThan(acknowledged);
  value(await journal.append('preflight.accepted', { visible: ['after'] }));
  await journal.close();
  expect((await readChain(new Uint8Array(await readFile(journalPath(session))), sha256)).faults).toEqual([]);
}

describe('a journal whose process is killed', () => {
  it.each([1, 7, 40])('after %i acknowledged lines loses none of them, and its lock is taken over', async (count) => {
    const child = spawn(process.execPath, [script, join(dir, 's')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = await linesOf(child, (seen) => seen > count);
    expect(child.signalCode).toBe('SIGKILL');
    await reopen(Number(lines.at(-1)));
  });
});

describe.skipIf(process.platform === 'win32')('a journal whose disk is full', () => {
  it('says so, acknowledges nothing that is not there, and goes on later', async () => {
    // The limit on file sizes makes a write stop half way, as a full disk does.
    const child = spawn(
      'bash',
      ['-c', `trap '' XFSZ; ulimit -f 8; exec "$0" "$@"`, process.execPath, script, join(dir, 's')],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const lines = await linesOf(child, () => false);
    const error = JSON.parse(lines.at(-1) ?? '{}') as { code?: string; message?: string };
    expect(error.code).toBe('journal.write');
    expect(error.message).toContain('could not be saved');
    const session = join(dir, 's');
    const reading = await readChain(new Uint8Array(await readFile(journalPath(session))), sha256);
    expect(reading.faults).toEqual([]);
    expect(reading.events).toHaveLength(Number(lines.at(-2)) + 1);
    await reopen(Number(lines.at(-2)));
  });
});
