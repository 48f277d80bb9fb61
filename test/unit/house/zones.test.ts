import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../../../build/tools/process.mjs';

const ROOMS = ['core', 'engine', 'electron', 'cli', 'lab', 'renderer'];
const MAY_IMPORT: Record<string, string[]> = {
  core: [],
  engine: ['core'],
  electron: ['core', 'engine'],
  cli: ['core', 'engine'],
  lab: ['core', 'engine'],
  renderer: ['core'],
};

describe('who may import whom', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-zones-'));
  let refused: Set<string>;

  /** Plants one file per import, so that each refusal tells which one it was. */
  const plant = (file: string, text: string) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), `${text}\n`);
  };

  beforeAll(async () => {
    cpSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const from of ROOMS) {
      plant(`${from}/thing.ts`, 'export const thing = 1;');
      for (const to of ROOMS.filter((room) => room !== from)) {
        plant(
          `${from}/deep/uses-${to}.ts`,
          `import { thing } from '../../${to}/thing.ts';\nexport const used = thing;`,
        );
      }
      plant(`${from}/uses-node.ts`, "import { readFileSync } from 'node:fs';\nexport const used = readFileSync;");
      plant(`${from}/uses-app.ts`, "import { app } from 'electron';\nexport const used = app;");
    }
    for (const name of ['ipcMain', 'shell']) {
      for (const file of ['window', 'ipc-router', 'external-open']) {
        plant(`electron/${name}/${file}.ts`, `import { ${name} } from 'electron';\nexport const used = ${name};`);
      }
    }
    plant('electron/ipc-router.ts', "import { ipcMain } from 'electron';\nexport const used = ipcMain;");
    plant('electron/external-open.ts', "import { shell } from 'electron';\nexport const used = shell;");

    const output = await new Promise<string>((resolve) => {
      const oxlint = join(root, 'node_modules', 'oxlint', 'bin', 'oxlint');
      execFile(process.execPath, [oxlint, '--format', 'unix'], { cwd: folder }, (_error, stdout, stderr) =>
        resolve(stdout + stderr),
      );
    });
    const lines = output.split('\n').filter((line) => line.includes('no-restricted-imports'));
    refused = new Set(lines.map((line) => line.slice(0, line.indexOf(':'))));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(ROOMS)('%s', (from) => {
    const seen = ROOMS.filter((to) => to !== from).map((to) => [to, refused.has(`${from}/deep/uses-${to}.ts`)]);
    const wanted = ROOMS.filter((to) => to !== from).map((to) => [to, !MAY_IMPORT[from]?.includes(to)]);
    expect(seen).toEqual(wanted);
  });

  it('keeps Node out of core and renderer, and Electron in the desktop shell', () => {
    expect(ROOMS.filter((room) => refused.has(`${room}/uses-node.ts`))).toEqual(['core', 'renderer']);
    expect(ROOMS.filter((room) => !refused.has(`${room}/uses-app.ts`))).toEqual(['electron']);
  });

  it('keeps ipcMain in the router and shell in one file', () => {
    expect(refused).not.toContain('electron/ipc-router.ts');
    expect(refused).not.toContain('electron/external-open.ts');
    const elsewhere = ['ipcMain', 'shell'].flatMap((name) =>
      ['window', 'ipc-router', 'external-open'].map((file) => `electron/${name}/${file}.ts`),
    );
    expect(elsewhere.filter((file) => !refused.has(file))).toEqual([]);
  });
});
