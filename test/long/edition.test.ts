import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EDITION_FILE } from '../../core/bundle/edition.ts';
import { metaName } from '../../core/bundle/layout.ts';
import { stockCommands } from '../../core/bundle/stock-commands.ts';
import type { VerifyView } from '../../core/ipc.ts';
import { makeEdition } from '../../engine/evidence/edition.ts';
import { addTimestamp, timestampQuery } from '../../engine/evidence/timestamp.ts';
import { countersignBundle, verifyBundle } from '../../engine/session/bundles.ts';
import { lockstep } from '../support/cli.ts';
import { needs } from '../support/debian.ts';
import { makeBundle, makeParties, type Parties, trustOf, value, writeRoots } from '../support/evidence.ts';
import { decidable, walkMini } from '../support/mini-walk.ts';
import { editionTampering } from '../support/tamper-edition.ts';
import { readParts, removeTampered, tampering, writeParts } from '../support/tamper.ts';
import { createTimeAuthority } from '../support/time-authority.ts';

const WAIVED = 'web.answers@site:mini-site';

describe.skipIf(!needs('openssl', 'unzip'))("the manufacturer's edition of a bundle", () => {
  let dir: string;
  let server: Server;
  let parties: Parties;
  let whole: string;
  let edition: string;
  const trust = () => ['engineer', 'hospital', 'publisher'].map((role) => `${role}=${join(dir, `${role}-root.pem`)}`);
  const verify = async (file: string, ...more: string[]) => {
    const run = await lockstep(['verify', file, '--json', '--trust', ...trust(), ...more]);
    return { code: run.code, view: JSON.parse(run.stdout) as VerifyView };
  };
  /** As the command line, without starting it for every one of many files. */
  const judge = async (file: string) => value(await verifyBundle(file, trustOf(parties), new Date()));
  const codes = ({ findings }: VerifyView, severity?: string) =>
    findings.filter((each) => severity === undefined || each.severity === severity).map(({ code }) => code);

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-edition-'));
    // Stock OpenSSL stamps at the clock's time, so everything lives around it.
    const start = new Date(Date.now() - 3_000_000);
    parties = await makeParties(start);
    await writeRoots(dir, parties);
    server = createServer((request, response) => {
      const body = request.url === '/version' ? { version: '1.2.0' } : { secure: false };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    whole = await walkMini(dir, port, parties, decidable, [WAIVED], start);
    edition = join(dir, 'edition.asice');
    value(await makeEdition(whole, new Date(), edition));
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    await removeTampered();
    await rm(dir, { recursive: true, force: true });
  });

  it('says beforehand what is left out, by which rule, and what stays, and writes nothing', async () => {
    const before = await readFile(whole);
    const plan = await lockstep(['bundle', 'edition', whole, '--for', 'manufacturer']);
    expect([plan.code, plan.stderr]).toEqual([0, '']);
    const [left = '', stays = ''] = plan.stdout.split('stays:');
    for (const part of ['journal.jsonl', 'site.yaml', 'facts/', 'attachments/', 'report.html', 'reports/results.csv'])
      expect(left).toContain(part);
    for (const part of ['guide/guide.yaml', 'reports/verdicts.json', 'SHA256SUMS', metaName('signature', 2)])
      expect(stays).toContain(part);
    expect(stays).toContain('Henry Hospital');
    expect(stays).toContain('Nothing was written');
    const written = join(dir, 'by-command.asice');
    const made = await lockstep(['bundle', 'edition', whole, '--for', 'manufacturer', '--out', written]);
    expect(made.code).toBe(0);
    const names = (await readParts(written)).map(({ name }) => name);
    const announced = [...left.matchAll(/^ {4}(\S+)$/gm)].map((match) => match[1]);
    const all = (await readParts(whole)).map(({ name }) => name);
    expect(new Set([...names, ...announced])).toEqual(new Set([...all, EDITION_FILE]));
    expect(names.length + announced.length).toBe(all.length + 1);
    expect(await readFile(whole)).toEqual(before);
  });

  it('holds no address, no operator, no note and no name of the site, and every byte of what stays', async () => {
    const bytes = await readFile(edition);
    const source = await readFile(whole);
    for (const kept of ['127.0.0.1', 'Course of May', 'Mini site', 'It moves.', 'A guard.', 'secure = false']) {
      expect(source.includes(kept), kept).toBe(true);
      expect(bytes.includes(kept), kept).toBe(false);
    }
    const from = await readParts(whole);
    for (const part of (await readParts(edition)).filter(({ name }) => name !== EDITION_FILE))
      expect(part.content).toEqual(from.find(({ name }) => name === part.name)?.content);
  });

  it('verifies as an edition: signatures and digests hold, the verdicts stand as signed, nothing is called sound', async () => {
    const { code, view } = await verify(edition);
    expect([code, view.sound, view.complete, view.summary]).toEqual([1, false, false, undefined]);
    expect(view.edition).toEqual({ for: 'manufacturer', leftOut: expect.any(Number) as number });
    expect(codes(view, 'bad')).toEqual([]);
    expect(codes(view)).toEqual(
      expect.arrayContaining(['edition', 'edition.not-recomputed', 'state', 'waiver.accepted']),
    );
    expect(view.findings.find((each) => each.code === 'state')?.sentence).toContain('as it was signed: 1 pass, 1 fail');
    expect(view.signers.map(({ role }) => role)).toEqual(['engineer', 'hospital']);
    const spoken = await lockstep(['verify', edition, '--trust', ...trust()]);
    expect(spoken.stdout.trim().split('\n').at(-1)).toBe(
      `edition: ${view.edition?.leftOut} parts left out by rule; what remains is what was signed`,
    );
    // A waiver that ran out is one here, too.
    expect(codes((await verify(edition, '--at', '2028-01-01')).view)).toContain('waiver.expired');
    const strangers = await lockstep(['verify', edition, '--json']);
    expect(codes(JSON.parse(strangers.stdout) as VerifyView, 'bad')).toContain('trust.none');
  });

  it('has signatures that stock openssl verifies', () => {
    const opened = join(dir, 'opened');
    execFileSync('unzip', ['-q', edition, '-d', opened]);
    const roots = ['engineer', 'hospital'].map((role) => join(dir, `${role}-root.pem`));
    const lines = stockCommands(edition, roots).filter((line) => line.startsWith('openssl') || line.startsWith('grep'));
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(spawnSync('sh', ['-c', line], { cwd: opened }).status, line).toBe(0);
    const sums = spawnSync('sha256sum', ['-c', '--ignore-missing', 'SHA256SUMS'], { cwd: opened, encoding: 'utf8' });
    expect([sums.status, sums.stdout]).toEqual([0, expect.stringContaining('guide/guide.yaml: OK')]);
  });

  it('is made of what is sealed and signed only, once, and nothing is added to it', async () => {
    const refused = async (file: string) => {
      const made = await makeEdition(file, new Date());
      return made.ok ? 'made' : made.error.message;
    };
    expect(await refused(edition)).toContain('edition already');
    const parts = await readParts(whole);
    expect(await refused(await writeParts(parts.filter(({ name }) => !name.startsWith('META-INF/'))))).toContain(
      'Nobody has signed',
    );
    expect(await refused(await writeParts(parts.slice(0, -1)))).toContain('damaged');
    const old = await makeBundle(parties, { start: new Date(Date.now() - 3_000_000) });
    expect(await refused(old.bundle)).toContain('earlier Lockstep');
    expect(await refused(join(old.dir, 'guide.asice'))).toContain('This is a guide');
    await rm(old.dir, { recursive: true, force: true });
    const statement = { role: 'IT', remark: 'x' };
    expect(await countersignBundle(edition, parties.hospital, statement, new Date())).toMatchObject({ ok: false });
  });

  it('of a bundle with a time-stamp keeps it; with anything else left out or altered it is not even an edition', async () => {
    const authority = await createTimeAuthority();
    const stamped = join(dir, 'stamped.asice');
    const query = value(await timestampQuery(whole, new Date()));
    const response = await authority.reply(query);
    value(await addTimestamp({ bundle: whole, response, query, now: new Date(), out: stamped }));
    const out = join(dir, 'stamped-edition.asice');
    value(await makeEdition(stamped, new Date(), out));
    const view = await judge(out);
    expect(codes(view, 'bad')).toEqual([]);
    expect(codes(view)).toContain('timestamp.untrusted');
    const parts = await readParts(out);
    for (const [what, mutated] of Object.entries({
      ...editionTampering(parts, await readParts(stamped)),
      'the time-stamp of nothing': parts.filter(({ name }) => name !== metaName('manifest', 3)),
    })) {
      const found = await judge(await writeParts(mutated));
      expect([found.sound, codes(found, 'bad').length > 0], what).toEqual([false, true]);
    }
    for (const [what, mutated] of Object.entries(tampering(await readParts(stamped)))) {
      const found = await verifyBundle(await writeParts(mutated), trustOf(parties), new Date());
      expect(!found.ok || codes(found.value, 'bad').length > 0, `${what}, before the edition`).toBe(true);
    }
    await authority.remove();
  });
});
