import { execFileSync } from 'node:child_process';
import { webcrypto } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LabProcess, startLabProcess } from '../../cli/lab-process.ts';
import type { WebCrypto } from '../../core/bundle/host.ts';
import { readSiteKey } from '../../core/people/site-key.ts';
import { lockstep, ROOT } from '../support/cli.ts';
import { needs } from '../support/debian.ts';
import { sha256, value } from '../support/evidence.ts';
import { exif, GPS, photograph } from '../support/pictures.ts';

describe.skipIf(!needs('unzip'))('the secrets of a whole walk', () => {
  let dir: string;
  let lab: LabProcess;
  let said = '';
  /** What is looked for, by a name that may be shown. */
  const needles = new Map<string, Buffer>();

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-secrets-'));
    lab = value(await startLabProcess(join(dir, 'hospital'), true));
    const { info } = lab;
    const env: Record<string, string> = {
      LOCKSTEP_DATA_DIR: join(dir, 'data'),
      WRITE_PASSWORD: info.writeCredential.password,
      PASSPHRASE: info.identities.engineer.passphrase,
      SITE_KEY: info.siteKey,
      MISTYPED_KEY: `${info.siteKey.slice(0, -1)}${info.siteKey.endsWith('7') ? '8' : '7'}`,
    };
    const options: string[] = [];
    for (const [index, [name, secret]] of Object.entries(info.secrets).entries()) {
      env[`SECRET_${index}`] = secret;
      options.push(`${name}=env:SECRET_${index}`);
    }
    const run = async (...args: string[]) => {
      const result = await lockstep(args, env);
      said += result.stdout + result.stderr;
      return result;
    };
    const walk = ['run', '--guide', info.guides[0]?.path ?? '', '--site', info.siteFile, '--secret', ...options];
    walk.push('--site-key', 'env:SITE_KEY');
    walk.push('--trust', `publisher=${info.trust.publisher}`, '--identity', info.identities.engineer.path);
    walk.push('--passphrase', 'env:PASSPHRASE', '--answers', await answersWithPhoto(join(dir, 'answers')));
    walk.push('--out', join(dir, 'walk.asice'));
    const change = ['--apply', 'access.clinical-group', '--ticket', 'CHG-1', '--approver', 'Head of IT'];
    change.push('--write-user', info.writeCredential.user, '--write-password', 'env:WRITE_PASSWORD');
    const walked = await run(...walk, ...change);
    if (!walked.stderr.includes('read back as planned')) throw new Error(walked.stderr);
    if (!walked.stderr.includes('people are recorded under the site key')) throw new Error(walked.stderr);
    const refused = await run(...walk.slice(0, -2), '--site-key', 'env:MISTYPED_KEY');
    if (!refused.stderr.includes('mistyped')) throw new Error(refused.stderr);
    const countersign = ['bundle', 'countersign', join(dir, 'walk.asice'), '--identity', info.identities.hospital.path];
    const signed = await run(...countersign, '--passphrase', 'env:PASSPHRASE', '--role', 'Head of IT');
    if (signed.code !== 0) throw new Error(signed.stderr);
    // A wrong secret must not be shown either, nor one that a person gives in a place where it does not belong.
    env.SECRET_WRONG = 'Wrong-Planted-7715!';
    const session = /session ([0-9a-f-]{36})/.exec(walked.stderr)?.[1] ?? '';
    await run(
      ...walk,
      '--resume',
      session,
      '--only',
      'access.clinical-group',
      '--secret',
      'directory-bind=env:SECRET_WRONG',
    );
    await run('identity', 'show', info.identities.engineer.path, '--passphrase', 'env:SECRET_WRONG');
    execFileSync('unzip', ['-q', join(dir, 'walk.asice'), '-d', join(dir, 'opened')]);

    // The factory password is printed in the manual of the device, and so no secret.
    const { 'device-default': _, ...secrets } = info.secrets;
    for (const [name, secret] of Object.entries({
      ...secrets,
      write: info.writeCredential.password,
      passphrase: info.identities.engineer.passphrase,
      wrong: env.SECRET_WRONG,
    })) {
      if (secret.length < 12) throw new Error(`${name} is too short to be told from other text`);
      for (const [form, bytes] of Object.entries(formsOf(secret))) needles.set(`${name}, ${form}`, bytes);
    }
    for (const [name, bytes] of Object.entries(await formsOfKey(info.siteKey))) needles.set(`site key, ${name}`, bytes);
    for (const [form, bytes] of Object.entries(formsOf(env.MISTYPED_KEY ?? '')))
      needles.set(`mistyped site key, ${form}`, bytes);
    const admin = Buffer.from(`lockstep:${info.secrets['device-admin']}`).toString('base64');
    needles.set('device-admin, as an HTTP header', Buffer.from(admin));
    // What a photo says of place and owner is no secret of the walk's, but must not be in what it leaves either.
    for (const [name, said] of Object.entries({ camera: GPS.camera, owner: GPS.owner }))
      needles.set(`the photo's ${name}`, Buffer.from(said));
    await rm(join(dir, 'answers'), { recursive: true });
  });
  afterAll(async () => {
    await lab?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const found = (bytes: Buffer) => [...needles].filter(([, needle]) => bytes.includes(needle)).map(([name]) => name);

  it('are in no file of session, bundle and data folder', async () => {
    const files = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(90);
    const leaks: string[] = [];
    for (const { parentPath, name } of files) {
      const file = join(parentPath, name);
      for (const needle of found(await readFile(file))) leaks.push(`${file.slice(dir.length + 1)}: ${needle}`);
    }
    expect(leaks).toEqual([]);
  });

  it('are not in the photo that was attached, which is there all the same', async () => {
    const journal = await readFile(join(dir, 'opened', 'journal.jsonl'), 'utf8');
    const attached =
      /"file":"(attachments\/[0-9a-f]{64}\.jpg)","name":"ward.jpg"[^\n]*"redacted":\{"from":"([0-9a-f]{64})"/.exec(
        journal,
      );
    const stored = await readFile(join(dir, 'opened', attached?.[1] ?? 'none'));
    expect(stored.subarray(0, 2).toString('hex')).toBe('ffd8');
    expect(attached?.[2]).toBe(sha256(photograph([exif(6)], Buffer.from(GPS.owner))));
  });

  it('are in nothing that was printed', () => {
    expect(said.length).toBeGreaterThan(5000);
    expect(found(Buffer.from(said))).toEqual([]);
  });

  it('would be found, if they were there', async () => {
    for (const [name, needle] of needles) {
      const file = join(dir, 'planted');
      await writeFile(file, Buffer.concat([Buffer.from('before '), needle, Buffer.from(' after')]));
      expect(found(await readFile(file))).toContain(name);
    }
  });
});

/** The practice answers, one of them with a photo from a telephone. @returns the path */
async function answersWithPhoto(folder: string): Promise<string> {
  await mkdir(folder);
  const practice = join(ROOT, 'assets', 'practice');
  await cp(join(practice, 'practice-evidence.txt'), join(folder, 'practice-evidence.txt'));
  await writeFile(join(folder, 'ward.jpg'), photograph([exif(6)], Buffer.from(GPS.owner)));
  const answers = await readFile(join(practice, 'answers-hardened.yaml'), 'utf8');
  const withPhoto = answers.replace('[practice-evidence.txt]', '[ward.jpg, practice-evidence.txt]');
  if (withPhoto === answers) throw new Error('no answer takes a photo');
  await writeFile(join(folder, 'answers.yaml'), withPhoto);
  return join(folder, 'answers.yaml');
}

/** A site key as it is typed and as it is used. */
async function formsOfKey(text: string): Promise<Record<string, Buffer>> {
  const { bytes } = value(await readSiteKey(text, webcrypto as WebCrypto));
  const raw = Buffer.from(bytes);
  const plain = text.replaceAll('-', '');
  return {
    ...formsOf(text),
    'without dashes': Buffer.from(plain),
    'in lower case': Buffer.from(plain.toLowerCase()),
    'without its prefix': Buffer.from(text.slice('LSK1-'.length)),
    raw,
    'raw as hex': Buffer.from(raw.toString('hex')),
    'raw as base64': Buffer.from(raw.toString('base64').replace(/=+$/, '')),
    'raw as JSON': Buffer.from([...raw].join(',')),
  };
}

/** How a secret may end up in a file without looking like itself. */
function formsOf(secret: string): Record<string, Buffer> {
  return {
    plain: Buffer.from(secret),
    'UTF-16': Buffer.from(secret, 'utf16le'),
    base64: Buffer.from(Buffer.from(secret).toString('base64').replace(/=+$/, '')),
    hex: Buffer.from(Buffer.from(secret).toString('hex')),
    'in a URL': Buffer.from(encodeURIComponent(secret)),
  };
}
