import { spawnSync } from 'node:child_process';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decryptFile, encryptFile, MAX_PLAIN } from '../../engine/evidence/encrypt.ts';
import { loadDecryptionKey } from '../../engine/keys/decryption-key.ts';
import { lockstep } from '../support/cli.ts';
import { needs } from '../support/debian.ts';
import { value } from '../support/evidence.ts';

describe.skipIf(!needs('openssl'))('an encrypted bundle', () => {
  let dir: string;
  const at = (name: string) => join(dir, name);
  // Sizes around a cipher's block, and one of several reads.
  const contents = [0, 15, 16, 17, 3_000_000].map((size) => Buffer.alloc(size, 'evidence '));
  const openssl = (...args: string[]) => spawnSync('openssl', args, { cwd: dir, encoding: 'utf8' });
  const people = {
    rsa: ['rsa:2048', 'keyEncipherment'],
    p256: ['P-256', 'keyAgreement'],
    p384: ['P-384', 'keyAgreement'],
    p521: ['P-521', 'keyAgreement'],
    signer: ['P-256', 'digitalSignature'],
  } as const;

  function makePerson(name: string, [kind, usage]: readonly [string, string], ...more: string[]): void {
    const key = kind.startsWith('rsa') ? ['-newkey', kind] : ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${kind}`];
    const files = ['-keyout', `${name}.key`, '-out', `${name}.crt`, '-subj', `/CN=${name}`];
    const made = openssl('req', '-x509', ...key, '-nodes', ...files, '-addext', `keyUsage=critical,${usage}`, ...more);
    if (made.status !== 0) throw new Error(made.stderr);
  }
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-encrypt-'));
    for (const [name, kind] of Object.entries(people)) makePerson(name, kind);
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  const pem = (name: string) => readFile(at(`${name}.crt`), 'utf8');
  const keyOf = async (name: string) => {
    await writeFile(at(`${name}.pem`), (await readFile(at(`${name}.key`), 'utf8')) + (await pem(name)));
    return value(await loadDecryptionKey(at(`${name}.pem`), undefined));
  };
  const encrypt = async (to: readonly string[], out = at('b.p7m')) =>
    encryptFile(at('b.asice'), await Promise.all(to.map(pem)), out, new Date());

  it.each(['rsa', 'p256', 'p384', 'p521'])('to %s is opened by stock openssl and here, byte for byte', async (name) => {
    for (const content of contents) {
      await writeFile(at('b.asice'), content);
      value(await encrypt([name]));
      const how = ['cms', '-decrypt', '-binary', '-inform', 'DER', '-in', 'b.p7m', '-out', 'opened'];
      const opened = openssl(...how, '-recip', `${name}.crt`, '-inkey', `${name}.key`);
      expect(opened.stderr).toBe('');
      expect((await readFile(at('opened'))).equals(content)).toBe(true);
      value(await decryptFile(at('b.p7m'), await keyOf(name), at('own')));
      expect((await readFile(at('own'))).equals(content)).toBe(true);
    }
  });

  it('to several is opened by each, with the cipher that it says, and shows nothing of what is inside', async () => {
    await writeFile(at('b.asice'), contents[4] ?? '');
    value(await encrypt(['rsa', 'p256', 'p384']));
    expect((await readFile(at('b.p7m'))).includes('evidence')).toBe(false);
    expect(openssl('cms', '-cmsout', '-print', '-inform', 'DER', '-in', 'b.p7m').stdout).toContain('aes-256-cbc');
    for (const name of ['rsa', 'p256', 'p384'])
      expect((await decryptFile(at('b.p7m'), await keyOf(name), at('own'))).ok).toBe(true);
    const stranger = await decryptFile(at('b.p7m'), await keyOf('p521'), at('none'));
    expect(stranger).toMatchObject({ ok: false, error: { code: 'identity.invalid' } });
    await expect(readFile(at('none'))).rejects.toThrow('ENOENT');
  });

  it('made by stock openssl is opened here', async () => {
    await writeFile(at('b.asice'), contents[4] ?? '');
    for (const name of ['rsa', 'p256', 'p521']) {
      const how = ['cms', '-encrypt', '-binary', '-aes-256-cbc', '-in', 'b.asice', '-outform', 'DER', '-out', 'o.p7m'];
      expect(openssl(...how, '-recip', `${name}.crt`).stderr).toBe('');
      const opened = await decryptFile(at('o.p7m'), await keyOf(name), at('own'));
      if (name === 'rsa') {
        // PKCS#1 v1.5, which WebCrypto does not have: openssl has to be told OAEP.
        expect(opened.ok).toBe(false);
        openssl(...how, '-recip', 'rsa.crt', '-keyopt', 'rsa_padding_mode:oaep', '-keyopt', 'rsa_oaep_md:sha256');
        value(await decryptFile(at('o.p7m'), await keyOf(name), at('own')));
      }
      expect((await readFile(at('own'))).equals(contents[4] ?? Buffer.alloc(0))).toBe(true);
    }
  });

  it('is refused for a certificate that is not for encryption, and for one out of date', async () => {
    await writeFile(at('b.asice'), 'x');
    const signer = await encrypt(['p256', 'signer'], at('never.p7m'));
    expect(!signer.ok && signer.error.message).toContain('lacks the key usage keyAgreement');
    const later = new Date(Date.now() + 400 * 86_400_000);
    const late = await encryptFile(at('b.asice'), [await pem('rsa')], at('never.p7m'), later);
    expect(!late.ok && late.error.message).toContain('valid only');
    makePerson('short', ['rsa:1024', 'keyEncipherment']);
    expect((await encrypt(['short'], at('never.p7m'))).ok).toBe(false);
    expect((await encryptFile(at('b.asice'), [], at('never.p7m'), new Date())).ok).toBe(false);
    await expect(readFile(at('never.p7m'))).rejects.toThrow('ENOENT');
  });

  it('says where it ends: at its largest size, at damage, at what is no such file', async () => {
    const large = await open(at('large'), 'w');
    await large.truncate(MAX_PLAIN + 1);
    await large.close();
    expect(await encryptFile(at('large'), [await pem('rsa')], at('large.p7m'), new Date())).toMatchObject({
      ok: false,
      error: { code: 'input.too-large' },
    });
    await writeFile(at('b.asice'), 'x');
    value(await encrypt(['p256']));
    const bytes = await readFile(at('b.p7m'));
    for (const cut of [0, 1, bytes.length - 1]) {
      await writeFile(at('cut'), bytes.subarray(0, cut));
      expect((await decryptFile(at('cut'), await keyOf('p256'), at('none'))).ok).toBe(false);
    }
  });

  it('goes there and back on the command line', async () => {
    await writeFile(at('b.asice'), contents[4] ?? '');
    const to = ['--to', at('rsa.crt'), at('p256.crt'), '--out', at('cli.p7m')];
    expect(await lockstep(['bundle', 'encrypt', at('b.asice'), ...to])).toMatchObject({ code: 0, stderr: '' });
    openssl('pkcs8', '-topk8', '-in', 'p256.key', '-out', 'locked.key', '-v2', 'aes256', '-passout', 'pass:geheim');
    const key = ['--key', at('locked.key'), '--passphrase', 'env:PASS', '--certificate', at('p256.crt')];
    const command = ['bundle', 'decrypt', at('cli.p7m'), ...key, '--out', at('back.asice')];
    expect((await lockstep(command, { PASS: 'wrong' })).stderr).toContain('does not open');
    expect(await lockstep(command, { PASS: 'geheim' })).toMatchObject({ code: 0, stderr: '' });
    expect((await readFile(at('back.asice'))).equals(contents[4] ?? Buffer.alloc(0))).toBe(true);
  });
});
