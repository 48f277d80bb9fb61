import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPins } from '../../../electron/pins.ts';
import { createSettings, remember } from '../../../electron/settings.ts';
import { createTrust, readCertificate, readRoot } from '../../../electron/trust.ts';
import { createPracticeCa } from '../../../engine/keys/practice-ca.ts';
import { value } from '../../support/evidence.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lockstep-stores-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const digest = (letter: string) => letter.repeat(64);

describe('pins', () => {
  it('live longer than the process, and leave nothing half written', async () => {
    const pins = createPins(folder);
    expect(await pins.list()).toEqual([]);
    await Promise.all(['a', 'b', 'c', 'a'].map((letter) => pins.add(digest(letter))));
    expect([...(await createPins(folder).list())].sort()).toEqual([digest('a'), digest('b'), digest('c')]);
    await pins.remove(digest('b'));
    expect([...(await createPins(folder).list())].sort()).toEqual([digest('a'), digest('c')]);
    expect(await readdir(folder)).toEqual(['pins.json']);
    expect((await stat(join(folder, 'pins.json'))).mode & 0o077).toBe(0);
  });

  it.each([
    ['not JSON', '{'],
    ['another shape', '{"publishers":[{"sha256":"*"}]}'],
    ['an unknown field', `{"publishers":[],"all":true}`],
  ])('trust nobody when the file is damaged: %s', async (_how, text) => {
    await writeFile(join(folder, 'pins.json'), text);
    expect(await createPins(folder).list()).toEqual([]);
    expect(await readFile(join(folder, 'pins.json.damaged'), 'utf8')).toBe(text);
  });

  it('say so when they cannot be written', async () => {
    await writeFile(join(folder, 'file'), '');
    expect(await createPins(join(folder, 'file')).add(digest('a'))).toMatchObject({
      ok: false,
      error: { code: 'internal', fixBy: 'operator' },
    });
  });
});

describe('settings', () => {
  it('remember what was used last, each once and not without end', async () => {
    const settings = createSettings(folder);
    for (let index = 0; index < 15; index += 1) {
      await settings.update((present) => ({
        ...present,
        sites: remember(present.sites, { path: `/s/${index % 12}`, name: 'x' }),
      }));
    }
    const { sites } = await createSettings(folder).read();
    expect(sites.length).toBe(10);
    expect(sites[0]?.path).toBe('/s/2');
    expect(new Set(sites.map((site) => site.path)).size).toBe(10);
  });
});

describe('trust', () => {
  it('keeps roots apart per role', async () => {
    const ca = await createPracticeCa({ now: new Date() });
    const file = join(folder, 'root.pem');
    await writeFile(file, ca.roots.engineer);
    const root = await readRoot(file);
    if (!root.ok) throw new Error(root.error.message);
    expect(root.value.sha256).toMatch(/^[0-9a-f]{64}$/);
    const trust = createTrust(folder);
    expect((await trust.add('engineer', root.value)).ok).toBe(true);
    expect(await createTrust(folder).pems()).toEqual({
      ok: true,
      value: { engineer: [root.value.pem], hospital: [], publisher: [], timestamp: [] },
    });
  });

  it('is shown, a root apart from a single signer, and taken back in one role at a time', async () => {
    const ca = await createPracticeCa({ now: new Date() });
    const leaf = await ca.issue({ role: 'hospital', usage: 'sign', commonName: 'Henry Hospital' });
    const [root, signer] = [value(readCertificate(ca.roots.hospital)), value(readCertificate(leaf.certificatePem))];
    const trust = createTrust(folder);
    for (const [role, each] of [
      ['hospital', root],
      ['hospital', signer],
      ['timestamp', root],
    ] as const)
      expect((await trust.add(role, each)).ok).toBe(true);
    expect((await createTrust(folder).list()).map(({ role, sha256, kind }) => [role, sha256, kind])).toEqual([
      ['hospital', root.sha256, 'root'],
      ['hospital', signer.sha256, 'signer'],
      ['timestamp', root.sha256, 'root'],
    ]);
    expect((await trust.remove('hospital', root.sha256)).ok).toBe(true);
    expect((await createTrust(folder).list()).map(({ role, sha256 }) => [role, sha256])).toEqual([
      ['hospital', signer.sha256],
      ['timestamp', root.sha256],
    ]);
  });

  it('takes no certificate that is not an authority, and nothing that is none', async () => {
    const ca = await createPracticeCa({ now: new Date() });
    const leaf = await ca.issue({ commonName: 'engineer', usage: 'sign', role: 'engineer' });
    await writeFile(join(folder, 'leaf.pem'), leaf.certificatePem);
    await writeFile(join(folder, 'text.pem'), 'hello');
    expect(await readRoot(join(folder, 'leaf.pem'))).toMatchObject({ ok: false, error: { code: 'input.malformed' } });
    expect(await readRoot(join(folder, 'text.pem'))).toMatchObject({ ok: false, error: { code: 'input.malformed' } });
    expect(await readRoot(join(folder, 'none.pem'))).toMatchObject({ ok: false, error: { code: 'input.not-found' } });
  });
});
