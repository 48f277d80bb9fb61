import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createPracticeCa } from '../../../engine/keys/practice-ca.ts';

const now = new Date('2026-11-23T10:00:00Z');

describe('the practice authority', () => {
  it('has a root of its own per role, all marked PRACTICE', async () => {
    const ca = await createPracticeCa({ now });
    const subjects = Object.values(ca.roots).map((pem) => new X509Certificate(pem).subject);
    expect(new Set(subjects).size).toBe(3);
    for (const subject of subjects) expect(subject).toContain('PRACTICE');
  });

  it('issues leaves that their own root verifies and another role’s root does not', async () => {
    const ca = await createPracticeCa({ now });
    const leaf = await ca.issue({ role: 'engineer', commonName: 'Erika Engineer', usage: 'sign' });
    const certificate = new X509Certificate(leaf.certificatePem);
    expect(certificate.subject).toContain('PRACTICE');
    expect(certificate.verify(new X509Certificate(ca.roots.engineer).publicKey)).toBe(true);
    expect(certificate.verify(new X509Certificate(ca.roots.hospital).publicKey)).toBe(false);
    expect(certificate.serialNumber.toLowerCase()).toBe(leaf.serialNumber);
  });

  it('puts names of every form into the SAN and chains through an intermediate', async () => {
    const ca = await createPracticeCa({ now });
    const leaf = await ca.issue({
      commonName: 'emr.hospital.test',
      sans: ['emr.hospital.test', '127.0.0.1', '::1', 'a@hospital.test', 'urn://device/1'],
      usage: 'server',
      intermediate: true,
      curve: 'rsa-2048',
    });
    const certificate = new X509Certificate(leaf.certificatePem);
    expect(certificate.checkHost('emr.hospital.test')).toBe('emr.hospital.test');
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificate.checkIP('::1')).toBe('::1');
    expect(certificate.checkEmail('a@hospital.test')).toBe('a@hospital.test');
    const chain = leaf.chainPem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    expect(chain.length).toBe(2);
    const intermediate = new X509Certificate(chain[1] ?? '');
    expect(certificate.checkIssued(intermediate)).toBe(true);
    expect(intermediate.checkIssued(new X509Certificate(ca.roots.hospital))).toBe(true);
  });

  it('refuses a request that is not one', async () => {
    const ca = await createPracticeCa({ now });
    const result = await ca.issueForRequest('nonsense', { commonName: 'x', usage: 'sign' });
    expect(result).toMatchObject({ ok: false, error: { code: 'identity.invalid' } });
  });

  it('issues expired and self-signed certificates for the faults of the lab', async () => {
    const ca = await createPracticeCa({ now });
    const expired = await ca.issue({
      commonName: 'old',
      usage: 'server',
      notBefore: new Date('2025-01-01T00:00:00Z'),
      notAfter: new Date('2025-06-01T00:00:00Z'),
    });
    expect(new X509Certificate(expired.certificatePem).validToDate.toISOString()).toBe('2025-06-01T00:00:00.000Z');
    const own = await ca.issue({ commonName: 'device', sans: ['device.test'], usage: 'server', selfSigned: true });
    const certificate = new X509Certificate(own.certificatePem);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
  });
});
