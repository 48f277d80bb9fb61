import type { Result } from '../../core/result.ts';
import { type LegacySshAlgorithm, sshDevice } from '../../core/site/ssh.ts';
import type { ProbeContext } from '../context.ts';
import { connectSsh, type SshConnection } from './ssh.ts';

/** Who logs in instead of the account that the site names: the one that was asked for this one change. */
export type SshLogin = { readonly user: string; readonly secret: string };

/**
 * Logs in to a device of the site, in the connection slot of its host, and closes the connection when `work` is done.
 * Errors: `change.refused` (the site names no such access), `secret.missing`, those of `connectSsh`, and those of `work`.
 * @param device id in the site file
 * @param options the account instead of the site's, and the port where a change has moved it
 */
export async function withSshDevice<T>(
  device: string,
  context: ProbeContext,
  work: (ssh: SshConnection) => Promise<Result<T>>,
  options: { legacy?: readonly LegacySshAlgorithm[]; login?: SshLogin; port?: number } = {},
): Promise<Result<T>> {
  const { legacy = [], login } = options;
  const found = sshDevice(device, context.site);
  if (!found.ok) return found;
  const { ssh: access } = found.value;
  const { user, hostKey } = access;
  const port = options.port ?? access.port;
  const host = access.host ?? found.value.host;
  const secret = login === undefined ? await context.secret(access.secret) : { ok: true as const, value: login.secret };
  if (!secret.ok) return secret;
  const passphrase =
    login !== undefined || access.passphrase === undefined ? undefined : await context.secret(access.passphrase);
  if (passphrase?.ok === false) return passphrase;
  return context.connection(host, async () => {
    const target = {
      host,
      port,
      user: login?.user ?? user,
      hostKey,
      secret: secret.value,
      legacy,
      ...(passphrase === undefined ? {} : { passphrase: passphrase.value }),
    };
    const ssh = await connectSsh(target, { hosts: context.site.hosts, signal: context.signal });
    if (!ssh.ok) return ssh;
    try {
      return await work(ssh.value);
    } finally {
      ssh.value.close();
    }
  });
}
