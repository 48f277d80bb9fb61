import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Daemon, freePort, startDaemon } from './daemon.ts';
import { findProgram } from './debian.ts';

export const SSHD_PROGRAMS = ['sshd', 'ssh-keygen'] as const;

export type Sshd = {
  readonly folder: string;
  readonly address: string;
  readonly port: number;
  readonly user: 'root';
  /** `SHA256:…` of its host key, by ssh-keygen. */
  readonly hostKey: string;
  /** A private key that it lets in, and one with a passphrase. */
  readonly clientKey: string;
  readonly lockedKey: string;
  readonly passphrase: string;
  readonly configFile: string;
  readonly pidFile: string;
  readonly log: () => string;
  readonly stop: () => Promise<void>;
};

/**
 * Starts Debian's OpenSSH on loopback as root, with a host key of its own and keys that it lets in. Passwords are looked up in
 * the system's own accounts, so every one is wrong here.
 * @param lines added to its configuration
 */
export async function startSshd(lines: readonly string[] = [], address = '127.0.0.1'): Promise<Sshd> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-sshd-'));
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  const port = await freePort(address);
  const passphrase = 'a passphrase of a test';
  const hostKey = makeKey(join(folder, 'host'), 'ed25519');
  makeKey(join(folder, 'client'), 'ed25519');
  makeKey(join(folder, 'locked'), 'ed25519', passphrase);
  const keys = await Promise.all(['client.pub', 'locked.pub'].map((name) => readFile(join(folder, name), 'utf8')));
  await writeFile(join(folder, 'authorized'), keys.join(''), { mode: 0o600 });
  const configFile = join(folder, 'sshd_config');
  const pidFile = join(folder, 'sshd.pid');
  await writeFile(
    configFile,
    [
      `ListenAddress ${address}`,
      `Port ${port}`,
      `HostKey ${join(folder, 'host')}`,
      `AuthorizedKeysFile ${join(folder, 'authorized')}`,
      `PidFile ${pidFile}`,
      'StrictModes no',
      'PermitRootLogin yes',
      'PasswordAuthentication yes',
      'KbdInteractiveAuthentication no',
      'UsePAM no',
      ...lines,
      '',
    ].join('\n'),
  );
  const daemon: Daemon = await startDaemon('sshd', ['-D', '-e', '-f', configFile], { address, port });
  return {
    folder,
    address,
    port,
    user: 'root',
    hostKey,
    clientKey: await readFile(join(folder, 'client'), 'utf8'),
    lockedKey: await readFile(join(folder, 'locked'), 'utf8'),
    passphrase,
    configFile,
    pidFile,
    log: daemon.log,
    stop: async () => {
      await daemon.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Makes a key pair with ssh-keygen. @returns its fingerprint */
export function makeKey(file: string, type: 'ed25519' | 'rsa' | 'ecdsa', passphrase = ''): string {
  const program = findProgram('ssh-keygen') ?? 'ssh-keygen';
  execFileSync(program, ['-q', '-t', type, '-N', passphrase, '-C', 'test', '-f', file], { stdio: 'ignore' });
  return execFileSync(program, ['-lf', `${file}.pub`], { encoding: 'utf8' }).split(' ')[1] ?? '';
}
