import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newIdentity } from '../../../engine/keys/csr.ts';
import { checkSigner, identityFromPem, loadIdentity, readIdentity } from '../../../engine/keys/identity.ts';
import { createPracticeCa, type PracticeCa, type PracticeCertificate } from '../../../engine/keys/practice-ca.ts';
import { needs } from '../../support/debian.ts';
import { NOW, value } from '../../support/evidence.ts';

let ca: PracticeCa;
let leaf: PracticeCertificate;
let dir: string;
beforeAll(async () => {
  ca = await createPracticeCa({ now: NOW });
  leaf = await ca.issue({ role: 'engineer', commonName: 'Erika Engineer', usage: 'sign', intermediate: true });
  dir = await mkdtemp(join(tmpdir(), 'lockstep-keys-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('an identity in PEM', () => {
  it('is read with its certificates in any order, and tells name, purposes and dates', async () => {
    const identity = value(
      await identityFromPem(
        ca.roots.engineer +
          leaf.chainPem
            .split(/(?=-----BEGIN)/)
            .reverse()
            .join('') +
          leaf.keyPem,
      ),
    );
    expect(identity).toMatchObject({
      name: 'Erika Engineer',
      purposes: ['sign'],
      emailPurpose: true,
      serialNumber: leaf.serialNumber,
    });
    expect(identity.chainPem.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    expect(identity.chainPem.startsWith(leaf.certificatePem.slice(0, 200))).toBe(true);
    expect(JSON.stringify(identity)).not.toContain('PRIVATE');
    await expect(globalThis.crypto.subtle.exportKey('pkcs8', identity.key)).rejects.toThrow();
  });

  it('is refused with the reason when a part is missing or foreign', async () => {
    const other = await ca.issue({ commonName: 'Other', usage: 'sign' });
    for (const [pem, sentence] of [
      [leaf.certificatePem, 'no private key'],
      [leaf.keyPem, 'no certificate'],
      [leaf.keyPem + other.certificatePem, 'No certificate in this file belongs'],
      [leaf.keyPem + other.keyPem + leaf.certificatePem, 'more than one private key'],
      [leaf.keyPem + leaf.certificatePem.replace(/\n[^\n]{64}\n/, '\n'), 'cannot be read'],
      [leaf.keyPem.replace(/\n[^\n]{64}\n/, '\n') + leaf.certificatePem, 'cannot be read'],
      ['', 'no private key'],
    ] as const) {
      const result = await identityFromPem(pem);
      expect(result).toMatchObject({ ok: false, error: { code: 'identity.invalid' } });
      expect(result.ok ? '' : result.error.message).toContain(sentence);
    }
  });
});

describe('a new identity', () => {
  it('is a locked key and a request; with the certificate that comes back it signs', async () => {
    const made = value(
      await newIdentity({
        name: 'Erika <Engineer>, "PhD"',
        email: 'erika@example.test',
        organization: 'Example, Inc.',
        passphrase: 'correct horse',
      }),
    );
    expect(made.encryptedKeyPem).toContain('BEGIN ENCRYPTED PRIVATE KEY');
    const issued = value(
      await ca.issueForRequest(made.requestPem, { role: 'engineer', commonName: 'Erika Engineer', usage: 'sign' }),
    );
    const identity = value(await identityFromPem(made.encryptedKeyPem + issued.chainPem, 'correct horse'));
    expect(value(checkSigner(identity, NOW)).name).toBe('Erika Engineer');
    for (const passphrase of ['wrong horse', '', undefined]) {
      expect(await identityFromPem(made.encryptedKeyPem + issued.chainPem, passphrase)).toMatchObject({
        ok: false,
        error: { code: 'identity.passphrase' },
      });
    }
    expect(await identityFromPem(made.encryptedKeyPem + leaf.certificatePem, 'correct horse')).toMatchObject({
      ok: false,
      error: { code: 'identity.invalid' },
    });
  });

  it('wants a name and a passphrase worth the name', async () => {
    expect(await newIdentity({ name: 'E', passphrase: 'short' })).toMatchObject({
      ok: false,
      error: { code: 'identity.passphrase' },
    });
    expect(await newIdentity({ name: ' ', passphrase: 'long enough' })).toMatchObject({
      ok: false,
      error: { code: 'identity.invalid' },
    });
  });
});

describe('a certificate for another purpose', () => {
  it.each([
    ['client', 'prove a client to a TLS server'],
    ['code-signing', 'sign programs'],
    ['server', 'prove a TLS server'],
  ] as const)('(%s) is explained, not half-used', async (usage, words) => {
    const wrong = await ca.issue({ commonName: 'Wrong', usage });
    const refused = checkSigner(value(await identityFromPem(wrong.keyPem + wrong.certificatePem)), NOW);
    expect(refused).toMatchObject({ ok: false, error: { code: 'identity.invalid' } });
    expect(refused.ok ? '' : refused.error.message).toContain(`may only ${words}`);
  });

  it('is refused before and after its time', async () => {
    const identity = value(await identityFromPem(leaf.keyPem + leaf.chainPem));
    expect(checkSigner(identity, NOW).ok).toBe(true);
    expect(checkSigner(identity, new Date('2028-01-01T00:00:00Z'))).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('expired') },
    });
    expect(checkSigner(identity, new Date('2020-01-01T00:00:00Z'))).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('valid only from') },
    });
  });
});

