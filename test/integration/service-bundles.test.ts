import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as Inspec from 'inspecjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPORTS } from '../../core/report/index.ts';
import { createPracticeCa, type PracticeCa } from '../../engine/keys/practice-ca.ts';
import type { Service } from '../../engine/service-contract.ts';
import { createService } from '../../engine/service.ts';
import { needs } from '../support/debian.ts';
import { value } from '../support/evidence.ts';
import { type JsonSchema, schemaFaults } from '../support/json-schema.ts';
import { miniGuide, miniSite } from '../support/mini-guide.ts';
import { unpack } from '../support/stock-tools.ts';
import { createTimeAuthority } from '../support/time-authority.ts';

const OSCAL_SCHEMA = join(import.meta.dirname, '../fixtures/oscal/assessment-results-1.2.1.schema.json');
const WAIVED = 'web.answers@site:mini-site';

/** What the wizard's pages do with a bundle, through the desktop's engine; each test goes on where the one before left off. */
describe.skipIf(!needs('openssl', 'unzip'))("a session's bundle in the desktop's engine", () => {
  let dir: string;
  let server: Server;
  let service: Service;
  let ca: PracticeCa;
  let bundle: string;
  const at = (name: string) => join(dir, name);
  const roots = () => ({ engineer: [ca.roots.engineer], hospital: [ca.roots.hospital], publisher: [] });
  const verify = async (on?: string) =>
    value(
      await service.call('bundle.verify', {
        path: bundle,
        trust: roots(),
        ...(on === undefined ? {} : { at: on }),
      }),
    );

  async function identity(role: 'engineer' | 'hospital', commonName: string): Promise<string> {
    const { keyPem, chainPem } = await ca.issue({ role, commonName, usage: 'sign' });
    await writeFile(at(`${role}.pem`), keyPem + chainPem);
    return at(`${role}.pem`);
  }

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-service-'));
    ca = await createPracticeCa({ now: new Date(Date.now() - 3_600_000) });
    server = createServer((request, response) => {
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify(request.url === '/version' ? { version: '1.2.0' } : { secure: false }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await writeFile(at('guide.yaml'), miniGuide());
    await writeFile(at('site.yaml'), miniSite((server.address() as AddressInfo).port));
    const open = () =>
      createService({ dataDir: at('data'), assetsDir: '', lockstep: '0.0.0', runtime: { node: 'test' } });
    service = open();
    const paths = { guidePath: at('guide.yaml'), sitePath: at('site.yaml') };
    const opened = value(await service.call('session.open', { ...paths, operator: 'Erika Engineer', pins: [] }));
    value(await service.call('gate.check', {}));
    value(await service.call('preflight.accept', {}));
    value(await service.call('walk.run', { keys: opened.items.map((item) => item.key) }));
    const waiver = { reason: 'Mended in March.', compensating: 'A firewall.', until: '2099-01-01T00:00:00.000Z' };
    value(await service.call('walk.waive', { key: WAIVED, ...waiver }));
    const sealed = value(await service.call('bundle.seal', { path: await identity('engineer', 'Erika Engineer') }));
    bundle = sealed.path;
  });
  afterAll(async () => {
    await service?.close();
    await new Promise((resolve) => server.close(resolve));
    await rm(dir, { recursive: true, force: true });
  });

  it('is listed as it lies on the disk, and not once it was altered or taken away', async () => {
    const listed = value(await service.call('bundle.list', {}));
    const waivers = [{ key: WAIVED, reason: 'Mended in March.', until: '2099-01-01T00:00:00.000Z' }];
    expect(listed).toMatchObject([{ path: bundle, provisional: true, waivers, accepted: [] }]);
    const bytes = await readFile(bundle);
    const altered = Buffer.from(bytes);
    altered.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1);
    await writeFile(bundle, altered);
    expect(value(await service.call('bundle.list', {}))).toEqual([]);
    await rm(bundle);
    expect(value(await service.call('bundle.list', {}))).toEqual([]);
    await writeFile(bundle, bytes);
    expect(value(await service.call('bundle.list', {}))).toEqual(listed);
  });

  it('gives every report as it was sealed, and says where a PDF comes from', async () => {
    unpack(bundle, at('opened'));
    for (const { id, file } of REPORTS) {
      value(await service.call('report.save', { path: bundle, report: id, out: at(`saved-${id}`) }));
      expect(await readFile(at(`saved-${id}`), 'utf8')).toBe(await readFile(join(at('opened'), file), 'utf8'));
    }
    const read = async (id: string) => readFile(at(`saved-${id}`), 'utf8');
    const schema = JSON.parse(await readFile(OSCAL_SCHEMA, 'utf8')) as JsonSchema;
    expect(schemaFaults(JSON.parse(await read('oscal')), schema)).toEqual([]);
    const { convertFile } = createRequire(import.meta.url)('inspecjs') as typeof Inspec;
    expect(convertFile(await read('hdf')).errors).toBeUndefined();
    const none = await service.call('report.save', { path: bundle, report: 'pdf', out: at('x') });
    expect(none).toMatchObject({ ok: false, error: { code: 'input.malformed' } });
    expect(none.ok ? '' : none.error.message).toContain('--format html');
  });

  it('is countersigned on another machine with the line that was shown, accepting only what was asked for', async () => {
    const statement = { name: 'Henry Hospital', role: 'IT', remark: 'Seen.' };
    const folder = at('to-sign');
    const unasked = { path: bundle, folder, ...statement, accept: ['web.never@site:mini-site'] };
    expect(await service.call('outside.prepare', unasked)).toMatchObject({
      ok: false,
      error: { code: 'input.malformed' },
    });
    const prepared = value(await service.call('outside.prepare', { ...unasked, accept: [WAIVED] }));
    const { keyPem, chainPem } = await ca.issue({ role: 'hospital', commonName: 'Henry Hospital', usage: 'sign' });
    await writeFile(join(folder, 'KEY.pem'), keyPem);
    await writeFile(join(folder, 'CERT.pem'), chainPem);
    const line = (prepared?.command ?? '').replace('-certfile CHAIN.pem ', '').split(' ');
    const signed = spawnSync(line[0] ?? '', line.slice(1), { cwd: folder, encoding: 'utf8' });
    expect(signed.status, signed.stderr).toBe(0);
    const outside = at('outside.asice');
    await writeFile(outside, await readFile(bundle));
    const added = await service.call('outside.import', { path: outside, signature: join(folder, 'signature002.p7s') });
    expect(value(added)).toMatchObject({ path: outside, provisional: false, accepted: [WAIVED] });
    // What was prepared for another bundle, or altered, is not taken.
    await mkdir(join(at('elsewhere'), 'META-INF'), { recursive: true });
    await writeFile(join(at('elsewhere'), 'signature002.p7s'), await readFile(join(folder, 'signature002.p7s')));
    const lost = await service.call('outside.import', {
      path: bundle,
      signature: join(at('elsewhere'), 'signature002.p7s'),
    });
    expect(lost).toMatchObject({ ok: false, error: { code: 'input.not-found' } });
  });

  it('is countersigned here, and an unticked waiver stays a request', async () => {
    const path = await identity('hospital', 'Henry Hospital');
    const before = await verify();
    expect(before).toMatchObject({ sound: false, waivers: [{ key: WAIVED }] });
    const signed = value(
      await service.call('bundle.countersign', { bundlePath: bundle, path, role: 'IT', remark: '', accept: [] }),
    );
    expect(signed).toMatchObject({ provisional: false, accepted: [] });
    const after = await verify();
    expect(after.sound).toBe(true);
    expect(after.findings.map(({ code }) => code)).toContain('waiver.request');
    expect(after.summary?.word).toBe('open');
  });

  it('is verified as of a day: what was good then is not yet, or no longer', async () => {
    const now = await verify();
    const later = await verify('2090-01-01T00:00:00Z');
    expect(now.sound).toBe(true);
    const codes = later.findings.map(({ code }) => code);
    expect(codes).toEqual(expect.arrayContaining(['trust.expired', 'expired']));
    expect(now.findings.some(({ code }) => code.endsWith('expired'))).toBe(false);
    expect((await verify('2000-01-01T00:00:00Z')).findings[0]).toMatchObject({
      severity: 'bad',
      code: 'signature.future',
    });
    const ranks = later.findings.map(({ severity }) => ['bad', 'warn', 'info'].indexOf(severity));
    expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
  });

  it('is time-stamped over the network, and by a query and an answer in files', async () => {
    const authority = await createTimeAuthority();
    try {
      const served = await authority.serve();
      const asked = value(await service.call('timestamp.ask', { path: bundle, authority: served.url }));
      await served.close();
      expect(Math.abs(Date.parse(asked.time) - Date.now())).toBeLessThan(300_000);
      expect(await service.call('timestamp.ask', { path: bundle, authority: served.url })).toMatchObject({ ok: false });
      value(await service.call('timestamp.query', { path: bundle, out: at('q.tsq') }));
      await writeFile(at('a.tsr'), await authority.reply(await readFile(at('q.tsq'))));
      const added = value(await service.call('timestamp.answer', { path: bundle, answer: at('a.tsr') }));
      expect(added?.sha256).not.toBe(asked.sha256);
      expect(value(await service.call('bundle.list', {}))[0]?.sha256).toBe(added?.sha256);
      // The answer is about the bundle as it was before it was added.
      expect(await service.call('timestamp.answer', { path: bundle, answer: at('a.tsr') })).toMatchObject({
        ok: false,
        error: { code: 'input.malformed' },
      });
      const trust = { ...roots(), timestamp: [authority.root] };
      const { findings } = value(await service.call('bundle.verify', { path: bundle, trust }));
      expect(findings.filter(({ code }) => code === 'timestamp')).toHaveLength(2);
      expect((await verify()).findings.filter(({ code }) => code === 'timestamp.untrusted')).toHaveLength(2);
      expect(findings.filter(({ severity }) => severity === 'bad')).toEqual([]);
    } finally {
      await authority.remove();
    }
  });

  it('is encrypted to a certificate, and stock openssl opens it byte for byte', async () => {
    const made = spawnSync(
      'openssl',
      'req -x509 -newkey rsa:2048 -nodes -keyout r.key -out r.crt -subj /CN=Archive -addext keyUsage=critical,keyEncipherment'.split(
        ' ',
      ),
      { cwd: dir, encoding: 'utf8' },
    );
    expect(made.status, made.stderr).toBe(0);
    const done = await service.call('bundle.encrypt', { path: bundle, to: [at('r.crt')], out: at('b.p7m') });
    expect(value(done)).toEqual({ name: 'b.p7m', recipients: ['CN=Archive'] });
    const opened = spawnSync(
      'openssl',
      [
        'cms',
        '-decrypt',
        '-binary',
        '-inform',
        'DER',
        '-in',
        'b.p7m',
        '-inkey',
        'r.key',
        '-recip',
        'r.crt',
        '-out',
        'back.asice',
      ],
      { cwd: dir, encoding: 'utf8' },
    );
    expect(opened.status, opened.stderr).toBe(0);
    expect((await readFile(at('back.asice'))).equals(await readFile(bundle))).toBe(true);
    await writeFile(at('r.pem'), (await readFile(at('r.key'), 'utf8')) + (await readFile(at('r.crt'), 'utf8')));
    value(await service.call('bundle.decrypt', { file: at('b.p7m'), path: at('r.pem'), out: at('again.asice') }));
    expect((await readFile(at('again.asice'))).equals(await readFile(bundle))).toBe(true);
    const other = { file: at('b.p7m'), path: at('engineer.pem'), out: at('never.asice') };
    expect(await service.call('bundle.decrypt', other)).toMatchObject({
      ok: false,
      error: { code: 'identity.invalid' },
    });
    await expect(stat(at('never.asice'))).rejects.toThrow('ENOENT');
    await writeFile(at('none.pem'), 'nothing');
    expect(await service.call('bundle.encrypt', { path: bundle, to: [at('none.pem')], out: at('c') })).toMatchObject({
      ok: false,
      error: { code: 'identity.invalid' },
    });
  });
});
