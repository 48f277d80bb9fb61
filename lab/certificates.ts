import { createPracticeCa, type PracticeCa } from '../engine/keys/practice-ca.ts';

/** What is right or wrong about a server's certificate; each property is wrong by itself. */
export type CertificateSpec = {
  issuer: 'hospital' | 'unknown' | 'self';
  name: 'right' | 'wrong';
  validity: 'good' | 'expiring' | 'expired';
};

export type KeyAndCertificate = { readonly certificatePem: string; readonly keyPem: string };

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
  readonly crlPem: string;
  readonly deviceClient: KeyAndCertificate;
  readonly trials: Readonly<Record<Trial | ServerTrial, KeyAndCertificate>>;
  /** A server certificate as the spec wants it; the same one for the same spec. */
  readonly server: (names: readonly string[], spec: CertificateSpec) => Promise<KeyAndCertificate>;
  /** The hospital's answer to a request: a server certificate with these names and its chain; undefined for no request. */
  readonly sign: (requestPem: string, names: readonly string[]) => Promise<string | undefined>;
};

export function goodCertificate(): CertificateSpec {
  return { issuer: 'hospital', name: 'right', validity: 'good' };
}

/** Makes every authority and certificate of the practice hospital, in memory. `now` is when they are issued. */
export async function createLabCertificates(now: Date): Promise<LabCertificates> {
  const [people, servers, former, unknown] = await Promise.all([
    createPracticeCa({ now }),
    createPracticeCa({ now }),
    createPracticeCa({ now: new Date(now.getTime() - 1000 * DAY) }),
    createPracticeCa({ now }),
  ]);
  const after = (days: number): Date => new Date(now.getTime() + days * DAY);
  const client = async (commonName: string, validity: 'good' | 'expired' = 'good') => {
    const dates = validity === 'expired' ? { notBefore: after(-400), notAfter: after(-35) } : {};
    const issued = await servers.issue({ commonName, sans: [commonName], usage: 'client', ...dates });
    return { certificatePem: issued.chainPem, keyPem: issued.keyPem, serialNumber: issued.serialNumber };
  };
  const [deviceClient, good, expired, revoked, wrongSubject] = await Promise.all([
    client(DEVICE_NAME),
    client(TRIAL_NAME),
    client(TRIAL_NAME, 'expired'),
    client(TRIAL_NAME),
    client('printer7.hospital.example'),
  ]);
  const made = new Map<string, Promise<KeyAndCertificate>>();
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
  return {
    people,
    hospitalRoot: servers.roots.hospital,
    formerRoot: former.roots.hospital,
    crlPem: await servers.crl({
      revoked: [revoked, serverRevoked].map(({ serialNumber }) => ({ serialNumber, at: after(-1) })),
      thisUpdate: after(-1),
      nextUpdate: after(90),
    }),
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
      });
      return issued.ok ? issued.value.chainPem : undefined;
    },
    server: (names, spec) => {
      const key = JSON.stringify([names, spec.issuer, spec.name, spec.validity]);
      const known = made.get(key) ?? makeServer(names, spec);
      made.set(key, known);
      return known;
    },
  };
}
