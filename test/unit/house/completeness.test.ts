import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHANGE_DECLARATIONS } from '../../../core/changes/index.ts';
import { PROBE_DECLARATIONS } from '../../../core/probes/index.ts';
import { REPORTS } from '../../../core/report/index.ts';
import { CHANGES } from '../../../engine/changes/index.ts';
import { PROBES } from '../../../engine/probes/index.ts';
import { root } from '../../../build/tools/process.mjs';

/** `tls-client-authentication.ts` declares `tls.client-authentication`. */
const idOf = (file: string) => file.slice(0, -'.ts'.length).replace('-', '.');
/** What several declarations share. */
const SHARED = ['declaration.ts', 'index.ts', 'people.ts'];
const filesIn = (folder: string, ...without: string[]) =>
  readdirSync(join(root, folder)).filter((name) => name.endsWith('.ts') && !without.includes(name));

/** Everything that tests say, so that a probe nobody tries is noticed. */
const tests = ['test/unit', 'test/integration', 'test/long']
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(root, folder, name)),
  )
  .filter((path) => path.endsWith('.test.ts') && !path.endsWith('completeness.test.ts'))
  .map((path) => readFileSync(path, 'utf8'))
  .join('\n');

describe('nothing is forgotten', () => {
  it.each([
    ['probe', 'core/probes', PROBE_DECLARATIONS.map(({ id }) => id), PROBES.map(({ declaration }) => declaration.id)],
    [
      'change',
      'core/changes',
      CHANGE_DECLARATIONS.map(({ id }) => id),
      CHANGES.map(({ declaration }) => declaration.id),
    ],
  ] as const)('lists every %s where it is declared and where it is done', (_, folder, declared, done) => {
    const ids = filesIn(folder, ...SHARED).map(idOf);
    expect(ids.length).toBeGreaterThan(0);
    expect([...declared].sort()).toEqual([...ids].sort());
    expect([...done].sort()).toEqual([...ids].sort());
  });

  it.each(['probes', 'changes'])('has a file of the same name in engine/%s', (folder) => {
    const names = filesIn(`core/${folder}`, ...SHARED);
    expect(filesIn(`engine/${folder}`)).toEqual(expect.arrayContaining(names));
  });

  it.each([...PROBE_DECLARATIONS, ...CHANGE_DECLARATIONS].map(({ id }) => id))(
    'tests %s by its name or its module',
    (id) => {
      const module = `${id.replace('.', '-')}.ts`;
      const name = id.replace(/[.-](\w)/g, (_match, letter: string) => letter.toUpperCase());
      expect([id, module, name].some((mention) => tests.includes(mention))).toBe(true);
    },
  );

  it('renders every listed report, and lists every report', () => {
    expect(new Set(REPORTS.map((report) => report.file)).size).toBe(REPORTS.length);
    for (const report of REPORTS) expect(tests, report.id).toContain(report.id);
  });
});