describe.skipIf(!needs('openssl'))('PKCS#12 as OpenSSL makes it', () => {
  it.each([
    ['modern', 'P-256', []],
    ['modern', 'rsa-2048', []],
    ['legacy', 'P-256', ['-legacy']],
    ['legacy', 'rsa-2048', ['-legacy']],
    [
      '3DES with a SHA-256 MAC',
      'rsa-2048',
      ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha256'],
    ],
    ['AES-128 with a SHA-512 MAC', 'P-384', ['-keypbe', 'AES-128-CBC', '-certpbe', 'AES-128-CBC', '-macalg', 'sha512']],
    ['unlocked certificates', 'P-256', ['-certpbe', 'NONE']],
    ['without a MAC', 'P-256', ['-nomac']],
  ] as const)('%s, %s: opens with its passphrase and with no other', async (_name, curve, flags) => {
    const made = await ca.issue({
      role: 'engineer',
      commonName: 'Erika Engineer',
      usage: 'sign',
      intermediate: true,
      curve,
    });
    await writeFile(join(dir, 'all.pem'), made.keyPem + made.chainPem);
    execFileSync(
      'openssl',
      ['pkcs12', '-export', '-in', 'all.pem', '-out', 'x.p12', '-passout', 'pass:gehe im, wör d', ...flags],
      { cwd: dir },
    );
    const identity = value(await loadIdentity(join(dir, 'x.p12'), 'gehe im, wör d'));
    expect(identity).toMatchObject({ name: 'Erika Engineer', serialNumber: made.serialNumber });
    expect(identity.chainPem.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    for (const wrong of ['gehe im, wor d', '', undefined]) {
      expect(await loadIdentity(join(dir, 'x.p12'), wrong)).toMatchObject({
        ok: false,
        error: { code: 'identity.passphrase', place: join(dir, 'x.p12') },
      });
    }
  });

  it('is refused when damaged, without a key, or too large', async () => {
    await writeFile(join(dir, 'all.pem'), leaf.keyPem + leaf.chainPem);
    execFileSync('openssl', ['pkcs12', '-export', '-in', 'all.pem', '-out', 'x.p12', '-passout', 'pass:x'], {
      cwd: dir,
    });
    const whole = await readFile(join(dir, 'x.p12'));
    for (let end = 8; end < whole.length; end += 61) {
      expect(await readIdentity(whole.subarray(0, end), 'x'), `cut at ${end}`).toMatchObject({
        ok: false,
        error: { code: 'identity.invalid' },
      });
    }
    execFileSync('openssl', ['pkcs12', '-export', '-nokeys', '-in', 'all.pem', '-out', 'n.p12', '-passout', 'pass:x'], {
      cwd: dir,
    });
    expect(await loadIdentity(join(dir, 'n.p12'), 'x')).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining('no private key') },
    });
    await writeFile(join(dir, 'large.p12'), Buffer.alloc(1024 * 1024 + 1));
    expect(await loadIdentity(join(dir, 'large.p12'), 'x')).toMatchObject({
      ok: false,
      error: { code: 'input.too-large' },
    });
    expect(await loadIdentity(join(dir, 'nothing.p12'), 'x')).toMatchObject({
      ok: false,
      error: { code: 'input.not-found' },
    });
    expect(await readIdentity(Buffer.from([0x30, 0x80, 0, 0xff]), 'x')).toMatchObject({ ok: false });
  });

  it('and PEM keys locked by OpenSSL, old form and new', async () => {
    await writeFile(join(dir, 'k.pem'), leaf.keyPem);
    for (const command of [
      ['pkcs8', '-topk8', '-in', 'k.pem', '-v2', 'aes-256-cbc', '-passout', 'pass:secret'],
      ['ec', '-in', 'k.pem', '-aes128', '-passout', 'pass:secret'],
    ]) {
      const locked = execFileSync('openssl', command, { cwd: dir, stdio: ['ignore', 'pipe', 'ignore'] }).toString();
      expect(value(await identityFromPem(locked + leaf.chainPem, 'secret')).name).toBe('Erika Engineer');
      expect(await identityFromPem(locked + leaf.chainPem, 'wrong')).toMatchObject({
        ok: false,
        error: { code: 'identity.passphrase' },
      });
    }
  });
});
