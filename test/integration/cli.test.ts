import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sealBundle, sessionFiles } from '../../engine/evidence/seal.ts';
import { loadIdentity } from '../../engine/keys/identity.ts';
import { createPracticeCa, type PracticeCa } from '../../engine/keys/practice-ca.ts';
import { lockstep } from '../support/cli.ts';
import { miniGuide, miniSite } from '../support/mini-guide.ts';
import { unpack, verifySignature } from '../support/stock-tools.ts';

let dir: string;
let server: Server;
let secure = true;
let ca: PracticeCa;
const data = () => ({ LOCKSTEP_DATA_DIR: join(dir, 'data') });
const file = (name: string) => join(dir, name);
const run = (...more: string[]) =>
  lockstep(['run', '--guide', file('guide.yaml'), '--site', file('site.yaml'), '--quiet', ...more], data());

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lockstep-cli-'));
  server = createServer((request, response) => {
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify(request.url === '/version' ? { version: '1.2.0' } : { secure }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Without the step that can never be decided, so that a run can end hardened.
  await writeFile(file('guide.yaml'), miniGuide().replace(/ {2}- id: web\.never[\s\S]*?(?= {2}- id: people)/, ''));
  await writeFile(file('site.yaml'), miniSite((server.address() as AddressInfo).port));
  await writeFile(file('course.txt'), 'Course of May.');
  await writeFile(
    file('answers.yaml'),
    'answers:\n  people.trained: { answer: "yes", note: Course of May., attachments: [course.txt] }\n',
  );
  ca = await createPracticeCa({ now: new Date() });
  for (const [name, role] of [
    ['engineer', 'engineer'],
    ['hospital', 'hospital'],
    ['publisher', 'publisher'],
  ] as const) {
    const issued = await ca.issue({ commonName: `PRACTICE ${name}`, usage: 'sign', role });
    await writeFile(file(`${name}.pem`), `${issued.keyPem}\n${issued.chainPem}`, { mode: 0o600 });
    await writeFile(file(`${name}-root.pem`), ca.roots[role]);
  }
});

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(dir, { recursive: true, force: true });
});

