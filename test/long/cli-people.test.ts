import { mkdtempSync, rmSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHmac, webcrypto } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WebCrypto } from '../../core/bundle/host.ts';
import { readSiteKey } from '../../core/people/site-key.ts';
import { loadIdentity } from '../../engine/keys/identity.ts';
import { countersignBundle } from '../../engine/session/bundles.ts';
import { parseSid } from '../../engine/wire/ldap-values.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { personDn } from '../../lab/directory-names.ts';
import { CHANGES_KEY, writeAccessGuide } from '../support/access-walk.ts';
import { lockstep } from '../support/cli.ts';
import { value } from '../support/evidence.ts';
import { miniGuide } from '../support/mini-guide.ts';

let lab: Lab;
let dir: string;
let guide: string;
const at = (name: string) => join(dir, name);
const environment = () => ({
  LOCKSTEP_DATA_DIR: at('data'),
  KEY: lab.siteKey,
  TYPO: `${lab.siteKey.slice(0, -1)}${lab.siteKey.endsWith('7') ? '8' : '7'}`,
  BIND: lab.secrets['directory-bind'] ?? '',
  PASS: lab.passphrase,
});
const run = (...more: string[]) => {
  const given = ['--guide', guide, '--site', lab.siteFile, '--quiet', '--product-version', '1.0.0'];
  return lockstep(['run', ...given, '--secret', 'directory-bind=env:BIND', ...more], environment());
};
const sessions = () => readdir(at('data/sessions')).catch(() => []);

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lockstep-cli-people-'));
  lab = await startLab({ dir: at('hospital'), shipped: false });
  guide = await writeAccessGuide(dir);
});
afterAll(async () => {
  await lab?.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('lockstep site key', () => {
  it('makes a key, alone on standard output, and says the id of one', async () => {
    const made = await lockstep(['site', 'key']);
    expect(made.code).toBe(0);
    expect(made.stdout).toMatch(/^LSK1(-[0-9A-Z]{4}){14}\n$/);
    const id = /^key id ([0-9a-f]{16})$/m.exec(made.stderr)?.[1];
    const shown = await lockstep(['site', 'key', '--of', 'env:NEW'], { NEW: made.stdout.trim() });
    expect(shown).toMatchObject({ code: 0, stdout: `key id ${id}\n`, stderr: '' });
    const wrong = await lockstep(['site', 'key', '--of', 'env:NEW'], { NEW: made.stdout.trim().slice(0, -1) });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/has 55 characters/);
    expect(wrong.stderr).not.toContain(made.stdout.slice(5, 20));
  });
});

describe('lockstep run, with people', () => {
  it('refuses a mistyped key and a key of another hospital before anything begins', async () => {
    expect(await run('--site-key', 'env:TYPO')).toMatchObject({ code: 2, stderr: expect.stringMatching(/mistyped/) });
    expect(await run('--site-key', 'env:NONE')).toMatchObject({ code: 2, stderr: expect.stringMatching(/not set/) });
    const foreign = (await lockstep(['site', 'key'])).stdout.trim();
    const refused = await lockstep(['run', '--guide', guide, '--site', lab.siteFile, '--site-key', 'env:OTHER'], {
      ...environment(),
      OTHER: foreign,
    });
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/and the site file names [0-9a-f]{16}/);
    expect(await sessions()).toEqual([]);
  });

  it('compares two walks, with names where both asked and agreed', async () => {
    const signed = ['--identity', lab.identities.engineer, '--passphrase', 'env:PASS'];
    const first = await run('--site-key', 'env:KEY', ...signed, '--out', at('first.asice'));
    expect(first.stderr).toMatch(/people are recorded under the site key [0-9a-f]{16}/);
    expect(first.stderr).toMatch(/1 step asks for names; without --names people appear as codes only/);
    const hospital = value(await loadIdentity(lab.identities.hospital, lab.passphrase));
    value(await countersignBundle(at('first.asice'), hospital, { role: 'Head of IT', remark: '' }, new Date()));
    const trust = ['--trust', `engineer=${lab.trust.engineer}`, `hospital=${lab.trust.hospital}`];
    const second = await run('--site-key', 'env:KEY', '--names', '--baseline', at('first.asice'), ...trust, '--json');
    expect(second.stderr).toMatch(/compared with the bundle of 20\d\d-/);
    expect(second.stderr).toMatch(/names of people are recorded, as 2 steps ask, and stay in the bundle/);
    expect(second.code).toBe(0);
    const items = (JSON.parse(second.stdout) as { items: { key: string; verdict: string }[] }).items;
    expect(items.find(({ key }) => key === CHANGES_KEY)?.verdict).toBe('pass');

    const before = await sessions();
    const untrusted = await run('--baseline', at('first.asice'));
    expect(untrusted).toMatchObject({ code: 2, stderr: expect.stringMatching(/not sound/) });
    const bytes = await readFile(at('first.asice'));
    await writeFile(at('cut.asice'), bytes.subarray(0, bytes.length - 100));
    expect((await run('--baseline', at('cut.asice'), ...trust)).code).toBe(2);
    expect(await sessions()).toEqual(before);
  });

  it('does not take an agreement to names that nobody asked for', async () => {
    await writeFile(at('mini.yaml'), miniGuide());
    const asked = await lockstep(['run', '--guide', at('mini.yaml'), '--site', lab.siteFile, '--names'], environment());
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringMatching(/no step of this guide asks for the names/) });
  });
});

