import { createPracticeCa, type PracticeCa } from '../engine/keys/practice-ca.ts';
import type { OcspIssuer } from './ocsp.ts';
import type { StatusAddresses } from './revocation.ts';

/** What is right or wrong about a server's certificate; each property is wrong by itself. */
export type CertificateSpec = {
  issuer: 'hospital' | 'unknown' | 'self';
  name: 'right' | 'wrong';
  validity: 'good' | 'expiring' | 'expired';
  /** shared: one key pair and certificate for the EMR and the gateway. */
  key: 'own' | 'shared';
};

/** A serial number (hex), and since when it is revoked. */
export type Revoked = { readonly serialNumber: string; readonly at: Date };

export type KeyAndCertificate = { readonly certificatePem: string; readonly keyPem: string };

export type IssuedServer = KeyAndCertificate & { readonly serialNumber: string };

/** Which identities the hospital made for trials of the EMR. */
export const TRIALS = ['good', 'expired', 'revoked', 'wrong-subject'] as const;
export type Trial = (typeof TRIALS)[number];
/** Which it made for trials of the device, to which Lockstep plays the EMR. */
export const SERVER_TRIALS = ['server-good', 'server-wrong-name', 'server-expired', 'server-revoked'] as const;
export type ServerTrial = (typeof SERVER_TRIALS)[number];

const DAY = 86_400_000;
const EXPIRING_DAYS = 9;
export const DEVICE_NAME = 'gateway.hospital.example';
export const EMR_NAME = 'emr.hospital.example';
export const TRIAL_NAME = 'lockstep-trial.hospital.example';

export type LabCertificates = {
  /** Roots for signatures, one per role. */
  readonly people: PracticeCa;
  /** The root above the hospital's servers and devices: the site's anchor. */
  readonly hospitalRoot: string;
  /** The root that the hospital used before; a device may still hold it. */
  readonly formerRoot: string;
  /** The list that devices and the EMR were given by hand. */
  readonly crlPem: string;
  /** A list (PEM) as it is published; `more` are revoked beside the trial certificates, which the root issued. */
  readonly crl: (
    authority: 'root' | 'issuing',
    list: { readonly more: readonly Revoked[]; readonly thisUpdate: Date; readonly nextUpdate: Date },
  ) => Promise<string>;
  /** Whose certificates the OCSP responder knows; `more` as above. */
  readonly ocspIssuers: (more: readonly Revoked[]) => readonly OcspIssuer[];
  /** Signs OCSP answers under an authority that nobody here knows. */
  readonly strangeResponder: KeyAndCertificate;
  readonly deviceClient: KeyAndCertificate;
  readonly trials: Readonly<Record<Trial | ServerTrial, KeyAndCertificate>>;
  /** A server certificate as the spec wants it; the same one for the same spec. */
  readonly server: (names: readonly string[], spec: CertificateSpec) => Promise<IssuedServer>;
  /** The hospital's answer to a request: a server certificate with these names and its chain; undefined for no request. */
  readonly sign: (requestPem: string, names: readonly string[]) => Promise<string | undefined>;
};

export function goodCertificate(): CertificateSpec {
  return { issuer: 'hospital', name: 'right', validity: 'good', key: 'own' };
}

/**
 * Makes every authority and certificate of the practice hospital, in memory. `now` is when they are issued, `status` where
 * the hospital's say that their status can be asked.
 */
