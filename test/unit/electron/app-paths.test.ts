import { join, sep } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAppUrl, pathOnDisk, staysInside } from '../../../electron/app-paths.ts';

const root = join(sep, 'app', 'dist', 'renderer');

describe('pathOnDisk', () => {
  it('finds the files of the renderer', () => {
    expect(pathOnDisk(root, 'app://lockstep/')?.path).toBe(join(root, 'index.html'));
    expect(pathOnDisk(root, 'app://lockstep/index.html')?.extension).toBe('.html');
    expect(pathOnDisk(root, 'app://lockstep/assets/index-B2_x.js?v=1#top')?.path).toBe(
      join(root, 'assets', 'index-B2_x.js'),
    );
  });

  it.each([
    ['another host', 'app://elsewhere/index.html'],
    ['another scheme', 'file:///etc/passwd'],
    ['a user', 'app://me@lockstep/index.html'],
    ['a port', 'app://lockstep:80/index.html'],
    ['dots behind an encoded slash', 'app://lockstep/assets%2f..%2f..%2felectron%2fmain.js'],
    ['an encoded backslash', 'app://lockstep/assets%5c..%5c..%5cmain.js'],
    ['dots encoded twice', 'app://lockstep/%252e%252e/main.js'],
    ['a NUL', 'app://lockstep/index.html%00.js'],
    ['a drive', 'app://lockstep/C:/windows/win.js'],
    ['a stream', 'app://lockstep/index.html::$DATA.js'],
    ['a device of Windows', 'app://lockstep/con.js'],
    ['a hidden file', 'app://lockstep/.env.json'],
    ['an empty segment', 'app://lockstep//etc/x.js'],
    ['a broken encoding', 'app://lockstep/%zz.js'],
    ['a type that is not served', 'app://lockstep/index.js.map'],
    ['no type', 'app://lockstep/LICENSE'],
    ['no URL', '../index.html'],
  ])('refuses %s', (_what, url) => {
    expect(pathOnDisk(root, url)).toBeUndefined();
  });

  it('takes dots that the URL itself resolves, encoded or not, for what they then mean: a file inside', () => {
    expect(pathOnDisk(root, 'app://lockstep/assets/../%2e%2e/%2E./index.js')?.path).toBe(join(root, 'index.js'));
  });

  it('never leaves the folder, whatever is asked', () => {
    const piece = fc.oneof(
      fc.constantFrom('..', '.', '%2e%2e', '%2f', '%5c', '..%2f', 'a.js', '/', '\\', '%00', ':'),
      fc.string({ maxLength: 6 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const found = pathOnDisk(root, `app://lockstep/${pieces.join('/')}.js`);
        expect(found === undefined || found.path.startsWith(root + sep)).toBe(true);
      }),
      { seed: 7, numRuns: 2000 },
    );
  });
});

describe('staysInside', () => {
  it('compares by segments, not by a common beginning', () => {
    expect(staysInside(root, join(root, 'a', 'b'))).toBe(true);
    expect(staysInside(root, `${root}-other${sep}a`)).toBe(false);
    expect(staysInside(root, root)).toBe(false);
    expect(staysInside(root, join(root, '..'))).toBe(false);
    expect(staysInside(root, join(root, '..x'))).toBe(true);
  });
});

describe('isAppUrl', () => {
  it('knows only the own origin', () => {
    expect(isAppUrl('app://lockstep/index.html')).toBe(true);
    for (const url of [
      'app://lockstep.evil/',
      'apps://lockstep/',
      'https://lockstep/',
      'about:blank',
      '',
      'data:text/html,app://lockstep/',
    ]) {
      expect([url, isAppUrl(url)]).toEqual([url, false]);
    }
  });
});
