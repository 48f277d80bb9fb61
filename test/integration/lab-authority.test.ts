import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEVICE_NAME, EMR_NAME, goodCertificate } from '../../lab/certificates.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { needs } from '../support/debian.ts';
import { askAsHospital } from '../support/lab-wire.ts';
import { judgeInLab, type Row, sentences } from '../support/lab-walk.ts';

const run = promisify(execFile);

let lab: Lab;
let dir: string;
const at = (name: string) => join(dir, name);

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lockstep-lab-authority-'));
  lab = await startLab({ dir: at('hospital'), shipped: false });
  const { certificates } = lab.parts;
  writeFileSync(at('root.pem'), certificates.hospitalRoot);
  writeFileSync(at('emr.pem'), (await certificates.server([EMR_NAME], goodCertificate())).certificatePem);
  writeFileSync(at('revoked.pem'), certificates.trials['server-revoked'].certificatePem);
  writeFileSync(at('stranger.pem'), certificates.formerRoot);
});
afterAll(async () => {
  await lab.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe.skipIf(!needs('openssl'))('the revocation list and the OCSP responder, asked with openssl', () => {
  const openssl = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await run('openssl', args).catch((error: { stdout: string; stderr: string }) => error);
    return stdout + stderr;
  };
  const list = async (name: 'root' | 'issuing') => {
    const file = at(`${name}.crl`);
    const answer = await fetch(`http://127.0.0.1:${lab.ports.authority.crl}/hospital-${name}.crl`);
    expect(answer.headers.get('content-type')).toBe('application/pkix-crl');
    writeFileSync(file, Buffer.from(await answer.arrayBuffer()));
    return file;
  };
  const ask = (certificate: string, ...more: string[]) =>
    openssl('ocsp', '-issuer', at('root.pem'), '-cert', at(certificate), '-CAfile', at('root.pem'), ...more);
  const url = () => `http://127.0.0.1:${lab.ports.authority.ocsp}/ocsp`;

  it('publishes a list that is signed, numbered, in date, and names what was revoked', async () => {
    const file = await list('root');
    const text = await openssl('crl', '-inform', 'DER', '-in', file, '-CAfile', at('root.pem'), '-noout', '-text');
    expect(text).toContain('verify OK');
    expect(text).toMatch(/X509v3 CRL Number/);
    expect(text).toMatch(/Next Update: /);
    expect(text.match(/Serial Number: /g)).toHaveLength(2);
    const pem = at('root.crl.pem');
    await openssl('crl', '-inform', 'DER', '-in', file, '-out', pem);
    const checked = (certificate: string) =>
      openssl('verify', '-CAfile', at('root.pem'), '-crl_check', '-CRLfile', pem, at(certificate));
    expect(await checked('emr.pem')).toContain('OK');
    expect(await checked('revoked.pem')).toContain('certificate revoked');
  });

  it('names both places in every certificate of a server, and in the authority below the root', async () => {
    const text = await openssl('x509', '-in', at('emr.pem'), '-noout', '-text');
    expect(text).toContain(`URI:http://pki.hospital.example:${lab.ports.authority.crl}/hospital-root.crl`);
    expect(text).toContain(`OCSP - URI:http://ocsp.hospital.example:${lab.ports.authority.ocsp}/ocsp`);
  });

  it('answers good and revoked, signed, with the nonce that was sent, and says until when', async () => {
    const good = await ask('emr.pem', '-url', url());
    expect(good).toContain('Response verify OK');
    expect(good).toMatch(/emr\.pem: good\n\s+This Update: .*\n\s+Next Update: /);
    expect(good).not.toMatch(/nonce/i);
    const revoked = await ask('revoked.pem', '-url', url());
    expect(revoked).toMatch(/revoked\.pem: revoked\n(?:.*\n)*?\s+Reason: keyCompromise/);
    const bySha256 = ['ocsp', '-issuer', at('root.pem'), '-sha256', '-cert', at('emr.pem'), '-CAfile', at('root.pem')];
    expect(await openssl(...bySha256, '-url', url())).toContain('emr.pem: good');
  });

  it('answers a request in the path of a GET too, and nobody about the certificates of strangers', async () => {
    await ask('emr.pem', '-reqout', at('request.der'), '-no_nonce');
    const path = encodeURIComponent(readFileSync(at('request.der')).toString('base64'));
    const answer = await fetch(`${url()}/${path}`);
    writeFileSync(at('answer.der'), Buffer.from(await answer.arrayBuffer()));
    const read = await ask('emr.pem', '-respin', at('answer.der'), '-no_nonce');
    expect(read).toContain('Response verify OK');
    const foreign = ['ocsp', '-issuer', at('stranger.pem'), '-cert', at('emr.pem'), '-url', url()];
    expect(await openssl(...foreign)).toContain('unauthorized (6)');
    const nonsense = await fetch(url(), { method: 'POST', body: 'x' });
    writeFileSync(at('error.der'), Buffer.from(await nonsense.arrayBuffer()));
    expect(await openssl('ocsp', '-respin', at('error.der'), '-resp_text')).toContain('malformedrequest (1)');
    expect((await fetch(`${url()}x`)).status).toBe(404);
  });

  it('is believed by nobody once a stranger signs or the list has run out', async () => {
    await lab.setFault('ocsp-stranger', true);
    expect(await ask('emr.pem', '-url', url())).toContain('Response Verify Failure');
    await lab.setFault('ocsp-stranger', false);
    await lab.setFault('crl-stale', true);
    const pem = at('stale.pem');
    await openssl('crl', '-inform', 'DER', '-in', await list('root'), '-out', pem);
    const checked = await openssl('verify', '-CAfile', at('root.pem'), '-crl_check', '-CRLfile', pem, at('emr.pem'));
    expect(checked).toContain('CRL has expired');
    await lab.setFault('crl-stale', false);
  });
});

describe('the reference guide, where revocation is not seen', () => {
  const CONTROL = 'certificate.revocation';
  const judge = () => judgeInLab(lab, (item) => item.checks.length > 0 && item.control.id.startsWith('certificate.'));
  const failing = (rows: readonly Row[]) => rows.filter(({ verdict }) => verdict !== 'pass').map(({ key }) => key);

  it('passes where a list and an answer come for the EMR and the gateway', async () => {
    expect(sentences(await judge())).toEqual([]);
  });

  it('passes for a certificate of the issuing authority below the root, whose own status is asked too', async () => {
    const template = { commonName: DEVICE_NAME, names: [DEVICE_NAME], key: 'P-256', purposes: ['server'] };
    const { csr } = (await askAsHospital(lab, 'POST', '/api/certificates/web/request', template)).json() as {
      csr: string;
    };
    const chain = await lab.parts.certificates.sign(csr, [DEVICE_NAME]);
    expect((await askAsHospital(lab, 'PUT', '/api/certificates/web', { chain })).status).toBe(200);
    expect(sentences(await judge())).toEqual([]);
    await lab.setFault('crl-unreachable', true);
    expect(sentences(await judge()).join()).toMatch(/For gateway .*hospital-issuing\.crl: .*hospital-root\.crl: /);
    await lab.setFault('crl-unreachable', false);
    expect((await askAsHospital(lab, 'POST', '/api/certificates/web/former', {})).status).toBe(200);
  });

  it.each([
    ['emr-cert-revoked', [/^.*: fail: Results to the EMR: .*Revoked at .*: key compromise\. Wanted: a certificate/]],
    ['crl-stale', [/For Results to the EMR .*hospital-root\.crl: .*out of date/, /For gateway .*out of date/]],
    [
      'crl-unreachable',
      [/For Results to the EMR .*hospital-root\.crl: It could not be fetched: /, /For gateway .*not be fetched/],
    ],
    [
      'ocsp-stranger',
      [/For Results to the EMR .*\/ocsp: The answer is signed by .* not from the issuer/, /For gateway .*not from/],
    ],
  ])('%s turns this control, and no other that is about certificates', async (id, wanted) => {
    await lab.setFault(id, true);
    try {
      const rows = await judge();
      expect(failing(rows)).toEqual([`${CONTROL}@link:emr`]);
      const said = sentences(rows).filter((sentence) => sentence.includes(': fail: '));
      expect(said).toHaveLength(wanted.length);
      wanted.forEach((pattern, index) => expect(said[index]).toMatch(pattern));
    } finally {
      await lab.setFault(id, false);
    }
  });
});
