import { connect, createServer, type TLSSocket } from 'node:tls';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import 'reflect-metadata';
import { X509Certificate, X509Crl } from '@peculiar/x509';
import { Client, Control } from 'ldapts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkOcsp, ocspRequest } from '../../engine/keys/ocsp.ts';
import { createPracticeCa } from '../../engine/keys/practice-ca.ts';
import { readCertificatesPem } from '../../engine/keys/read-certificate.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { sidToBytes } from '../../lab/ldap-values.ts';
import { HELP_DESK_SID } from '../../lab/directory-names.ts';
import {
  accepts,
  ask,
  askAsHospital,
  daysLeft,
  exchange,
  hospitalRoot,
  refusal,
  trial,
  withLdap,
} from '../support/lab-wire.ts';

let lab: Lab;
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lockstep-lab-'));
  lab = await startLab({ dir, shipped: false });
});
afterAll(async () => {
  await lab.stop();
  rmSync(dir, { recursive: true, force: true });
});

const BASE = 'DC=hospital,DC=example';
const DC = 'dc1.hospital.example';
const EMR = 'emr.hospital.example';
const GATEWAY = 'gateway.hospital.example';
const OLD = { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;

type Settings = Record<string, Record<string, unknown>>;
const settings = async (): Promise<Settings> => (await askAsHospital(lab, 'GET', '/api/settings')).json() as Settings;
const values = async (dn: string, attribute: string): Promise<string[]> =>
  withLdap(lab, async (client) => {
    const { searchEntries } = await client.search(dn, { scope: 'base', attributes: [attribute] });
    return [searchEntries[0]?.[attribute] ?? []].flat().map(String);
  });
const count = async (filter: string): Promise<number> =>
  withLdap(
    lab,
    async (client) => (await client.search(BASE, { filter, attributes: ['cn'], paged: true })).searchEntries.length,
  );
const acknowledged = async (kind?: string): Promise<boolean> =>
  (await exchange(lab, kind === undefined ? {} : trial(lab, kind))).includes('MSA|AA|ID7');

async function rootDse(attribute: string): Promise<string> {
  return (await values('', attribute))[0] ?? '';
}

async function clearBindCode(server: 'dc1' | 'dc2' = 'dc1'): Promise<number> {
  const client = new Client({ url: `ldap://127.0.0.1:${lab.ports[server].ldap}` });
  const error = await client.bind('CN=nobody', 'random').catch((caught: { code?: number }) => caught);
  await client.unbind();
  return (error as { code?: number } | undefined)?.code ?? 0;
}

async function anonymousEntries(): Promise<number> {
  const client = new Client({ url: `ldap://127.0.0.1:${lab.ports.dc1.ldap}` });
  const found = await client.search(BASE, { scope: 'base' }).catch(() => ({ searchEntries: [] }));
  await client.unbind();
  return found.searchEntries.length;
}

/** Lets the device send its test message to a server that proves itself with a certificate of an unknown authority. */
async function impostorBytes(): Promise<number> {
  const ca = await createPracticeCa({ now: new Date() });
  const fake = await ca.issue({ commonName: EMR, sans: [EMR], usage: 'server' });
  let bytes = 0;
  const server = createServer({ cert: fake.chainPem, key: fake.keyPem }, (socket: TLSSocket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      socket.destroy();
    });
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const answer = await askAsHospital(lab, 'POST', '/api/test-message', {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
  });
  await new Promise<void>((resolve) => server.close(() => resolve()));
  expect((answer.json() as { sent: boolean }).sent).toBe(bytes > 0);
  return bytes;
}

/** Asks for the access control list of an object (SD_FLAGS, 4). */
class SdFlags extends Control {
  constructor() {
    super('1.2.840.113556.1.4.801', { critical: true });
  }

  override writeControl(writer: Parameters<Control['write']>[0]): void {
    writer.writeBuffer(Buffer.from('3003020104', 'hex'), 0x04);
  }
}

const CLINICAL = `CN=MDIP-Clinical,OU=Groups,${BASE}`;
const accessList = (dn: string): Promise<Buffer> =>
  withLdap(lab, async (client) => {
    const { searchEntries } = await client.search(
      dn,
      { scope: 'base', attributes: ['nTSecurityDescriptor'], explicitBufferAttributes: ['nTSecurityDescriptor'] },
      new SdFlags(),
    );
    return searchEntries[0]?.['nTSecurityDescriptor'] as Buffer;
  });
const inChain = (extra: string) => `(&(memberOf:1.2.840.113556.1.4.1941:=${CLINICAL})${extra})`;

const publishedList = async (): Promise<X509Crl> => {
  const answer = await fetch(`http://127.0.0.1:${lab.ports.authority.crl}/hospital-root.crl`);
  return new X509Crl(await answer.arrayBuffer());
};
const presented = (port: number, servername: string): Promise<X509Certificate> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername, ca: hospitalRoot(lab) });
    socket.on('secureConnect', () => {
      resolve(new X509Certificate(socket.getPeerCertificate().raw));
      socket.destroy();
    });
    socket.on('error', reject);
  });
