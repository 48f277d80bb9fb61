import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decryptFile, decryptStream } from '../../engine/evidence/decrypt.ts';
import { encryptFile, encryptStream } from '../../engine/evidence/encrypt.ts';
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

  async function* stream(...parts: (Buffer | undefined)[]): AsyncGenerator<Uint8Array> {
    for (const part of parts) if (part !== undefined) yield part;
  }
  const pem = (name: string) => readFile(at(`${name}.crt`), 'utf8');
  const keyOf = async (name: string) => {
    await writeFile(at(`${name}.pem`), (await readFile(at(`${name}.key`), 'utf8')) + (await pem(name)));
    return { key: value(await loadDecryptionKey(at(`${name}.pem`), undefined)) };
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

  it.each([
    ['rsa', 'PKCS#1 v1.5', []],
    ['rsa', 'OAEP with SHA-1', ['-keyopt', 'rsa_padding_mode:oaep']],
    ['rsa', 'OAEP with SHA-512', ['-keyopt', 'rsa_padding_mode:oaep', '-keyopt', 'rsa_oaep_md:sha512']],
    ['rsa', 'the name of the key', ['-keyid']],
    ['p256', 'the name of the key', ['-keyid']],
    ['p256', 'its usual KDF', []],
    ['p384', 'another KDF', ['-keyopt', 'ecdh_kdf_md:sha384']],
    ['p521', 'its usual KDF', []],
  ] as const)('made by stock openssl to %s with %s is opened here', async (name, _how, options) => {
    await writeFile(at('b.asice'), contents[4] ?? '');
    for (const [cipher, ...form] of [['-aes-256-cbc'], ['-aes-128-cbc', '-stream'], ['-des3', '-stream']] as const) {
      // Its key would be wrapped with Triple DES, too, which is not read.
      if (cipher === '-des3' && name !== 'rsa') continue;
      const how = ['cms', '-encrypt', '-binary', cipher, ...form, '-in', 'b.asice', '-outform', 'DER', '-out', 'o.p7m'];
      // `-keyid` and others stand behind whom they are about.
      const to = options[0] === '-keyid' ? ['-keyid', '-recip', `${name}.crt`] : ['-recip', `${name}.crt`, ...options];
      expect(openssl(...how, ...to).stderr).toBe('');
      value(await decryptFile(at('o.p7m'), await keyOf(name), at('own')));
      expect((await readFile(at('own'))).equals(contents[4] ?? Buffer.alloc(0))).toBe(true);
    }
  });

  it('shows no difference between a wrong padding of PKCS#1 and a wrong key', async () => {
    await writeFile(at('b.asice'), contents[4] ?? '');
    openssl('cms', '-encrypt', '-binary', '-in', 'b.asice', '-outform', 'DER', '-out', 'o.p7m', '-recip', 'rsa.crt');
    const bytes = await readFile(at('o.p7m'));
    // Inside the encrypted key, which is the only octet string of that length.
    const place = bytes.indexOf(Buffer.from([0x04, 0x82, 0x01, 0x00])) + 40;
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    await writeFile(at('o.p7m'), bytes);
    const opened = await decryptFile(at('o.p7m'), await keyOf('rsa'), at('none'));
    expect(opened).toMatchObject({ ok: false, error: { code: 'identity.invalid' } });
    await expect(readFile(at('none'))).rejects.toThrow('ENOENT');
  });

  it('with a passphrase goes there and back with stock openssl, and not with another', async () => {
    const parts: Buffer[] = [];
    const write = async (bytes: Uint8Array) => void parts.push(Buffer.from(bytes));
    value(await encryptStream(stream(contents[4]), { certificates: [], passphrase: 'für Station 3' }, write));
    await writeFile(at('b.p7m'), Buffer.concat(parts));
    const how = ['cms', '-decrypt', '-binary', '-inform', 'DER', '-in', 'b.p7m', '-out', 'opened'];
    expect(openssl(...how, '-pwri_password', 'für Station 3').stderr).toBe('');
    expect((await readFile(at('opened'))).equals(contents[4] ?? Buffer.alloc(0))).toBe(true);
    value(await decryptFile(at('b.p7m'), { passphrase: 'für Station 3' }, at('own')));
    expect((await readFile(at('own'))).equals(contents[4] ?? Buffer.alloc(0))).toBe(true);
    for (const passphrase of ['', 'fur Station 3']) {
      const opened = await decryptFile(at('b.p7m'), { passphrase }, at('none'));
      expect(opened).toMatchObject({ ok: false, error: { code: 'identity.passphrase' } });
    }
    await writeFile(at('b.asice'), contents[4] ?? '');
    const made = ['cms', '-encrypt', '-binary', '-aes-256-cbc', '-in', 'b.asice', '-outform', 'DER', '-out', 'o.p7m'];
    expect(openssl(...made, '-pwri_password', 'geheim').stderr).toBe('');
    value(await decryptFile(at('o.p7m'), { passphrase: 'geheim' }, at('own')));
    expect((await encryptStream(stream(), { certificates: [], passphrase: '' }, write)).ok).toBe(false);
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

  it('says that it is cut off, wherever it is, and that something is behind it', async () => {
    await writeFile(at('b.asice'), 'x'.repeat(100));
    const key = await keyOf('p256');
    const how = ['cms', '-encrypt', '-binary', '-aes-256-cbc', '-in', 'b.asice', '-outform', 'DER', '-out', 'o.p7m'];
    openssl(...how, '-recip', 'p256.crt');
    value(await encrypt(['p256']));
    for (const file of ['b.p7m', 'o.p7m']) {
      const bytes = await readFile(at(file));
      const nowhere = async () => {};
      for (let cut = 0; cut < bytes.length; cut++)
        expect((await decryptStream(stream(bytes.subarray(0, cut)), key, nowhere)).ok, `${file} at ${cut}`).toBe(false);
      for (const more of [Buffer.from([0]), Buffer.from([0, 0]), bytes])
        expect(await decryptStream(stream(bytes, more), key, nowhere)).toMatchObject({
          ok: false,
          error: { code: 'input.malformed' },
        });
      value(await decryptStream(stream(bytes), key, nowhere));
    }
  });

  it('of any form but its own is refused, and never throws', async () => {
    const key = await keyOf('p256');
    value(await encrypt(['p256', 'rsa']));
    const bytes = await readFile(at('b.p7m'));
    for (let place = 0; place < Math.min(bytes.length, 700); place++) {
      const changed = Buffer.from(bytes);
      changed[place] = (changed[place] ?? 0) ^ 0x41;
      const opened = await decryptStream(stream(changed), key, async () => {});
      expect(typeof opened.ok).toBe('boolean');
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
