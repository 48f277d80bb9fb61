import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createPracticeCa } from '../../engine/keys/practice-ca.ts';
import { findProgram } from './debian.ts';

const run = promisify(execFile);
const BASE_DN = 'dc=hospital,dc=test';
const ADMIN_PASSWORD = 'Practice-R00t!';

export type Slapd = {
  readonly host: string;
  readonly address: string;
  readonly ldap: number;
  readonly ldaps: number;
  readonly caPem: string;
  readonly baseDn: string;
  readonly adminDn: string;
  readonly adminPassword: string;
  readonly stop: () => Promise<void>;
};

/** Starts OpenLDAP with `ldif` loaded. `lines` are further lines of slapd.conf, before the database; `priority` is GnuTLS's. */
export async function startSlapd(options: {
  ldif: string;
  lines?: readonly string[];
  databaseLines?: readonly string[];
  priority?: string;
}): Promise<Slapd> {
  const slapd = findProgram('slapd');
  const slapadd = findProgram('slapadd');
  if (slapd === undefined || slapadd === undefined) throw new Error('slapd is not installed');
  const folder = await mkdtemp(join(tmpdir(), 'lks-slapd-'));
  const host = 'ldap.hospital.test';
  const address = '127.0.0.1';
  const ca = await createPracticeCa({ now: new Date() });
  const leaf = await ca.issue({ commonName: host, sans: [host, address], usage: 'server' });
  const file = (name: string) => join(folder, name);
  await mkdir(file('db'));
  await writeFile(file('key.pem'), leaf.keyPem, { mode: 0o600 });
  await writeFile(file('cert.pem'), leaf.chainPem);
  await writeFile(file('ca.pem'), ca.roots.hospital);
  await writeFile(file('data.ldif'), options.ldif);
  const conf = [
    ...['core', 'cosine', 'inetorgperson', 'nis'].map((name) => `include /etc/ldap/schema/${name}.schema`),
    'modulepath /usr/lib/ldap',
    'moduleload back_mdb',
    ...(options.lines ?? []),
    `TLSCertificateFile ${file('cert.pem')}`,
    `TLSCertificateKeyFile ${file('key.pem')}`,
    `TLSCACertificateFile ${file('ca.pem')}`,
    // Debian builds slapd with GnuTLS, which does not heed TLSProtocolMin.
    `TLSCipherSuite ${options.priority ?? 'SECURE128:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3'}`,
    'database mdb',
    'maxsize 16777216',
    `suffix "${BASE_DN}"`,
    `rootdn "cn=admin,${BASE_DN}"`,
    `rootpw ${ADMIN_PASSWORD}`,
    `directory ${file('db')}`,
    ...(options.databaseLines ?? []),
  ];
  await writeFile(file('slapd.conf'), `${conf.join('\n')}\n`);
  await run(slapadd, ['-f', file('slapd.conf'), '-l', file('data.ldif')]);
  const [ldap, ldaps] = [await freePort(address), await freePort(address)];
  const child = spawn(
    slapd,
    ['-f', file('slapd.conf'), '-h', `ldap://${address}:${ldap} ldaps://${address}:${ldaps}`, '-d', '0'],
    { stdio: 'ignore' },
  );
  const stop = async () => {
    if (child.exitCode === null) {
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.kill('SIGTERM');
      await Promise.race([ended, sleep(5000).then(() => void child.kill('SIGKILL'))]);
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  for (let round = 0; !((await isOpen(address, ldap)) && (await isOpen(address, ldaps))); round += 1) {
    if (child.exitCode !== null || round > 200) {
      const text = await readFile(file('slapd.conf'), 'utf8');
      await stop();
      throw new Error(`slapd did not start:\n${text}`);
    }
    await sleep(25);
  }
  return {
    host,
    address,
    ldap,
    ldaps,
    caPem: ca.roots.hospital,
    baseDn: BASE_DN,
    adminDn: `cn=admin,${BASE_DN}`,
    adminPassword: ADMIN_PASSWORD,
    stop,
  };
}

function freePort(address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, address, () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function isOpen(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: address, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
