import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyFile } from '../../engine/evidence/container-reader.ts';
import { openJournal } from '../../engine/evidence/journal-file.ts';
import { sealBundle } from '../../engine/evidence/seal.ts';
import { createPracticeCa } from '../../engine/keys/practice-ca.ts';
import { lockstep } from '../support/cli.ts';
import {
  GUIDE,
  ITEM,
  makeBundle,
  makeParties,
  NOW,
  REPORT,
  SITE,
  ticking,
  trustOf,
  value,
} from '../support/evidence.ts';
import { miniGuide, miniSite } from '../support/mini-guide.ts';

const DAY = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY).toISOString().slice(0, 10);
const waiver = (until: string) => `reason: Two hundred beds.\ncompensating: A guard.\nuntil: ${until}\n`;

describe('a waiver on the command line', () => {
  let dir: string;
  let server: Server;
  const file = (name: string) => join(dir, name);
  const run = (...more: string[]) =>
    lockstep(['run', '--guide', file('guide.yaml'), '--site', file('site.yaml'), '--quiet', ...more], {
      LOCKSTEP_DATA_DIR: file('data'),
    });

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-waivers-'));
    server = createServer((request, response) => {
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify(request.url === '/version' ? { version: '1.2.0' } : { secure: false }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await writeFile(file('guide.yaml'), miniGuide().replace(/ {2}- id: web\.never[\s\S]*?(?= {2}- id: people)/, ''));
    await writeFile(file('site.yaml'), miniSite((server.address() as AddressInfo).port));
    await writeFile(file('course.txt'), 'Course of May.');
    const ca = await createPracticeCa({ now: new Date() });
    for (const role of ['engineer', 'hospital'] as const) {
      const issued = await ca.issue({ commonName: `PRACTICE ${role}`, usage: 'sign', role });
      await writeFile(file(`${role}.pem`), `${issued.keyPem}\n${issued.chainPem}`, { mode: 0o600 });
      await writeFile(file(`${role}-root.pem`), ca.roots[role]);
    }
    const answer = 'answers:\n  people.trained: { answer: "yes", note: Seen., attachments: [course.txt] }\n';
    const asked = waiver(inDays(10)).replace(/^/gm, '    ').trimEnd();
    await writeFile(file('answers.yaml'), `${answer}waivers:\n  web.answers:\n${asked}\n`);
    await writeFile(file('no-waivers.yaml'), answer);
    await writeFile(file('waiver.yaml'), waiver(inDays(10)));
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    await rm(dir, { recursive: true, force: true });
  });

  it('is a request, then accepted, then run out, and only accepted and in date it counts', async () => {
    const bundle = file('waived.asice');
    const trust = ['--trust', `engineer=${file('engineer-root.pem')}`, `hospital=${file('hospital-root.pem')}`];
    const identity = ['--identity', file('engineer.pem'), '--out', bundle];
    const ran = await run('--answers', file('answers.yaml'), ...identity);
    expect(ran.stdout).toContain('open: 1 pass, 1 fail');
    expect(ran.stdout).toContain('waivers asked for: web.answers');
    expect(ran.code).toBe(1);
    const key = /waivers asked for: (\S+);/.exec(ran.stdout)?.[1] ?? '';
    const asked = await lockstep(['verify', bundle, ...trust]);
    expect(asked.stdout).toMatch(/warn waiver\.request: .*web\.answers/);
    expect(asked.stdout).toContain('this is open');
    await cp(bundle, file('refused.asice'));
    const countersign = (path: string, ...more: string[]) =>
      lockstep(['bundle', 'countersign', path, '--identity', file('hospital.pem'), '--role', 'IT', ...more]);
    expect((await countersign(file('refused.asice'))).code).toBe(0);
    const unaccepted = await lockstep(['verify', file('refused.asice'), ...trust]);
    expect(unaccepted.stdout).toContain('this is open');
    expect(unaccepted.stdout).toContain('waiver.request');
    expect((await countersign(bundle, '--accept-waiver', key)).code).toBe(0);
    const accepted = await lockstep(['verify', bundle, ...trust]);
    expect(accepted.stdout).toMatch(/info waiver\.accepted: .*web\.answers/);
    expect(accepted.stdout).toContain('this is hardened: 1 pass, 1 fail');
    const later = await lockstep(['verify', bundle, ...trust, '--at', inDays(11)]);
    expect(later.stdout).toMatch(/warn waiver\.expired: .*web\.answers/);
    expect(later.stdout).toContain('this is open');
  });

  it('is asked for by a file of its own; what does not fail is not waived, and says so', async () => {
    const both = ['--waive', `web.answers=${file('waiver.yaml')}`, `people.trained=${file('waiver.yaml')}`];
    const ran = await run('--answers', file('no-waivers.yaml'), ...both, '--json');
    expect(JSON.parse(ran.stdout)).toMatchObject({
      summary: { word: 'open', waived: [expect.stringMatching('web.answers')] },
    });
    expect(ran.stderr).toMatch(/people\.trained\S*: not waived, because only what fails can be; this is pass/);
  });

  it.each([
    ['missing reason', waiver(inDays(9)).replace('Two hundred beds.', '""'), 'reason'],
    ['missing end', waiver(inDays(9)).replace(/until.*/, ''), 'until'],
    ['unclear day', waiver('soon'), 'a day such as'],
    ['past day', waiver(inDays(-1)), 'ends in the past'],
  ])('is refused for its %s before anything runs', async (name, text, words) => {
    await writeFile(file(`${name.replace(' ', '-')}.yaml`), text);
    const refused = await run('--waive', `web.answers=${file(`${name.replace(' ', '-')}.yaml`)}`);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain(words);
    expect(refused.stderr).not.toContain('session ');
  });
});

describe('a waiver in a bundle', () => {
  it('holds until its day, to the verifier', async () => {
    const parties = await makeParties();
    const made = await makeBundle(parties);
    const codes = async (at: Date) =>
      value(await verifyFile(made.bundle, { trust: trustOf(parties), at })).findings.map((finding) => finding.code);
    expect(await codes(new Date(NOW.getTime() + DAY))).toContain('waiver.accepted');
    expect(await codes(new Date('2026-12-31T23:59:59.000Z'))).toContain('waiver.accepted');
    expect(await codes(new Date('2027-01-01T00:00:00.000Z'))).toContain('waiver.expired');
    await rm(made.dir, { recursive: true });
  });

  it('of something that had not failed is found, though the journal’s chain holds', async () => {
    const parties = await makeParties();
    const made = await makeBundle(parties, { countersigned: false, signedGuide: false });
    const now = ticking(new Date(NOW.getTime() + 120_000));
    const journal = value(await openJournal(made.sessionDir, { by: 'erika', now }));
    const judged = journal.events.find((event) => event.type === 'judged');
    if (judged?.type !== 'judged') throw new Error('nothing was judged');
    value(await journal.append('judged', { ...judged.data, verdict: 'pass', findings: [] }));
    const asked = { key: ITEM, reason: 'r', compensating: 'c', until: '2027-01-01T00:00:00.000Z' };
    value(await journal.append('waived', asked));
    value(await journal.signHead('close', parties.engineer));
    await journal.close();
    const out = join(made.dir, 'forged.asice');
    const guide = { yaml: GUIDE };
    const sealing = { sessionDir: made.sessionDir, guide, site: SITE, report: REPORT, identity: parties.engineer };
    value(await sealBundle({ ...sealing, now: now(), out }));
    const verified = value(await verifyFile(out, { trust: trustOf(parties), at: new Date(NOW.getTime() + DAY) }));
    expect(verified.findings.filter((finding) => finding.severity === 'bad').map((finding) => finding.code)).toEqual([
      'waiver.not-failed',
    ]);
    await rm(made.dir, { recursive: true });
  });
});
