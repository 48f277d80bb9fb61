import { fail, type Result } from '../../core/result.ts';
import type { LegacySshAlgorithm } from '../../core/site/ssh.ts';
import type { ProbeContext } from '../context.ts';
import { connectSsh, type SshConnection } from './ssh.ts';

/** Who logs in instead of the account that the site names: the one that was asked for this one change. */
export type SshLogin = { readonly user: string; readonly secret: string };

/**
 * Logs in to a device of the site, in the connection slot of its host, and closes the connection when `work` is done.
 * Errors: `session.state` (the site names no such access), `secret.missing`, those of `connectSsh`, and those of `work`.
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
  const found = context.site.devices.find(({ id }) => id === device);
  if (found?.ssh === undefined)
    return fail(
      'change.refused',
      `The site file names no SSH access for the device ${device}: give it ssh with user, hostKey and secret.`,
      {
        place: device,
      },
    );
  const { user, hostKey } = found.ssh;
  const port = options.port ?? found.ssh.port;
  const host = found.ssh.host ?? found.host;
  const secret =
    login === undefined ? await context.secret(found.ssh.secret) : { ok: true as const, value: login.secret };
  if (!secret.ok) return secret;
  const passphrase =
    login !== undefined || found.ssh.passphrase === undefined ? undefined : await context.secret(found.ssh.passphrase);
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
