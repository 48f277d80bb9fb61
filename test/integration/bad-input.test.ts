import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeError, type Result } from '../../core/result.ts';
import { loadIdentity } from '../../engine/keys/identity.ts';
import { createPracticeCa } from '../../engine/keys/practice-ca.ts';
import { countersignBundle, verifyBundle } from '../../engine/session/bundles.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { type CliResult, lockstep } from '../support/cli.ts';
import { value } from '../support/evidence.ts';
import { miniGuide, miniSite } from '../support/mini-guide.ts';

const NOBODY = { engineer: [], hospital: [], publisher: [] };

let dir: string;
let server: Server;
let asked: string[] = [];
let version = '1.2.0';
const file = (name: string) => join(dir, name);
const data = () => ({ LOCKSTEP_DATA_DIR: file('data') });
const walk = (guide: string, site: string, ...more: string[]): Promise<CliResult> =>
  lockstep(
    ['run', '--guide', file(guide), '--site', file(site), '--out', file('never.asice'), '--quiet', ...more],
    data(),
  );

const filled = (text: string, encoding: 'utf16le' | 'latin1', mark: number[] = []): Buffer =>
  Buffer.concat([Buffer.from(mark), Buffer.from(text, encoding)]);
const deep = (open: string, close: string) => `a: ${open.repeat(100_000)}1${close.repeat(100_000)}\n`;

/** Faults of form that a guide and a site can share, and what must be said about each. */
const TEXTS: readonly [name: string, content: (good: string) => string | Buffer, words: RegExp][] = [
  ['empty', () => '', /:1:1 /],
  ['binary', () => Buffer.from([0x30, 0x82, 0xff, 0xff, 0, 7, 7]), /UTF-8/],
  ['utf-16', (good) => filled(good, 'utf16le', [0xff, 0xfe]), /UTF-8/],
  ['utf-16-unmarked', (good) => filled(good, 'utf16le'), /:1:2 .*U\+0000/],
  ['latin-1', (good) => filled(`# Für\n${good}`, 'latin1'), /UTF-8/],
  ['huge', (good) => `${good}#${'x'.repeat(2_000_001)}`, /larger than \d+ bytes/],
  ['recursive', () => 'guide: &a [*a]\n', /:1:11 anchors[\s\S]*:1:12 aliases/],
  ['bomb', () => 'a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n', /:2:8 aliases/],
  ['deep-lists', () => deep('[', ']'), /:1:\d+ nested more than \d+ deep/],
  ['deep-maps', () => deep('{a: ', '}'), /:1:\d+ nested more than \d+ deep/],
  ['deep-open', () => `a: ${'['.repeat(200_000)}`, /:1:\d+ nested more than \d+ deep/],
  ['deep-blocks', () => Array.from({ length: 1200 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), /nested more than/],
  ['two-documents', (good) => `${good}---\n${good}`, /multiple documents/],
  ['twice', (good) => `${good}${good.split('\n')[0]}\n`, /:\d+:1 Map keys must be unique/],
  ['prototype', (good) => `${good}__proto__: { polluted: true }\n`, /:\d+:1 __proto__: unknown key/],
];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lockstep-bad-'));
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify(request.url === '/version' ? { version } : { secure: true }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await writeFile(file('guide.yaml'), miniGuide());
  await writeFile(file('site.yaml'), miniSite((server.address() as AddressInfo).port));
  const ca = await createPracticeCa({ now: new Date() });
  for (const role of ['engineer', 'publisher'] as const) {
    const issued = await ca.issue({ commonName: `PRACTICE ${role}`, usage: 'sign', role });
    await writeFile(file(`${role}.pem`), `${issued.keyPem}\n${issued.chainPem}`, { mode: 0o600 });
    await writeFile(file(`${role}-root.pem`), ca.roots[role]);
  }
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(dir, { recursive: true, force: true });
});

/** An error as a value, with cause and place, and no trace of our own code. */
function expectError(result: Result<unknown>, place: string, words: RegExp): void {
  const said = result.ok ? 'accepted' : describeError(result.error);
  expect(said).toMatch(words);
  expect(said).toContain(place);
  expect(said).not.toMatch(/\n {4}at |node:internal/);
}

