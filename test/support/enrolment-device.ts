import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateTemplate } from '../../core/certificate-template.ts';
import type { Result } from '../../core/result.ts';
import { makeRequest } from '../../engine/keys/certificate-request.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { openSession, resumeSession } from '../../engine/session/open-session.ts';
import type { Session, SessionOptions } from '../../engine/session/session.ts';
import { findProgram } from './debian.ts';
import { startNginx } from './nginx.ts';
import { createOpensslCa, openssl, type OpensslCa } from './openssl-ca.ts';
import { type Sshd, startSshd } from './sshd.ts';

export const NAME = 'gateway.hospital.test';
export const STEP = 'certificate.device@device:gateway';

/** A device: nginx shows its certificate, Debian's OpenSSH is the way to its files, stock openssl is the hospital's CA. */
export type EnrolmentDevice = {
  readonly ca: OpensslCa;
  readonly folder: string;
  readonly keyFile: string;
  readonly certificateFile: string;
  /** Folder that comes first in the PATH of whoever logs in; empty. */
  readonly programs: string;
  /** Makes the service read its files again. */
  readonly restart: string;
  readonly sshd: Sshd;
  readonly port: number;
  /** SHA-256 of what the endpoint shows, asked with openssl. */
  readonly shown: () => string;
  /** Gives the device a certificate of the hospital's CA that ends in so many days, and lets it show it. */
  readonly reset: (days: number, key?: CertificateTemplate['key']) => Promise<void>;
  /** Lets it show another certificate for the key that it has. */
  readonly show: (pem: string) => Promise<void>;
  readonly open: (options?: Partial<GuideOptions>) => Promise<Session>;
  readonly resume: (session: Session) => Promise<Session>;
  readonly stop: () => Promise<void>;
};

export type GuideOptions = {
  readonly made: 'device' | 'here';
  readonly key: CertificateTemplate['key'];
  readonly renew: 'new-key' | 'same-key';
  readonly restart: string;
  readonly check: string;
};

