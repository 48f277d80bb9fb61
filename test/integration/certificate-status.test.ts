import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readCertificatesPem } from '../../engine/keys/read-certificate.ts';
import { ocspRequest } from '../../engine/keys/ocsp.ts';
import { certificateStatusProbe } from '../../engine/probes/certificate-status.ts';
import { needs } from '../support/debian.ts';
import { startNginx } from '../support/nginx.ts';
import { errorOf, factsOf, probeContext, type SeenFacts } from '../support/probe.ts';
import { findTestRuntime } from '../support/runtime.ts';
import { startStatusAuthority, type StatusAuthority } from '../support/status-authority.ts';
import { createThrowawayCa, type IssuedFiles, type ThrowawayCa } from '../support/throwaway-ca.ts';
import { bundleProbes } from '../support/two-runtimes.ts';

const NAME = 'emr.hospital.test';
const DAY = 86_400_000;
const days = (count: number): Date => new Date(Date.now() + count * DAY);

describe.skipIf(!needs('openssl', 'nginx'))('certificate.status', () => {
  let ca: ThrowawayCa;
  let authority: StatusAuthority;
  let responder: IssuedFiles;
  let other: IssuedFiles;
  const leaves: Record<string, IssuedFiles> = {};
  const servers: Record<string, Awaited<ReturnType<typeof startNginx>>> = {};

  const site = () => ({
    hosts: { [NAME]: '127.0.0.1', 'pki.hospital.test': '127.0.0.1' },
    anchors: [{ id: 'root', pem: ca.root }],
  });
  const params = (server: string) => ({ endpoint: { host: NAME, port: servers[server]?.port ?? 0 } });
  const look = (server: string, more: Record<string, unknown> = {}): Promise<SeenFacts> =>
    factsOf(certificateStatusProbe, { ...params(server), ...more }, probeContext({ site: site() }));
  const serial = (name: string): string => leaves[name]?.serialNumber ?? '';
  const crl = (revoked: readonly string[], more: Partial<Parameters<ThrowawayCa['ca']['crl']>[0]> = {}) =>
    ca.ca.crl({ revoked: revoked.map((serialNumber) => ({ serialNumber, at: days(-2) })), ...more });

  beforeAll(async () => {
    ca = await createThrowawayCa();
    responder = await ca.issue('responder', { commonName: 'OCSP', usage: 'ocsp-signing' });
    other = await ca.issue('other', { commonName: 'Server', usage: 'server' });
    authority = await startStatusAuthority(ca, responder);
    const kinds: Record<string, { crl?: string; ocsp?: string }> = {
      crl: { crl: authority.crlUrl },
      ocsp: { ocsp: authority.ocspUrl },
      both: { crl: authority.crlUrl, ocsp: authority.ocspUrl },
      none: {},
      ldap: { crl: 'ldap://pki.hospital.test/CN=x' },
      stapled: {},
    };
    for (const [name, status] of Object.entries(kinds))
      leaves[name] = await ca.issue(name, {
        commonName: NAME,
        sans: [NAME],
        usage: 'server',
        status,
        ...(name === 'none' ? { intermediate: true } : {}),
      });
    await authority.setEntries(Object.values(leaves));
    const staple = join(ca.folder, 'staple.der');
    const [leaf] = read(leaves.stapled?.certificatePem);
    const [issuer] = read(ca.root);
    if (leaf === undefined || issuer === undefined) throw new Error('no certificate');
    await writeFile(staple, await authority.answer(ocspRequest(leaf, issuer)));
    for (const [name, leafFiles] of Object.entries(leaves))
      servers[name] = await startNginx({
        certificate: leafFiles.certificate,
        key: leafFiles.key,
        directives: name === 'stapled' ? ['ssl_stapling on;', `ssl_stapling_file ${staple};`] : [],
      });
  });
  afterAll(async () => {
    for (const server of Object.values(servers)) await server.stop();
    await authority.stop();
    await ca.remove();
  });
  beforeEach(async () => {
    authority.answerAs(responder, '-nmin', '90');
    await authority.setEntries(Object.values(leaves));
    authority.serveCrl(await crl([]));
    authority.requests();
  });

  it('says good by a CRL over HTTP, and until when', async () => {
    const nextUpdate = new Date(Math.floor(days(3).getTime() / 1000) * 1000);
    authority.serveCrl(await crl([serial('both')], { nextUpdate }));
    const { facts } = await look('crl');
    expect(facts).toMatchObject({
      status: 'good',
      everySourceUsable: true,
      stapled: false,
      trueUntil: nextUpdate.toISOString(),
      hoursLeft: 71,
      certificates: [{ status: 'good', sources: [{ kind: 'crl', from: authority.crlUrl, usable: true }] }],
    });
    expect(authority.requests()).toEqual(['GET /crl']);
    // A DER list is the rule over HTTP.
    const pem = await crl([]);
    authority.serveCrl(Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64'));
    expect((await look('crl')).facts.status).toBe('good');
  });

  it('says revoked by a CRL, with time and reason, and gives no end', async () => {
    authority.serveCrl(await crl([serial('crl')]));
    const { facts, absent } = await look('crl');
    expect(facts.status).toBe('revoked');
    expect(facts.reason).toMatch(/Revoked at 20\d\d-.*: key compromise/);
    expect(absent.map(({ path }) => path)).toEqual(expect.arrayContaining(['trueUntil', 'hoursLeft']));
  });

  it.each([
    ['that is out of date', () => crl([], { thisUpdate: days(-9), nextUpdate: days(-2) }), /out of date/],
    ['of the future', () => crl([], { thisUpdate: days(1), nextUpdate: days(2) }), /future/],
    ['of another authority', () => crl([], { role: 'publisher' }), /not issued by/],
    ['that was altered', async () => altered(await crl([])), /not signed by/],
    ['without end', () => Promise.resolve(Buffer.alloc(17 * 1024 * 1024, 0x30)), /larger than/],
    ['that is none', () => Promise.resolve('<html>Not found</html>'), /cannot be read as a CRL/],
  ])('believes no CRL %s', async (_, list, reason) => {
    authority.serveCrl(await list());
    const { facts, absent } = await look('crl');
    expect(facts.status).toBeUndefined();
    expect(facts.everySourceUsable).toBe(false);
    expect(facts.certificates[0].sources[0].reason).toMatch(reason);
    expect(absent.find(({ path }) => path === 'status')?.reason).toMatch(reason);
  });

  it('takes a CRL from a file, and says of LDAP that it was not fetched', async () => {
    const file = join(ca.folder, 'given.crl');
    await writeFile(file, await crl([]));
    expect((await look('stapled', { crl: file })).facts.certificates[0].sources).toMatchObject([
      { kind: 'stapled' },
      { kind: 'crl', from: 'the file given', status: 'good' },
    ]);
    const { facts } = await look('ldap', { crl: file });
    expect(facts).toMatchObject({ status: 'good', everySourceUsable: false });
    expect(facts.certificates[0].sources[1].reason).toMatch(/over HTTP only/);
    await writeFile(file, await crl([serial('ldap')]));
    expect((await look('ldap', { crl: file })).facts.status).toBe('revoked');
    const missing = { ...params('ldap'), crl: join(ca.folder, 'no-such.crl') };
    expect(await errorOf(certificateStatusProbe, missing, probeContext({ site: site() }))).toBe('input.not-found');
  });

  it("asks openssl's responder: good, revoked, unknown", async () => {
    const good = await look('ocsp');
    expect(good.facts).toMatchObject({ status: 'good', everySourceUsable: true });
    expect(good.facts.hoursLeft).toBe(1);
    expect(authority.requests()).toEqual(['POST /ocsp']);
    await authority.setEntries([{ serialNumber: serial('ocsp'), revoked: true }]);
    const { facts } = await look('ocsp');
    expect(facts.status).toBe('revoked');
    expect(facts.reason).toMatch(/Revoked at 2026-01-01T00:00:00.000Z: key compromise/);
    await authority.setEntries([]);
    expect((await look('ocsp')).facts.status).toBe('unknown');
  });

  it('believes no responder whose certificate is not for OCSP, and none of another authority', async () => {
    authority.answerAs(other, '-nmin', '90');
    const wrong = await look('ocsp');
    expect(wrong.facts.status).toBeUndefined();
    expect(wrong.facts.reason).toMatch(/not for OCSP/);
    const expired = { notBefore: days(-9), notAfter: days(-1) };
    authority.answerAs(
      await ca.issue('late', { commonName: 'Late', usage: 'ocsp-signing', ...expired }),
      '-nmin',
      '60',
    );
    expect((await look('ocsp')).facts.reason).toMatch(/not in date/);
    const foreign = await ca.issue('foreign', { commonName: 'Foreign', usage: 'ocsp-signing', role: 'publisher' });
    authority.answerAs(foreign, '-nmin', '90');
    expect((await look('ocsp')).facts.reason).toMatch(/not from the issuer/);
  });

  it('gives no end where the responder names none', async () => {
    authority.answerAs(responder);
    const { facts, absent } = await look('ocsp');
    expect(facts.status).toBe('good');
    expect(facts.trueUntil).toBeUndefined();
    expect(absent.find(({ path }) => path === 'trueUntil')?.reason).toMatch(/does not say how long/);
  });

  it('lets revoked win where two sources differ, and good stand beside one that is out of date', async () => {
    await authority.setEntries([{ serialNumber: serial('both'), revoked: true }]);
    expect((await look('both')).facts.status).toBe('revoked');
    await authority.setEntries(Object.values(leaves));
    authority.serveCrl(await crl([], { thisUpdate: days(-9), nextUpdate: days(-2) }));
    expect((await look('both')).facts).toMatchObject({ status: 'good', everySourceUsable: false });
  });

  it('is undecided where nothing is named or nobody answers', async () => {
    const none = await look('none');
    expect(none.facts.status).toBeUndefined();
    expect(none.facts.certificates).toHaveLength(2);
    expect(none.absent.find(({ path }) => path === 'status')?.reason).toMatch(/neither a CRL nor an OCSP responder/);
    authority.serveCrl('');
    expect((await look('crl')).facts.status).toBeUndefined();
  });

  it('follows no address in a certificate that no anchor vouches for', async () => {
    const stranger = { ...site(), anchors: [{ id: 'root', pem: ca.ca.roots.publisher }] };
    expect(await errorOf(certificateStatusProbe, params('both'), probeContext({ site: stranger }))).toBe('tls.chain');
    expect(authority.requests()).toEqual([]);
  });

  it('reads what openssl stapled, the same under BoringSSL', async (context) => {
    const { facts } = await look('stapled');
    expect(facts).toMatchObject({
      status: 'good',
      stapled: true,
      certificates: [{ sources: [{ kind: 'stapled', usable: true }] }],
    });
    const electron = await findTestRuntime();
    if (typeof electron === 'string') return context.skip();
    const jobs = await bundleProbes();
    try {
      for (const server of ['stapled', 'both']) {
        const job = { probe: 'certificate.status', params: params(server), site: site() };
        const [node, shell] = await Promise.all(
          [process.execPath, electron.executable].map((one) => jobs.run(one, job)),
        );
        expect(shell?.runtime.electron).toBeDefined();
        const seen = [node, shell].map((one) => withoutTimes(one?.result.value?.facts));
        expect(seen[0]).toMatchObject({ status: 'good' });
        expect(seen[1]).toEqual(seen[0]);
      }
    } finally {
      await jobs.remove();
    }
  });
});

/** Each run gets an OCSP answer of its own, made in its own second. */
function withoutTimes(facts: unknown): unknown {
  return JSON.parse(JSON.stringify(facts ?? null).replace(/"\d{4}-\d\d-\d\dT[^"]*"/g, '"time"'));
}

function read(pem: string | undefined) {
  const certificates = readCertificatesPem(pem ?? '');
  return certificates.ok ? certificates.value : [];
}

/** One byte of the signature flipped. */
function altered(pem: string): Buffer {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
  return der;
}
