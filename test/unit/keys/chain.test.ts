import { describe, expect, it } from 'vitest';
import { checkChain } from '../../../engine/keys/chain.ts';
import {
  matchName,
  readCertificate,
  readCertificatesPem,
  type ReadCertificate,
} from '../../../engine/keys/read-certificate.ts';
import { keyFacts, signatureFacts } from '../../../engine/keys/strength.ts';
import { makeCertificate, oddChains } from '../../support/odd-chains.ts';

function read(pem: string): ReadCertificate[] {
  const result = readCertificatesPem(pem);
  if (!result.ok) throw new Error(result.error.cause);
  return result.value;
}

describe('checking a chain', async () => {
  it.each(await oddChains())('$title: $problem', ({ presented, anchors, problem }) => {
    const facts = checkChain(read(presented), read(anchors), new Date(), 'server');
    expect(facts.problem).toBe(problem);
    expect(facts.trusted).toBe(problem === 'none');
    expect(facts.anchor !== undefined).toBe(facts.trusted);
  });

  it('trusts nothing without anchors or certificates', async () => {
    const { pem } = await makeCertificate({ name: 'root', ca: true });
    expect(checkChain(read(pem), [], new Date(), 'server').trusted).toBe(false);
    expect(checkChain([], read(pem), new Date(), 'server').trusted).toBe(false);
  });

  it('survives authorities that certify each other', async () => {
    const [a, b] = [await makeCertificate({ name: 'a', ca: true }), await makeCertificate({ name: 'b', ca: true })];
    const ab = await makeCertificate({ name: 'a', ca: true, keys: a.keys, issuer: b });
    const ba = await makeCertificate({ name: 'b', ca: true, keys: b.keys, issuer: a });
    const leaf = await makeCertificate({ name: 'leaf', issuer: a, ca: false });
    const other = await makeCertificate({ name: 'other', ca: true });
    expect(checkChain(read(leaf.pem + ab.pem + ba.pem), read(other.pem), new Date(), 'server').problem).toBe(
      'unknown-issuer',
    );
    expect(checkChain(read(leaf.pem + ab.pem + ba.pem), read(b.pem), new Date(), 'server').trusted).toBe(true);
  });
});

describe('a chain that is made to exhaust whoever builds it', () => {
  it('is given up in time', async () => {
    // Authorities of one name and one key, each of which is an issuer of all the others.
    const key = await makeCertificate({ name: 'many', ca: true });
    const many = await Promise.all(
      Array.from({ length: 60 }, () => makeCertificate({ name: 'many', keys: key.keys, issuer: key, ca: true })),
    );
    const root = await makeCertificate({ name: 'root', ca: true });
    const leaf = await makeCertificate({ name: 'leaf', issuer: key, ca: false });
    const presented = read([leaf, ...many].map(({ pem }) => pem).join(''));
    const before = performance.now();
    expect(checkChain(presented, read(root.pem), new Date(), 'server').trusted).toBe(false);
    expect(performance.now() - before).toBeLessThan(3_000);
    // Nor does it hide a way that there is.
    expect(checkChain(presented, read(key.pem), new Date(), 'server').trusted).toBe(true);
  });
});

describe('names by RFC 6125', () => {
  it.each([
    [['emr.hospital.test'], 'emr.hospital.test', true],
    [['EMR.Hospital.Test'], 'emr.hospital.test', true],
    [['*.hospital.test'], 'emr.hospital.test', true],
    [['*.hospital.test'], 'a.emr.hospital.test', false],
    [['*.hospital.test'], 'hospital.test', false],
    [['*.test'], 'hospital.test', false],
    [['e*.hospital.test'], 'emr.hospital.test', false],
    [['emr.hospital.test'], 'emr.hospital.test.evil.test', false],
    [['192.0.2.1'], '192.0.2.1', true],
    [['192.0.2.1'], '192.0.2.2', false],
    [['2001:db8::1'], '2001:0db8:0:0::1', true],
    [[], 'leaf', false],
    [['emr.hospital.test'], 'emr.hospital.test.', true],
    [['emr.hospital.test.'], 'emr.hospital.test', false],
    [['*.hospital.test.'], 'emr.hospital.test', false],
    [['emr.hospital.test\0.evil.test'], 'emr.hospital.test', false],
    [['*.hospital.test'], '.hospital.test', false],
    [['*.*.test'], 'emr.hospital.test', false],
    [['*'], 'emr', false],
    [['*.hospital.test'], 'xn--krankenhaus-sd-2wb.hospital.test', true],
    [['xn--krankenhaus-sd-2wb.test'], 'xn--krankenhaus-sd-2wb.test', true],
    [['::ffff:192.0.2.1'], '192.0.2.1', false],
  ])('%j for %s: %s', async (sans, name, matches) => {
    const made = await makeCertificate({ name: 'leaf', ...(sans.length === 0 ? {} : { sans }) });
    const [certificate] = read(made.pem);
    expect(certificate && matchName(certificate, name).matches).toBe(matches);
  });

  it('a DNS name that looks like an address is none', async () => {
    const made = await makeCertificate({ name: '192.0.2.9', sans: ['emr.test'] });
    const [certificate] = read(made.pem);
    expect(certificate && matchName(certificate, '192.0.2.9').matches).toBe(false);
  });
});

describe('strength', () => {
  it.each([
    [
      'P-256',
      { algorithm: 'EC', bits: 256, curve: 'P-256', strong: true },
      { algorithm: 'ecdsa-with-SHA256', strong: true },
    ],
    [
      'P-384',
      { algorithm: 'EC', bits: 384, curve: 'P-384', strong: true },
      { algorithm: 'ecdsa-with-SHA384', strong: true },
    ],
    [
      'rsa-2048',
      { algorithm: 'RSA', bits: 2048, strong: true },
      { algorithm: 'sha256WithRSAEncryption', strong: true },
    ],
  ] as const)('%s', async (key, keyExpected, signature) => {
    const [certificate] = read((await makeCertificate({ name: 'x', key })).pem);
    expect(certificate && keyFacts(certificate)).toEqual(keyExpected);
    expect(certificate && signatureFacts(certificate)).toEqual(signature);
  });
});

describe('unreadable certificates', () => {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['noise', Buffer.from('not a certificate')],
    ['half a sequence', Buffer.from('3082010a', 'hex')],
  ])('%s', (_, bytes) => {
    const result = readCertificate(bytes);
    expect(result.ok || result.error.code).toBe('identity.invalid');
  });
});