export async function createLabCertificates(now: Date, status: StatusAddresses): Promise<LabCertificates> {
  const byRoot = { crl: status.rootCrl, ocsp: status.ocsp };
  const byIssuing = { crl: status.issuingCrl, ocsp: status.ocsp };
  const [people, servers, former, unknown] = await Promise.all([
    createPracticeCa({ now }),
    createPracticeCa({ now, status: byRoot }),
    createPracticeCa({ now: new Date(now.getTime() - 1000 * DAY) }),
    createPracticeCa({ now }),
  ]);
  const after = (days: number): Date => new Date(now.getTime() + days * DAY);
  const client = async (commonName: string, validity: 'good' | 'expired' = 'good') => {
    const dates = validity === 'expired' ? { notBefore: after(-400), notAfter: after(-35) } : {};
    const issued = await servers.issue({ commonName, sans: [commonName], usage: 'client', status: byRoot, ...dates });
    return { certificatePem: issued.chainPem, keyPem: issued.keyPem, serialNumber: issued.serialNumber };
  };
  const [deviceClient, good, expired, revoked, wrongSubject] = await Promise.all([
    client(DEVICE_NAME),
    client(TRIAL_NAME),
    client(TRIAL_NAME, 'expired'),
    client(TRIAL_NAME),
    client('printer7.hospital.example'),
  ]);
  const made = new Map<string, Promise<IssuedServer>>();
  const makeServer = async (names: readonly string[], spec: CertificateSpec) => {
    const dates = {
      good: {},
      expiring: { notBefore: after(-300), notAfter: after(EXPIRING_DAYS) },
      expired: { notBefore: after(-400), notAfter: after(-3) },
    }[spec.validity];
    const sans = spec.name === 'right' ? names : ['old-interface-engine.hospital.example'];
    const authority = spec.issuer === 'unknown' ? unknown : servers;
    const issued = await authority.issue({
      // Another role's root of another authority, so that a person sees at a glance that the issuer is not the hospital.
      ...(spec.issuer === 'unknown' ? { role: 'publisher' as const } : {}),
      commonName: sans[0] ?? 'server',
      sans,
      usage: 'server',
      selfSigned: spec.issuer === 'self',
      ...(spec.issuer === 'hospital' ? { status: byRoot } : {}),
      ...dates,
    });
    return { certificatePem: issued.chainPem, keyPem: issued.keyPem, serialNumber: issued.serialNumber };
  };
  const [serverGood, serverRevoked, serverWrongName, serverExpired] = await Promise.all([
    makeServer([EMR_NAME], goodCertificate()),
    makeServer([EMR_NAME], goodCertificate()),
    makeServer([EMR_NAME], { ...goodCertificate(), name: 'wrong' }),
    makeServer([EMR_NAME], { ...goodCertificate(), validity: 'expired' }),
  ]);
  const asResponder = (authority: PracticeCa, intermediate: boolean) =>
    authority.issue({ commonName: 'PRACTICE OCSP responder', usage: 'ocsp-signing', intermediate });
  const [rootResponder, issuingResponder, strangeResponder] = await Promise.all([
    asResponder(servers, false),
    asResponder(servers, true),
    asResponder(unknown, false),
  ]);
  const trialsRevoked: readonly Revoked[] = [revoked, serverRevoked].map(({ serialNumber }) => ({
    serialNumber,
    at: after(-1),
  }));
  return {
    people,
    hospitalRoot: servers.roots.hospital,
    formerRoot: former.roots.hospital,
    crlPem: await servers.crl({ revoked: trialsRevoked, thisUpdate: after(-1), nextUpdate: after(90) }),
    crl: (authority, { more, ...dates }) =>
      servers.crl({
        intermediate: authority === 'issuing',
        revoked: authority === 'root' ? [...trialsRevoked, ...more] : [],
        ...dates,
      }),
    ocspIssuers: (more) => [
      { issuerPem: servers.roots.hospital, responder: rootResponder, revoked: [...trialsRevoked, ...more] },
      {
        issuerPem: issuingResponder.chainPem.slice(issuingResponder.certificatePem.length),
        responder: issuingResponder,
        revoked: [],
      },
    ],
    strangeResponder,
    deviceClient,
    trials: {
      good,
      expired,
      revoked,
      'wrong-subject': wrongSubject,
      'server-good': serverGood,
      'server-wrong-name': serverWrongName,
      'server-expired': serverExpired,
      'server-revoked': serverRevoked,
    },
    sign: async (requestPem, names) => {
      const [commonName] = names;
      if (commonName === undefined) return undefined;
      const issued = await servers.issueForRequest(requestPem, {
        commonName,
        sans: names,
        usage: 'server',
        intermediate: true,
        status: byIssuing,
      });
      return issued.ok ? issued.value.chainPem : undefined;
    },
    server: (names, spec) => {
      const held = spec.key === 'shared' ? [EMR_NAME, DEVICE_NAME] : names;
      const key = JSON.stringify([held, spec.issuer, spec.name, spec.validity]);
      const known = made.get(key) ?? makeServer(held, spec);
      made.set(key, known);
      return known;
    },
  };
}
