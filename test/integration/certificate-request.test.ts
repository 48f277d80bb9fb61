import { createPrivateKey } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateTemplate, certificateTemplateSchema, KEY_KINDS } from '../../core/certificate-template.ts';
import type { Result } from '../../core/result.ts';
import {
  makeRequest,
  opensslRequestConfig,
  readRequest,
  requestDifferences,
} from '../../engine/keys/certificate-request.ts';
import { encryptPrivateKey } from '../../engine/keys/csr.ts';
import { readCertificatesPem } from '../../engine/keys/read-certificate.ts';
import { readReceived } from '../../engine/keys/received.ts';
import { checkReceived, type CheckedReceived } from '../../engine/keys/received-checks.ts';
import { needs } from '../support/debian.ts';
import { createOpensslCa, openssl, type OpensslCa, P12_PASSPHRASE } from '../support/openssl-ca.ts';

const PASSPHRASE = 'nobody knows this one';

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message} ${result.error.cause ?? ''}`);
  return result.value;
}
const template = (more: Partial<CertificateTemplate> = {}): CertificateTemplate =>
  certificateTemplateSchema.parse({
    commonName: 'gateway.hospital.test',
    organization: 'Hospital, "North" #1 $x \\ Ü',
    names: ['gateway.hospital.test', '127.0.0.1', '2001:db8::1'],
    purposes: ['server', 'client'],
    ...more,
  });

describe.skipIf(!needs('openssl'))('certificates from request to import, with stock openssl as the hospital', () => {
  let ca: OpensslCa;
  beforeAll(() => {
    ca = createOpensslCa();
  });
  afterAll(() => ca?.remove());

  it.each(KEY_KINDS.filter((kind) => kind !== 'rsa-4096'))(
    'makes a %s request that openssl reads and verifies',
    async (key) => {
      const made = await makeRequest(template({ key }));
      const text = openssl(
        ['req', '-verify', '-noout', '-text', '-nameopt', 'utf8,sep_comma_plus'],
        made.requestPem,
      ).toString();
      expect(text).toContain(String.raw`O=Hospital, "North" #1 $x \ Ü,CN=gateway.hospital.test`);
      expect(text).toContain('DNS:gateway.hospital.test, IP Address:127.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1');
      expect(text).toContain('TLS Web Server Authentication, TLS Web Client Authentication');
      expect(text).toContain(key.startsWith('rsa-') ? 'Digital Signature, Key Encipherment' : 'Digital Signature');
      expect(text).toContain(key.startsWith('rsa-') ? `Public-Key: (${key.slice(4)} bit)` : `NIST CURVE: ${key}`);
      const facts = must(await readRequest(made.requestPem));
      expect(requestDifferences(facts, template({ key }))).toEqual([]);
      const locked = await encryptPrivateKey(made.pkcs8, PASSPHRASE);
      const file = join(ca.folder, 'locked.key');
      writeFileSync(file, locked);
      const pub = openssl(['pkey', '-in', file, '-passin', `pass:${PASSPHRASE}`, '-pubout']).toString();
      expect(pub).toBe(openssl(['req', '-noout', '-pubkey'], made.requestPem).toString());
      expect(createPrivateKey({ key: locked, passphrase: PASSPHRASE }).type).toBe('private');
    },
  );

  it.each(['P-256', 'rsa-2048'] as const)(
    'writes a configuration by which openssl makes the same %s request',
    async (key) => {
      const [config, keyFile] = [join(ca.folder, 'req.cnf'), join(ca.folder, 'device.key')];
      writeFileSync(config, opensslRequestConfig(template({ key })));
      const kind = key === 'P-256' ? ['EC', 'ec_paramgen_curve:P-256'] : ['RSA', 'rsa_keygen_bits:2048'];
      openssl(['genpkey', '-algorithm', kind[0] ?? '', '-pkeyopt', kind[1] ?? '', '-out', keyFile]);
      const there = must(await readRequest(openssl(['req', '-new', '-key', keyFile, '-config', config]).toString()));
      const here = must(await readRequest((await makeRequest(template({ key }))).requestPem));
      expect(requestDifferences(there, template({ key }))).toEqual([]);
      expect({ ...there, pem: '', publicKeySha256: '' }).toEqual({ ...here, pem: '', publicKeySha256: '' });
      expect(requestDifferences(there, template({ key, commonName: 'x', names: ['y'] }))).toHaveLength(3);
    },
  );

  it('refuses a request that its own key did not sign, and what is none', async () => {
    const { requestPem } = await makeRequest(template());
    const der = Buffer.from(requestPem.replace(/-----[^-]+-----/g, ''), 'base64');
    der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    expect(await readRequest(forged)).toMatchObject({ ok: false, error: { code: 'identity.invalid' } });
    expect(await readRequest('hello')).toMatchObject({ ok: false, error: { code: 'identity.invalid' } });
  });

  describe('what comes back', () => {
    let request: string;
    let pkcs8: Uint8Array;
    beforeAll(async () => {
      ({ requestPem: request, pkcs8 } = await makeRequest(template()));
    });
    const check = async (
      bytes: Buffer | string,
      more: { passphrase?: string; shown?: string; sameKey?: boolean; anchors?: string } = {},
    ) => {
      const received = must(await readReceived(Buffer.from(bytes), more.passphrase));
      const facts = must(await readRequest(request));
      const wanted = { ...facts, purposes: ['server', 'client'] as const };
      const anchors = must(readCertificatesPem(more.anchors ?? ca.root));
      const shown = more.shown === undefined ? undefined : must(readCertificatesPem(more.shown))[0];
      return {
        form: received.form,
        ...checkReceived(received, wanted, anchors, new Date(), shown, more.sameKey ?? false),
      };
    };
    const outcome = (checked: CheckedReceived) =>
      Object.fromEntries(checked.checks.map(({ id, outcome }) => [id, outcome]));
    const refused = (checked: CheckedReceived) =>
      checked.checks.filter((one) => one.outcome === 'refused').map(({ id, sentence }) => `${id}: ${sentence}`);

    it('is read in every form, and one that is right is accepted with every check named', async () => {
      const leaf = ca.sign(request);
      const old = ca.sign((await makeRequest(template())).requestPem);
      const pems = [leaf, ca.intermediate];
      const forms = [
        ['PEM', Buffer.from(pems.join('')), undefined],
        ['PEM', Buffer.from(`\ufeff${pems.join('').replaceAll('\n', '\r\n')}`, 'utf16le'), undefined],
        ['PKCS#7', ca.pack('p7b', pems), undefined],
        ['PKCS#7', ca.pack('p7b-pem', pems), undefined],
        ['PKCS#7', Buffer.from(ca.pack('p7b-pem', pems).toString().replaceAll('PKCS7', 'CERTIFICATE')), undefined],
        ['PKCS#12', ca.pack('p12', pems), P12_PASSPHRASE],
        ['PKCS#12', ca.pack('p12-legacy', pems), P12_PASSPHRASE],
      ] as const;
      for (const [form, bytes, passphrase] of forms) {
        const checked = await check(bytes, { shown: old, ...(passphrase === undefined ? {} : { passphrase }) });
        expect(refused(checked)).toEqual([]);
        expect(checked).toMatchObject({ form, accepted: true });
        expect(checked.chain.map(({ node }) => node.toString())).toEqual(pems.map((pem) => pem.replace(/^[^-]*/, '')));
        expect(outcome(checked)).toEqual({
          key: 'good',
          authority: 'good',
          subject: 'good',
          names: 'good',
          purpose: 'good',
          strength: 'good',
          validity: 'good',
          lifetime: 'good',
          factory: 'good',
          chain: 'good',
        });
      }
    });

    it('as DER without the chain is for the right key, but leads nowhere', async () => {
      const checked = await check(ca.pack('der', [ca.sign(request)]));
      expect(checked.form).toBe('DER');
      expect(checked.accepted).toBe(false);
      expect(refused(checked)).toEqual([expect.stringContaining('chain: The other side will not believe it')]);
      // Where the other side holds the issuing authority itself, nothing is missing.
      const direct = await check(ca.pack('der', [ca.sign(request)]), { anchors: ca.intermediate });
      expect(direct).toMatchObject({ form: 'DER', accepted: true });
    });

    it('of an authority that the other side does not hold is refused, with its whole chain', async () => {
      const other = createOpensslCa();
      const checked = await check(other.sign(request) + other.intermediate + other.root);
      other.remove();
      expect(checked.accepted).toBe(false);
      // It bears the names of the right one: only the signatures tell them apart.
      expect(refused(checked)).toEqual([expect.stringContaining('chain: The other side will not believe it')]);
    });

    it('that lives longer than the guideline wants is noted, and no more', async () => {
      const lifetime = async (days: number) =>
        (await check(ca.sign(request, { days }) + ca.intermediate)).checks.find(({ id }) => id === 'lifetime');
      expect(await lifetime(366)).toMatchObject({ outcome: 'good' });
      expect(await lifetime(367)).toMatchObject({
        outcome: 'note',
        sentence: 'It is valid for 367 days in all; Mozilla server-side TLS 6.0 wants at most 366.',
      });
      expect(await check(ca.sign(request, { days: 730 }) + ca.intermediate)).toMatchObject({ accepted: true });
    });

    const usual = [
      'basicConstraints=critical,CA:FALSE',
      'keyUsage=critical,digitalSignature',
      'extendedKeyUsage=serverAuth,clientAuth',
      'subjectAltName=DNS:gateway.hospital.test,IP:127.0.0.1,IP:2001:db8::1',
    ];
    const replaced = (name: string, line?: string) =>
      usual.filter((one) => !one.startsWith(name)).concat(line === undefined ? [] : [line]);
    it.each([
      [
        'a name that is missing',
        { extensions: replaced('subjectAltName', 'subjectAltName=DNS:gateway.hospital.test') },
        'names: It lacks the name 127.0.0.1, 2001:db8::1',
      ],
      ['no name at all', { extensions: replaced('subjectAltName') }, 'names: It lacks the name'],
      [
        'a purpose that is missing',
        { extensions: replaced('extendedKeyUsage', 'extendedKeyUsage=serverAuth') },
        'purpose: It may not be used as clientAuth',
      ],
      [
        'another purpose',
        { extensions: replaced('extendedKeyUsage', 'extendedKeyUsage=emailProtection,codeSigning') },
        'purpose: It may not be used as serverAuth and clientAuth',
      ],
      [
        'another name',
        { extensions: replaced('subjectAltName', 'subjectAltName=DNS:printer7.hospital.test') },
        'names: It lacks the name gateway.hospital.test, 127.0.0.1, 2001:db8::1; it carries printer7.hospital.test',
      ],
      [
        'the right to sign certificates',
        { extensions: replaced('keyUsage', 'keyUsage=critical,digitalSignature,keyCertSign') },
        'authority: It could issue certificates itself',
      ],
      [
        'a key that may not sign',
        { extensions: replaced('keyUsage', 'keyUsage=critical,keyEncipherment') },
        'purpose: Its key may not sign',
      ],
      [
        'the CA flag',
        { extensions: replaced('basicConstraints', 'basicConstraints=critical,CA:TRUE') },
        'authority: It could issue certificates itself',
      ],
      ['a weak signature', { hash: 'sha1' }, 'strength: The signature is weak (ecdsa-with-SHA1)'],
    ])('is refused over %s', async (_, options, sentence) => {
      const checked = await check(`${ca.sign(request, options)}${ca.intermediate}`);
      expect(checked.accepted).toBe(false);
      expect(refused(checked).join('\n')).toContain(sentence);
    });

    it('is refused for another key, with what it holds instead', async () => {
      const other = ca.sign((await makeRequest(template({ commonName: 'printer7' }))).requestPem);
      const checked = await check(other + ca.intermediate);
      expect(checked).toMatchObject({ accepted: false, checks: [{ id: 'key', outcome: 'refused' }] });
      expect(checked.checks[0]?.sentence).toContain('CN=printer7');
      expect(checked.leaf).toBeUndefined();
    });

    it('is refused when it is over, when it signs itself, and when it is what the device has', async () => {
      const leaf = ca.sign(request);
      const facts = { ...must(await readRequest(request)), purposes: ['server'] as const };
      const [anchors, received] = [
        must(readCertificatesPem(ca.root)),
        must(await readReceived(Buffer.from(leaf + ca.intermediate))),
      ];
      const at = (days: number, shown = received.certificates[1], sameKey = false) =>
        refused(checkReceived(received, facts, anchors, new Date(Date.now() + days * 86_400_000), shown, sameKey));
      expect(at(366)).toEqual([
        expect.stringContaining('validity: It ended on'),
        expect.stringContaining('expired on'),
      ]);
      expect(at(-1)).toEqual([
        expect.stringContaining('validity: It is valid only from'),
        expect.stringContaining('valid only from'),
      ]);
      expect(at(0, received.certificates[0])).toEqual(['factory: The device shows this very certificate already.']);
      expect(at(0)).toEqual([]);
      const keyFile = join(ca.folder, 'self.key');
      writeFileSync(
        keyFile,
        createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' }).export({
          format: 'pem',
          type: 'pkcs8',
        }),
      );
      const self = openssl(
        [
          'req',
          '-x509',
          '-key',
          keyFile,
          '-in',
          join(ca.folder, 'request.csr'),
          '-days',
          '30',
          '-copy_extensions',
          'copy',
        ],
        undefined,
      );
      expect(refused(await check(self)).join('\n')).toContain('factory: It vouches for itself');
    });

    it('with the key of the former certificate is refused, unless the renewal was to keep it', async () => {
      const [first, second] = [ca.sign(request, { days: 5 }), ca.sign(request)];
      expect(refused(await check(second + ca.intermediate, { shown: first }))).toEqual([
        expect.stringContaining('factory: It is for the key that the device has had so far'),
      ]);
      expect(refused(await check(second + ca.intermediate, { shown: first, sameKey: true }))).toEqual([]);
    });

    it('shows what the authority changed without refusing it', async () => {
      const leaf = ca.sign(request, {
        subject: '/O=Hospital/CN=gw7',
        days: 20,
        extensions: replaced('subjectAltName', `${usual[3]},DNS:extra.hospital.test`),
      });
      const checked = await check(leaf + ca.intermediate);
      expect(checked.accepted).toBe(true);
      const notes = checked.checks
        .filter((one) => one.outcome === 'note')
        .map(({ sentence }) => sentence)
        .join('\n');
      expect(notes).toMatch(/the authority wrote O=Hospital, CN=gw7/);
      expect(notes).toContain('also extra.hospital.test');
      expect(notes).toContain('it ends in 19 days already');
      expect(notes).toContain('What the device shows today is not known.');
    });

    it('with a private key is refused: somebody else knows it', async () => {
      const pem = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })
        .export({ format: 'pem', type: 'pkcs8' })
        .toString();
      for (const form of ['p12', 'p12-legacy'] as const) {
        const checked = await check(ca.pack(form, [ca.sign(request), ca.intermediate], pem), {
          passphrase: P12_PASSPHRASE,
        });
        expect(refused(checked)).toEqual([expect.stringContaining('private-key: The file holds a private key')]);
      }
    });

    it('tells a wrong passphrase from a damaged file, and the request from the certificate', async () => {
      const p12 = ca.pack('p12', [ca.sign(request)]);
      expect(await readReceived(p12, 'wrong')).toMatchObject({ ok: false, error: { code: 'identity.passphrase' } });
      expect(await readReceived(p12)).toMatchObject({ ok: false, error: { code: 'identity.passphrase' } });
      const invalid = async (bytes: Buffer, words = '') => {
        const read = await readReceived(bytes);
        expect(read).toMatchObject({ ok: false, error: { code: 'identity.invalid' } });
        expect(read.ok ? '' : read.error.message).toContain(words);
      };
      await invalid(Buffer.from(request), 'This is the request itself');
      await invalid(Buffer.from('hello'), 'no certificate');
      await invalid(Buffer.alloc(0));
      const der = ca.pack('der', [ca.sign(request)]);
      await invalid(der.subarray(0, der.length - 3));
      await invalid(Buffer.concat([der, Buffer.from('more')]), 'appended');
      await invalid(ca.pack('p7b', [ca.sign(request)]).subarray(0, 100));
    });
  });
});