const emrCertificate = () => presented(lab.ports.emr.secure, EMR);
const keyAt = async (port: number, name: string) => (await presented(port, name)).publicKey.toString('hex');
/** What a peer makes of the responder's answer about the EMR's certificate. */
const ocspAnswer = async (): Promise<string> => {
  const read = readCertificatesPem(`${(await emrCertificate()).toString('pem')}\n${hospitalRoot(lab)}`);
  const [leaf, issuer] = read.ok ? read.value : [];
  if (leaf === undefined || issuer === undefined) throw new Error('no certificate');
  const request = { method: 'POST', body: new Uint8Array(ocspRequest(leaf, issuer)) };
  const answer = await fetch(`http://127.0.0.1:${lab.ports.authority.ocsp}/ocsp`, request);
  return checkOcsp(new Uint8Array(await answer.arrayBuffer()), leaf, issuer, new Date()).reason;
};

/** How each fault shows to somebody who has nothing but the wire. */
const WITNESSES: Record<string, () => Promise<boolean>> = {
  'dc-clear-bind': async () => (await clearBindCode()) === 49,
  'dc-anonymous-search': async () => (await anonymousEntries()) === 1,
  'dc-cert-expired': async () => (await refusal(lab, lab.ports.dc1.ldaps, DC)) === 'CERT_HAS_EXPIRED',
  'dc-cert-expiring': async () => (await daysLeft(lab, lab.ports.dc1.ldaps, DC)) < 30,
  'dc-cert-untrusted': async () => (await refusal(lab, lab.ports.dc2.ldaps, DC)) === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'dc-old-tls': async () => (await refusal(lab, lab.ports.dc1.ldaps, DC, OLD)) === undefined,
  'dc-cert-wrong-name': async () => (await refusal(lab, lab.ports.dc1.ldaps, DC)) === 'ERR_TLS_CERT_ALTNAME_INVALID',
  'dc-clock-off': async () => {
    const [, year, month, day, hour, minute] =
      /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)/.exec(await rootDse('currentTime')) ?? [];
    return Math.abs(Date.parse(`${year}-${month}-${day}T${hour}:${minute}:00Z`) - Date.now()) > 300_000;
  },
  'dc-functional-level': async () => Number(await rootDse('domainFunctionality')) < 5,
  'dc2-clear-bind': async () => (await clearBindCode('dc2')) === 49 && (await clearBindCode('dc1')) === 8,
  'dc2-down': async () => !(await accepts(lab.ports.dc2.ldaps)) && !(await accepts(lab.ports.dc2.ldap)),
  'dc2-silent': async () =>
    (await accepts(lab.ports.dc2.ldaps)) && (await refusal(lab, lab.ports.dc2.ldaps, DC)) === 'SILENCE',
  'group-missing': async () => (await count('(&(objectCategory=group)(sAMAccountName=MDIP-Biomed))')) === 0,
  'group-broad': async () => (await count(inChain('(cn=Domain Users)'))) === 1,
  'group-disabled-members': async () => (await count(inChain('(userAccountControl:1.2.840.113556.1.4.803:=2)'))) > 0,
  'group-stale-members': async () =>
    (await count(
      inChain(`(lastLogonTimestamp<=${(BigInt(Date.now() - 180 * 86_400_000) + 11_644_473_600_000n) * 10_000n})`),
    )) > 0,
  'group-service-account': async () => (await count(inChain('(servicePrincipalName=*)'))) > 0,
  'group-distribution': async () =>
    Number((await values(`CN=MDIP-Administrators,OU=Groups,${BASE}`, 'groupType'))[0]) > 0,
  'group-circle': async () => (await count(inChain('(cn=MDIP-Clinical)'))) === 1,
  'group-help-desk': async () => {
    const delegate = sidToBytes(HELP_DESK_SID);
    return delegate !== undefined && (await accessList(CLINICAL)).includes(delegate);
  },
  'group-unprotected': async () =>
    !(await accessList(`CN=MDIP-Administrators,OU=Groups,${BASE}`)).includes(sidToBytes('S-1-1-0') ?? ''),
  'group-unmanaged': async () => (await count('(&(sAMAccountName=MDIP-Clinical)(managedBy=*))')) === 0,
  'role-nested-since': async () =>
    (await count(`(&(sAMAccountName=Ward-Staff)(memberOf=CN=MDIP-Biomed,OU=Groups,${BASE}))`)) === 1,
  'role-two-hats': async () => (await count(inChain(`(memberOf=CN=MDIP-Administrators,OU=Groups,${BASE})`))) > 0,
  'leaver-signs-in': async () => (await count('(&(cn=Quin Distel)(userAccountControl=512))')) === 1,
  'groups-shared': async () =>
    new Set(Object.values((await settings())['directory']?.['roleGroups'] as Record<string, string>)).size === 2,
  'bind-account-privileged': async () =>
    (await count(
      '(&(sAMAccountName=svc-lockstep)(adminCount=1)(memberOf:1.2.840.113556.1.4.1941:=CN=Administrators,CN=Builtin,DC=hospital,DC=example))',
    )) === 1,
  'bind-account-service-name': async () =>
    (await count('(&(sAMAccountName=svc-lockstep)(servicePrincipalName=*))')) === 1,
  'password-no-lockout': async () => (await values(BASE, 'lockoutThreshold'))[0] === '0',
  'password-short': async () => Number((await values(BASE, 'minPwdLength'))[0]) < 8,
  'device-default-password': async () =>
    (await ask(lab, 'GET', '/api/certificates/emr', { user: 'admin', password: lab.secrets['device-default'] ?? '' }))
      .status === 200,
  'device-no-auto-logoff': async () => (await settings())['session']?.['inactivityMinutes'] === 0,
  'device-credential-cache': async () => (await settings())['directory']?.['credentialCacheDays'] === -1,
  'device-directory-clear': async () => String((await settings())['directory']?.['url']).startsWith('ldap://'),
  'emr-cert-wrong-name': async () => (await refusal(lab, lab.ports.emr.secure, EMR)) === 'ERR_TLS_CERT_ALTNAME_INVALID',
  'emr-cert-untrusted': async () =>
    (await refusal(lab, lab.ports.emr.secure, EMR)) === 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'emr-cert-self-signed': async () => (await refusal(lab, lab.ports.emr.secure, EMR)) === 'DEPTH_ZERO_SELF_SIGNED_CERT',
  'emr-cert-expired': async () => (await refusal(lab, lab.ports.emr.secure, EMR)) === 'CERT_HAS_EXPIRED',
  'emr-cert-expiring': async () => (await daysLeft(lab, lab.ports.emr.secure, EMR)) < 30,
  'device-cert-expiring': async () => (await daysLeft(lab, lab.ports.device.admin, GATEWAY)) < 30,
  'device-cert-self-signed': async () =>
    (await refusal(lab, lab.ports.device.admin, GATEWAY)) === 'DEPTH_ZERO_SELF_SIGNED_CERT',
  'device-key-shared': async () =>
    (await keyAt(lab.ports.device.admin, GATEWAY)) === (await keyAt(lab.ports.emr.secure, EMR)),
  'device-stale-anchor': async () => {
    const { pem } = (await askAsHospital(lab, 'GET', '/api/certificates/emr')).json() as { pem: string };
    const sent = (
      await askAsHospital(lab, 'POST', '/api/test-message', { host: EMR, port: lab.ports.emr.secure })
    ).json() as { sent: boolean };
    expect(sent.sent).toBe(pem.trim() === hospitalRoot(lab).trim());
    return pem.trim() !== hospitalRoot(lab).trim();
  },
  'emr-old-tls': async () =>
    (await refusal(lab, lab.ports.emr.secure, EMR, { ...OLD, ...trial(lab, 'good') })) === undefined,
  'emr-client-cert-not-asked': () => acknowledged(),
  'emr-client-cert-any-ca': async () => {
    const stranger = await (await createPracticeCa({ now: new Date() })).issue({
      commonName: GATEWAY,
      sans: [GATEWAY],
      usage: 'client',
    });
    return (await exchange(lab, { cert: stranger.chainPem, key: stranger.keyPem })).includes('MSA|AA');
  },
  'emr-client-cert-expired-ok': () => acknowledged('expired'),
  'emr-client-cert-revoked-ok': () => acknowledged('revoked'),
  'emr-client-subject-any': () => acknowledged('wrong-subject'),
  'device-verify-off': async () => (await impostorBytes()) > 0,
  'emr-silent': async () => (await refusal(lab, lab.ports.emr.secure, EMR)) === 'SILENCE',
  'emr-clear-twin': async () => (await exchange(lab, {}, true)).includes('MSA|AA|ID7'),
  'device-debug-port': () => accepts(lab.ports.device.debug),
  'device-telnet': () => accepts(lab.ports.device.telnet),
  'device-http-clear': async () => (await ask(lab, 'GET', '/api/version', { clear: true })).status === 200,
  'device-api-open': async () => (await ask(lab, 'GET', '/api/settings')).status === 200,
  'device-no-security-headers': async () =>
    (await ask(lab, 'GET', '/')).headers['strict-transport-security'] === undefined,
  'audit-not-forwarded': async () => (await settings())['audit']?.['syslogHost'] === '',
  'emr-cert-revoked': async () => (await publishedList()).findRevoked((await emrCertificate()).serialNumber) !== null,
  'crl-stale': async () => Number((await publishedList()).nextUpdate) < Date.now(),
  'crl-unreachable': async () => !(await accepts(lab.ports.authority.crl)),
  'ocsp-stranger': async () => (await ocspAnswer()).includes('not from the issuer'),
  'time-manual': async () => (await settings())['time']?.['source'] === 'manual',
};

