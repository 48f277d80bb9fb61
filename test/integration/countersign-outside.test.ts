import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyFile } from '../../engine/evidence/container-reader.ts';
import { importCountersignature, prepareCountersignature } from '../../engine/evidence/countersign-outside.ts';
import type { IssueOptions } from '../../engine/keys/practice-ca.ts';
import { lockstep } from '../support/cli.ts';
import { needs } from '../support/debian.ts';
import {
  ITEM,
  type Made,
  makeBundle,
  makeParties,
  type Parties,
  trustOf,
  value,
  writeRoots,
} from '../support/evidence.ts';
import { unpack, verifySignature } from '../support/stock-tools.ts';

describe.skipIf(!needs('openssl', 'unzip', 'sha256sum', 'bash'))('a hospital that signs on its own machine', () => {
  // OpenSSL signs at the clock's time, so everything lives around it.
  const start = new Date(Date.now() - 3_000_000);
  const now = () => new Date();
  let parties: Parties;
  let made: Made;
  let dir: string;
  let prepared: string;

  beforeAll(async () => {
    parties = await makeParties(start);
    made = await makeBundle(parties, { countersigned: false, start });
    dir = made.dir;
    prepared = join(dir, 'prepared');
    await writeRoots(dir, parties);
    value(
      await prepareCountersignature({
        bundle: made.bundle,
        dir: prepared,
        statement: { name: 'Henry Hospital', role: 'Head of IT', remark: 'Seen.', acceptedWaivers: [ITEM] },
        now: now(),
      }),
    );
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  const sh = (command: string, cwd: string) => spawnSync('bash', ['-c', command], { cwd, encoding: 'utf8' });

  /** Signs as README.txt says, but for what `change` changes in the line; answers with the signature's file. */
  async function sign(name: string, issue: Partial<IssueOptions>, change = (line: string) => line): Promise<string> {
    const leaf = await parties.ca.issue({ role: 'hospital', commonName: 'Henry Hospital', usage: 'sign', ...issue });
    const folder = join(dir, `signs-${name}`);
    await mkdir(join(folder, 'META-INF'), { recursive: true });
    for (const file of ['README.txt', 'META-INF/ASiCManifest002.xml', 'META-INF/statement002.json'])
      await copyFile(join(prepared, file), join(folder, file));
    const [certificate, ...chain] = leaf.chainPem.split(/(?<=-----END CERTIFICATE-----\n)/);
    await writeFile(join(folder, 'CERT.pem'), certificate ?? '');
    await writeFile(join(folder, 'CHAIN.pem'), chain.join(''));
    await writeFile(join(folder, 'KEY.pem'), leaf.keyPem);
    const readme = await readFile(join(folder, 'README.txt'), 'utf8');
    const line = readme.split('\n').find((each) => each.includes('openssl cms -sign')) ?? '';
    const done = sh(change(chain.join('') === '' ? line.replace('-certfile CHAIN.pem', '') : line), folder);
    expect(done.status, done.stderr).toBe(0);
    return join(folder, 'signature002.p7s');
  }
  const take = (signature: string, bundle = made.bundle, from = prepared) =>
    importCountersignature({ bundle, signature, from, now: now(), out: join(dir, 'out.asice') });

  it('signs with the line of the README, and the bundle verifies here and with openssl', async () => {
    for (const [name, issue] of Object.entries({
      p256: {},
      rsa: { curve: 'rsa-2048' },
      below: { intermediate: true },
    } as const)) {
      const added = value(await take(await sign(name, issue)));
      const [before, after] = [await readFile(made.bundle), await readFile(added.file)];
      const end = before.readUInt32LE(before.length - 6);
      expect(after.subarray(0, end).equals(before.subarray(0, end))).toBe(true);
      const verified = value(await verifyFile(added.file, { trust: trustOf(parties), at: now() }));
      expect(verified.findings.filter((finding) => finding.severity !== 'info')).toEqual([]);
      expect(verified.summary).toMatchObject({ provisional: false });
      expect(verified.summary.signers[1]).toMatchObject({ role: 'hospital', trusted: true, sound: true });
      const unpacked = join(dir, `unpacked-${name}`);
      unpack(added.file, unpacked);
      verifySignature(unpacked, 2, '../hospital-root.pem');
    }
  });

  it('is taken in PEM too, and refused as an e-mail', async () => {
    expect((await take(await sign('pem', {}, (line) => line.replace('DER', 'PEM')))).ok).toBe(true);
    const mail = await take(await sign('mail', {}, (line) => line.replace('DER', 'SMIME')));
    expect(mail).toMatchObject({ ok: false, error: { code: 'input.malformed' } });
  });

  it.each([
    ['another file', (line: string) => line.replace('META-INF/ASiCManifest002.xml', 'README.txt'), 'other bytes'],
    ['no signing-certificate-v2', (line: string) => line.replace('-cades ', ''), 'signing-certificate-v2'],
    ['attached content', (line: string) => line.replace('-cades', '-cades -nodetach'), 'content of its own'],
    ['SHA-1', (line: string) => line.replace('sha256', 'sha1'), 'digest that is not accepted'],
  ])('refuses a signature over or with %s', async (name, change, words) => {
    const refused = await take(await sign(name.replace(/\W/g, ''), {}, change));
    expect(refused).toMatchObject({ ok: false, error: { code: 'input.malformed' } });
    expect(!refused.ok && refused.error.message).toContain(words);
  });

  it('refuses the wrong certificate and explains what it is for', async () => {
    const client = await take(await sign('client', { usage: 'client' }));
    expect(client).toMatchObject({ ok: false, error: { code: 'identity.invalid' } });
    expect(!client.ok && client.error.message).toContain('may only prove a client to a TLS server');
    const same = await take(await sign('same', { role: 'engineer', commonName: 'Erika Engineer' }));
    expect(!same.ok && same.error.message).toContain('has signed this bundle already');
    const old = new Date(start.getTime() - 86_400_000);
    const expired = await take(
      await sign('expired', { notBefore: old, notAfter: new Date(old.getTime() + 3_600_000) }),
    );
    expect(!expired.ok && expired.error.message).toContain('expired');
  });

  it('refuses what was prepared for another bundle, and an altered statement', async () => {
    const signature = await sign('other', {});
    const other = await makeBundle(parties, { countersigned: false, signedGuide: false, start });
    const wrong = await take(signature, other.bundle);
    await rm(other.dir, { recursive: true });
    expect(!wrong.ok && wrong.error.message).toContain('not for this bundle');
    const altered = join(dir, 'signs-other');
    const statement = join(altered, 'META-INF/statement002.json');
    await writeFile(statement, (await readFile(statement, 'utf8')).replace('Seen.', 'Not seen.'));
    const refused = await take(signature, made.bundle, altered);
    expect(!refused.ok && refused.error.message).toContain('altered since');
  });

  it('goes from preparing to importing on the command line', async () => {
    const bundle = join(dir, 'cli.asice');
    await copyFile(made.bundle, bundle);
    const folder = join(dir, 'cli-prepared');
    const base = ['bundle', 'countersign', bundle];
    const asked = ['--prepare', folder, '--name', 'Henry Hospital', '--role', 'IT', '--accept-waiver'];
    expect((await lockstep([...base, ...asked, 'nobody@asked:for'])).stderr).toContain('Nobody asked for a waiver');
    expect((await lockstep([...base, ...asked, ITEM])).code).toBe(0);
    const leaf = await parties.ca.issue({ role: 'hospital', commonName: 'Henry Hospital', usage: 'sign' });
    await writeFile(join(folder, 'CERT.pem'), leaf.certificatePem);
    await writeFile(join(folder, 'KEY.pem'), leaf.keyPem);
    const line = (await readFile(join(folder, 'README.txt'), 'utf8'))
      .split('\n')
      .find((each) => each.includes('cms -sign'));
    expect(sh((line ?? '').replace('-certfile CHAIN.pem', ''), folder).status).toBe(0);
    const added = await lockstep([...base, '--import', join(folder, 'signature002.p7s'), '--from', folder]);
    expect(added.stderr).toBe('');
    expect(added.code).toBe(0);
    const trust = ['engineer', 'hospital', 'publisher'].map((role) => `${role}=${join(dir, `${role}-root.pem`)}`);
    const verified = await lockstep(['verify', bundle, '--trust', ...trust]);
    expect(verified.stdout).toContain('hospital: ');
    expect(verified.stdout).not.toContain('signature.');
  });
});
