import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WebCrypto } from '../core/bundle/host.ts';
import { makeSiteKey, SITE_KEY_BYTES } from '../core/people/site-key.ts';
import { PRACTICE_WRITER } from '../core/practice.ts';
import { encryptPrivateKey } from '../engine/keys/csr.ts';
import type { PracticeRole } from '../engine/keys/practice-ca.ts';
import { openAuthority } from './authority.ts';
import {
  createLabCertificates,
  EMR_NAME,
  goodCertificate,
  type LabCertificates,
  SERVER_TRIALS,
  TRIALS,
} from './certificates.ts';
import { startDevice } from './device.ts';
import { FACTORY_PASSWORD } from './device-state.ts';
import type { DeviceSettings } from './device-settings.ts';
import { startEmr } from './emr.ts';
import { forgetInstalled } from './fault.ts';
import { FAULTS } from './faults.ts';
import { hardenedPolicy } from './ldap-policy.ts';
import { startLdapServer } from './ldap-server.ts';
import type { LabParts } from './parts.ts';
import { type Revocation, startRevocation } from './revocation.ts';
import { DC_NAMES, SITE_FILES, type SitePorts, siteText } from './site.ts';
import { createHospitalDirectory } from './tree.ts';

const HOUR = 3_600_000;

export type FaultState = {
  readonly id: string;
  readonly title: string;
  readonly control: string;
  readonly probe: string;
  readonly verdict: 'fail' | 'error';
  readonly shipped: boolean;
  readonly on: boolean;
};

/** A running practice hospital. Everything in it is worthless outside. */
export type Lab = {
  readonly dir: string;
  /** Path of the site file; anchors and trial identities lie beside it. */
  readonly siteFile: string;
  /** Passwords by the names that the site gives them; in memory only. */
  readonly secrets: Readonly<Record<string, string>>;
  /** The site key, as text; its id stands in the site file. */
  readonly siteKey: string;
  /** For changes of the directory. */
  readonly writeCredential: { readonly user: string; readonly password: string };
  /** PEM files with certificate and locked key, opened by `passphrase`. */
  readonly identities: Readonly<Record<PracticeRole, string>>;
  readonly passphrase: string;
  /** Root certificate files (PEM) by role. */
  readonly trust: Readonly<Record<PracticeRole, string>>;
  readonly ports: SitePorts;
  /** Every fault and whether it holds now, derived from the state. */
  readonly faults: () => FaultState[];
  /** Brings a fault back or mends it. Throws on an unknown id. */
  readonly setFault: (id: string, on: boolean) => Promise<void>;
  /** Mends the faults named, or all. */
  readonly harden: (ids?: readonly string[]) => Promise<void>;
  /** Back to 'as shipped'. */
  readonly reset: () => Promise<void>;
  /** The gateway's settings as they are now. */
  readonly settings: () => DeviceSettings;
  /** HL7 messages that the EMR received. */
  readonly received: () => { readonly secure: number; readonly clear: number };
  readonly parts: LabParts;
  readonly stop: () => Promise<void>;
};

const PEOPLE_NAMES: Readonly<Record<PracticeRole, string>> = {
  engineer: 'Erin Engineer',
  hospital: 'Hadley Hospital',
  publisher: 'PRACTICE Guide Publisher',
};

/**
 * Starts the practice hospital on free ports of 127.0.0.1 and writes its site file and practice keys (mode 0600) into
 * `dir`. `shipped: false` starts it hardened; `inputs` stand in the site file. Throws where `dir` cannot be written or no port can be had.
 */
export async function startLab(options: {
  dir: string;
  now?: () => Date;
  shipped?: boolean;
  inputs?: Readonly<Record<string, unknown>>;
}): Promise<Lab> {
  const { dir } = options;
  const now = options.now ?? (() => new Date());
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const secrets = {
    'directory-bind': newPassword(),
    'device-admin': newPassword(),
    'device-default': FACTORY_PASSWORD,
    canary: newPassword(),
    'canary-leaver': newPassword(),
  };
  const passphrase = newPassword();
  const siteKey = await makeSiteKey(webcrypto.getRandomValues(new Uint8Array(SITE_KEY_BYTES)), webcrypto as WebCrypto);
  const revocation = await startRevocation(now);
  const certificates = await createLabCertificates(now(), revocation.addresses);
  const parts = await startParts({ now, certificates, revocation, secrets });
  const { dc1, dc2 } = parts.controllers;
  const { device, emr } = parts;
  const ports: SitePorts = {
    dc1: { ldap: dc1.ldap.port, ldaps: dc1.ldaps.port },
    dc2: { ldap: dc2.ldap.port, ldaps: dc2.ldaps.port },
    emr: { secure: emr.secure.port, clear: emr.clear.port },
    device: {
      admin: device.admin.port,
      adminClear: device.adminClear.port,
      telnet: device.telnet.port,
      debug: device.debug.port,
    },
    authority: { crl: revocation.crl.port, ocsp: revocation.ocsp.port },
  };
  const setFault = async (id: string, on: boolean): Promise<void> => {
    const fault = FAULTS.find((candidate) => candidate.id === id);
    if (fault === undefined) throw new Error(`the practice hospital has no fault ${id}`);
    await (on ? fault.on(parts) : fault.off(parts));
  };
  const setAll = async (wanted: (fault: (typeof FAULTS)[number]) => boolean | undefined): Promise<void> => {
    for (const fault of FAULTS) {
      const on = wanted(fault);
      if (on !== undefined && on !== fault.active(parts)) await (on ? fault.on(parts) : fault.off(parts));
    }
  };
  const reset = () => {
    forgetInstalled(parts);
    return setAll((fault) => fault.shipped);
  };
  if (options.shipped !== false) await reset();
  const files = await writeFiles(dir, certificates, siteText(ports, siteKey.key.id, options.inputs ?? {}), passphrase);
  const closeAuthority = await openAuthority(dir, certificates, replaceFile);
  return {
    dir,
    siteFile: join(dir, SITE_FILES.site),
    secrets,
    siteKey: siteKey.text,
    writeCredential: PRACTICE_WRITER,
    ...files,
    passphrase,
    ports,
    faults: () =>
      FAULTS.map((fault) => ({
        id: fault.id,
        title: fault.title,
        control: fault.control,
        probe: fault.probe,
        verdict: fault.verdict,
        shipped: fault.shipped,
        on: fault.active(parts),
      })),
    setFault,
    harden: async (ids) => {
      for (const id of ids ?? [])
        if (!FAULTS.some((fault) => fault.id === id)) throw new Error(`the practice hospital has no fault ${id}`);
      await setAll((fault) => (ids === undefined || ids.includes(fault.id) ? false : undefined));
    },
    reset,
    settings: () => structuredClone(device.state.settings),
    received: emr.received,
    parts,
    stop: async () => {
      await closeAuthority();
      const doors = [emr.secure, emr.clear, device.admin, device.adminClear, device.telnet, device.debug];
      doors.push(revocation.crl, revocation.ocsp);
      await Promise.all([dc1.setOpen(false), dc2.setOpen(false), ...doors.map((door) => door.setOpen(false))]);
    },
  };
}

