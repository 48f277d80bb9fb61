import { spawnSync } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerifyView } from '../../core/ipc.ts';
import type { Result } from '../../core/result.ts';
import { loadDecryptionKey } from '../../engine/keys/decryption-key.ts';
import { createPracticeCa } from '../../engine/keys/practice-ca.ts';
import { verifyBundle } from '../../engine/session/bundles.ts';
import { compareRecords } from '../../engine/session/compare.ts';
import { withdrawHandOver } from '../../engine/session/hand-over.ts';
import { listSessions } from '../../engine/session/list.ts';
import { lockstep } from '../support/cli.ts';
import { needs } from '../support/debian.ts';
import { value } from '../support/evidence.ts';
import { type Laptops, twoLaptops } from '../support/two-laptops.ts';

const PASS = { passphrase: 'the night shift knows it' };
const messageOf = (result: Result<unknown>) => (result.ok ? '' : result.error.message);
const worst = ({ findings }: VerifyView) => findings.filter(({ severity }) => severity === 'bad');

describe.skipIf(!needs('openssl', 'unzip'))('a session that is handed over', () => {
  let both: Laptops;
  const run = (laptop: string, args: readonly string[], env: Record<string, string> = { PASS: PASS.passphrase }) =>
    lockstep(args, { ...env, LOCKSTEP_DATA_DIR: both.at(laptop) }, both.at('.'));
  const tool = (name: string, ...args: string[]) => spawnSync(name, args, { cwd: both.at('.'), encoding: 'utf8' });
  const journalOf = (laptop: string, id: string) => readFile(join(both.sessionsOf(laptop), id, 'journal.jsonl'));

  beforeAll(async () => {
    both = await twoLaptops();
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'box.key'];
    const usage = ['-addext', 'keyUsage=critical,keyAgreement'];
    tool('openssl', 'req', '-x509', ...key, '-out', 'box.crt', '-subj', '/CN=Night shift', ...usage);
    const [secret, certificate] = await Promise.all([readFile(both.at('box.key')), readFile(both.at('box.crt'))]);
    await writeFile(both.at('box.pem'), Buffer.concat([secret, certificate]));
  });
  afterAll(() => both.remove());

  it('goes on at another laptop on the command line, with both operators; here it can only be read', async () => {
    const given = ['--guide', 'guide.yaml', '--site', 'site.yaml', '--quiet'];
    const walk = (laptop: string, who: string, ...more: string[]) =>
      run(laptop, ['run', ...given, '--operator', who, '--identity', `${who}.pem`, ...more]);
    const begun = await walk('day', 'erika', '--only', 'web.answers');
    const id = /^session (\S+)$/m.exec(begun.stderr)?.[1] ?? begun.stderr;
    const over = ['session', 'hand-over', id, '--operator', 'erika', '--identity', 'erika.pem'];
    const to = ['--passphrase', 'env:PASS', '--out', 'shift.p7m'];
    expect(await run('day', [...over, ...to])).toMatchObject({ code: 0, stderr: '' });
    const held = await walk('day', 'erika', '--resume', id);
    expect(held.code).toBe(2);
    expect(held.stderr).toMatch(/handed over to whoever knows the passphrase at 20.*can only be read/);
    expect((await run('day', ['session', 'list'])).stdout).toContain('handed over to whoever knows the passphrase');

    const trust = ['--trust', `engineer=${both.at('root.pem')}`, '--passphrase', 'env:PASS'];
    const take = ['session', 'take-over', 'shift.p7m', '--operator', 'otto', '--identity', 'otto.pem'];
    const taken = await run('night', [...take, ...trust]);
    expect(taken).toMatchObject({ code: 0, stderr: '' });
    expect(taken.stdout).toContain('walked by erika, otto');
    await walk('night', 'otto', '--resume', id, '--out', 'both.asice');
    const verified = await both.verify('both.asice');
    expect(worst(verified)).toEqual([]);
    const said = verified.findings.map(({ code, sentence }) => `${code}: ${sentence}`).join('\n');
    expect(said).toMatch(/journal\.handed-over: erika handed the session over to whoever .*; otto took it over/);
    expect(said).toContain("journal.earlier-signer: PRACTICE erika signed the journal's head before");
    expect(said).not.toMatch(/other-signer|unsigned-head/);
    expect(tool('unzip', '-p', 'both.asice', 'report.html').stdout).toContain('erika, otto');
    // Each head is checked against the root, that of the first operator too.
    const stranger = await createPracticeCa({ now: new Date() });
    const roots = { engineer: [stranger.roots.engineer], hospital: [], publisher: [] };
    const other = value(await verifyBundle(both.at('both.asice'), roots, new Date()));
    const places = other.findings.filter(({ code }) => code === 'trust.path').map(({ place }) => place);
    expect(places).toEqual(expect.arrayContaining([expect.stringMatching(/^journal\.jsonl:2$/)]));
  }, 60_000);

  it('in a file that stock openssl and unzip open, and nobody without the key', async () => {
    const id = await both.start('files');
    const certificates = [await readFile(both.at('box.crt'), 'utf8')];
    expect(value(await both.handOver('files', id, 'erika', { certificates }, 'to.p7m'))).toMatchObject({
      to: 'CN=Night shift',
    });
    const sealed = await readFile(both.at('to.p7m'));
    for (const inside of ['journal.jsonl', 'session.opened', 'guide:']) expect(sealed.includes(inside)).toBe(false);
    const how = ['cms', '-decrypt', '-binary', '-inform', 'DER', '-in', 'to.p7m', '-out', 'session.zip'];
    expect(tool('openssl', ...how, '-recip', 'box.crt', '-inkey', 'box.key').stderr).toBe('');
    const listed = tool('unzip', '-Z1', 'session.zip').stdout.trim().split('\n').toSorted();
    expect(listed).toEqual([expect.stringMatching(/^facts\/\d+\.json$/), 'guide.yaml', 'journal.jsonl', 'site.yaml']);
    const keyOf = async (file: string) => ({ key: value(await loadDecryptionKey(both.at(file), undefined)) });
    const wrong = await both.takeOver('stranger', 'to.p7m', 'otto', await keyOf('erika.pem'));
    expect(messageOf(wrong)).toContain('not encrypted to any certificate of this key');
    expect(await readdir(both.sessionsOf('stranger'))).toEqual([]);
    value(await both.takeOver('mate', 'to.p7m', 'otto', await keyOf('box.pem')));

    const second = await both.start('files');
    value(await both.handOver('files', second, 'erika', PASS, 'pass.p7m'));
    const spoken = ['cms', '-decrypt', '-binary', '-inform', 'DER', '-in', 'pass.p7m', '-out', 'pass.zip'];
    expect(tool('openssl', ...spoken, '-pwri_password', PASS.passphrase).stderr).toBe('');
    expect(tool('unzip', '-tq', 'pass.zip').stdout).toContain('No errors');
  }, 30_000);

  it('is refused where the file was damaged, is not for this passphrase, or is taken over twice', async () => {
    const id = await both.start('twice');
    value(await both.handOver('twice', id, 'erika', PASS, 'twice.p7m'));
    value(await both.takeOver('once', 'twice.p7m', 'otto', PASS));
    const guess = await both.takeOver('guess', 'twice.p7m', 'otto', { passphrase: 'a wrong guess!' });
    expect(messageOf(guess)).toContain('This passphrase does not open the file');
    const bytes = await readFile(both.at('twice.p7m'));
    for (const where of [bytes.length - 200, Math.floor(bytes.length / 2), bytes.length - 4000]) {
      const damaged = Buffer.from(bytes);
      damaged[where] = (damaged[where] ?? 0) ^ 1;
      await writeFile(both.at('damaged.p7m'), damaged);
      expect((await both.takeOver('guess', 'damaged.p7m', 'otto', PASS)).ok).toBe(false);
      expect(await readdir(both.sessionsOf('guess'))).toEqual([]);
    }
    expect(messageOf(await both.takeOver('once', 'twice.p7m', 'otto', PASS))).toContain('taken over here already');
    expect((await listSessions(both.sessionsOf('once'))).map(({ session }) => session)).toEqual([id]);
    expect(messageOf(await both.handOver('twice', id, 'erika', PASS, 'again.p7m'))).toContain('was handed over to');
  }, 30_000);

  it('comes back, or forks where the old laptop went on; then neither record replaces the other', async () => {
    const id = await both.start('old');
    value(await both.handOver('old', id, 'erika', PASS, 'out.p7m'));
    value(await both.takeOver('new', 'out.p7m', 'otto', PASS));
    value(await both.handOver('new', id, 'otto', PASS, 'back.p7m'));
    await cp(both.at('old'), both.at('honest'), { recursive: true });

    const kept = join(both.sessionsOf('honest'), id, 'keys', 'gateway.key');
    await mkdir(dirname(kept));
    await writeFile(kept, 'a locked key that stays on this laptop');
    value(await both.takeOver('honest', 'back.p7m', 'erika', PASS));
    expect(await readFile(kept, 'utf8')).toBe('a locked key that stays on this laptop');
    value(await both.goOn('honest', id, 'erika', 'home.asice'));
    const honest = await both.verify('home.asice');
    expect(worst(honest)).toEqual([]);
    expect(honest.findings.filter(({ code }) => code === 'journal.handed-over')).toHaveLength(2);

    const old = join(both.sessionsOf('old'), id);
    const how = { operator: 'Erika Example', now: () => new Date() };
    value(await withdrawHandOver(old, 'nobody came', how));
    expect(messageOf(await withdrawHandOver(old, 'again', how))).toContain('was not handed over');
    value(await both.goOn('old', id, 'erika', 'fork.asice'));
    const fork = await both.verify('fork.asice');
    expect(worst(fork)).toEqual([]);
    expect(fork.findings.find(({ code }) => code === 'journal.hand-over-withdrawn')?.sentence).toMatch(
      /was withdrawn \(nobody came\)\. If it was taken over all the same, there is another record/,
    );
    const before = await journalOf('old', id);
    const refused = await both.takeOver('old', 'back.p7m', 'erika', PASS);
    expect(messageOf(refused)).toMatch(/although it was handed over: from line \d+ on, .* two different records/);
    expect((await journalOf('old', id)).equals(before)).toBe(true);

    // Neither bundle alone shows the other; side by side they do.
    const compared = await run('old', ['session', 'compare', 'home.asice', 'fork.asice']);
    expect(compared.code).toBe(1);
    expect(compared.stdout).toMatch(/two places: its records differ from line \d+ on\.\nfirst: {2}operator\.joined at/);
    expect(compared.stdout).toMatch(/second: hand-over\.withdrawn at .* by erika-example/);
    const folder = join(both.sessionsOf('honest'), id);
    expect(value(await compareRecords(folder, both.at('home.asice')))).toMatchObject({
      relation: { kind: 'first-goes-on' },
    });
    const another = join(both.sessionsOf('old'), await both.start('old'));
    expect(messageOf(await compareRecords(another, folder))).toContain('different sessions');
  }, 60_000);

  it('is withdrawn by itself where the file cannot be written, and needs a signature and a real passphrase', async () => {
    const id = await both.start('kept');
    expect((await both.handOver('kept', id, 'erika', PASS, '/dev/null/x.p7m')).ok).toBe(false);
    value(await both.goOn('kept', id, 'erika', 'kept.asice'));
    const short = await both.handOver('kept', id, 'erika', { passphrase: 'short' }, 'x.p7m');
    expect(messageOf(short)).toContain('at least 12 characters');
    expect(messageOf(await both.handOver('kept', id, 'erika', { certificates: [] }, 'x.p7m'))).toContain('to whom');
    const bare = await run('kept', ['session', 'hand-over', id, '--passphrase', 'env:PASS', '--out', 'x.p7m']);
    expect(bare.stderr).toContain('--identity');
    expect(await readdir(both.at('.'))).not.toContain('x.p7m');
    const files = await readdir(join(both.sessionsOf('kept'), id));
    expect(files.filter((name) => name.endsWith('.tmp'))).toEqual([]);
  }, 30_000);

  it('is told apart from a copy of the folder that was opened on another computer', async () => {
    const id = await both.start('copied');
    const resumed = value(await both.goOn('copied', id, 'erika', 'moved.asice', 'another-laptop'));
    expect(resumed.journal.notices.join(' ')).toMatch(/walked on copied, .* this is another-laptop\. Nobody handed/);
    const moved = (await both.verify('moved.asice')).findings.find(({ code }) => code === 'journal.moved');
    expect(moved?.sentence).toMatch(/from copied to another-laptop without a hand-over/);
  }, 30_000);
});
