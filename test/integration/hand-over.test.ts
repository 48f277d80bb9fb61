import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerifyView } from '../../core/ipc.ts';
import { createPracticeCa, type PracticeCa } from '../../engine/keys/practice-ca.ts';
import { verifyBundle } from '../../engine/session/bundles.ts';
import { listSessions } from '../../engine/session/list.ts';
import { lockstep } from '../support/cli.ts';
import { needs } from '../support/debian.ts';
import { makeIdentity, value } from '../support/evidence.ts';
import { miniGuide, miniSite } from '../support/mini-guide.ts';

const GIVEN = ['--guide', 'guide.yaml', '--site', 'site.yaml', '--quiet'];
const PASS = { PASS: 'the night shift knows it' };

// Two data folders on one computer stand for two laptops.
describe.skipIf(!needs('openssl'))('a session that is handed over', () => {
  let dir: string;
  let server: Server;
  let ca: PracticeCa;
  const at = (name: string) => join(dir, name);
  const sessions = (laptop: string) => join(at(laptop), 'sessions');
  const run = (laptop: string, args: readonly string[], env: Record<string, string> = PASS) =>
    lockstep(args, { ...env, LOCKSTEP_DATA_DIR: at(laptop) }, dir);
  const openssl = (...args: string[]) => spawnSync('openssl', args, { cwd: dir, encoding: 'utf8' });

  const walk = (laptop: string, who: string, ...more: string[]) =>
    run(laptop, ['run', ...GIVEN, '--operator', `${who} Example`, '--identity', `${who}.pem`, ...more]);
  const start = async (laptop: string): Promise<string> => {
    const walked = await walk(laptop, 'erika', '--only', 'web.answers');
    const id = /^session (\S+)$/m.exec(walked.stderr)?.[1];
    if (id === undefined) throw new Error(walked.stderr);
    return id;
  };
  const handOver = (laptop: string, id: string, ...more: string[]) =>
    run(laptop, ['session', 'hand-over', id, '--operator', 'erika Example', '--identity', 'erika.pem', ...more]);
  const takeOver = (laptop: string, file: string, ...more: string[]) =>
    run(laptop, ['session', 'take-over', file, '--operator', 'otto Example', '--identity', 'otto.pem', ...more]);
  const verify = async (file: string): Promise<VerifyView> =>
    value(await verifyBundle(at(file), { engineer: [ca.roots.engineer], hospital: [], publisher: [] }, new Date()));
  const worst = ({ findings }: VerifyView) => findings.filter(({ severity }) => severity === 'bad');

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-hand-over-'));
    server = createServer((request, response) => {
      const body = request.url === '/version' ? { version: '1.2.0' } : { secure: true };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await writeFile(at('guide.yaml'), miniGuide());
    await writeFile(at('site.yaml'), miniSite((server.address() as AddressInfo).port));
    await writeFile(
      at('answers.yaml'),
      'answers:\n  people.trained: { answer: "yes", note: seen, attachments: [list.pdf] }\n',
    );
    await writeFile(at('list.pdf'), 'the list of those who were trained');
    ca = await createPracticeCa({ now: new Date() });
    for (const name of ['erika', 'otto']) {
      const issued = await ca.issue({ commonName: `PRACTICE ${name}`, usage: 'sign', role: 'engineer' });
      await writeFile(at(`${name}.pem`), `${issued.keyPem}\n${issued.chainPem}`, { mode: 0o600 });
    }
    await writeFile(at('root.pem'), ca.roots.engineer);
    const key = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      'box.key',
      '-out',
      'box.crt',
    ];
    openssl('req', '-x509', ...key, '-subj', '/CN=Night shift', '-addext', 'keyUsage=critical,keyAgreement');
    await writeFile(at('box.pem'), (await readFile(at('box.key'), 'utf8')) + (await readFile(at('box.crt'), 'utf8')));
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    await rm(dir, { recursive: true, force: true });
  });

  it('goes on at another laptop with both operators, both heads hold, and here it can only be read', async () => {
    const id = await start('day');
    const handed = await handOver('day', id, '--passphrase', 'env:PASS', '--out', 'shift.p7m');
    expect(handed).toMatchObject({ code: 0, stderr: '' });
    const held = await walk('day', 'erika', '--resume', id);
    expect(held.code).toBe(2);
    expect(held.stderr).toMatch(/handed over to whoever knows the passphrase at 20.*can only be read/);
    expect((await handOver('day', id, '--passphrase', 'env:PASS', '--out', 'again.p7m')).stderr).toContain(
      'handed over',
    );
    expect((await run('day', ['session', 'list'])).stdout).toContain('handed over to whoever knows the passphrase');

    const trust = ['--trust', `engineer=${at('root.pem')}`, '--passphrase', 'env:PASS'];
    const taken = await takeOver('night', 'shift.p7m', ...trust);
    expect(taken).toMatchObject({ code: 0, stderr: '' });
    expect(taken.stdout).toContain('walked by erika Example, otto Example');
    const sealed = await walk('night', 'otto', '--resume', id, '--answers', 'answers.yaml', '--out', 'both.asice');
    expect(sealed.stderr).not.toContain('journal');
    const verified = await verify('both.asice');
    expect(worst(verified)).toEqual([]);
    const said = verified.findings.map(({ code, sentence }) => `${code}: ${sentence}`).join('\n');
    expect(said).toMatch(
      /journal\.handed-over: erika Example handed the session over to whoever .*; otto Example took it over/,
    );
    expect(said).toContain("journal.earlier-signer: PRACTICE erika signed the journal's head before");
    expect(said).not.toMatch(/other-signer|unsigned-head/);
    const report =
      openssl('version').status === 0 ? spawnSync('unzip', ['-p', at('both.asice'), 'report.html']) : undefined;
    expect(String(report?.stdout)).toContain('erika Example, otto Example');
    // Nobody but the two roles' root says whose signatures these are.
    const stranger = await createPracticeCa({ now: new Date() });
    const other = await verifyBundle(
      at('both.asice'),
      { engineer: [stranger.roots.engineer], hospital: [], publisher: [] },
      new Date(),
    );
    expect(value(other).findings.filter(({ code }) => code === 'trust.path').length).toBeGreaterThanOrEqual(2);
  }, 60_000);

  it('in a file that stock openssl and unzip open, and nobody else', async () => {
    const id = await start('files');
    expect((await handOver('files', id, '--to', 'box.crt', '--out', 'to.p7m')).code).toBe(0);
    const sealed = await readFile(at('to.p7m'));
    for (const inside of ['journal.jsonl', 'session.opened', 'guide:']) expect(sealed.includes(inside)).toBe(false);
    const how = ['cms', '-decrypt', '-binary', '-inform', 'DER', '-in', 'to.p7m', '-out', 'session.zip'];
    expect(openssl(...how, '-recip', 'box.crt', '-inkey', 'box.key').stderr).toBe('');
    const listed = spawnSync('unzip', ['-Z1', at('session.zip')], { encoding: 'utf8' })
      .stdout.trim()
      .split('\n');
    expect(listed.toSorted()).toEqual([
      expect.stringMatching(/^facts\/\d+\.json$/),
      'guide.yaml',
      'journal.jsonl',
      'site.yaml',
    ]);
    const wrong = await takeOver('stranger', 'to.p7m', '--key', 'erika.pem');
    expect(wrong.stderr).toContain('not encrypted to any certificate of this key');
    expect(await readdir(sessions('stranger'))).toEqual([]);
    const right = await takeOver('mate', 'to.p7m', '--key', 'box.pem');
    expect(right.code).toBe(0);
    expect(right.stderr).toContain('nothing shows whose signature');
  }, 60_000);

  it('is refused where the file was damaged, altered, or is taken over twice', async () => {
    const id = await start('twice');
    await handOver('twice', id, '--passphrase', 'env:PASS', '--out', 'twice.p7m');
    expect((await takeOver('wrong', 'twice.p7m', '--passphrase', 'env:PASS', '--operator', 'x')).code).toBe(0);
    const guess = await run('guess', ['session', 'take-over', 'twice.p7m', '--passphrase', 'env:PASS'], {
      PASS: 'a wrong guess!',
    });
    expect(guess.stderr).toContain('This passphrase does not open the file');
    const bytes = await readFile(at('twice.p7m'));
    for (const where of [bytes.length - 200, Math.floor(bytes.length / 2), bytes.length - 4000]) {
      const damaged = Buffer.from(bytes);
      damaged[where] = (damaged[where] ?? 0) ^ 1;
      await writeFile(at('damaged.p7m'), damaged);
      expect((await takeOver('guess', 'damaged.p7m', '--passphrase', 'env:PASS')).code).toBe(2);
      expect(await readdir(sessions('guess'))).toEqual([]);
    }
    const again = await takeOver('wrong', 'twice.p7m', '--passphrase', 'env:PASS');
    expect(again.stderr).toContain('was taken over here already');
    expect((await listSessions(sessions('wrong'))).map(({ session }) => session)).toEqual([id]);
  }, 60_000);

  it('shows a fork: the old laptop went on, and what came back does not replace it', async () => {
    const id = await start('old');
    await handOver('old', id, '--passphrase', 'env:PASS', '--out', 'out.p7m');
    await takeOver('new', 'out.p7m', '--passphrase', 'env:PASS');
    const back = ['session', 'hand-over', id, '--operator', 'otto Example', '--identity', 'otto.pem'];
    expect((await run('new', [...back, '--passphrase', 'env:PASS', '--out', 'back.p7m'])).code).toBe(0);
    await cp(at('old'), at('honest'), { recursive: true });

    // The honest way: it comes back, and the chain goes on with three hand-overs seen.
    const home = await takeOver('honest', 'back.p7m', '--passphrase', 'env:PASS', '--operator', 'erika Example');
    expect(home).toMatchObject({ code: 0 });
    await walk('honest', 'erika', '--resume', id, '--out', 'home.asice');
    const honest = await verify('home.asice');
    expect(worst(honest)).toEqual([]);
    expect(honest.findings.filter(({ code }) => code === 'journal.handed-over')).toHaveLength(2);

    const went = await run('old', [
      'session',
      'hand-over',
      id,
      '--withdraw',
      'nobody came',
      '--operator',
      'erika Example',
    ]);
    expect(went).toMatchObject({ code: 0, stderr: '' });
    await walk('old', 'erika', '--resume', id, '--out', 'fork.asice');
    const fork = await verify('fork.asice');
    expect(worst(fork)).toEqual([]);
    expect(fork.findings.find(({ code }) => code === 'journal.hand-over-withdrawn')?.sentence).toMatch(
      /was withdrawn \(nobody came\)\. If it was taken over all the same, there is another record/,
    );
    // Neither bundle alone shows the other; side by side they do.
    const compared = await run('old', ['session', 'compare', 'home.asice', 'fork.asice']);
    expect(compared.code).toBe(1);
    expect(compared.stdout).toMatch(/two places: its records differ from line \d+ on\.\nfirst: {2}operator\.joined at/);
    expect(compared.stdout).toMatch(/second: hand-over\.withdrawn at .* by erika-example/);
    const whole = await run('old', ['session', 'compare', join(sessions('honest'), id), 'home.asice']);
    expect(whole).toMatchObject({ code: 0, stdout: expect.stringContaining('first goes on where the second ends') });
    expect((await run('old', ['session', 'compare', 'both.asice', 'home.asice'])).stderr).toContain(
      'different sessions',
    );

    const before = await readFile(join(sessions('old'), id, 'journal.jsonl'));
    const refused = await takeOver('old', 'back.p7m', '--passphrase', 'env:PASS');
    expect(refused.stderr).toMatch(
      /went on here although it was handed over: from line \d+ on, .* two different records/,
    );
    expect((await readFile(join(sessions('old'), id, 'journal.jsonl'))).equals(before)).toBe(true);
  }, 90_000);

  it('is withdrawn by itself where the file cannot be written, and needs a signature and a real passphrase', async () => {
    const id = await start('kept');
    const nowhere = await handOver('kept', id, '--passphrase', 'env:PASS', '--out', '/dev/null/x.p7m');
    expect(nowhere.code).toBe(2);
    expect((await walk('kept', 'erika', '--resume', id, '--only', 'web.answers')).stderr).not.toContain('handed over');
    const short = await run(
      'kept',
      ['session', 'hand-over', id, '--identity', 'erika.pem', '--passphrase', 'env:PASS', '--out', 'x.p7m'],
      { PASS: 'short' },
    );
    expect(short.stderr).toContain('at least 12 characters');
    const bare = await run('kept', ['session', 'hand-over', id, '--passphrase', 'env:PASS', '--out', 'x.p7m']);
    expect(bare.stderr).toContain('--identity');
    expect(await readdir(dir)).not.toContain('x.p7m');
  }, 60_000);

  it('is told apart from a copy of the folder that was opened on another computer', async () => {
    const { resumeSession } = await import('../../engine/session/open-session.ts');
    const { sealSession } = await import('../../engine/session/seal.ts');
    const id = await start('copied');
    const resumed = value(
      await resumeSession(
        join(sessions('copied'), id),
        {},
        {
          now: () => new Date(),
          lockstep: '0.0.0',
          runtime: {},
          operator: 'erika Example',
          computer: 'another-laptop',
          ask: async () => false,
        },
      ),
    );
    expect(resumed.journal.notices.join(' ')).toMatch(/this is another-laptop\. Nobody handed it over/);
    const identity = await makeIdentity(ca, { role: 'engineer', commonName: 'PRACTICE erika' });
    value(await sealSession(resumed, at('moved.asice'), identity));
    await resumed.close();
    const moved = (await verify('moved.asice')).findings.find(({ code }) => code === 'journal.moved');
    expect(moved?.sentence).toMatch(/to another-laptop without a hand-over/);
  }, 60_000);
});
