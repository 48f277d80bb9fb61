import { existsSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VerifyView } from '../../core/ipc.ts';
import { describeError } from '../../core/result.ts';
import { makeEdition } from '../../engine/evidence/edition.ts';
import { addTimestamp, timestampQuery } from '../../engine/evidence/timestamp.ts';
import { listsIn } from '../../engine/keys/recorded-status.ts';
import { verifyBundle } from '../../engine/session/bundles.ts';
import { lockstep, ROOT } from '../support/cli.ts';
import { findProgram, needs } from '../support/debian.ts';
import { makeBundle, makeParties, type Parties, value, writeRoots } from '../support/evidence.ts';
import { type JsonSchema, schemaFaults } from '../support/json-schema.ts';
import { miniGuide } from '../support/mini-guide.ts';
import { decidable, walkMini } from '../support/mini-walk.ts';
import { type Part, readParts, removeTampered, tampering, writeBytes, writeParts } from '../support/tamper.ts';
import { editionTampering } from '../support/tamper-edition.ts';
import { createTimeAuthority } from '../support/time-authority.ts';
import { deflatedZip } from '../support/zip.ts';

const DAY = '2026-11-24';
const ROLES = ['engineer', 'hospital', 'publisher', 'timestamp'] as const;
describe.skipIf(!needs('chromium'))('the stand-alone verifier page', () => {
  let dir: string;
  let server: Server;
  let secure = true;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let url: string;
  let parties: Parties;
  let sound: string;
  let parts: Part[];
  const messages: string[] = [];
  const requests: string[] = [];

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-verifier-'));
    await build({
      configFile: join(ROOT, 'build', 'vite.verifier.config.ts'),
      build: { outDir: join(dir, 'page') },
      logLevel: 'error',
    });
    url = pathToFileURL(join(dir, 'page', 'verifier.html')).href;
    parties = await makeParties();
    await writeRoots(dir, parties);
    server = createServer((request, response) => {
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify(request.url === '/version' ? { version: '1.2.0' } : { secure }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    sound = await walkMini(dir, port, parties, decidable);
    parts = await readParts(sound);
    browser = await chromium.launch({
      executablePath: findProgram('chromium') ?? '',
      args: ['--no-sandbox', '--disable-gpu'],
    });
    context = await browser.newContext();
    page = await context.newPage();
    page.on('console', (message) => messages.push(message.text()));
    page.on('pageerror', (error) => messages.push(error.message));
    page.on('request', (request) => requests.push(request.url()));
    await page.goto(url);
  });
  afterAll(async () => {
    await browser.close();
    await new Promise((resolve) => server.close(resolve));
    await removeTampered();
    await rm(dir, { recursive: true, force: true });
  });

  type Roots = Partial<Record<(typeof ROLES)[number], string>>;
  const own: Roots = { engineer: 'engineer', hospital: 'hospital', publisher: 'publisher' };
  const file = (name: string) => join(dir, `${name}-root.pem`);
  const chosen: Partial<Record<keyof Roots, string | undefined>> = {};

  /** What the page says of a file, as a person would have it checked. */
  async function onPage(bundle: string, roots: Roots = own, day = DAY) {
    for (const role of ROLES) {
      const root = roots[role];
      if (root === chosen[role]) continue;
      chosen[role] = root;
      await page.setInputFiles(`#${role}`, root === undefined ? [] : file(root));
      await page
        .locator(`#${role}-roots li`)
        .first()
        .waitFor({ state: root === undefined ? 'detached' : 'attached' });
    }
    await page.setInputFiles('#bundle', bundle);
    await page.fill('#at', day);
    await page.click('#check');
    await page.locator('#status', { hasText: 'Checked.' }).waitFor();
    return page.evaluate(() => ({
      headline: document.querySelector('#headline')?.textContent ?? '',
      focused: document.activeElement?.id,
      error: document.querySelector('[data-error]')?.textContent ?? undefined,
      findings: [...document.querySelectorAll<HTMLElement>('#findings li')].map((line) => ({
        severity: line.dataset.severity,
        code: line.dataset.code,
        sentence: line.querySelector('.sentence')?.textContent,
        ...(line.querySelector('.place') === null ? {} : { place: line.querySelector('.place')?.textContent }),
      })),
    }));
  }

  /** The same by the engine that the command line calls. */
  async function onLine(bundle: string, roots: Roots = own, day = DAY) {
    const of = async (role: keyof Roots) => {
      const root = roots[role];
      return root === undefined ? [] : [await readFile(file(root), 'utf8')];
    };
    const [engineer = [], hospital = [], publisher = [], timestamp = []] = await Promise.all(ROLES.map(of));
    return verifyBundle(bundle, { engineer, hospital, publisher, timestamp }, new Date(day));
  }

  async function expectSame(bundle: string, what: string, roots: Roots = own, day = DAY) {
    const [here, there] = [await onPage(bundle, roots, day), await onLine(bundle, roots, day)];
    if (there.ok) {
      expect(here.findings, what).toEqual(there.value.findings);
      const whole = there.value.sound && there.value.complete;
      expect(/^(✓ A sound guide|✓ Sound and complete|! Sound and complete, but open)$/.test(here.headline), what).toBe(
        whole || (there.value.sound && there.value.summary === undefined),
      );
    } else {
      // The command line names the path, a page is not told it.
      const place = there.error.place?.slice(bundle.length + 2);
      const { place: _path, ...error } = there.error;
      expect(here.error, what).toBe(describeError({ ...error, ...(place ? { place } : {}) }));
      expect(here.headline, what).toContain('Not a bundle');
    }
    return { ...here, there };
  }
  const codes = (found: { findings: { code?: string | undefined }[] }) => found.findings.map((finding) => finding.code);

  it('says what the command line says of a bundle that is sound and complete', async () => {
    const args = (['engineer', 'hospital', 'publisher'] as const).flatMap((role) => [
      '--trust',
      `${role}=${file(role)}`,
    ]);
    const cli = await lockstep(['verify', sound, ...args, '--at', DAY, '--json']);
    const view = JSON.parse(cli.stdout) as VerifyView;
    expect([cli.code, view.sound, view.complete]).toEqual([0, true, true]);
    const here = await expectSame(sound, 'sound');
    expect(here.findings).toEqual(view.findings);
    expect(here).toMatchObject({ headline: '✓ Sound and complete', focused: 'headline' });
    const words = await page.locator('#result').innerText();
    for (const part of [
      'Hardened',
      'Erika Engineer',
      'Henry Hospital',
      'Seen.',
      'Mini site',
      view.summary?.word ?? '?',
    ])
      expect(words.toLowerCase()).toContain(part.toLowerCase());
  });

  it('comes from the command line, as do the reports of a bundle, as they were sealed', async () => {
    const out = join(dir, 'written');
    await mkdir(out, { recursive: true });
    const built = join(ROOT, 'dist', 'verifier', 'verifier.html');
    const written = await lockstep(['verify', '--page', join(out, 'page.html')]);
    if (existsSync(built)) expect(await readFile(join(out, 'page.html'))).toEqual(await readFile(built));
    else expect([written.code, written.stderr.includes('npm test build it')]).toEqual([2, true]);
    for (const [format, files] of [
      ['csv', ['results.csv']],
      ['hdf', ['hdf.json']],
      ['oscal', ['oscal-ar.json']],
      ['html', ['report.html']],
      ['open-items', ['open-items-hospital.md', 'open-items-manufacturer.md']],
    ] as const) {
      const told = await lockstep(['bundle', 'report', sound, '--format', format, '--out', out]);
      expect([told.code, told.stdout.trim().split('\n')]).toEqual([0, files.map((name) => join(out, name))]);
      for (const name of files)
        expect(new Uint8Array(await readFile(join(out, name)))).toEqual(
          parts.find((part) => part.name.endsWith(name))?.content,
        );
    }
    expect((await lockstep(['bundle', 'report', sound, '--format', 'docx'])).code).toBe(2);
    const oscal = JSON.parse(await readFile(join(out, 'oscal-ar.json'), 'utf8')) as unknown;
    const schema = join(ROOT, 'test', 'fixtures', 'oscal', 'assessment-results-1.2.1.schema.json');
    expect(schemaFaults(oscal, JSON.parse(await readFile(schema, 'utf8')) as JsonSchema)).toEqual([]);
  });

  it('says the same of bundles that are provisional, incomplete, expired, unsigned, or no bundles', async () => {
    const stripped = await writeParts(parts.filter((part) => !part.name.includes('002')));
    expect((await expectSame(stripped, 'stripped')).headline).toBe('! Provisional');
    const unsigned = await writeParts(parts.filter((part) => !part.name.startsWith('META-INF/')));
    expect(codes(await expectSame(unsigned, 'unsigned'))).toContain('signature.none');
    expect(codes(await expectSame(sound, 'expired', own, '2027-01-15'))).toContain('expired');
    const { port } = server.address() as AddressInfo;
    const incomplete = await walkMini(dir, port, parties, miniGuide());
    expect((await expectSame(incomplete, 'incomplete')).headline).toBe('! Sound, but incomplete');
    secure = false;
    await mkdir(join(dir, 'open'));
    const open = await walkMini(join(dir, 'open'), port, parties, decidable);
    secure = true;
    expect((await expectSame(open, 'open')).headline).toBe('! Sound and complete, but open');
    await expectSame(join(dir, 'course.txt'), 'a text');
    const made = await makeBundle(parties);
    expect(codes(await expectSame(made.bundle, 'a guide that cannot be read'))).toContain('judge.guide');
    expect((await expectSame(join(made.dir, 'guide.asice'), 'a signed guide')).headline).toBe('✓ A sound guide');
    await rm(made.dir, { recursive: true, force: true });
  });

  it.each<[string, Roots]>([
    ['none', {}],
    ["the hospital's root for the engineer", { ...own, engineer: 'hospital' }],
    ["the engineer's root for the hospital", { ...own, hospital: 'engineer' }],
    ['no root of the hospital', { engineer: 'engineer', publisher: 'publisher' }],
  ])('trusts nobody for another: %s', async (_, roots) => {
    const here = await expectSame(sound, 'roots', roots);
    expect(here.headline).toBe('✗ Not sound');
    expect(here.there.ok && here.there.value.sound).toBe(false);
  });

  it.skipIf(!needs('openssl'))('says the same of time-stamps, trusted and not', async () => {
    // Stock OpenSSL stamps at the clock's time, so everything lives around it.
    const others = await makeParties(new Date(Date.now() - 3_000_000));
    const made = await makeBundle(others, { start: new Date(Date.now() - 3_000_000) });
    const authority = await createTimeAuthority();
    await mkdir(join(dir, 'stamped'));
    await writeRoots(join(dir, 'stamped'), others);
    await writeFile(file('stamped/timestamp'), authority.root);
    const out = join(dir, 'stamped.asice');
    const query = value(await timestampQuery(made.bundle, new Date()));
    const response = await authority.reply(query);
    value(await addTimestamp({ bundle: made.bundle, response, query, now: new Date(), out }));
    const signers = { engineer: 'stamped/engineer', hospital: 'stamped/hospital', publisher: 'stamped/publisher' };
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    const trusted = await expectSame(out, 'trusted', { ...signers, timestamp: 'stamped/timestamp' }, tomorrow);
    expect(codes(trusted)).toContain('timestamp');
    expect(await page.locator('#result').innerText()).toContain('Time-stamped (proved)');
    expect(codes(await expectSame(out, 'not trusted', signers, tomorrow))).toContain('timestamp.untrusted');
    await authority.remove();
    await rm(made.dir, { recursive: true, force: true });
  });

  it('says the same of revocation that a signature records', async () => {
    const { port } = server.address() as AddressInfo;
    const [at, thisUpdate] = [new Date('2026-11-23T09:00:00Z'), new Date('2026-11-23T09:30:00Z')];
    const serialNumber = new X509Certificate(parties.hospital.certificatePem).serialNumber;
    for (const [revoked, code] of [
      [[], 'revocation.good'],
      [[{ serialNumber, at }], 'revocation.revoked'],
    ] as const) {
      const folder = join(dir, code);
      await mkdir(folder);
      const list = await parties.ca.crl({ role: 'hospital', revoked, thisUpdate });
      const hospital = { ...parties.hospital, recorded: listsIn(list) };
      const bundle = await walkMini(folder, port, { ...parties, hospital }, decidable);
      expect(codes(await expectSame(bundle, code))).toContain(code);
    }
  });

  it('says the same of an edition, and never calls it sound; tampering with one is found', async () => {
    const out = join(dir, 'edition.asice');
    value(await makeEdition(sound, new Date(`${DAY}T00:00:00Z`), out));
    const here = await expectSame(out, 'edition');
    expect(here.headline).toBe('! An edition');
    expect(here.there.ok && here.there.value.sound).toBe(false);
    expect(codes(here).filter((code) => code === 'edition.not-recomputed')).toHaveLength(2);
    expect(await page.locator('#result').innerText()).toContain('2 pass');
    expect(codes(await expectSame(out, 'later', own, '2027-01-15'))).toContain('expired');
    expect((await expectSame(out, 'roots', {})).headline).toBe('✗ Not sound');
    const edition = await readParts(out);
    for (const [what, mutated] of Object.entries(editionTampering(edition, parts))) {
      const found = await expectSame(await writeParts(mutated), what);
      expect(found.headline, what).toBe('✗ Not sound');
    }
    const stripped = await expectSame(
      await writeParts(edition.filter((part) => !part.name.includes('002'))),
      'without the countersignature',
    );
    expect(codes(stripped)).toContain('provisional');
  });

  it('finds every kind of tampering that the command line finds', async () => {
    for (const [what, mutated] of Object.entries(tampering(parts))) {
      const { there } = await expectSame(await writeParts(mutated), what);
      expect(!there.ok || there.value.findings.some((finding) => finding.severity === 'bad'), what).toBe(true);
    }
  });

  it('refuses every trick with the container that the command line refuses', async () => {
    const of = (change: (content: Buffer) => Buffer) => writeBytes(sound, change);
    const zipped = async (zip: Buffer) => of(() => zip);
    const entries = parts.map((part) => ({ ...part, deflated: deflateRawSync(part.content) }));
    const swollen = entries.map((entry, index) =>
      index === 2 ? { ...entry, deflated: Buffer.concat([entry.deflated, Buffer.from('hidden')]) } : entry,
    );
    const shrunk = entries.map((entry, index) =>
      index === 2 ? { ...entry, content: entry.content.slice(0, -1) } : entry,
    );
    const bomb = [
      ...entries,
      {
        name: 'attachments/bomb.bin',
        content: new Uint8Array(20_000_000),
        deflated: deflateRawSync(new Uint8Array(20_000_000)),
      },
    ];
    const files: Record<string, string> = {
      'cut off': await of((content) => content.subarray(0, content.length - 100)),
      'something behind the end': await of((content) => Buffer.concat([content, Buffer.from('x')])),
      'a second directory': await of((content) => Buffer.concat([content, content])),
      'something before the start': await of((content) => Buffer.concat([Buffer.from('MZ'), content])),
      empty: await of(() => Buffer.alloc(0)),
      'bytes hidden behind packed ones': await zipped(deflatedZip(swollen)),
      'more packed than is said': await zipped(deflatedZip(shrunk)),
      'a zip bomb': await zipped(deflatedZip(bomb)),
      'a name twice': await zipped(deflatedZip([...entries, entries[3] as (typeof entries)[number]])),
      'a path outside': await zipped(
        deflatedZip([...entries, { ...(entries[3] as (typeof entries)[number]), name: '../evil.txt' }]),
      ),
    };
    // What is packed is no trick by itself, so that the next ones are refused for what they are.
    expect((await expectSame(await zipped(deflatedZip(entries)), 'packed')).headline).toBe('✓ Sound and complete');
    for (const [what, tricked] of Object.entries(files)) {
      const { there } = await expectSame(tricked, what);
      expect(there.ok && there.value.sound, what).toBe(false);
    }
  });

  it('forgets a result as soon as anything else is chosen, and a root that cannot be read', async () => {
    await onPage(sound);
    expect(await page.locator('#result').innerText()).toContain('Sound and complete');
    await page.setInputFiles('#hospital', join(dir, 'course.txt'));
    delete chosen.hospital;
    await page.locator('#hospital-roots', { hasText: 'course.txt holds no certificate' }).waitFor();
    expect(await page.locator('#result').innerText()).toBe('');
    await page.click('#check');
    await page.locator('#headline', { hasText: 'Not sound' }).waitFor();
  });

  it('lets nothing run or load but what lies in it, and asks no network for anything', async () => {
    const html = await readFile(join(dir, 'page', 'verifier.html'), 'utf8');
    const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1] ?? '';
    expect(policy).toMatch(
      /^default-src 'none'; script-src 'sha256-[\w+/=]{44}'; style-src 'sha256-[\w+/=]{44}'; base-uri 'none'; form-action 'none'$/,
    );
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).not.toMatch(/<(link|img|iframe|object)\b|<script[^>]*\ssrc=/i);
    expect(messages).toEqual([]);
    expect(new Set(requests)).toEqual(new Set([url]));
    const blocked = await page.evaluate(() =>
      fetch('http://127.0.0.1:9/').then(
        () => 'sent',
        () => 'blocked',
      ),
    );
    expect(blocked).toBe('blocked');
    expect(messages.join('\n')).toContain('Content Security Policy');
    expect(new Set(requests)).toEqual(new Set([url]));
  });

  it('works by keyboard alone and takes a bundle that is dropped', async () => {
    const fresh = await context.newPage();
    await fresh.goto(url);
    const order: string[] = [];
    for (let step = 0; step < 14; step++) {
      await fresh.keyboard.press('Tab');
      const id = await fresh.evaluate(() => document.activeElement?.id ?? '');
      if (id !== '' && id !== order.at(-1)) order.push(id);
    }
    expect(order.slice(0, 7)).toEqual(['bundle', 'engineer', 'hospital', 'publisher', 'timestamp', 'at', 'check']);
    await fresh.focus('#check');
    await fresh.keyboard.press('Enter');
    await fresh.locator('#status', { hasText: 'Choose a bundle first.' }).waitFor();
    expect(await fresh.evaluate(() => document.activeElement?.id)).toBe('bundle');
    const content = (await readFile(sound)).toString('base64');
    const data = await fresh.evaluateHandle((base64) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(atob(base64), (digit) => digit.charCodeAt(0))], 'dropped.asice'));
      return transfer;
    }, content);
    await fresh.dispatchEvent('#drop', 'drop', { dataTransfer: data });
    expect(await fresh.locator('#chosen').innerText()).toContain('dropped.asice');
    await fresh.close();
  });

  it.each(['light', 'dark'] as const)('is accessible in %s colours, with a result shown', async (colorScheme) => {
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    // Only so that axe itself gets in.
    const other = await browser.newContext({ colorScheme, bypassCSP: true });
    const shown = await other.newPage();
    await shown.goto(url);
    await shown.setInputFiles('#bundle', sound);
    await shown.setInputFiles('#engineer', file('engineer'));
    await shown.click('#check');
    await shown.locator('#status', { hasText: 'Checked.' }).waitFor();
    await shown.addScriptTag({ content: axe });
    const found = await shown.evaluate(async () => {
      const { violations } = await (
        globalThis as unknown as {
          axe: { run: () => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
        }
      ).axe.run();
      return violations.map((violation) => `${violation.id}: ${violation.nodes[0]?.html}`);
    });
    expect(found).toEqual([]);
    await other.close();
  });
});
