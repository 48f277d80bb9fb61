import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { windowsFault } from '../../../core/bundle/layout.ts';
import {
  type FileSystem,
  moveOver,
  realFiles,
  removeFile,
  syncDirectory,
} from '../../../engine/evidence/file-system.ts';
import { writeAtomically, writeFully } from '../../../engine/evidence/files.ts';

// Windows is not to be had here: these are its answers, put before the real file system.
type Strange = { readonly files: FileSystem; readonly pauses: number[]; readonly opened: string[] };

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lockstep-windows-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** A file system that refuses renames and removals a number of times, as while a scanner has the file open. */
function strange(platform: NodeJS.Platform, code: string, refusals: number): Strange {
  const pauses: number[] = [];
  const opened: string[] = [];
  let left = refusals;
  const refuse = () => {
    if (left <= 0) return;
    left -= 1;
    throw Object.assign(new Error(`${code}: refused`), { code });
  };
  const files: FileSystem = {
    platform,
    open: (path, ...how) => {
      opened.push(path);
      return realFiles.open(path, ...how);
    },
    mkdir: realFiles.mkdir,
    rename: async (from, to) => {
      refuse();
      await realFiles.rename(from, to);
    },
    remove: async (path) => {
      refuse();
      await realFiles.remove(path);
    },
    pause: async (milliseconds) => pauses.push(milliseconds),
  };
  return { files, pauses, opened };
}

const save = ({ files }: Strange, name: string, text = 'whole') =>
  writeAtomically(join(dir, name), (handle) => writeFully(handle, Buffer.from(text), 0), files);

describe("writing under Windows' rules", () => {
  it.each(['EPERM', 'EACCES', 'EBUSY'])(
    'waits a bounded time where another program has the file open (%s)',
    async (code) => {
      const brief = strange('win32', code, 3);
      await save(brief, 'journal.bin');
      expect(await readFile(join(dir, 'journal.bin'), 'utf8')).toBe('whole');
      expect(brief.pauses).toEqual([20, 40, 60]);

      const endless = strange('win32', code, Number.POSITIVE_INFINITY);
      await expect(save(endless, 'journal.bin', 'other')).rejects.toMatchObject({ code });
      // Two rounds: the rename, and taking away what was not renamed.
      expect(endless.pauses).toHaveLength(2 * 13);
      expect(endless.pauses.reduce((sum, pause) => sum + pause, 0)).toBeLessThan(5000);
      expect(await readFile(join(dir, 'journal.bin'), 'utf8')).toBe('whole');
    },
  );

  it('does not wait for what waiting does not mend, nor elsewhere', async () => {
    for (const { files, pauses } of [strange('win32', 'ENOSPC', 1), strange('linux', 'EACCES', 1)]) {
      await expect(moveOver(join(dir, 'a'), join(dir, 'b'), files)).rejects.toThrow('refused');
      expect(pauses).toEqual([]);
    }
    const locked = strange('win32', 'EBUSY', 2);
    await removeFile(join(dir, 'nothing'), locked.files);
    expect(locked.pauses).toEqual([20, 40]);
  });

  it('syncs the folder where there is such a call, and there only', async () => {
    const [windows, linux] = [strange('win32', '', 0), strange('linux', '', 0)];
    await syncDirectory(dir, windows.files);
    expect(windows.opened).toEqual([]);
    await syncDirectory(dir, linux.files);
    expect(linux.opened).toEqual([dir]);
    await save(windows, 'facts.json');
    expect(windows.opened).not.toContain(dir);
  });

  it.each(['CON', 'nul.asice', 'com1.txt', 'LPT9', 'bundle.asice.', 'bundle ', 'a:b.asice', 'why?.txt'])(
    'refuses the name %j before anything is written',
    async (name) => {
      expect(windowsFault(name)).toMatch(/Windows/);
      await expect(save(strange('win32', '', 0), name)).rejects.toThrow(/Windows/);
      expect(await readdir(dir)).toEqual([]);
    },
  );

  it('takes every name that the program gives by itself', () => {
    for (const name of [
      'journal.jsonl',
      'journal.7.torn',
      'journal.lock.takeover',
      '.0a1b2c.tmp',
      '17.json',
      `${'0'.repeat(64)}.con`,
      'console-reference-mdip-3.3.0-20261123-1000.asice',
      'ASiCManifest001.xml',
    ])
      expect(windowsFault(name), name).toBeUndefined();
  });
});
