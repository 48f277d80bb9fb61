import 'reflect-metadata';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as x509 from '@peculiar/x509';
import { metaName } from '../../core/bundle/layout.ts';
import { addTimestamp, timestampQuery } from '../../engine/evidence/timestamp.ts';
import { type Identity, loadIdentity } from '../../engine/keys/identity.ts';
import { readRecords } from '../../engine/keys/recorded-status.ts';
import { verifyBundle } from '../../engine/session/bundles.ts';
import { lockstep } from '../support/cli.ts';
import { needs } from '../support/debian.ts';
import { makeParties, type Parties, trustOf, value, writeRoots } from '../support/evidence.ts';
import { decidable, walkMini } from '../support/mini-walk.ts';
import { readParts, removeTampered, writeParts } from '../support/tamper.ts';
import { createTimeAuthority } from '../support/time-authority.ts';

const HOUR = 3_600_000;

describe.skipIf(!needs('openssl', 'unzip'))('revocation as a signature records it', () => {
  let dir: string;
  let parties: Parties;
  let port: number;
  let count = 0;
  // Stock OpenSSL answers at the clock's time, so everything lives around it.
  const start = new Date(Date.now() - HOUR);
  const server = createServer((request, response) => {
    const body = request.url === '/version' ? { version: '1.2.0' } : { secure: true };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-revocation-'));
    parties = await makeParties(new Date(start.getTime() - HOUR));
    await writeRoots(dir, parties);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    await removeTampered();
    await rm(dir, { recursive: true, force: true });
  });

  const serial = (identity: Identity) => new x509.X509Certificate(identity.certificatePem).serialNumber;
  const put = async (content: string | Uint8Array) => {
    const file = join(dir, `record-${(count += 1)}`);
    await writeFile(file, content);
    return file;
  };
  type List = Parameters<Parties['ca']['crl']>[0];
  const crl = async (list: Partial<List> = {}) =>
    value(await readRecords([await put(await parties.ca.crl({ thisUpdate: start, revoked: [], ...list }))]));
  const sealed = async (engineer: Identity, hospital: Identity) =>
    walkMini(await mkdtemp(join(dir, 'walk-')), port, { ...parties, engineer, hospital }, decidable, [], start);
  const found = async (file: string, extra: { timestamp?: string[] } = {}) => {
    const view = value(await verifyBundle(file, { ...trustOf(parties), ...extra }, new Date()));
    const about = view.findings.filter(({ code }) => code.startsWith('revocation.'));
    return {
      sound: view.sound,
      codes: about.map(({ code }) => code),
      text: about.map(({ sentence }) => sentence).join('\n'),
    };
  };
  const hospitalWith = async (list: Partial<List>): Promise<Identity> => ({
    ...parties.hospital,
    recorded: await crl({ role: 'hospital', ...list }),
  });

  it('is judged when it says good, and its absence is said, of the other', async () => {
    const file = await sealed(parties.engineer, await hospitalWith({}));
    const { sound, codes, text } = await found(file);
    expect([sound, codes]).toEqual([true, ['revocation.good', 'revocation.none']]);
    expect(text).toContain('recorded for Erika Engineer; whether');
    const opened = join(dir, 'opened');
    execFileSync('unzip', ['-q', file, '-d', opened]);
    const [signature, manifest] = [metaName('signature', 2), metaName('manifest', 2)];
    const how = ['cms', '-verify', '-binary', '-cades', '-inform', 'DER', '-in', signature, '-content', manifest];
    const checked = [...how, '-CAfile', join(dir, 'hospital-root.pem'), '-crl_check', '-out', '/dev/null'];
    // Stock OpenSSL takes the CRL out of the signature: without it, it does not verify.
    expect(spawnSync('openssl', checked, { cwd: opened, encoding: 'utf8' }).stderr).toContain('successful');
    const other = checked.map((part) => part.replace('002', '001').replace('hospital-root', 'engineer-root'));
    expect(spawnSync('openssl', other, { cwd: opened, encoding: 'utf8' }).stderr).toContain(
      'unable to get certificate CRL',
    );
  });

  it('is taken from beside the key, where a PEM file holds it', async () => {
    const leaf = await parties.ca.issue({ role: 'hospital', usage: 'sign', commonName: 'Ina Clinic' });
    const list = await parties.ca.crl({ role: 'hospital', revoked: [], thisUpdate: start });
    const pem = await put(leaf.keyPem + leaf.chainPem + list);
    const identity = value(await loadIdentity(pem, undefined));
    expect((await found(await sealed(parties.engineer, identity))).codes[0]).toBe('revocation.good');
    const damaged = await put(leaf.keyPem + leaf.chainPem + list.replace(/[A-Za-z]{9}/, ''));
    expect(await loadIdentity(damaged, undefined)).toMatchObject({ ok: false, error: { code: 'identity.invalid' } });
  });

  it('finds a certificate that was revoked before it signed', async () => {
    const at = new Date(start.getTime() - 1000);
    const file = await sealed(
      parties.engineer,
      await hospitalWith({ revoked: [{ serialNumber: serial(parties.hospital), at }] }),
    );
    const { sound, codes, text } = await found(file);
    expect([sound, codes[0]]).toEqual([false, 'revocation.revoked']);
    expect(text).toContain('That is before it signed');
  });

  it('believes that it was revoked later only where a time-stamp proves it', async () => {
    const at = new Date(Date.now() + HOUR);
    const revoked = [{ serialNumber: serial(parties.hospital), at }];
    const file = await sealed(parties.engineer, await hospitalWith({ revoked }));
    expect(await found(file)).toMatchObject({ sound: false, codes: ['revocation.revoked', 'revocation.none'] });
    const authority = await createTimeAuthority();
    const query = value(await timestampQuery(file, new Date()));
    value(await addTimestamp({ bundle: file, response: await authority.reply(query), query, now: new Date() }));
    expect(await found(file, { timestamp: [authority.root] })).toMatchObject({
      sound: true,
      codes: ['revocation.later', 'revocation.none'],
    });
    expect((await found(file)).sound).toBe(false);
    await authority.remove();
  });

  it('looks at every certificate below the root, intermediates too', async () => {
    const leaf = await crl({ role: 'engineer', intermediate: true });
    const above = new x509.X509Certificate(parties.engineer.chainPem.split(/(?=-----BEGIN)/)[1] ?? '').serialNumber;
    const at = new Date(start.getTime() - 1000);
    const root = await crl({ role: 'engineer', revoked: [{ serialNumber: above, at }] });
    const good = await found(
      await sealed(
        { ...parties.engineer, recorded: [...leaf, ...(await crl({ role: 'engineer' }))] },
        parties.hospital,
      ),
    );
    expect(good).toMatchObject({ sound: true, codes: ['revocation.good', 'revocation.good', 'revocation.none'] });
    const bad = await found(await sealed({ ...parties.engineer, recorded: [...leaf, ...root] }, parties.hospital));
    expect([bad.sound, bad.codes[0]]).toEqual([false, 'revocation.revoked']);
  });

  it('does not use a list that ran out, comes from another authority, or is not signed by it', async () => {
    const day = 24 * HOUR;
    const late = await hospitalWith({
      thisUpdate: new Date(start.getTime() - 2 * day),
      nextUpdate: new Date(start.getTime() - day),
    });
    expect(await found(await sealed(parties.engineer, late))).toMatchObject({
      sound: true,
      codes: ['revocation.unusable', 'revocation.none'],
      text: expect.stringContaining('ran out') as string,
    });
    const other = { ...parties.hospital, recorded: await crl({ role: 'publisher' }) };
    expect((await found(await sealed(parties.engineer, other))).codes).toEqual(['revocation.none']);
    // The same name, another key.
    const forged = await makeParties(new Date(start.getTime() - HOUR));
    const list = await forged.ca.crl({ role: 'hospital', revoked: [], thisUpdate: start });
    const forgery = { ...parties.hospital, recorded: value(await readRecords([await put(list)])) };
    expect(await found(await sealed(parties.engineer, forgery))).toMatchObject({
      codes: ['revocation.unusable', 'revocation.none'],
      text: expect.stringContaining('does not hold') as string,
    });
  });

  it.each([
    ['V', true, 'revocation.good'],
    ['R', false, 'revocation.revoked'],
  ] as const)('reads what stock openssl answers over OCSP: %s', async (state, sound, code) => {
    const folder = await mkdtemp(join(dir, 'ocsp-'));
    const at = (name: string) => join(folder, name);
    const openssl = (...args: string[]) => {
      const run = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
      if (run.status !== 0) throw new Error(run.stderr);
    };
    // A hospital's CA of its own, because the practice CA keeps its key to itself.
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    openssl('req', '-x509', ...curve, '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=Clinic CA', '-days', '30');
    openssl('req', ...curve, '-keyout', 'me.key', '-out', 'me.csr', '-subj', '/CN=Ina Clinic');
    await writeFile(at('ext'), 'keyUsage=critical,digitalSignature\nextendedKeyUsage=emailProtection\n');
    openssl(
      'x509',
      '-req',
      '-in',
      'me.csr',
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-set_serial',
      '0x1234',
      '-days',
      '9',
      '-extfile',
      'ext',
      '-out',
      'me.crt',
    );
    await writeFile(
      at('index'),
      `${state}\t491231000000Z\t${state === 'R' ? '260101000000Z' : ''}\t1234\tunknown\t/CN=Ina Clinic\n`,
    );
    openssl('ocsp', '-issuer', 'ca.crt', '-cert', 'me.crt', '-no_nonce', '-reqout', 'req');
    openssl(
      'ocsp',
      '-index',
      'index',
      '-CA',
      'ca.crt',
      '-rsigner',
      'ca.crt',
      '-rkey',
      'ca.key',
      '-reqin',
      'req',
      '-respout',
      'resp.der',
      '-ndays',
      '1',
    );
    await writeFile(at('me.pem'), (await readFile(at('me.key'), 'utf8')) + (await readFile(at('me.crt'), 'utf8')));
    const whole = await sealed(parties.engineer, parties.hospital);
    const bundle = await writeParts((await readParts(whole)).filter(({ name }) => !name.includes('002')));
    const command = ['bundle', 'countersign', bundle, '--identity', at('me.pem'), '--role', 'IT'];
    expect(await lockstep([...command, '--revocation', at('resp.der')])).toMatchObject({ code: 0 });
    const trust = ['engineer', 'publisher'].map((role) => `${role}=${join(dir, `${role}-root.pem`)}`);
    const told = await lockstep(['verify', bundle, '--trust', ...trust, `hospital=${at('ca.crt')}`]);
    expect([told.code, told.stdout.includes(code)]).toEqual([sound ? 0 : 1, true]);
    const wrong = await lockstep([...command, '--revocation', at('ext')]);
    expect([wrong.code, wrong.stderr.includes('neither a CRL nor an OCSP answer')]).toEqual([2, true]);
  });
});
