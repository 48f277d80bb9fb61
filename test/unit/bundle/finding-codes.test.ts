import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../../support/cli.ts';

const read = (...path: string[]) => readFileSync(join(ROOT, ...path), 'utf8');

/** Every code that the sources can give to a finding. */
function codesInSources(): Set<string> {
  const bundle = readdirSync(join(ROOT, 'core', 'bundle')).map((name) => read('core', 'bundle', name));
  const sources = [...bundle, read('core', 'session', 'chain.ts'), read('core', 'verdict', 'rejudge.ts')].join('\n');
  const codes = new Set<string>();
  for (const pattern of [
    /(?:bad|warn|info)\(\s*'([a-z-]+(?:\.[a-z-]+)?)'/g,
    /code: '([a-z-]+(?:\.[a-z-]+)?)'/g,
    /'((?:judge|journal)\.[a-z-]+)'/g,
  ]) {
    for (const match of sources.matchAll(pattern)) codes.add(match[1] ?? '');
  }
  for (const match of sources.matchAll(/`\$\{code\}\.([a-z]+)`/g)) {
    for (const list of ['sums', 'manifest']) codes.add(`${list}.${match[1]}`);
  }
  // A file, and the error for what is no container at all.
  for (const other of ['journal.jsonl', 'bundle.malformed']) codes.delete(other);
  return codes;
}

describe('docs/verify-bundle.md', () => {
  const table = read('docs', 'verify-bundle.md').split('## Findings')[1] ?? '';
  const explained = new Set(
    table
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')),
  );

  it('explains every finding that there is, and none that is not', () => {
    const codes = codesInSources();
    expect(codes.size).toBeGreaterThan(60);
    expect([...explained].toSorted()).toEqual([...codes].toSorted());
  });
});
