import type { Algorithms } from 'ssh2';
import { LEGACY_SSH_ALGORITHMS, type LegacySshAlgorithm } from '../../core/site/ssh.ts';

type Kind = 'kex' | 'serverHostKey' | 'cipher' | 'hmac';

/** Offered to every device. What this runtime's TLS library cannot do is left out by the SSH library itself. */
const MODERN: Readonly<Record<Kind, readonly string[]>> = {
  kex: [
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group-exchange-sha256',
    'diffie-hellman-group14-sha256',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
  ],
  serverHostKey: [
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'ecdsa-sha2-nistp384',
    'ecdsa-sha2-nistp521',
    'rsa-sha2-512',
    'rsa-sha2-256',
  ],
  cipher: [
    'aes256-gcm@openssh.com',
    'aes128-gcm@openssh.com',
    'chacha20-poly1305@openssh.com',
    'aes256-ctr',
    'aes192-ctr',
    'aes128-ctr',
  ],
  hmac: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
};

/**
 * What is offered in a key exchange: modern algorithms, and after them the named old ones.
 * The library's own lists are narrowed instead of replaced, because it throws on a name that this runtime lacks.
 */
export function algorithmsFor(legacy: readonly LegacySshAlgorithm[]): Algorithms {
  const of = (kind: Kind): { append: RegExp[]; remove: RegExp[] } => {
    const old = legacy.filter((name) => LEGACY_SSH_ALGORITHMS[name] === kind);
    return { append: old.map((name) => exactly([name])), remove: [except([...MODERN[kind], ...old])] };
  };
  return {
    kex: of('kex'),
    serverHostKey: of('serverHostKey'),
    cipher: of('cipher'),
    hmac: of('hmac'),
    compress: ['none'],
  } as unknown as Algorithms;
}

function exactly(names: readonly string[]): RegExp {
  return new RegExp(`^(?:${names.map((name) => name.replace(/[.]/g, '\\.')).join('|')})$`);
}

function except(names: readonly string[]): RegExp {
  return new RegExp(`^(?!(?:${names.map((name) => name.replace(/[.]/g, '\\.')).join('|')})$)`);
}
