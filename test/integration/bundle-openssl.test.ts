import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyDetached } from '../../core/bundle/cms.ts';
import { nodeHost } from '../../engine/evidence/container-reader.ts';
import { countersign } from '../../engine/evidence/countersign.ts';
import { bundleReadme, guideReadme } from '../../engine/evidence/readme.ts';
import { sealBundle, signGuide } from '../../engine/evidence/seal.ts';
import {
  GUIDE,
  type Made,
  makeBundle,
  makeIdentity,
  makeParties,
  makeSession,
  NOW,
  type Parties,
  REPORT,
  SITE,
  value,
  writeRoots,
} from '../support/evidence.ts';
import { needs } from '../support/debian.ts';

/** The commands of a README, in its order, with the placeholders filled in. */
function commands(readme: string, file: string): string[] {
  return readme
    .split('\n')
    .filter((line) => line.startsWith('     '))
    .map((line) =>
      line
        .trim()
        .replace('FILE.asice', file)
        .replace(/(ENGINEER|HOSPITAL|PUBLISHER)-ROOT\.pem/, (name) => `../${name.toLowerCase()}`),
    );
}

describe.skipIf(!needs('openssl', 'unzip', 'sha256sum', 'bash'))('a bundle in the hands of stock tools', () => {
  let parties: Parties;
  let made: Made;
  // OpenSSL checks certificates at today's date unless told otherwise; the test's certificates live around NOW.
  const attime = `-attime ${Math.floor(NOW.getTime() / 1000) + 600}`;
  const at = (line: string) => line.replace('openssl cms -verify', `openssl cms -verify ${attime}`);
  const sh = (command: string, cwd: string) => spawnSync('bash', ['-c', command], { cwd, encoding: 'utf8' });

  beforeAll(async () => {
    parties = await makeParties();
    made = await makeBundle(parties);
    await writeRoots(made.dir, parties);
  });
  afterAll(() => rm(made.dir, { recursive: true, force: true }));

  it('passes every command that its README names', async () => {
    const [unpack, sums, grep, ...verify] = commands(bundleReadme(), made.bundle);
    const folder = join(made.dir, 'unpacked');
    expect(sh(unpack ?? '', made.dir).status).toBe(0);
    const checked = sh(sums ?? '', folder);
    expect(checked.status).toBe(0);
    expect(
      checked.stdout
        .trim()
        .split('\n')
        .every((line) => line.endsWith(': OK')),
    ).toBe(true);
    expect(
      sh(grep ?? '', folder)
        .stdout.trim()
        .split('\n'),
    ).toHaveLength(2);
    expect(verify).toHaveLength(2);
    for (const command of verify) {
      const result = sh(at(command), folder);
      expect(result.status, result.stderr).toBe(0);
      expect(result.stderr).toContain('Verification successful');
    }
    expect(await readFile(join(folder, 'README.txt'), 'utf8')).toBe(bundleReadme());
    expect(sh(`unzip -t ${made.bundle}`, made.dir).status).toBe(0);
  });

  it('fails in OpenSSL with the other party’s root, and when the manifest is altered', async () => {
    const folder = join(made.dir, 'altered');
    await mkdir(folder);
    execFileSync('unzip', ['-q', made.bundle, '-d', folder]);
    const [, , , first] = commands(bundleReadme(), made.bundle);
    expect(sh(at(first ?? '').replace('engineer-root', 'hospital-root'), folder).status).not.toBe(0);
    const manifest = join(folder, 'META-INF/ASiCManifest001.xml');
    await writeFile(manifest, `${await readFile(manifest, 'utf8')}\n`);
    expect(sh(at(first ?? ''), folder).status).not.toBe(0);
  });

  it('is accepted with RSA and P-384 keys too', async () => {
    for (const curve of ['rsa-2048', 'rsa-3072', 'P-384'] as const) {
      const dir = await mkdtemp(join(tmpdir(), 'lockstep-openssl-'));
      const engineer = await makeIdentity(parties.ca, { role: 'engineer', commonName: `Erika ${curve}`, curve });
      const hospital = await makeIdentity(parties.ca, {
        role: 'hospital',
        commonName: `Henry ${curve}`,
        curve,
        intermediate: true,
      });
      await makeSession(join(dir, 'session'), { ...parties, engineer }, false);
      const out = join(dir, 'bundle.asice');
      value(
        await sealBundle({
          sessionDir: join(dir, 'session'),
          guide: { yaml: GUIDE },
          site: SITE,
          report: REPORT,
          identity: engineer,
          now: NOW,
          out,
        }),
      );
      value(await countersign({ bundle: out, identity: hospital, statement: { role: '', remark: '' }, now: NOW }));
      await writeRoots(dir, parties);
      const [unpack, , , ...verify] = commands(bundleReadme(), out);
      expect(sh(unpack ?? '', dir).status).toBe(0);
      for (const command of verify) {
        const result = sh(at(command), join(dir, 'unpacked'));
        expect(result.status, `${curve}: ${result.stderr}`).toBe(0);
      }
      await rm(dir, { recursive: true });
    }
  });

  it('signs guides that pass the same commands', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'lockstep-openssl-'));
    const out = join(dir, 'guide.asice');
    value(await signGuide(GUIDE, parties.publisher, { now: NOW, out }));
    await writeRoots(dir, parties);
    const [unpack, sums, grep, verify] = commands(guideReadme(), out);
    expect(sh(unpack ?? '', dir).status).toBe(0);
    for (const command of [sums, grep, at(verify ?? '')])
      expect(sh(command ?? '', join(dir, 'unpacked')).status, command).toBe(0);
    await rm(dir, { recursive: true });
  });

  it('reads signatures that OpenSSL makes, and refuses those that are less than CAdES', async () => {
    const content = new TextEncoder().encode('a manifest\r\n');
    await writeFile(join(made.dir, 'content'), content);
    for (const curve of ['P-256', 'P-384', 'rsa-2048'] as const) {
      const leaf = await parties.ca.issue({ commonName: 'Henry', usage: 'sign', curve });
      await writeFile(join(made.dir, 'leaf.pem'), leaf.chainPem);
      await writeFile(join(made.dir, 'key.pem'), leaf.keyPem);
      const faultsOf = async (flags: string): Promise<readonly string[]> => {
        const line = `openssl cms -sign -binary -in content -signer leaf.pem -inkey key.pem -outform DER -out s.p7s ${flags}`;
        const signed = sh(line, made.dir);
        expect(signed.status, signed.stderr).toBe(0);
        const signature = new Uint8Array(await readFile(join(made.dir, 's.p7s')));
        return (await verifyDetached(signature, content, nodeHost.webCrypto)).faults;
      };
      expect(await faultsOf('-cades -md sha256')).toEqual([]);
      expect(await faultsOf('-cades -md sha512')).toEqual([]);
      expect(await faultsOf('-md sha256')).toEqual([expect.stringContaining('signing-certificate-v2')]);
      expect(await faultsOf('-cades -nodetach')).toEqual([expect.stringContaining('content of its own')]);
      expect(await faultsOf('-cades -nocerts')).toEqual([expect.stringContaining('not in the signature')]);
      expect((await faultsOf('-cades -md sha1')).join()).toContain('digest that is not accepted');
      expect((await faultsOf('-noattr')).join()).toContain('no signed attributes');
      expect((await faultsOf('-cades -keyid')).join()).toContain('not in the signature');
    }
  });

  it('carries journal heads that openssl dgst verifies', async () => {
    const lines = (await readFile(join(made.sessionDir, 'journal.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const { data } = lines.at(-1);
    await writeFile(join(made.dir, 'head.bin'), Buffer.from(data.sha256, 'hex'));
    await writeFile(join(made.dir, 'head.sig'), Buffer.from(data.signature, 'base64'));
    await writeFile(join(made.dir, 'head.pem'), data.certificate);
    const result = sh(
      'openssl x509 -in head.pem -pubkey -noout > head.pub && openssl dgst -sha256 -verify head.pub -signature head.sig head.bin',
      made.dir,
    );
    expect(result.stdout).toContain('Verified OK');
  });
});
