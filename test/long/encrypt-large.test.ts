import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { needs } from '../support/debian.ts';

const GIB = 1024 ** 3;
/** Runs apart, so that its memory is its own; prints what it answered with and the most memory it had, in MiB. */
const SCRIPT = `
const [, , root, what] = process.argv;
const { encryptFile } = await import(root + '/engine/evidence/encrypt.ts');
const { decryptFile } = await import(root + '/engine/evidence/decrypt.ts');
const { loadDecryptionKey } = await import(root + '/engine/keys/decryption-key.ts');
const { readFileSync } = await import('node:fs');
const done = what === 'encrypt'
  ? await encryptFile('large', [readFileSync('p.pem', 'utf8')], 'large.p7m', new Date())
  : await decryptFile('large.p7m', { key: (await loadDecryptionKey('p.pem')).value }, 'back');
console.log(JSON.stringify({ ok: done.ok, memory: process.resourceUsage().maxRSS / 1024 }));
`;

it.skipIf(!needs('openssl'))(
  'one GiB is encrypted and opened in little memory, and stock openssl opens it',
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'lockstep-encrypt-large-'));
    try {
      const at = (name: string) => join(dir, name);
      const openssl = (...args: string[]) => spawnSync('openssl', args, { cwd: dir, encoding: 'utf8' });
      const key = [
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        'p.key',
        '-out',
        'p.crt',
      ];
      expect(openssl('req', '-x509', ...key, '-subj', '/CN=p').status).toBe(0);
      await writeFile(at('p.pem'), (await readFile(at('p.key'), 'utf8')) + (await readFile(at('p.crt'), 'utf8')));
      await writeFile(at('large'), 'evidence');
      await truncate(at('large'), GIB + 5);
      await writeFile(at('run.mjs'), SCRIPT);
      for (const what of ['encrypt', 'decrypt']) {
        const run = spawn(process.execPath, ['run.mjs', resolve('.'), what], { cwd: dir });
        let printed = '';
        run.stdout.on('data', (text: Buffer) => (printed += text.toString()));
        await once(run, 'close');
        const { ok, memory } = JSON.parse(printed) as { ok: boolean; memory: number };
        expect(ok).toBe(true);
        expect(memory).toBeLessThan(300);
      }
      expect(spawnSync('cmp', ['large', 'back'], { cwd: dir }).status).toBe(0);
      await rm(at('back'));
      const opened = openssl(...'cms -decrypt -binary -inform DER -in large.p7m -out back -inkey p.key'.split(' '));
      expect(opened.stderr).toBe('');
      expect((await stat(at('back'))).size).toBe(GIB + 5);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  },
);
