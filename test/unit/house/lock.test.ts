import { describe, expect, it } from 'vitest';
import { lockFaults } from '../../../build/check-lock.ts';

const INTEGRITY = 'sha512-AAAA';

describe('the lock', () => {
  it('misses a binary for another platform that npm dropped without a word', () => {
    const packages = {
      'node_modules/a': {
        version: '1.0.0',
        integrity: INTEGRITY,
        optionalDependencies: { 'a-linux': '1.0.0', 'a-win': '1.0.0' },
      },
      'node_modules/a-linux': { version: '1.0.0', integrity: INTEGRITY },
    };
    expect(lockFaults(packages, {})).toEqual(['node_modules/a names a-win, which the lock lacks']);
  });

  it('finds a nested and a hoisted one, as Node does', () => {
    const packages = {
      'node_modules/a/node_modules/b': {
        integrity: INTEGRITY,
        optionalDependencies: { near: '1.0.0', middle: '1.0.0', far: '1.0.0' },
      },
      'node_modules/a/node_modules/b/node_modules/near': { integrity: INTEGRITY },
      'node_modules/a/node_modules/middle': { integrity: INTEGRITY },
      'node_modules/far': { integrity: INTEGRITY },
    };
    expect(lockFaults(packages, {})).toEqual([]);
  });

  it('wants a digest of every package, and exact versions that it holds', () => {
    const packages = {
      'node_modules/a': { version: '1.0.1', integrity: INTEGRITY },
      'node_modules/b': { version: '2.0.0' },
    };
    expect(lockFaults(packages, { dependencies: { a: '1.0.0', b: '^2.0.0' } })).toEqual([
      'node_modules/b has no integrity in the lock',
      'a is 1.0.0 in package.json and 1.0.1 in the lock',
      'b is not pinned exactly: ^2.0.0',
    ]);
  });
});