describe('lockstep site who', () => {
  const who = (key: string, ...codes: string[]) =>
    lockstep(
      ['site', 'who', ...codes, '--site', lab.siteFile, '--site-key', key, '--secret', 'directory-bind=env:BIND'],
      environment(),
    );

  it('says to whoever has the key and the directory who codes stand for, and to nobody else', async () => {
    const dn = personDn(20);
    const sid = parseSid(Buffer.from(lab.parts.directory.values(lab.parts.directory.get(dn)!, 'objectSid')[0]!));
    const key = value(await readSiteKey(lab.siteKey, webcrypto as WebCrypto));
    const code = createHmac('sha256', key.bytes)
      .update(sid?.toLowerCase() ?? '')
      .digest('hex');
    const known = await who('env:KEY', code.slice(0, 12).toUpperCase(), 'ffffffff00000000');
    expect(known.code).toBe(0);
    expect(known.stdout).toContain(`${code.slice(0, 12)}  `);
    expect(known.stdout).toContain(dn);
    expect(known.stdout.trim().split('\n')).toHaveLength(3);
    expect(known.stderr).toBe('ffffffff00000000: nobody in the directory has this code now, under this key\n');
    expect(await who('env:TYPO', code)).toMatchObject({ code: 2, stdout: '' });
    expect(await who('env:KEY', 'abc')).toMatchObject({ code: 2, stderr: expect.stringMatching(/"abc" is no code/) });
  });
});

describe('lockstep probe, with people', () => {
  it('shows them as codes under the key', async () => {
    const given = ['--site', lab.siteFile, '--secret', 'directory-bind=env:BIND', '--with', 'names=true'];
    const roles = `roles=${JSON.stringify([{ id: 'biomed', group: 'MDIP-Biomed' }])}`;
    const probe = (...more: string[]) =>
      lockstep(['probe', 'directory.access', ...given, roles, ...more], environment());
    type Shown = { facts: { roles: { people?: { name?: string }[] }[] } };
    const shown = JSON.parse((await probe('--site-key', 'env:KEY')).stdout) as Shown;
    expect(shown.facts.roles[0]?.people).toHaveLength(4);
    expect(shown.facts.roles[0]?.people?.[0]).not.toHaveProperty('name');
    const named = JSON.parse((await probe('--site-key', 'env:KEY', '--names')).stdout) as Shown;
    expect(named.facts.roles[0]?.people?.[0]?.name).toMatch(/./);
    const counted = JSON.parse((await probe()).stdout) as Shown;
    expect(counted.facts.roles[0]).not.toHaveProperty('people');
  });
});
