import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as asn1js from 'asn1js';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPkcs12, readPkcs12 } from '../../../engine/keys/pkcs12.ts';
import { writePkcs12 } from '../../../engine/keys/pkcs12-writer.ts';
import { certificateTemplateSchema, type KEY_KINDS } from '../../../core/certificate-template.ts';
import { makeRequest } from '../../../engine/keys/certificate-request.ts';
import { findProgram, needs } from '../../support/debian.ts';
import { value } from '../../support/evidence.ts';
import { createOpensslCa, openssl, type OpensslCa } from '../../support/openssl-ca.ts';

const FORMATS = ['modern', 'legacy'] as const;
const KINDS = ['P-256', 'rsa-2048'] as const satisfies readonly (typeof KEY_KINDS)[number][];
type Made = { readonly pkcs8: Uint8Array; readonly certificates: readonly Uint8Array[] };

describe.skipIf(!needs('openssl'))('a PKCS#12 file', () => {
  let ca: OpensslCa;
  let folder: string;
  const made = new Map<string, Made>();
  const of = (kind: string): Made => made.get(kind) ?? { pkcs8: new Uint8Array(), certificates: [] };
  beforeAll(async () => {
    ca = createOpensslCa();
    folder = mkdtempSync(join(tmpdir(), 'lockstep-p12-'));
    for (const key of KINDS) {
      const template = certificateTemplateSchema.parse({ key, commonName: 'gw', names: ['gw.test'] });
      const { requestPem, pkcs8 } = await makeRequest(template);
      const pems = [ca.sign(requestPem), ca.intermediate];
      made.set(key, { pkcs8, certificates: pems.map((pem) => new Uint8Array(new X509Certificate(pem).raw)) });
    }
  });
  afterAll(() => {
    ca?.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  const pemOf = ({ pkcs8 }: Made) =>
    createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })
      .export({ format: 'pem', type: 'pkcs8' })
      .toString();
  const pemsOf = ({ certificates }: Made) => certificates.map((der) => new X509Certificate(der).toString());

  it('is read as it was written, whatever the password', async () => {
    const passwords = fc.oneof(
      fc.constantFrom('x', 'x'.repeat(64), 'Schlüssel 🔑 ключ', ' blank at the ends ', '"\'$`\\!', '密'.repeat(64)),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 64 }).filter((text) => !/\p{Cc}/u.test(text)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...FORMATS),
        fc.constantFrom(...KINDS),
        passwords,
        fc.option(fc.constantFrom('gateway', 'Gerät 7 ☤'), { nil: undefined }),
        async (format, kind, password, friendlyName) => {
          const content = { ...of(kind), ...(friendlyName === undefined ? {} : { friendlyName }) };
          const bytes = value(await writePkcs12(content, password, format));
          const parts = value(await readPkcs12(bytes, password));
          const key = createPrivateKey({ key: Buffer.from(parts.pkcs8), format: 'der', type: 'pkcs8' });
          expect(key.equals(createPrivateKey({ key: Buffer.from(content.pkcs8), format: 'der', type: 'pkcs8' }))).toBe(
            true,
          );
          expect(parts.certificates.map((der) => Buffer.from(der).toString('hex'))).toEqual(
            content.certificates.map((der) => Buffer.from(der).toString('hex')),
          );
          expect(await openPkcs12(bytes, `${password}x`)).toMatchObject({ error: { code: 'identity.passphrase' } });
        },
      ),
      { numRuns: 10 },
    );
  }, 60_000);

  it.each(FORMATS.flatMap((format) => KINDS.map((kind) => [format, kind] as const)))(
    '%s, %s, is opened by openssl, which finds its ciphers',
    async (format, kind) => {
      const [file, password] = [join(folder, `${format}-${kind}.p12`), 'Schlüssel 🔑'];
      const bytes = value(await writePkcs12({ ...of(kind), friendlyName: 'gateway' }, password, format));
      writeFileSync(file, bytes);
      const open = (...args: string[]) =>
        openssl(['pkcs12', '-in', file, '-passin', 'stdin', ...args], `${password}\n`).toString();
      expect(openssl(['pkey'], open('-nocerts', '-nodes')).toString()).toBe(pemOf(of(kind)));
      const certificates = open('-nokeys').match(/-----BEGIN[^]+?-----END CERTIFICATE-----\n/g);
      expect(certificates).toEqual(pemsOf(of(kind)));
      const info = execFileSync('sh', ['-c', 'openssl pkcs12 -info -noout -in "$1" -passin stdin 2>&1', 'sh', file], {
        input: `${password}\n`,
      }).toString();
      expect(info).toContain(format === 'legacy' ? 'MAC: sha1, Iteration 2048' : 'MAC: sha256, Iteration 50000');
      expect(info.match(/AES-256-CBC|pbeWithSHA1And3-KeyTripleDES-CBC/g)).toEqual(
        Array(2).fill(format === 'legacy' ? 'pbeWithSHA1And3-KeyTripleDES-CBC' : 'AES-256-CBC'),
      );
      expect(isDer(bytes)).toBe(true);
    },
    60_000,
  );

  // Java is large, so no machine is made to install it for this. A Java keystore is what interface engines read; its modern ciphers take ASCII passwords only, OpenSSL's files included.
  it.skipIf(findProgram('keytool') === undefined).each([
    ['modern', 'P-256'],
    ['legacy', 'rsa-2048'],
  ] as const)(
    '%s, %s, is a keystore of Java',
    async (format, kind) => {
      const [file, password] = [join(folder, `java-${format}-${kind}.p12`), 'Keystore "of" $7 '];
      writeFileSync(file, value(await writePkcs12({ ...of(kind), friendlyName: 'gateway' }, password, format)));
      const { stdout, status } = spawnSync(
        'keytool',
        ['-list', '-v', '-keystore', file, '-storetype', 'PKCS12', '-storepass:env', 'P12'],
        { env: { ...process.env, P12: password, LC_ALL: 'C.UTF-8' }, encoding: 'utf8' },
      );
      expect(status, stdout).toBe(0);
      expect(stdout).toContain('Alias name: gateway');
      expect(stdout).toContain('Entry type: PrivateKeyEntry');
      expect(stdout).toContain('Certificate chain length: 2');
      expect(stdout).toContain(new X509Certificate(of(kind).certificates[0] ?? new Uint8Array()).fingerprint256);
    },
    60_000,
  );

  it.each([
    ['', 'empty password'],
    ['two\nlines', 'cannot be typed'],
    ['half \ud83d', 'cannot be typed'],
    ['x'.repeat(257), 'longer than'],
  ])('is not locked with %j', async (password, words) => {
    for (const format of FORMATS) {
      const written = await writePkcs12(of('P-256'), password, format);
      expect(written).toMatchObject({ ok: false, error: { code: 'identity.passphrase' } });
      expect(written.ok ? '' : written.error.message).toContain(words);
    }
  });

  it('is not made without a certificate', async () => {
    const written = await writePkcs12({ pkcs8: of('P-256').pkcs8, certificates: [] }, 'password', 'modern');
    expect(written).toMatchObject({ ok: false, error: { code: 'identity.invalid' } });
  });
});

/** Definite lengths, and octet strings in one piece, all the way down. */
function isDer(bytes: Uint8Array): boolean {
  const { result, offset } = asn1js.fromBER(new Uint8Array(bytes).buffer);
  const walk = (block: asn1js.BaseBlock): boolean => {
    if (block.lenBlock.isIndefiniteForm) return false;
    if (block instanceof asn1js.OctetString) return !block.idBlock.isConstructed;
    const inside: unknown = (block.valueBlock as { value?: unknown }).value;
    return !Array.isArray(inside) || inside.every((one) => !(one instanceof asn1js.BaseBlock) || walk(one));
  };
  return offset === bytes.length && walk(result);
}