describe('faults of the practice hospital', () => {
  it('has a witness for each', () => {
    expect(Object.keys(WITNESSES).sort()).toEqual(
      lab
        .faults()
        .map((fault) => fault.id)
        .sort(),
    );
  });

  it('starts hardened when asked to, and the device reaches its EMR', async () => {
    expect(lab.faults().filter((fault) => fault.on)).toEqual([]);
    const answer = await askAsHospital(lab, 'POST', '/api/test-message', { host: EMR, port: lab.ports.emr.secure });
    expect(answer.json()).toEqual({ sent: true, ack: 'AA' });
    expect(await acknowledged('good')).toBe(true);
    expect(await refusal(lab, lab.ports.emr.secure, EMR, { ...OLD, ...trial(lab, 'good') })).toBeDefined();
  });

  it.each(Object.keys(WITNESSES))('%s shows on the wire, and no longer once mended', async (id) => {
    const witness = WITNESSES[id] as () => Promise<boolean>;
    expect(await witness(), 'before').toBe(false);
    await lab.setFault(id, true);
    expect(
      lab
        .faults()
        .filter((fault) => fault.on)
        .map((fault) => fault.id),
    ).toEqual([id]);
    expect(await witness(), 'with the fault').toBe(true);
    await lab.setFault(id, false);
    expect(await witness(), 'mended').toBe(false);
  });

  it('comes back to as shipped, with fails and an error, and hardens again', async () => {
    await lab.reset();
    const faults = lab.faults();
    expect(faults.filter((fault) => fault.on).map((fault) => fault.id)).toEqual(
      faults.filter((fault) => fault.shipped).map((fault) => fault.id),
    );
    expect(new Set(faults.filter((fault) => fault.on).map((fault) => fault.verdict))).toEqual(
      new Set(['fail', 'error']),
    );
    await lab.harden(['dc-clear-bind']);
    expect(await clearBindCode()).toBe(8);
    expect(await anonymousEntries()).toBe(1);
    await lab.harden();
    expect(lab.faults().filter((fault) => fault.on)).toEqual([]);
  });

  it('names an unknown fault', async () => {
    await expect(lab.setFault('none-such', true)).rejects.toThrow('none-such');
  });
});
