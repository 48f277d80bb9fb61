import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Attribute, Change, Client } from 'ldapts';
import { createPracticeCa, type PracticeCa } from '../../engine/keys/practice-ca.ts';
import { findProgram } from './debian.ts';

const run = promisify(execFile);

/** Programs that `needs(...)` must find before a domain controller can be started; besides, the caller must be root. */
export const SAMBA_PROGRAMS = ['samba', 'samba-tool'] as const;

const REALM = 'HOSPITAL.TEST';
const DOMAIN = 'HOSPITAL';
const BASE_DN = 'DC=hospital,DC=test';
const ADMIN_PASSWORD = 'Practice-Adm1n!';
/** Part of the cache's name: raise it when the way of provisioning changes. */
const RECIPE = 2;

type SambaUser = {
  readonly name: string;
  readonly password?: string;
  /** `userAccountControl`; default 512, a normal account. */
  readonly flags?: number;
  readonly container?: string;
  readonly attributes?: Readonly<Record<string, string | string[]>>;
};

type SambaGroup = {
  readonly name: string;
  readonly scope?: 'global' | 'universal' | 'domain-local';
  readonly kind?: 'security' | 'distribution';
  readonly container?: string;
  readonly attributes?: Readonly<Record<string, string | string[]>>;
};

type SambaOptions = {
  /** Loopback address of its own; default: a free one. Samba's ports are fixed. */
  readonly address?: string;
  /** Further lines for the [global] section, e.g. `ldap server require strong auth = no`. */
  readonly globals?: readonly string[];
  /** Authority for the server's certificate; default: a new one. */
  readonly ca?: PracticeCa;
  /** Names in the certificate; default: the host name and the address. */
  readonly certificateNames?: readonly string[];
  readonly certificateNotAfter?: Date;
  /** A provisioned folder that is copied; default: the cached empty domain of `provisionSamba`. */
  readonly domain?: string;
};

export type SambaServer = {
  /** Name in the certificate; no DNS knows it, so a site maps it to `address` under `hosts`. */
  readonly host: string;
  readonly address: string;
  readonly ldap: number;
  readonly ldaps: number;
  /** The root that a site must trust. */
  readonly caPem: string;
  readonly baseDn: string;
  readonly adminDn: string;
  readonly adminPassword: string;
  /** Creates a user and returns the DN. */
  readonly addUser: (user: SambaUser) => Promise<string>;
  /** Creates a group and returns the DN. */
  readonly addGroup: (group: SambaGroup) => Promise<string>;
  readonly addMember: (groupDn: string, memberDn: string) => Promise<void>;
  /** Runs further writes as the domain's administrator over LDAPS. */
  readonly admin: <T>(work: (client: Client) => Promise<T>) => Promise<T>;
  /** Its configuration file, for `samba-tool -s`. */
  readonly configuration: string;
  /** Stops it and starts it on the same data with other lines for [global] instead of those given before. */
  readonly restart: (globals: readonly string[]) => Promise<void>;
  readonly stop: () => Promise<void>;
};

/**
 * Provisions a domain once per Samba version into a folder below the temporary folder, and returns it. Nothing runs
 * there: each use copies it. Needs root.
 */
export async function provisionSamba(): Promise<string> {
  const { stdout } = await run(program('samba'), ['--version']);
  const version = stdout
    .replace(/^Version\s+/, '')
    .replace(/[^\w.-]+/g, '-')
    .trim();
  const cache = join(tmpdir(), `lockstep-samba-${version}-${RECIPE}`);
  if (await exists(join(cache, 'etc', 'smb.conf'))) return cache;
  const work = await mkdtemp(join(tmpdir(), 'lockstep-samba-new-'));
  const conf = join(work, 'empty.conf');
  const target = join(work, 'domain');
  await writeFile(conf, '');
  const args = [
    'domain',
    'provision',
    '-s',
    conf,
    `--realm=${REALM}`,
    `--domain=${DOMAIN}`,
    `--adminpass=${ADMIN_PASSWORD}`,
  ];
  args.push(
    '--server-role=dc',
    '--dns-backend=NONE',
    '--host-name=dc1',
    '--host-ip=127.0.0.10',
    `--targetdir=${target}`,
    '--use-rfc2307',
  );
  args.push('--option=interfaces=127.0.0.10/8', '--option=bind interfaces only=yes');
  await run(program('samba-tool'), args, { timeout: 60_000 });
  // Another worker may have been quicker: the rename decides, and a cache is never half there.
  await rename(target, cache).catch(async (error: unknown) => {
    if (!(await exists(join(cache, 'etc', 'smb.conf')))) throw error;
  });
  await rm(work, { recursive: true, force: true });
  return cache;
}