/** Exit code 2, a cause with its place, no trace of our own code, nothing written and nobody asked. */
async function expectRefused(result: CliResult, name: string, words: RegExp): Promise<void> {
  const said = result.stdout + result.stderr;
  expect(result.code, said).toBe(2);
  expect(said).toMatch(words);
  expect(said).toContain(name);
  expect(said).not.toMatch(/\n {4}at |node:internal/);
  expect(await readdir(dir)).not.toContain('never.asice');
  expect(await readdir(dir)).not.toContain('data');
  expect(asked).toEqual([]);
}

describe('a guide or site file that is no such thing', () => {
  it.each(TEXTS)('%s', async (name, content, words) => {
    const [guide, site] = [file(`guide-${name}.yaml`), file(`site-${name}.yaml`)];
    await writeFile(guide, content(miniGuide()));
    await writeFile(site, content(miniSite(9)));
    expectError(await loadGuide(guide, {}), guide, words);
    expectError(await loadSite(site), site, words);
  });

  it('ends the command line with code 2 and writes nothing', async () => {
    for (const [name, words] of [
      ['utf-16', /UTF-8/],
      ['deep-maps', /nested more/],
    ] as const) {
      await expectRefused(await walk(`guide-${name}.yaml`, 'site.yaml'), `guide-${name}.yaml`, words);
      await expectRefused(await walk('guide.yaml', `site-${name}.yaml`), `site-${name}.yaml`, words);
    }
  });

  it('a folder, and an expression without end', async () => {
    await mkdir(file('folder.yaml'));
    expectError(await loadGuide(file('folder.yaml'), {}), 'folder.yaml', /not a file/);
    const endless = `${'('.repeat(1500)}true${')'.repeat(1500)}`;
    await writeFile(
      file('endless.yaml'),
      miniGuide().replace('facts.status == 200 && facts.json.secure == true', endless),
    );
    expectError(await loadGuide(file('endless.yaml'), {}), 'endless.yaml', /:\d+:\d+ controls.*maxDepth/);
  });

  it('a certificate in the site that is a key, nothing, or too large', async () => {
    const site = miniSite(9);
    for (const [name, content, words] of [
      ['key.pem', await readFile(file('engineer.pem')), /private key/],
      ['none.pem', 'no certificate here', /not a PEM certificate/],
      ['large.pem', 'x'.repeat(1_000_001), /larger than/],
    ] as const) {
      await writeFile(file(name), content);
      await writeFile(file('anchored.yaml'), `${site}anchors: [{ id: a, file: ${name} }]\n`);
      expectError(await loadSite(file('anchored.yaml')), name, words);
    }
  });
});

describe('a guide for something else', () => {
  it('of another version runs nothing, and says what was found and what was wanted', async () => {
    version = '2.5.0';
    try {
      const result = await walk('guide.yaml', 'site.yaml');
      expect(result.stderr).toMatch(/This guide is for Thing >=1\.0\.0 <2\.0\.0; 2\.5\.0 was found/);
      expect(result.code).toBe(2);
      expect(asked).toEqual(['/version']);
      expect(await readdir(dir)).not.toContain('never.asice');
    } finally {
      version = '1.2.0';
      asked = [];
      await rm(file('data'), { recursive: true });
    }
  });

  it('whose inputs the site does not give is refused before anything is asked', async () => {
    await writeFile(
      file('asks.yaml'),
      miniGuide().replace('inputs:\n', 'inputs:\n  groups: { type: directory-group, many: true, title: The groups }\n'),
    );
    await expectRefused(await walk('asks.yaml', 'site.yaml'), 'asks.yaml', /groups|The groups/);
  });
});

