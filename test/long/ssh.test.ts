import { existsSync, lstatSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { chmod, chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Result } from '../../core/result.ts';
import { connectSsh, type SshConnection, type SshTarget } from '../../engine/wire/ssh.ts';
import {
  commitFile,
  digestOf,
  discardFile,
  readFile,
  stageFile,
  writeFileAtomic,
} from '../../engine/wire/ssh-files.ts';
import { withSshDevice } from '../../engine/wire/ssh-device.ts';
import { startPeer } from '../support/daemon.ts';
import { isRoot, needs } from '../support/debian.ts';
import { probeContext } from '../support/probe.ts';
import { makeKey, type Sshd, SSHD_PROGRAMS, startSshd } from '../support/sshd.ts';

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message} ${result.error.cause ?? ''}`);
  return result.value;
}
function errorOf<T>(result: Result<T>): string {
  if (result.ok) throw new Error('an error was expected');
  return result.error.code;
}

describe.skipIf(!isRoot() || !needs(...SSHD_PROGRAMS))('SSH to a real OpenSSH', () => {
  let sshd: Sshd;
  let old: Sshd;
  const target = (more: Partial<SshTarget> = {}): SshTarget => ({
    host: sshd.address,
    port: sshd.port,
    user: sshd.user,
    hostKey: sshd.hostKey,
    secret: sshd.clientKey,
    ...more,
  });
  const options = () => ({ signal: new AbortController().signal });
  const connect = (more: Partial<SshTarget> = {}) => connectSsh(target(more), options());
  const withSsh = async <T>(work: (ssh: SshConnection) => Promise<T>): Promise<T> => {
    const ssh = must(await connect());
    try {
      return await work(ssh);
    } finally {
      ssh.close();
    }
  };
  const leftovers = () => readdirSync(sshd.folder).filter((name) => name.includes('.lockstep-'));

  beforeAll(async () => {
    sshd = await startSshd();
    old = await startSshd([
      'KexAlgorithms diffie-hellman-group14-sha1',
      'Ciphers aes256-cbc',
      'MACs hmac-sha1',
      'HostKeyAlgorithms ssh-ed25519',
    ]);
  });
  afterAll(async () => {
    await sshd?.stop();
    await old?.stop();
  });

  it('logs in with a key, and with a key that has a passphrase, by modern algorithms', async () => {
    await withSsh(async (ssh) => {
      expect(ssh.agreed).toMatchObject({ kex: expect.stringContaining('curve25519'), hostKey: 'ssh-ed25519' });
      const ran = must(await ssh.exec('printf out; printf err >&2; exit 7'));
      expect([ran.code, ran.stdout.toString(), ran.stderr.toString()]).toEqual([7, 'out', 'err']);
      expect(must(await ssh.exec('cat', { stdin: Buffer.from('in') })).stdout.toString()).toBe('in');
      expect(must(await ssh.exec('kill -9 $$')).signal).toBe('SIGKILL');
    });
    const locked = must(await connect({ secret: sshd.lockedKey, passphrase: sshd.passphrase }));
    locked.close();
    expect(errorOf(await connect({ secret: sshd.lockedKey }))).toBe('ssh.credentials');
    expect(errorOf(await connect({ secret: sshd.lockedKey, passphrase: 'wrong' }))).toBe('ssh.credentials');
  });

  it('takes a key that was pasted into one line', async () => {
    for (const between of ['', ' ']) {
      const pasted = must(await connect({ secret: sshd.clientKey.trim().replaceAll('\n', between) }));
      pasted.close();
    }
  });

  it('refuses a host key that is not the pinned one before it sends anything, and says what it saw and where it goes', async () => {
    const before = sshd.log();
    const hostKey = `SHA256:${'A'.repeat(43)}`;
    const refused = await connect({ hostKey });
    if (refused.ok) throw new Error('it was let in');
    expect(refused.error.code).toBe('ssh.host-key');
    expect(refused.error.message).toContain(sshd.hostKey);
    expect(refused.error.message).toContain(hostKey);
    expect(refused.error.message).toContain('ssh.hostKey of the device in the site file');
    const said = sshd.log().slice(before.length);
    expect(said).not.toMatch(/Accepted|Failed/);
  });

  it('tries a wrong password and a strange key once each', async () => {
    for (const secret of ['not-the-password', await strangeKey()]) {
      const before = sshd.log().length;
      expect(errorOf(await connect({ secret }))).toBe('ssh.credentials');
      await expect.poll(() => sshd.log().slice(before)).toMatch(/closed|reset|Disconnected/);
      const tries =
        sshd
          .log()
          .slice(before)
          .match(/Failed (?:password|publickey)/g) ?? [];
      expect(tries.length).toBeLessThanOrEqual(1);
    }
    expect(errorOf(await connect({ secret: '' }))).toBe('secret.missing');
    expect(errorOf(await connect({ secret: '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n' }))).toBe('ssh.credentials');
  });
  const strangeKey = async (): Promise<string> => {
    const file = join(sshd.folder, 'strange');
    makeKey(file, 'ed25519');
    return readFileSync(file, 'utf8');
  };

  it('offers old algorithms only where the guide names them', async () => {
    const there = { port: old.port, hostKey: old.hostKey, secret: old.clientKey };
    expect(errorOf(await connect(there))).toBe('ssh.protocol');
    expect(errorOf(await connect({ ...there, legacy: ['diffie-hellman-group14-sha1'] }))).toBe('ssh.protocol');
    const ssh = must(await connect({ ...there, legacy: ['diffie-hellman-group14-sha1', 'aes256-cbc', 'hmac-sha1'] }));
    expect(ssh.agreed).toMatchObject({ kex: 'diffie-hellman-group14-sha1', cipher: 'aes256-cbc', mac: 'hmac-sha1' });
    ssh.close();
  });

  it('ends in time at a command that hangs, one that never stops talking, and a cancel', async () => {
    const hung = await withSsh((ssh) => ssh.exec('sleep 60', { deadlineMs: 300 }));
    expect(errorOf(hung)).toBe('tcp.timeout');
    const endless = await withSsh((ssh) => ssh.exec('yes', { maxBytes: 100_000 }));
    expect(errorOf(endless)).toBe('input.too-large');
    const cancel = new AbortController();
    const ssh = must(await connectSsh(target(), { signal: cancel.signal }));
    const running = ssh.exec('sleep 60');
    cancel.abort();
    expect(errorOf(await running)).toBe('probe.cancelled');
    expect(errorOf(await ssh.exec('true'))).toBe('probe.cancelled');
    ssh.close();
    expect(errorOf(await connectSsh(target(), { signal: cancel.signal }))).toBe('probe.cancelled');
  });

  it('says what is wrong with something else on the port', async () => {
    const web = await startPeer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const silent = await startPeer(() => {});
    try {
      expect(errorOf(await connect({ port: web.port }))).toBe('ssh.protocol');
      const cancel = AbortSignal.timeout(300);
      expect(errorOf(await connectSsh(target({ port: silent.port }), { signal: cancel }))).toBe('probe.deadline');
    } finally {
      await web.stop();
      await silent.stop();
    }
    expect(errorOf(await connect({ port: 1 }))).toBe('tcp.refused');
  });

  it('reads a file with mode and owner, and not one that is too long or none', async () => {
    const path = join(sshd.folder, "it's a file");
    const bytes = Buffer.from([0, 10, 255, 13, 10]);
    await writeFile(path, bytes);
    await chmod(path, 0o640);
    await chown(path, 12, 34);
    symlinkSync(path, `${path}.link`);
    await withSsh(async (ssh) => {
      const file = must(await readFile(ssh, `${path}.link`));
      expect(file).toEqual({
        path,
        bytes,
        sha256: digestOf(bytes),
        mode: '640',
        uid: '12',
        gid: '34',
        modified: expect.stringMatching(/^20.*[+]0000$/),
      });
      expect(must(await readFile(ssh, join(sshd.folder, 'none')))).toBeUndefined();
      expect(must(await readFile(ssh, join(sshd.folder, 'none', 'at', 'all')))).toBeUndefined();
      expect(errorOf(await readFile(ssh, sshd.folder))).toBe('change.refused');
      expect(errorOf(await readFile(ssh, path, { maxBytes: 4 }))).toBe('input.too-large');
    });
    await withSsh(async (ssh) => expect(errorOf(await readFile(ssh, '/dev/zero'))).toBe('change.refused'));
    const big = join(sshd.folder, 'big');
    await writeFile(big, Buffer.alloc(5 * 1024 * 1024));
    await withSsh(async (ssh) => expect(errorOf(await readFile(ssh, big))).toBe('input.too-large'));
  });

  it('writes in one step, keeps mode and owner, and keeps the old version where it is told to', async () => {
    const path = join(sshd.folder, 'settings');
    await writeFile(path, 'old\n');
    await chmod(path, 0o604);
    await chown(path, 12, 34);
    const bytes = Buffer.from(`${'new '.repeat(100_000)}\n`);
    await withSsh(async (ssh) => {
      must(
        await writeFileAtomic(ssh, path, bytes, { replaces: digestOf(Buffer.from('old\n')), keepAs: `${path}.kept` }),
      );
      expect(readFileSync(path)).toEqual(bytes);
      expect(readFileSync(`${path}.kept`, 'utf8')).toBe('old\n');
      for (const one of [path, `${path}.kept`])
        expect([statSync(one).mode & 0o777, statSync(one).uid, statSync(one).gid], one).toEqual([0o604, 12, 34]);
      // Somebody else's version is not overwritten, and neither is one that was kept.
      const again = await writeFileAtomic(ssh, path, bytes, { replaces: digestOf(Buffer.from('old\n')) });
      expect(errorOf(again)).toBe('change.state-differs');
      const kept = await writeFileAtomic(ssh, path, bytes, { replaces: digestOf(bytes), keepAs: `${path}.kept` });
      expect(errorOf(kept)).toBe('ssh.protocol');
      expect(errorOf(await writeFileAtomic(ssh, path, bytes, { replaces: 'absent' }))).toBe('change.state-differs');
      must(await writeFileAtomic(ssh, `${path}.fresh`, Buffer.alloc(0), { replaces: 'absent', mode: '640' }));
      expect(lstatSync(`${path}.fresh`).mode & 0o777).toBe(0o640);
      const staged = must(await stageFile(ssh, path, Buffer.from('third')));
      expect(statSync(staged.temporary).uid).toBe(12);
      expect(readFileSync(path)).toEqual(bytes);
      must(await discardFile(ssh, staged));
      expect(existsSync(staged.temporary)).toBe(false);
      expect(errorOf(await stageFile(ssh, '/proc/none', bytes))).toBe('ssh.protocol');
      const gone = { path, temporary: `${path}.gone` };
      expect(errorOf(await commitFile(ssh, gone, { replaces: digestOf(bytes) }))).toBe('ssh.protocol');
    });
    expect(leftovers()).toEqual([]);
  });

  it('finds a device of the site by its id, with the secret that the operator gave', async () => {
    const device = {
      id: 'pump',
      name: 'Pump',
      host: sshd.address,
      ssh: { port: sshd.port, user: 'root', hostKey: sshd.hostKey, secret: 'pump-ssh' },
    };
    const context = probeContext({ site: { devices: [device] }, secrets: { 'pump-ssh': sshd.clientKey } });
    const who = (ssh: SshConnection) => ssh.exec('id -un');
    expect(must(await withSshDevice('pump', context, who)).stdout.toString()).toBe('root\n');
    expect(context.connections()).toBe(1);
    expect(errorOf(await withSshDevice('other', context, who))).toBe('change.refused');
    expect(errorOf(await withSshDevice('pump', probeContext({ site: { devices: [device] } }), who))).toBe(
      'secret.missing',
    );
    const login = { user: 'root', secret: 'wrong' };
    expect(errorOf(await withSshDevice('pump', context, who, { login }))).toBe('ssh.credentials');
  });
});