/** Starts a domain controller of its own on a loopback address. Stop it, or the process outlives the test. */
export async function startSamba(options: SambaOptions = {}): Promise<SambaServer> {
  const cache = options.domain ?? (await provisionSamba());
  const address = options.address ?? (await freeAddress());
  const folder = await mkdtemp(join(tmpdir(), 'lks-dc-'));
  const data = join(folder, 'd');
  await run('cp', ['-a', cache, data]);
  const host = 'dc1.hospital.test';
  const ca = options.ca ?? (await createPracticeCa({ now: new Date() }));
  const leaf = await ca.issue({
    commonName: host,
    sans: options.certificateNames ?? [host, address],
    usage: 'server',
    ...(options.certificateNotAfter === undefined
      ? {}
      : {
          notAfter: options.certificateNotAfter,
          notBefore: new Date(options.certificateNotAfter.getTime() - 86_400_000),
        }),
  });
  const shipped = await readFile(join(data, 'etc', 'smb.conf'), 'utf8');
  const configuration = join(data, 'smb.conf');
  let child: ChildProcess | undefined;
  const stop = async () => {
    if (child !== undefined) await stopTree(child);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const start = async (globals: readonly string[]) => {
    await writeConfiguration(data, cache, shipped, address, leaf, ca.roots.hospital, globals);
    child = spawn(
      program('samba'),
      ['-F', '--no-process-group', '-M', 'prefork', '-s', configuration, '--debug-stdout'],
      { stdio: ['ignore', 'ignore', 'ignore'] },
    );
    try {
      await portsOpen(child, address, [389, 636]);
    } catch (error) {
      const log = await readFile(join(data, 'samba.log'), 'utf8').catch(() => '');
      await stop();
      throw new Error(`samba did not start on ${address}: ${String(error)}\n${log.slice(-2000)}`);
    }
  };
  await start(options.globals ?? []);
  const adminDn = `CN=Administrator,CN=Users,${BASE_DN}`;
  const admin: SambaServer['admin'] = async (work) => {
    // The harness owns both ends, and a test may ask for a certificate that must not verify: the write goes by the key it issued.
    const client = new Client({
      url: `ldaps://${address}:636`,
      timeout: 20_000,
      connectTimeout: 5_000,
      tlsOptions: { ca: [ca.roots.hospital], checkServerIdentity: () => undefined },
    });
    try {
      await client.bind(adminDn, ADMIN_PASSWORD);
      return await work(client);
    } finally {
      await client.unbind().catch(() => {});
    }
  };
  return {
    host,
    address,
    ldap: 389,
    ldaps: 636,
    caPem: ca.roots.hospital,
    baseDn: BASE_DN,
    adminDn,
    adminPassword: ADMIN_PASSWORD,
    admin,
    addUser: (user) => admin((client) => addUser(client, user)),
    addGroup: (group) => admin((client) => addGroup(client, group)),
    addMember: (groupDn, memberDn) => admin((client) => addMember(client, groupDn, memberDn)),
    configuration,
    restart: async (globals) => {
      if (child !== undefined) await stopTree(child);
      await start(globals);
    },
    stop,
  };
}

/** As `SambaServer.addUser`, on a client that is bound already: many writes go over one connection. */
export async function addUser(client: Client, user: SambaUser): Promise<string> {
  const dn = `CN=${user.name},${user.container ?? `CN=Users,${BASE_DN}`}`;
  await client.add(dn, [
    ...attributes({
      objectClass: ['top', 'person', 'organizationalPerson', 'user'],
      sAMAccountName: user.name,
      userPrincipalName: `${user.name}@hospital.test`,
      userAccountControl: String(user.flags ?? 512),
      ...user.attributes,
    }),
    new Attribute({
      type: 'unicodePwd',
      values: [Buffer.from(`"${user.password ?? 'Practice-Us3r!'}"`, 'utf16le')],
    }),
  ]);
  return dn;
}

/** As `SambaServer.addGroup`, on a client that is bound already. */
export async function addGroup(client: Client, group: SambaGroup): Promise<string> {
  const dn = `CN=${group.name},${group.container ?? `CN=Users,${BASE_DN}`}`;
  const scope = { global: 2, 'domain-local': 4, universal: 8 }[group.scope ?? 'global'];
  const type = group.kind === 'distribution' ? scope : scope - 2 ** 31;
  await client.add(
    dn,
    attributes({
      objectClass: ['top', 'group'],
      sAMAccountName: group.name,
      groupType: String(type),
      ...group.attributes,
    }),
  );
  return dn;
}

/** As `SambaServer.addMember`, on a client that is bound already. */
export async function addMember(client: Client, groupDn: string, memberDn: string): Promise<void> {
  await client.modify(
    groupDn,
    new Change({ operation: 'add', modification: new Attribute({ type: 'member', values: [memberDn] }) }),
  );
}

function attributes(values: Readonly<Record<string, string | string[]>>): Attribute[] {
  return Object.entries(values).map(
    ([type, value]) => new Attribute({ type, values: Array.isArray(value) ? value : [value] }),
  );
}

function program(name: string): string {
  const path = findProgram(name);
  if (path === undefined) throw new Error(`${name} is not installed`);
  return path;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function writeConfiguration(
  data: string,
  cache: string,
  shipped: string,
  address: string,
  leaf: { chainPem: string; keyPem: string },
  rootPem: string,
  globals: readonly string[],
): Promise<void> {
  const kept = (shipped.split('[sysvol]')[0] ?? '')
    .split('\n')
    .filter((line) => !/^\s*(interfaces|bind interfaces only|server services)\s*=/.test(line))
    // The provisioned paths name the folder it was made in, which the cache's rename has left behind.
    .map((line) => line.replace(/=\s*\/\S*\/domain(?=\/|\s*$)/, `= ${data}`).replaceAll(cache, data));
  const folders = {
    'pid directory': 'pid',
    'ncalrpc dir': 'np',
    'winbindd socket directory': 'wb',
    'ntp signd socket directory': 'ntp',
  };
  for (const name of Object.values(folders)) await mkdir(join(data, name), { recursive: true, mode: 0o755 });
  await chmod(join(data, folders['ntp signd socket directory']), 0o750);
  await writeFile(join(data, 'tls.key'), leaf.keyPem, { mode: 0o600 });
  await writeFile(join(data, 'tls.crt'), leaf.chainPem);
  await writeFile(join(data, 'tls-ca.crt'), rootPem);
  const lines = [
    ...kept,
    `interfaces = ${address}/8`,
    'bind interfaces only = yes',
    'server services = ldap cldap kdc',
    ...Object.entries(folders).map(([option, name]) => `${option} = ${join(data, name)}`),
    `log file = ${join(data, 'samba.log')}`,
    'tls enabled = yes',
    `tls keyfile = ${join(data, 'tls.key')}`,
    `tls certfile = ${join(data, 'tls.crt')}`,
    `tls cafile = ${join(data, 'tls-ca.crt')}`,
    'disable netbios = yes',
    ...(globals.some((line) => line.startsWith('ldap server require strong auth'))
      ? []
      : ['ldap server require strong auth = yes']),
    ...globals,
  ];
  await writeFile(join(data, 'smb.conf'), `${lines.join('\n')}\n`);
}

/** An address in 127.0.0.0/8 on which nobody listens for LDAP. */
async function freeAddress(): Promise<string> {
  for (let round = 0; round < 50; round += 1) {
    const [a, b, c] = crypto.getRandomValues(new Uint8Array(3));
    const address = `127.${64 + ((a ?? 0) % 128)}.${b ?? 0}.${1 + ((c ?? 0) % 254)}`;
    if (!(await isOpen(address, 389)) && !(await isOpen(address, 636))) return address;
  }
  throw new Error('no free loopback address');
}

function isOpen(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: address, port });
    const done = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.setTimeout(1000, () => done(false));
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
  });
}

