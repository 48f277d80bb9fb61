import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pkcs12Format } from '../../core/changes/certificate-enroll.ts';
import { makeRequest } from '../../engine/keys/certificate-request.ts';
import type { Session } from '../../engine/session/session.ts';
import { freePort, startPeer } from './daemon.ts';
import { findProgram } from './debian.ts';
import { enrolmentGuide, enrolmentSessions, type GuideOptions, NAME } from './enrolment-device.ts';
import { createOpensslCa, openssl, type OpensslCa } from './openssl-ca.ts';
import { type Sshd, startSshd } from './sshd.ts';

export const KEYSTORE_PASSWORD = 'Ward 7 "keystore" $password';

/** A device whose service reads PKCS#12 only: stunnel, which gets the password from a file of its own. */
export type KeystoreDevice = {
  readonly ca: OpensslCa;
  readonly folder: string;
  readonly keyFile: string;
  readonly sshd: Sshd;
  /** What the endpoint shows, PEM, asked with openssl. */
  readonly shown: () => string;
  /** SHA-256 of the file. */
  readonly digest: () => string;
  readonly open: (
    options?: Partial<GuideOptions & { format: Pkcs12Format; beside: object; password: string }>,
  ) => Promise<Session>;
  readonly resume: (session: Session) => Promise<Session>;
  readonly stop: () => Promise<void>;
};

/** @param days until its first certificate, for an RSA key, ends */
export async function startKeystoreDevice(days: number): Promise<KeystoreDevice> {
  const root = mkdtempSync(join(tmpdir(), 'lockstep-keystore-'));
  const folder = join(root, "device's files");
  mkdirSync(folder);
  const at = (name: string) => join(root, name);
  const ca = createOpensslCa();
  const keyFile = join(folder, 'server.p12');
  const template = { key: 'rsa-2048', commonName: NAME, names: [NAME], purposes: ['server'] } as const;
  const { requestPem, pkcs8 } = await makeRequest({ ...template, names: [...template.names], purposes: ['server'] });
  writeFileSync(at('key.pem'), openssl(['pkcs8', '-inform', 'DER', '-nocrypt'], Buffer.from(pkcs8)));
  writeFileSync(at('chain.pem'), ca.sign(requestPem, { days }) + ca.intermediate);
  writeFileSync(at('password'), `${KEYSTORE_PASSWORD}\n`, { mode: 0o600 });
  const pack = ['pkcs12', '-export', '-inkey', at('key.pem'), '-in', at('chain.pem'), '-out', keyFile];
  openssl([...pack, '-passout', 'stdin'], `${KEYSTORE_PASSWORD}\n`);
  rmSync(at('key.pem'));
  const port = await freePort();
  const pid = at('stunnel.pid');
  const behind = await startPeer((socket) => socket.resume());
  const [accept, connect] = [`accept = 127.0.0.1:${port}`, `connect = 127.0.0.1:${behind.port}`];
  // It presents no authority out of the file, only those that it trusts.
  writeFileSync(at('authorities.pem'), ca.intermediate);
  const shows = [`cert = ${keyFile}`, `CAfile = ${at('authorities.pem')}`];
  writeFileSync(at('stunnel.conf'), [`pid = ${pid}`, '[admin]', accept, connect, ...shows, ''].join('\n'));
  // It goes into the background once it has opened the file, so that a wrong password is a start that fails.
  const start = `setsid ${findProgram('stunnel4')} ${at('stunnel.conf')} < ${at('password')}`;
  const gone = `n=0; while [ -e ${pid} ] && [ $n -lt 200 ]; do sleep 0.05; n=$((n + 1)); done; rm -f ${pid}`;
  const halt = `if [ -e ${pid} ]; then kill $(cat ${pid}); ${gone}; fi`;
  const restart = `${halt}; ${start}`;
  execFileSync('sh', ['-c', start], { stdio: ['ignore', 'ignore', 'pipe'] });
  const sshd = await startSshd();
  const sessions = enrolmentSessions({ root, ca, sshd, port });
  return {
    ca,
    folder,
    keyFile,
    sshd,
    shown: () => {
      const seen = openssl(['s_client', '-connect', `127.0.0.1:${port}`, '-servername', NAME], '').toString();
      return /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(seen)?.[0] ?? '';
    },
    digest: () => createHash('sha256').update(readFileSync(keyFile)).digest('hex'),
    open: ({ format = 'legacy', beside = {}, password = KEYSTORE_PASSWORD, ...options } = {}) =>
      sessions.open(
        enrolmentGuide(
          { made: 'here', key: 'rsa-2048', renew: 'new-key', ...options },
          {
            ssh: {
              device: '$one.id',
              ...beside,
              pkcs12: { file: keyFile, format, password: 'keystore', friendlyName: 'gateway' },
              restart: options.restart ?? restart,
            },
          },
        ),
        { keystore: password },
      ),
    resume: sessions.resume,
    stop: async () => {
      execFileSync('sh', ['-c', halt]);
      await behind.stop();
      await sshd.stop();
      ca.remove();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** Everything that a session left in its folder, as one text. */
export function leftBy(session: Session): string {
  const walk = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? walk(path) : [readFileSync(path, 'latin1')];
    });
  return existsSync(session.dir) ? walk(session.dir).join('\n') : '';
}