describe('a container', () => {
  /** Renames an entry to another of the same length, wherever the name stands. */
  async function renamed(source: string, from: string, to: string): Promise<string> {
    expect(to.length).toBe(from.length);
    const bytes = await readFile(file(source));
    let found = 0;
    for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + 1)) {
      // Only in headers: a name follows 30 bytes of a local or 46 of a central one.
      const local = at >= 30 && bytes.readUInt32LE(at - 30) === 0x04034b50;
      const central = at >= 46 && bytes.readUInt32LE(at - 46) === 0x02014b50;
      if (!local && !central) continue;
      bytes.write(to, at, 'latin1');
      found += 1;
    }
    expect(found).toBe(2);
    const name = `renamed-${Buffer.from(to).toString('hex')}.asice`;
    await writeFile(file(name), bytes);
    return name;
  }

  it('with names that lead out of their folder or are reserved on Windows is refused, guide and bundle alike', async () => {
    const engineer = value(await loadIdentity(file('engineer.pem'), undefined));
    const sign = [
      'guide',
      'sign',
      file('guide.yaml'),
      '--identity',
      file('publisher.pem'),
      '--out',
      file('guide.asice'),
    ];
    expect((await lockstep(sign)).code).toBe(0);
    const sealed = await lockstep(
      ['run', '--guide', file('guide.yaml'), '--site', file('site.yaml'), '--out', file('good.asice'), '--quiet'],
      { LOCKSTEP_DATA_DIR: file('other-data') },
    );
    expect(sealed.stdout).toContain('good.asice');
    asked = [];
    for (const [from, to, words] of [
      ['README.txt', '../up.txt1', /leads out of its folder/],
      ['README.txt', '/etc/a.txt', /absolute/],
      ['README.txt', 'C:\\abc.txt', /backslash|absolute/],
      ['README.txt', 'aux.md.txt', /reserved on Windows/],
      ['README.txt', 'readme.txt', /README|unexpected|unknown|not|missing/i],
      ['README.txt', 'a\0b\x07cd.txt', /characters/],
    ] as const) {
      const guide = await renamed('guide.asice', from, to);
      expectError(await loadGuide(file(guide), {}), guide, words);
      const bundle = await renamed('good.asice', from, to);
      const verified = await verifyBundle(file(bundle), NOBODY, new Date());
      if (to === 'readme.txt') expect(verified).toMatchObject({ ok: true, value: { sound: false } });
      else expectError(verified, bundle, words);
      const signed = await countersignBundle(file(bundle), engineer, { role: 'X', remark: '' }, new Date());
      expect(signed.ok, to).toBe(false);
    }
    const [guide, bundle] = [
      await renamed('guide.asice', 'README.txt', '../up.txt1'),
      await renamed('good.asice', 'README.txt', 'aux.md.txt'),
    ];
    await expectRefused(await walk(guide, 'site.yaml'), guide, /leads out of its folder/);
    expect(await lockstep(['verify', file(bundle)])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('reserved on Windows'),
    });
  });

  it('that is cut off, or no container at all, is refused', async () => {
    const whole = await readFile(file('guide.asice'));
    for (const [name, bytes] of [
      ['cut.asice', whole.subarray(0, whole.length - 30)],
      ['begun.asice', Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(500)])],
      ['more.asice', Buffer.concat([whole, Buffer.from('more')])],
    ] as const) {
      await writeFile(file(name), bytes);
      expectError(await loadGuide(file(name), {}), name, /not a container|cut off/);
      expectError(await verifyBundle(file(name), NOBODY, new Date()), name, /not a container|cut off/);
    }
  });
});

describe('an identity', () => {
  it.each([
    ['no key at all', Buffer.from('nothing here'), /no private key/],
    [
      'damaged PKCS#12',
      Buffer.concat([Buffer.from([0x30, 0x82, 0x0b, 0xb8, 2, 1, 3]), Buffer.alloc(2993, 7)]),
      /PKCS#12|no private key/,
    ],
    ['endlessly nested DER', Buffer.from('3080'.repeat(50_000), 'hex'), /no private key|PKCS#12/],
    ['huge', Buffer.alloc(2_000_000, 65), /never this large/],
    ['UTF-16', filled('-----BEGIN PRIVATE KEY-----\n', 'utf16le', [0xff, 0xfe]), /no private key/],
    [
      'a key without its certificate',
      Buffer.from('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'),
      /certificate|key/,
    ],
  ])('%s is refused with its reason', async (_, bytes, words) => {
    await writeFile(file('bad-identity'), bytes);
    expectError(await loadIdentity(file('bad-identity'), undefined), 'bad-identity', words);
  });

  it('ends the command line with code 2 before anything is asked', async () => {
    const result = await walk('guide.yaml', 'site.yaml', '--identity', file('bad-identity'));
    await expectRefused(result, 'bad-identity', /key/);
  });
});