export function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message} ${result.error.cause ?? ''}`);
  return result.value;
}

export async function startEnrolmentDevice(): Promise<EnrolmentDevice> {
  const root = mkdtempSync(join(tmpdir(), 'lockstep-enrol-'));
  const folder = join(root, "device's files");
  mkdirSync(folder);
  const [keyFile, certificateFile] = [join(folder, 'server.key'), join(folder, 'server.crt')];
  const ca = createOpensslCa();
  const put = async (days: number, kind: CertificateTemplate['key'] = 'P-256') => {
    const names = [NAME];
    const { requestPem, pkcs8 } = await makeRequest({ key: kind, commonName: NAME, names, purposes: ['server'] });
    const pem = openssl(['pkcs8', '-inform', 'DER', '-nocrypt'], Buffer.from(pkcs8));
    writeFileSync(keyFile, pem, { mode: 0o640 });
    writeFileSync(certificateFile, ca.sign(requestPem, { days }) + ca.intermediate);
  };
  await put(5);
  const nginx = await startNginx({ certificate: `"${certificateFile}"`, key: `"${keyFile}"`, reloads: true });
  const programs = join(root, 'programs');
  mkdirSync(programs);
  const sshd = await startSshd([`SetEnv PATH=${programs}:/usr/sbin:/usr/bin:/sbin:/bin`]);
  const conf = join(nginx.folder, 'nginx.conf');
  const check = `${findProgram('nginx')} -t -q -p ${nginx.folder} -c ${conf} -e stderr`;
  const restart = `kill -HUP $(cat ${nginx.folder}/pid)`;
  const shown = () => {
    const seen = openssl(['s_client', '-connect', `127.0.0.1:${nginx.port}`, '-servername', NAME], '').toString();
    const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(seen)?.[0] ?? '';
    const text = openssl(['x509', '-noout', '-fingerprint', '-sha256'], pem).toString();
    return (text.split('=')[1] ?? '').trim().replaceAll(':', '').toLowerCase();
  };
  const reload = (before: string): void => {
    process.kill(Number(readFileSync(join(nginx.folder, 'pid'), 'utf8')), 'SIGHUP');
    const until = Date.now() + 10_000;
    while (shown() === before && Date.now() < until);
  };
  const sessions = enrolmentSessions({ root, ca, sshd, port: nginx.port });
  return {
    ca,
    folder,
    keyFile,
    certificateFile,
    programs,
    restart,
    sshd,
    port: nginx.port,
    shown,
    reset: async (days, key) => {
      for (const name of readdirSync(folder)) rmSync(join(folder, name));
      const before = shown();
      await put(days, key);
      reload(before);
    },
    show: async (pem) => {
      const before = shown();
      writeFileSync(certificateFile, pem);
      reload(before);
    },
    open: (given = {}) => {
      const guideOptions = { made: 'device', key: 'P-256', renew: 'new-key', restart, check, ...given } as const;
      return sessions.open(guideText({ keyFile, certificateFile }, guideOptions));
    },
    resume: sessions.resume,
    stop: async () => {
      await nginx.stop();
      await sshd.stop();
      ca.remove();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Sessions about the device, with a guide that is trusted. */
export function enrolmentSessions(where: { root: string; ca: OpensslCa; sshd: Sshd; port: number }): {
  readonly open: (guide: string, secrets?: Readonly<Record<string, string>>) => Promise<Session>;
  readonly resume: (session: Session) => Promise<Session>;
} {
  const { root, ca, sshd, port } = where;
  const options: SessionOptions = {
    now: () => new Date(),
    lockstep: '0.0.0',
    runtime: {},
    operator: 'Erika Engineer',
    ask: async () => false,
  };
  const given = new Map<string, string>();
  const supply = (session: Session): Session => {
    session.secrets.set('device-ssh', sshd.clientKey);
    for (const [name, secret] of given) session.secrets.set(name, secret);
    return session;
  };
  return {
    open: async (text, secrets = {}) => {
      const guideFile = join(root, 'guide.yaml');
      writeFileSync(guideFile, text);
      const siteFile = join(root, 'site.yaml');
      writeFileSync(siteFile, siteText(ca, sshd, port));
      const guide = must(await loadGuide(guideFile, {}));
      const site = must(await loadSite(siteFile));
      given.clear();
      for (const [name, secret] of Object.entries(secrets)) given.set(name, secret);
      return supply(must(await openSession(join(root, 'sessions'), { ...guide, trust: 'trusted' }, site, options)));
    },
    resume: async (session) => {
      await session.close();
      const again = must(await resumeSession(session.dir, {}, options));
      return supply({ ...again, guide: { ...again.guide, trust: 'trusted' } });
    },
  };
}

function guideText(files: { keyFile: string; certificateFile: string }, options: GuideOptions): string {
  return enrolmentGuide(options, {
    ssh: {
      device: '$one.id',
      keyFile: files.keyFile,
      certificateFile: files.certificateFile,
      check: options.check,
      restart: options.restart,
    },
  });
}

/** @param by the way onto the device, as a guide gives it */
export function enrolmentGuide(options: Pick<GuideOptions, 'made' | 'key' | 'renew'>, by: unknown): string {
  return `guide: certificates
version: 1.0.0
title: The device's certificate
publisher: { name: Test, contact: test@example.org }
product: { vendor: Test, name: Thing, versions: ">=1.0.0" }
inputs:
  device: { type: device, many: true, title: The device }
controls:
  - id: certificate.device
    revision: 1
    title: The device's certificate does not run out unnoticed
    owner: shared
    forEach: $device as one
    why: On that day nothing works.
    checks:
      - probe: tls.endpoint
        with: { endpoint: $one.endpoints.admin, protocol: https, survey: essential }
        expect:
          - that: facts.chain.trusted
            else: "{{ facts.chain.reason }}"
          - that: facts.name.matches
            else: "It is for {{ facts.name.sans }}."
          - that: facts.validity.daysLeft >= 30
            else: "The certificate ends in {{ facts.validity.daysLeft }} days. Renew it."
    change:
      kind: certificate.enroll
      with:
        endpoint: $one.endpoints.admin
        made: ${options.made}
        renew: ${options.renew}
        template: { key: ${options.key}, commonName: $one.host, organization: 'The "Hospital"', names: [$one.host] }
        by: ${JSON.stringify(by)}
`;
}

function siteText(ca: OpensslCa, sshd: Sshd, port: number): string {
  return JSON.stringify({
    site: 'north',
    name: 'Hospital North',
    hosts: { [NAME]: '127.0.0.1' },
    anchors: [{ id: 'hospital', pem: ca.root }],
    devices: [
      {
        id: 'gateway',
        name: 'Gateway of ward 7',
        host: NAME,
        endpoints: { admin: { host: NAME, port, anchors: ['hospital'] } },
        ssh: { host: sshd.address, port: sshd.port, user: sshd.user, hostKey: sshd.hostKey, secret: 'device-ssh' },
      },
    ],
  });
}