async function startParts(options: {
  now: () => Date;
  certificates: LabCertificates;
  revocation: Revocation;
  secrets: Readonly<Record<'directory-bind' | 'device-admin' | 'canary' | 'canary-leaver', string>>;
}): Promise<LabParts> {
  const { certificates, now, revocation, secrets } = options;
  const directory = createHospitalDirectory({
    now,
    bindPassword: secrets['directory-bind'],
    writePassword: PRACTICE_WRITER.password,
    canaryPassword: secrets.canary,
    leaverPassword: secrets['canary-leaver'],
  });
  const dcFace = { certificate: goodCertificate(), oldVersions: false };
  const dcNames = [DC_NAMES.dc1, DC_NAMES.dc2, '127.0.0.1'];
  let dcKeys = await certificates.server(dcNames, dcFace.certificate);
  const face = () => ({ ...dcKeys, oldVersions: dcFace.oldVersions });
  const policies = { dc1: hardenedPolicy(), dc2: hardenedPolicy() };
  const dc1 = await startLdapServer({ directory, policy: policies.dc1, face, hostName: DC_NAMES.dc1 });
  const dc2 = await startLdapServer({ directory, policy: policies.dc2, face, hostName: DC_NAMES.dc2 });
  const emr = await startEmr(certificates, now);
  revocation.open(certificates, async () => {
    if (!revocation.state.emrRevoked) return [];
    const { serialNumber } = await certificates.server([EMR_NAME], emr.state.certificate);
    return [{ serialNumber, at: new Date(now().getTime() - HOUR) }];
  });
  const changedPassword = newPassword();
  const device = await startDevice({
    certificates,
    now,
    ports: { ldaps: dc1.ldaps.port, emr: emr.secure.port },
    users: new Map([
      ['admin', changedPassword],
      ['lockstep', secrets['device-admin']],
    ]),
  });
  return {
    directory,
    controllers: { dc1, dc2 },
    policies,
    dcFace,
    emr,
    device,
    certificates,
    revocation,
    changedPassword,
    refresh: async () => {
      dcKeys = await certificates.server(dcNames, dcFace.certificate);
      await emr.refresh();
      await device.refresh();
    },
  };
}

async function writeFiles(
  dir: string,
  certificates: LabCertificates,
  site: string,
  passphrase: string,
): Promise<{ identities: Record<PracticeRole, string>; trust: Record<PracticeRole, string> }> {
  const { people } = certificates;
  const identities = {} as Record<PracticeRole, string>;
  const trust = {} as Record<PracticeRole, string>;
  for (const role of ['engineer', 'hospital', 'publisher'] as const) {
    const issued = await people.issue({
      role,
      commonName: PEOPLE_NAMES[role],
      sans: [`${role}@practice.example`],
      usage: 'sign',
    });
    const pkcs8 = createPrivateKey(issued.keyPem).export({ format: 'der', type: 'pkcs8' });
    identities[role] = join(dir, `${role}.pem`);
    trust[role] = join(dir, `${role}-root.pem`);
    await replaceFile(identities[role], `${issued.chainPem}${await encryptPrivateKey(pkcs8, passphrase)}`, 0o600);
    await replaceFile(trust[role], people.roots[role]);
  }
  for (const kind of [...TRIALS, ...SERVER_TRIALS]) {
    await replaceFile(join(dir, `trial-${kind}.pem`), certificates.trials[kind].certificatePem);
    await replaceFile(join(dir, `trial-${kind}.key`), certificates.trials[kind].keyPem, 0o600);
  }
  await replaceFile(join(dir, SITE_FILES.anchor), certificates.hospitalRoot);
  await replaceFile(join(dir, SITE_FILES.site), site);
  return { identities, trust };
}

/** Whole or not at all: a reader never sees half a file, and an old file's mode does not stay. */
async function replaceFile(path: string, text: string, mode = 0o644): Promise<void> {
  const fresh = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  await writeFile(fresh, text, { mode, flag: 'wx' });
  await chmod(fresh, mode);
  await rename(fresh, path);
}

function newPassword(): string {
  return randomBytes(15).toString('base64url');
}
