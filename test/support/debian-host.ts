import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProgram } from './debian.ts';
import { makeKey } from './sshd.ts';

export const HOST_PROGRAMS = [
  'Orthanc',
  'nginx',
  'nft',
  'sshd',
  'ssh',
  'ssh-keygen',
  'unshare',
  'ip',
  'mount',
  'setpriv',
];

/** A host with Debian's Orthanc, nginx and OpenSSH, reached over a network of its own as another computer is. */
export type DebianHost = {
  /** The address of the host, and that of this computer as the host sees it. */
  readonly address: string;
  readonly laptop: string;
  readonly hostKey: string;
  /** The private key that root logs in with, on port 22. */
  readonly clientKey: string;
  /** For `ssh -F FILE host`, where `host` is the name that was given. */
  readonly sshConfig: string;
  readonly stop: () => Promise<void>;
};

const READY_MS = 60_000;
const STOP_MS = 10_000;

/**
 * Starts a host in a network of its own, joined to this computer by a pair of virtual interfaces, so that its own firewall decides
 * what is reached. /etc, /run and the folders of the services are private copies there: what is installed on this computer stays as
 * it is. `systemctl` is a stand-in, because no systemd runs there; it obeys Debian's unit files. Needs root.
 * @param name how `ssh` calls it
 * @param prepare commands that run on the host before its services start
 */
export async function startDebianHost(name: string, prepare: readonly string[]): Promise<DebianHost> {
  const folder = await mkdtemp(join(tmpdir(), 'lks-debian-'));
  const { laptop, address, card } = freeNetwork();
  const hostKey = makeKey(join(folder, 'host'), 'ed25519');
  makeKey(join(folder, 'client'), 'ed25519');
  const path = `${join(import.meta.dirname, 'systemd-stand-in')}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
  await writeFile(
    join(folder, 'sshd_config'),
    [
      `ListenAddress ${address}`,
      `HostKey ${join(folder, 'host')}`,
      `AuthorizedKeysFile ${join(folder, 'client.pub')}`,
      'PidFile /run/sshd.pid',
      'StrictModes no',
      'PermitRootLogin yes',
      'PasswordAuthentication no',
      'UsePAM no',
      `SetEnv PATH=${path}`,
      '',
    ].join('\n'),
  );
  const hostPublic = (await readFile(join(folder, 'host.pub'), 'utf8')).split(' ').slice(0, 2).join(' ');
  await writeFile(join(folder, 'known_hosts'), `${address} ${hostPublic}\n`);
  const sshConfig = join(folder, 'ssh_config');
  await writeFile(
    sshConfig,
    [
      `Host ${name}`,
      `  HostName ${address}`,
      '  User root',
      `  IdentityFile ${join(folder, 'client')}`,
      '  IdentitiesOnly yes',
      `  UserKnownHostsFile ${join(folder, 'known_hosts')}`,
      '  GlobalKnownHostsFile /dev/null',
      '',
    ].join('\n'),
  );
  await chmod(join(folder, 'client'), 0o600);

  const child = spawn(
    findProgram('unshare') ?? '',
    [
      '-nmpf',
      '--mount-proc',
      '--kill-child',
      'bash',
      join(import.meta.dirname, 'debian-host-inside.sh'),
      folder,
      `${address}/30`,
      ...prepare,
    ],
    { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, PATH: path } },
  );
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const stop = async () => {
    await end(child);
    await rm(folder, { recursive: true, force: true });
  };
  const until = Date.now() + READY_MS;
  const wait = async (done: () => boolean) => {
    while (!done()) {
      if (child.exitCode !== null || Date.now() > until) throw new Error(`the host did not start:\n${said}`);
      await sleep(20);
    }
  };
  try {
    const own = readlinkSync('/proc/self/ns/net');
    const network = () => readlinkSync(`/proc/${child.pid}/ns/net`);
    await wait(() => network() !== own);
    ip('link', 'add', card, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(child.pid));
    ip('address', 'add', `${laptop}/30`, 'dev', card);
    ip('link', 'set', card, 'up');
    await wait(() => said.includes('lockstep-host-ready'));
  } catch (error) {
    await stop();
    throw error;
  }
  return { address, laptop, hostKey, clientKey: await readFile(join(folder, 'client'), 'utf8'), sshConfig, stop };
}

function ip(...args: readonly string[]): void {
  execFileSync(findProgram('ip') ?? 'ip', args, { stdio: 'pipe' });
}

/** Four addresses of 198.18.0.0/15, which RFC 2544 keeps for tests, that no interface of this computer has. */
function freeNetwork(): { laptop: string; address: string; card: string } {
  const taken = new Set(
    Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []),
  );
  for (;;) {
    const [a = 0, b = 0, c = 0] = crypto.getRandomValues(new Uint8Array(3));
    const at = (last: number) => `198.${18 + (a % 2)}.${b}.${(c & 0xfc) + last}`;
    if (!taken.has(at(1))) return { laptop: at(1), address: at(2), card: `lks${(a % 2) * 65_536 + b * 256 + c}` };
  }
}

/** Its first process ends when nobody holds its input any more, also when this process dies. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.stdin?.end();
  await Promise.race([exited, sleep(STOP_MS)]);
  if (child.exitCode === null) child.kill('SIGKILL');
}
