import { type AppError, appError } from '../../core/result.ts';
import { socketError } from './tcp.ts';

type Failed = Error & { readonly level?: string; readonly code?: unknown };
type Asked = { readonly host: string; readonly port: number; readonly user: string; readonly hostKey: string };

/**
 * Why a log-in failed. A wrong host key names the fingerprint that was seen, so that the operator can compare it with what the
 * device itself says; it is never taken over by itself.
 * @param seen fingerprint of the key that the server showed, where it got that far
 */
export function sshError(error: Failed, target: Asked, seen: string | undefined): AppError {
  const place = `${target.host}:${target.port}`;
  if (seen !== undefined && seen !== target.hostKey) {
    return appError(
      'ssh.host-key',
      `The SSH server shows the host key ${seen}; the site file has ${target.hostKey}. Nothing was sent to it. Somebody may stand in between. Read the fingerprint at the device itself (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), and only if it is the one seen, enter it as ssh.hostKey of the device in the site file.`,
      { place },
    );
  }
  if (error.level === 'client-authentication')
    return appError('ssh.credentials', `The device did not let ${target.user} in. Check the account and its secret.`, {
      place,
    });
  if (error.level === 'client-timeout')
    return appError('tcp.timeout', 'The SSH server did not finish the log-in in time.', { place });
  return sshFault(error, place);
}

/** What else can go wrong on an SSH connection, by its own words. */
export function sshFault(thrown: unknown, place: string): AppError {
  const error: Failed = thrown instanceof Error ? thrown : new Error(String(thrown));
  const { message } = error;
  if (error.level === 'client-socket' || typeof error.code === 'string') return socketError(error, place);
  if (/no matching/i.test(message))
    return appError(
      'ssh.protocol',
      'The device offers only SSH algorithms that are out of date. Update it, or have the guide name what the product needs.',
      { place, cause: message, fixBy: 'manufacturer' },
    );
  if (/parse privateKey|passphrase|private key/i.test(message))
    return appError(
      'ssh.credentials',
      'The private key cannot be read. Give the right key, and its passphrase if it has one.',
      {
        place,
        // The library's words name the fault, never the key.
        cause: message,
      },
    );
  return appError('ssh.protocol', 'The SSH connection failed.', { place, cause: message });
}
