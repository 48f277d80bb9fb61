import { spawnSync } from 'node:child_process';
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certificatesFromPem, timestampFaults } from '../../core/bundle/trust.ts';
import type { Verification } from '../../core/bundle/verify.ts';
import { verifyFile } from '../../engine/evidence/container-reader.ts';
import { countersign } from '../../engine/evidence/countersign.ts';
import { addTimestamp, askAuthority, timestampQuery } from '../../engine/evidence/timestamp.ts';
import { lockstep } from '../support/cli.ts';
import { needs } from '../support/debian.ts';
import { type Made, makeBundle, makeParties, type Parties, trustOf, value, writeRoots } from '../support/evidence.ts';
import { unpack, verifySignature } from '../support/stock-tools.ts';
import { readParts, removeTampered, writeParts } from '../support/tamper.ts';
import { createTimeAuthority, type TimeAuthority } from '../support/time-authority.ts';

describe.skipIf(!needs('openssl', 'unzip', 'sha256sum'))('a time-stamp on a bundle', () => {
  // Stock OpenSSL stamps at the clock's time, so everything lives around it.
  const start = new Date(Date.now() - 3_000_000);
  const now = new Date();
  const day = 86_400_000;
  const nextYear = new Date(now.getTime() + 365 * day);
  let parties: Parties;
  let made: Made;
  let authority: TimeAuthority;
  let shortLived: TimeAuthority;
  let stamped: string;
  const authorities: TimeAuthority[] = [];
  const authorityWith = async (options: Parameters<typeof createTimeAuthority>[0]) => {
    const one = await createTimeAuthority(options);
    authorities.push(one);
    return one;
  };

  beforeAll(async () => {
    [parties, authority, shortLived] = await Promise.all([
      makeParties(start),
      authorityWith({}),
      authorityWith({ days: 30, ess: 'sha1' }),
    ]);
    made = await makeBundle(parties, { start });
    await writeRoots(made.dir, parties);
    stamped = join(made.dir, 'stamped.asice');
    await stamp(made.bundle, authority, stamped);
  });
  afterAll(() => rm(made.dir, { recursive: true, force: true }));
  afterAll(() => Promise.all(authorities.map((one) => one.remove())));
  afterAll(removeTampered);

  async function stamp(bundle: string, by: TimeAuthority, out: string) {
    const query = value(await timestampQuery(bundle, new Date()));
    return value(await addTimestamp({ bundle, response: await by.reply(query), query, now: new Date(), out }));
  }
  const verify = async (file: string, at = now, roots: readonly TimeAuthority[] = [authority]): Promise<Verification> =>
    value(await verifyFile(file, { trust: { ...trustOf(parties), timestamp: roots.map((one) => one.root) }, at }));
  const worse = (verification: Verification) =>
    verification.findings.filter((finding) => finding.severity !== 'info').map((finding) => finding.code);
  const codes = (verification: Verification) => verification.findings.map((finding) => finding.code);

  it('leaves earlier bytes alone, and is accepted here and by openssl ts', async () => {
    const [before, after] = [await readFile(made.bundle), await readFile(stamped)];
    const end = before.readUInt32LE(before.length - 6);
    expect(after.subarray(0, end).equals(before.subarray(0, end))).toBe(true);
    const verified = await verify(stamped, new Date());
    expect(worse(verified)).toEqual([]);
    expect(codes(verified)).toContain('timestamp');
    expect(verified.summary.signers.map((signer) => signer.provenAt?.slice(0, 10))).toEqual(
      Array(2).fill(now.toISOString().slice(0, 10)),
    );
    const folder = join(made.dir, 'unpacked');
    unpack(stamped, folder);
    verifySignature(folder, 1, '../engineer-root.pem');
    const line = ['ts', '-verify', '-token_in', '-in', 'META-INF/timestamp003.tst', '-data'];
    const check = (data: string, root: string) =>
      spawnSync('openssl', [...line, data, '-CAfile', root], { cwd: folder, encoding: 'utf8' });
    expect(check('META-INF/ASiCManifest003.xml', authority.rootFile).stdout).toContain('Verification: OK');
    expect(check('META-INF/ASiCManifest002.xml', authority.rootFile).status).not.toBe(0);
    expect(check('META-INF/ASiCManifest003.xml', shortLived.rootFile).status).not.toBe(0);
  });

  it('lets certificates that expired since be judged at the proven time', async () => {
    expect(worse(await verify(made.bundle, nextYear)).filter((code) => code === 'trust.expired')).toHaveLength(2);
    const proven = await verify(stamped, nextYear);
    expect(worse(proven).filter((code) => code === 'trust.expired')).toEqual([]);
    expect(codes(proven).filter((code) => code === 'trust.expired-later')).toHaveLength(2);
    expect(proven.sound).toBe(true);
  });

  it('proves nothing without a root, under another role’s, or before its time', async () => {
    expect(worse(await verify(stamped, new Date(), []))).toEqual(['timestamp.untrusted']);
    const other = await verify(stamped, new Date(), [shortLived]);
    expect(worse(other)).toEqual(['timestamp.trust']);
    expect(other.sound).toBe(false);
    const crossed = await verifyFile(stamped, {
      trust: { ...trustOf(parties), hospital: [authority.root], timestamp: trustOf(parties).hospital },
      at: new Date(),
    });
    expect(codes(value(crossed))).toEqual(expect.arrayContaining(['timestamp.trust', 'trust.path']));
    expect(worse(await verify(stamped, new Date(start.getTime() + 600_000)))).toContain('timestamp.future');
  });

  it('ends with its authority’s certificate, unless a later one renews it', async () => {
    const roots = [authority, shortLived];
    const first = join(made.dir, 'first.asice');
    await stamp(made.bundle, shortLived, first);
    expect(worse(await verify(first, new Date(), roots))).toEqual([]);
    const expired = worse(await verify(first, nextYear, roots));
    expect(expired).toEqual(expect.arrayContaining(['timestamp.expired', 'trust.expired']));
    const renewed = join(made.dir, 'renewed.asice');
    await stamp(first, authority, renewed);
    const verified = await verify(renewed, nextYear, roots);
    expect(worse(verified)).not.toContain('timestamp.expired');
    expect(codes(verified).filter((code) => code === 'timestamp')).toHaveLength(2);
  });

  it('may stand before the countersignature too, which then covers it', async () => {
    const half = await makeBundle(parties, { countersigned: false, start });
    try {
      await stamp(half.bundle, authority, half.bundle);
      expect(worse(await verify(half.bundle, new Date()))).toEqual(['provisional', 'waiver.request']);
      value(
        await countersign({
          bundle: half.bundle,
          identity: parties.hospital,
          statement: { role: 'IT', remark: '' },
          now: new Date(),
        }),
      );
      const verified = await verify(half.bundle, new Date());
      expect(worse(verified)).toEqual(['waiver.request']);
      expect(verified.summary.signers.map((signer) => signer.role)).toEqual(['engineer', 'hospital']);
      expect(verified.summary.signers[1]?.provenAt).toBeUndefined();
    } finally {
      await rm(half.dir, { recursive: true });
    }
  });

  it('is refused when it is about something else, answers another query, or comes from no time-stamp authority', async () => {
    const query = value(await timestampQuery(made.bundle, now));
    const out = join(made.dir, 'refused.asice');
    const add = async (response: Uint8Array<ArrayBuffer>, asked = query) =>
      addTimestamp({ bundle: made.bundle, response, query: asked, now: new Date(), out });
    const wrong = async (response: Uint8Array<ArrayBuffer>, words: string) => {
      const refused = await add(response);
      expect(refused).toMatchObject({ ok: false, error: { code: 'input.malformed' } });
      expect(!refused.ok && `${refused.error.message} ${refused.error.cause}`).toContain(words);
    };
    const elsewhere = value(await timestampQuery(stamped, now));
    await wrong(await authority.reply(elsewhere), 'other bytes than the manifest');
    await wrong(await authority.reply(value(await timestampQuery(made.bundle, now))), 'nonce differs');
    const damaged = await authority.reply(query);
    damaged[damaged.length - 3] = (damaged.at(-3) ?? 0) ^ 1;
    await wrong(damaged, 'does not fit the key');
    await wrong(new Uint8Array(Buffer.from('rubbish')), 'not the answer');
    await wrong(
      new Uint8Array(await readFile(join(made.dir, 'unpacked/META-INF/signature001.p7s'))),
      'carries no time',
    );
    const late = await addTimestamp({ bundle: made.bundle, response: await authority.reply(query), now: start, out });
    expect(!late.ok && late.error.message).toContain('in the future');
  });

  it('is found out when it was altered, moved or forged', async () => {
    const parts = await readParts(stamped);
    const without = (name: string) => parts.filter((part) => !part.name.endsWith(name));
    expect(worse(await verify(await writeParts(without('timestamp003.tst'))))).toContain('container.missing');
    expect(worse(await verify(await writeParts(without('ASiCManifest003.xml'))))).toContain('container.missing');
    const altered = parts.map((part) =>
      part.name.endsWith('timestamp003.tst') ? { ...part, content: part.content.slice(0, -1) } : part,
    );
    expect(worse(await verify(await writeParts(altered)))).toContain('timestamp.broken');
    const first = parts.map((part) => ({ ...part, name: part.name.replace('signature001.p7s', 'timestamp001.tst') }));
    expect(worse(await verify(await writeParts(first)))).toContain('timestamp.unexpected');
    const beside = [...parts, { name: 'META-INF/signature003.p7s', content: new Uint8Array([1]) }];
    expect(worse(await verify(await writeParts(beside)))).toContain('timestamp.unexpected');
  });

  it('is fetched over HTTP and carried by hand, on the command line', async () => {
    const bundle = join(made.dir, 'cli.asice');
    await copyFile(made.bundle, bundle);
    const server = await authority.serve();
    try {
      const added = await lockstep(['bundle', 'timestamp', bundle, '--tsa', server.url]);
      expect(added).toMatchObject({ code: 0, stderr: '' });
      expect(added.stdout).toContain('Test time authority');
      expect(await askAuthority('ftp://example.org', new Uint8Array())).toMatchObject({ ok: false });
    } finally {
      await server.close();
    }
    expect(await askAuthority(server.url, new Uint8Array(1))).toMatchObject({
      ok: false,
      error: { code: 'http.protocol' },
    });
    const query = join(made.dir, 'q.tsq');
    expect((await lockstep(['bundle', 'timestamp', bundle, '--query', query])).code).toBe(0);
    const response = join(made.dir, 'r.tsr');
    await writeFile(response, await authority.reply(await readFile(query)));
    const carried = ['bundle', 'timestamp', bundle, '--query', query, '--response', response];
    expect((await lockstep(carried)).code).toBe(0);
    const trust = ['engineer', 'hospital', 'publisher'].map((role) => `${role}=${join(made.dir, `${role}-root.pem`)}`);
    const verified = await lockstep(['verify', bundle, '--trust', ...trust, `timestamp=${authority.rootFile}`]);
    expect(verified.stdout.match(/info timestamp \(META-INF\/timestamp00[34]\.tst\)/g)).toHaveLength(2);
  });

  it('is not accepted from a certificate that is for other things too', async () => {
    const leafOf = async (one: TimeAuthority) =>
      certificatesFromPem(await readFile(join(one.folder, 'leaf.pem'), 'utf8')).flatMap(timestampFaults);
    expect(await leafOf(authority)).toEqual([]);
    const notAlone = [expect.stringContaining('not for time-stamps alone')];
    for (const usage of ['critical,timeStamping,emailProtection', 'timeStamping', 'critical,emailProtection'])
      expect(await leafOf(await authorityWith({ usage }))).toEqual(notAlone);
  });
});