async function portsOpen(child: ChildProcess, address: string, ports: readonly number[]): Promise<void> {
  const until = Date.now() + 20_000;
  for (const port of ports) {
    while (!(await isOpen(address, port))) {
      if (child.exitCode !== null) throw new Error(`exit ${child.exitCode}`);
      if (Date.now() > until) throw new Error(`port ${port} stays closed`);
      await sleep(50);
    }
  }
}

/** Stops the server and every process below it: prefork children can outlive their parent for a moment. */
async function stopTree(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return;
  const all = await family(child.pid);
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  await Promise.race([ended, sleep(3000)]);
  for (let round = 0; round < 40 && (await alive(all)).length > 0; round += 1) await sleep(25);
  for (const { pid } of await alive(all)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended between the look and the kill.
    }
  }
  for (let round = 0; round < 40 && (await alive(all)).length > 0; round += 1) await sleep(25);
}

/** A process, told apart by its start time from a later one that got the same number. */
type ProcessId = { readonly pid: number; readonly parent: number; readonly started: string };

async function processOf(pid: number): Promise<ProcessId | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent] = fields;
  return text === '' || state === 'Z' ? undefined : { pid, parent: Number(parent), started: fields[19] ?? '' };
}

async function alive(all: readonly ProcessId[]): Promise<ProcessId[]> {
  const now = await Promise.all(all.map(({ pid }) => processOf(pid)));
  return all.filter((one, index) => now[index]?.started === one.started);
}

async function family(root: number): Promise<ProcessId[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const all = (await Promise.all(pids.map(processOf))).filter((one) => one !== undefined);
  const found = all.filter(({ pid }) => pid === root);
  for (const { pid } of found) found.push(...all.filter(({ parent }) => parent === pid));
  return found;
}