describe('lockstep run and verify', () => {
  it('seals what is undecided as incomplete only: on the command line, in the report and to the verifier', async () => {
    const bundle = file('undecided.asice');
    const ran = await run('--identity', file('engineer.pem'), '--out', bundle);
    expect(ran.code).toBe(3);
    expect(ran.stdout).toMatch(/^incomplete: 1 step is undecided; the bundle says so$/m);
    const told = await lockstep(['bundle', 'report', bundle, '--format', 'html', '--out', file('undecided')]);
    expect(told.code).toBe(0);
    expect(await readFile(file('undecided/report.html'), 'utf8')).toContain(
      '<strong>Incomplete</strong>: 1 item is undecided.',
    );
    const verified = await lockstep(['verify', bundle, '--trust', `engineer=${file('engineer-root.pem')}`]);
    expect([verified.code, verified.stdout.includes('warn incomplete')]).toEqual([1, true]);
  });

  it('ends hardened, sealed, signed and countersigned; stock tools and verify agree', async () => {
    const bundle = file('ok.asice');
    const ran = await run('--answers', file('answers.yaml'), '--identity', file('engineer.pem'), '--out', bundle);
    expect(ran.stderr).not.toContain('error:');
    expect(ran.stdout).toContain('hardened: 2 pass');
    expect(ran.stdout).toContain('provisional');
    expect(ran.code).toBe(0);

    const trust = ['--trust', `engineer=${file('engineer-root.pem')}`, `hospital=${file('hospital-root.pem')}`];
    expect((await lockstep(['verify', bundle, ...trust])).code).toBe(1);
    const signed = await lockstep([
      'bundle',
      'countersign',
      bundle,
      '--identity',
      file('hospital.pem'),
      '--role',
      'Head of IT',
    ]);
    expect(signed).toMatchObject({ code: 0 });
    const verified = await lockstep(['verify', bundle, ...trust]);
    expect(verified.stdout).toContain('sound and complete');
    expect(verified.code).toBe(0);
    // A year on, the evidence has run out and may not look good any more.
    const later = await lockstep(['verify', bundle, ...trust, '--at', '2027-12-01', '--json']);
    expect(later.code).toBe(1);
    expect(JSON.parse(later.stdout)).toMatchObject({ complete: false });

    const opened = file('opened');
    unpack(bundle, opened);
    for (const [number, role, other] of [
      [1, 'engineer', 'hospital'],
      [2, 'hospital', 'engineer'],
    ] as const) {
      verifySignature(opened, number, file(`${role}-root.pem`));
      expect(() => verifySignature(opened, number, file(`${other}-root.pem`))).toThrow();
    }
  });

  it('finds a journal that claims a pass which its facts do not give, even when everything is signed anew', async () => {
    secure = false;
    const ran = await run('--answers', file('answers.yaml'));
    secure = true;
    expect(ran.code).toBe(1);
    const { rejudge } = await import('../../core/verdict/rejudge.ts');
    const id = /session ([0-9a-f-]{36})/.exec(ran.stderr)?.[1] ?? '';
    const session = join(dir, 'data', 'sessions', id);
    const { parseEvent } = await import('../../core/session/events.ts');
    const events = (await readFile(join(session, 'journal.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => parseEvent(JSON.parse(line)));
    const facts = new Map<string, unknown>();
    for (const name of await readdir(join(session, 'facts')))
      facts.set(`facts/${name}`, JSON.parse(await readFile(join(session, 'facts', name), 'utf8')));
    const parts = {
      guideYaml: await readFile(join(session, 'guide.yaml'), 'utf8'),
      siteYaml: await readFile(join(session, 'site.yaml'), 'utf8'),
      facts: (name: string) => facts.get(name),
    };
    expect(rejudge({ ...parts, events }, new Date()).faults).toEqual([]);
    const forged = events.map((event) =>
      event.type === 'judged' && event.data.verdict === 'fail'
        ? { ...event, data: { ...event.data, verdict: 'pass' as const, findings: [] } }
        : event,
    );
    expect(rejudge({ ...parts, events: forged }, new Date()).faults.map((fault) => fault.code)).toEqual([
      'judge.verdict',
    ]);
    const other = new Map(
      [...facts].map(([name, value]) => [
        name,
        { ...(value as object), params: { url: 'http://127.0.0.1:9/other', method: 'GET' } },
      ]),
    );
    expect(
      rejudge({ ...parts, events, facts: (name) => other.get(name) }, new Date()).faults.map((fault) => fault.code),
    ).toContain('judge.other-question');
  });

  it('finds a report that says what the journal does not, though its signature holds', async () => {
    secure = false;
    const ran = await run('--answers', file('answers.yaml'));
    secure = true;
    const sessionDir = join(dir, 'data', 'sessions', /session ([0-9a-f-]{36})/.exec(ran.stderr)?.[1] ?? '');
    const identity = await loadIdentity(file('engineer.pem'), undefined);
    if (!identity.ok) throw new Error(JSON.stringify(identity.error));
    const sealed = await sealBundle({
      sessionDir,
      ...(await sessionFiles(sessionDir)),
      report: '<!doctype html><title>All is well</title>',
      identity: identity.value,
      now: new Date(),
      out: file('rosy.asice'),
    });
    expect(sealed.ok).toBe(true);
    const verified = await lockstep([
      'verify',
      file('rosy.asice'),
      '--trust',
      `engineer=${file('engineer-root.pem')}`,
      '--json',
    ]);
    const { sound, findings } = JSON.parse(verified.stdout) as {
      sound: boolean;
      findings: { code: string; severity: string; place?: string }[];
    };
    expect(sound).toBe(false);
    expect(findings).toContainEqual(
      expect.objectContaining({ code: 'report.differs', severity: 'bad', place: 'report.html' }),
    );
    expect(verified.code).toBe(1);
  });

  it('answers with 1 when something fails and with 3 when nothing does but something is open', async () => {
    secure = false;
    expect((await run('--answers', file('answers.yaml'))).code).toBe(1);
    secure = true;
    expect((await run()).code).toBe(3);
  });

  it('names place and cause of bad input, answers with 2 and writes nothing', async () => {
    await writeFile(
      file('bad-guide.yaml'),
      miniGuide().replace('owner: hospital', 'owner: nobody').replace('why: An', 'wy: An'),
    );
    await writeFile(file('bad-site.yaml'), 'site: x\nname: X\ncolour: red\n');
    await writeFile(file('not-utf8.yaml'), Buffer.from([0x67, 0x75, 0xff, 0xfe]));
    await writeFile(file('anchors.yaml'), 'a: &a [1]\nb: *a\n');
    const before = await readdir(join(dir, 'data', 'sessions'));
    const trial = (guide: string, site: string, ...more: string[]) =>
      lockstep(['run', '--guide', file(guide), '--site', file(site), '--out', file('never.asice'), ...more], data());
    for (const [guide, site, more, words] of [
      ['bad-guide.yaml', 'site.yaml', [], ['bad-guide.yaml:', 'owner', 'wy']],
      ['guide.yaml', 'bad-site.yaml', [], ['bad-site.yaml:3:1', 'colour']],
      ['not-utf8.yaml', 'site.yaml', [], ['UTF-8']],
      ['anchors.yaml', 'site.yaml', [], ['anchors (&) are not allowed']],
      ['missing.yaml', 'site.yaml', [], ['missing.yaml']],
      ['guide.yaml', 'site.yaml', ['--identity', file('course.txt')], ['no private key']],
      ['guide.yaml', 'site.yaml', ['--secret', 'directory-bind=plaintext'], ['env:NAME']],
      ['guide.yaml', 'site.yaml', ['--secret', 'directory-bind=env:NOT_SET_ANYWHERE'], ['NOT_SET_ANYWHERE']],
    ] as const) {
      const result = await trial(guide, site, ...more);
      expect(result.code, result.stderr).toBe(2);
      for (const word of words) expect(result.stderr).toContain(word);
    }
    expect((await readdir(dir)).includes('never.asice')).toBe(false);
    expect(await readdir(join(dir, 'data', 'sessions'))).toEqual(before);
  });

  it('refuses a guide for another version with 2 and leaves nothing behind, unless a reason is recorded', async () => {
    await writeFile(
      file('other-guide.yaml'),
      (await readFile(file('guide.yaml'), 'utf8')).replace('>=1.0.0 <2.0.0', '>=7.0.0'),
    );
    const sessions = () => readdir(join(dir, 'data', 'sessions')).catch((): string[] => []);
    const before = await sessions();
    const walk = (...more: string[]) =>
      lockstep(
        [
          'run',
          '--guide',
          file('other-guide.yaml'),
          '--site',
          file('site.yaml'),
          '--quiet',
          '--out',
          file('other.asice'),
          ...more,
        ],
        data(),
      );
    const refused = await walk();
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('1.2.0 was found');
    expect(await sessions()).toEqual(before);
    expect((await readdir(dir)).includes('other.asice')).toBe(false);
    expect((await walk('--override-reason', 'The manufacturer agreed.')).code).toBe(3);
    expect((await sessions()).length).toBe(before.length + 1);
  });

  it('calls what is no bundle no bundle', async () => {
    expect((await lockstep(['verify', file('course.txt')])).code).toBe(2);
    expect((await lockstep(['verify', file('nothing.asice')])).code).toBe(2);
    expect((await lockstep(['verify', file('ok.asice'), '--trust', 'king=x.pem'])).code).toBe(2);
  });

  it('signs a guide; the container is trusted through its root, changed bytes are refused', async () => {
    const signed = await lockstep([
      'guide',
      'sign',
      file('guide.yaml'),
      '--identity',
      file('publisher.pem'),
      '--out',
      file('guide.asice'),
    ]);
    expect(signed).toMatchObject({ code: 0 });
    const walk = (...more: string[]) =>
      lockstep(
        [
          'run',
          '--guide',
          file('guide.asice'),
          '--site',
          file('site.yaml'),
          '--answers',
          file('answers.yaml'),
          '--quiet',
          '--json',
          ...more,
        ],
        data(),
      );
    expect(JSON.parse((await walk()).stdout)).toMatchObject({ guide: { trust: 'untrusted' } });
    expect(JSON.parse((await walk('--trust', `publisher=${file('publisher-root.pem')}`)).stdout)).toMatchObject({
      guide: { trust: 'trusted' },
    });
    expect(JSON.parse((await walk('--trust', `publisher=${file('engineer-root.pem')}`)).stdout)).toMatchObject({
      guide: { trust: 'untrusted' },
    });
    const bytes = await readFile(file('guide.asice'));
    const at = bytes.indexOf('A small guide');
    bytes[at] = 0x42;
    await writeFile(file('altered.asice'), bytes);
    const altered = await lockstep(['run', '--guide', file('altered.asice'), '--site', file('site.yaml')], data());
    expect(altered.code).toBe(2);
    expect(altered.stderr).toMatch(/altered|damaged|digest|CRC/i);
  });

  it('lists the sessions, and goes on with one', async () => {
    const ran = await run();
    const id = /session ([0-9a-f-]{36})/.exec(ran.stderr)?.[1] ?? '';
    expect((await lockstep(['session', 'list'], data())).stdout).toContain(id);
    const resumed = await run('--resume', id, '--answers', file('answers.yaml'));
    expect(resumed.stderr).toContain(id);
    expect(resumed.code).toBe(0);
  });

  it('makes a locked key and a request, joins what the authority issued, and signs with it', async () => {
    const env = { ...data(), PASS: 'correct horse battery' };
    const made = await lockstep(
      ['identity', 'new', '--name', 'Nia New', '--passphrase', 'env:PASS', '--out', file('nia')],
      env,
    );
    expect(made).toMatchObject({ code: 0 });
    expect(await readFile(file('nia.key.pem'), 'utf8')).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    expect(
      execFileSync('openssl', ['req', '-in', file('nia.csr.pem'), '-noout', '-subject', '-verify'], {
        stdio: 'pipe',
      }).toString(),
    ).toContain('Nia New');
    const issued = await ca.issueForRequest(await readFile(file('nia.csr.pem'), 'utf8'), {
      commonName: 'PRACTICE Nia New',
      usage: 'sign',
      role: 'engineer',
    });
    if (!issued.ok) throw new Error(JSON.stringify(issued.error));
    await writeFile(file('nia.crt.pem'), issued.value.chainPem);
    const joined = [
      'identity',
      'import',
      '--key',
      file('nia.key.pem'),
      '--passphrase',
      'env:PASS',
      '--out',
      file('nia.pem'),
      '--certificate',
    ];
    // Somebody else's certificate does not belong to this key.
    expect((await lockstep([...joined, file('engineer-root.pem')], env)).code).toBe(2);
    expect((await lockstep([...joined, file('nia.crt.pem')], env)).stdout).toContain('Nia New');
    expect(
      (
        await lockstep(['identity', 'show', file('nia.pem'), '--passphrase', 'env:PASS'], {
          ...env,
          PASS: 'wrong horse',
        })
      ).stderr,
    ).toContain('identity.passphrase');
    const ran = await lockstep(
      [
        'run',
        '--guide',
        file('guide.yaml'),
        '--site',
        file('site.yaml'),
        '--quiet',
        '--identity',
        file('nia.pem'),
        '--passphrase',
        'env:PASS',
        '--out',
        file('nia.asice'),
      ],
      env,
    );
    expect(ran.stdout).toContain('provisional');
    const verified = await lockstep([
      'verify',
      file('nia.asice'),
      '--trust',
      `engineer=${file('engineer-root.pem')}`,
      '--json',
    ]);
    expect(JSON.parse(verified.stdout).signers[0].subject).toContain('Nia New');
  });
});
