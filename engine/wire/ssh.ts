import { createHash } from 'node:crypto';
import { Client, type ClientChannel, type ConnectConfig } from 'ssh2';
import { fail, ok, type Result } from '../../core/result.ts';
import type { LegacySshAlgorithm } from '../../core/site/ssh.ts';
import { algorithmsFor } from './ssh-algorithms.ts';
import { sshError, sshFault } from './ssh-errors.ts';
import { abortError, type DialOptions, dial } from './tcp.ts';

/** Where and as whom to log in. */
export type SshTarget = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** `SHA256:` and the base64 digest of the server's host key, as `ssh-keygen -l` prints it. */
  readonly hostKey: string;
  /** A password, or the text of a private key (OpenSSH or PEM), told apart by how it begins. */
  readonly secret: string;
  /** For a private key that is encrypted. */
  readonly passphrase?: string;
  /** Old algorithms that this device needs; none are offered otherwise. */
  readonly legacy?: readonly LegacySshAlgorithm[];
};

/** What both sides agreed on, by the names of RFC 4253 and its extensions. */
export type SshAgreed = {
  readonly kex: string;
  readonly hostKey: string;
  readonly cipher: string;
  readonly mac: string;
};

export type ExecOptions = {
  readonly stdin?: Uint8Array;
  /** Bytes of standard output, and of standard error, that are taken; more is an error. */
  readonly maxBytes?: number;
  /** Milliseconds from the request to the end of the command. */
  readonly deadlineMs?: number;
};
/** `code` is absent where the command was ended by a signal, which `signal` then names. */
export type ExecResult = {
  readonly code?: number;
  readonly signal?: string;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
};

/** A logged-in connection to a device. Once it is closed, or a command ran out of time, every further call fails. */
export type SshConnection = {
  readonly place: string;
  readonly agreed: SshAgreed;
  /**
   * Runs one command in the login shell of the user and waits for its end. Errors: `ssh.protocol`, `tcp.reset`, `tcp.timeout`,
   * `input.too-large`, `probe.cancelled`, `probe.deadline`. An exit code other than 0 is no error.
   */
  readonly exec: (command: string, options?: ExecOptions) => Promise<Result<ExecResult>>;
  readonly close: () => void;
};

const LOGIN_MS = 15_000;
const COMMAND_MS = 30_000;
const MAX_OUTPUT = 1024 * 1024;

/** `SHA256:…` of a host key as it is sent, the way OpenSSH writes it. */
export function hostKeyFingerprint(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/**
 * Opens an SSH connection (RFC 4253) and logs in. The server is believed only by the fingerprint of its host key; nothing is
 * sent to one that shows another. One attempt to log in, so that no account is locked. The caller closes the connection.
 * Errors: those of `dial`, `ssh.host-key`, `ssh.credentials`, `ssh.protocol`, `tcp.timeout`. Call it inside the host's
 * connection slot.
 */
export async function connectSsh(target: SshTarget, options: DialOptions): Promise<Result<SshConnection>> {
  const place = `${target.host}:${target.port}`;
  const login = loginOf(target);
  if (!login.ok) return login;
  const dialled = await dial(target.host, target.port, options);
  if (!dialled.ok) return dialled;
  const client = new Client();
  const socket = dialled.value;
  let seen: string | undefined;
  let agreed: SshAgreed | undefined;
  const connected = await new Promise<Result<SshConnection>>((resolve) => {
    const onAbort = (): void => finish({ ok: false, error: abortError(options.signal, place) });
    const finish = (result: Result<SshConnection>): void => {
      options.signal.removeEventListener('abort', onAbort);
      resolve(result);
    };
    options.signal.addEventListener('abort', onAbort, { once: true });
    client.once('handshake', (names) => {
      agreed = { kex: names.kex, hostKey: names.serverHostKey, cipher: names.cs.cipher, mac: names.cs.mac };
    });
    client.once('ready', () => {
      if (agreed === undefined)
        finish(fail('ssh.protocol', 'The device logged us in without a key exchange.', { place }));
      else finish(ok(connection(client, place, agreed, options.signal)));
    });
    // Answered once and only where it can be nothing else than the password.
    client.on('keyboard-interactive', (_name, _instructions, _language, prompts, answer) =>
      answer(prompts.length === 1 && prompts[0]?.echo !== true && 'password' in login.value ? [target.secret] : []),
    );
    client.once('change password', () =>
      finish(fail('ssh.credentials', `The device wants a new password for ${target.user} first.`, { place })),
    );
    client.on('error', (error) => finish({ ok: false, error: sshError(error, target, seen) }));
    client.once('close', () =>
      finish(fail('ssh.protocol', 'The device hung up before the log-in was over.', { place })),
    );
    try {
      client.connect({
        sock: socket,
        username: target.user,
        ...login.value,
        readyTimeout: LOGIN_MS,
        algorithms: algorithmsFor(target.legacy ?? []),
        hostVerifier: (key: Buffer) => {
          seen = hostKeyFingerprint(key);
          return seen === target.hostKey;
        },
        tryKeyboard: true,
        authHandler: oneAttempt(login.value),
      } as ConnectConfig);
    } catch (error) {
      finish({ ok: false, error: sshFault(error, place) });
    }
  });
  if (!connected.ok) {
    client.on('error', () => {});
    client.destroy();
    socket.destroy();
  }
  return connected;
}

type Login = { readonly password: string } | { readonly privateKey: string; readonly passphrase?: string };

function loginOf({ secret, passphrase, host, port }: SshTarget): Result<Login> {
  if (secret === '') return fail('secret.missing', 'An empty password is never sent.', { place: `${host}:${port}` });
  if (!/^\s*-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(secret)) return ok({ password: secret });
  return ok({ privateKey: linesOfPem(secret), ...(passphrase === undefined ? {} : { passphrase }) });
}

/** A key whose line breaks were lost, as where it was pasted into a field of one line. */
function linesOfPem(text: string): string {
  const [, begin, body = '', end] =
    /^\s*(-----BEGIN [A-Z ]+-----)([A-Za-z0-9+/= ]+)(-----END [A-Z ]+-----)\s*$/.exec(text) ?? [];
  return begin === undefined ? text : `${begin}\n${body.replaceAll(' ', '')}\n${end}\n`;
}

/** Asks what the server takes, then tries the one way that fits; a second try would count against the account. */
function oneAttempt(login: Login): ConnectConfig['authHandler'] {
  let asked = false;
  let tried = false;
  return ((left: readonly string[] | null, _partial: boolean) => {
    if (!asked) {
      asked = true;
      return 'none';
    }
    if (tried) return false;
    tried = true;
    const ways = 'privateKey' in login ? ['publickey'] : ['password', 'keyboard-interactive'];
    return ways.find((way) => left?.includes(way)) ?? false;
  }) as unknown as ConnectConfig['authHandler'];
}

function connection(client: Client, place: string, agreed: SshAgreed, signal: AbortSignal): SshConnection {
  let broken: Error | undefined;
  client.on('error', (error) => {
    broken ??= error;
  });
  const onAbort = (): void => {
    client.destroy();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const close = (): void => {
    signal.removeEventListener('abort', onAbort);
    client.end();
    client.destroy();
  };
  return {
    place,
    agreed,
    close,
    exec: (command, options = {}) =>
      new Promise((resolve) => {
        const { stdin, maxBytes = MAX_OUTPUT, deadlineMs = COMMAND_MS } = options;
        const finish = (result: Result<ExecResult>): void => {
          clearTimeout(timer);
          client.off('close', onClose);
          resolve(result);
        };
        /** Ends the connection too: a command that cannot be stopped must not be talked to any more. */
        const giveUp = (result: Result<ExecResult>): void => {
          finish(result);
          close();
        };
        const onClose = (): void =>
          finish(
            signal.aborted
              ? { ok: false, error: abortError(signal, place) }
              : broken === undefined
                ? fail('ssh.protocol', 'The connection ended before the command did.', { place })
                : { ok: false, error: sshFault(broken, place) },
          );
        const timer = setTimeout(
          () => giveUp(fail('tcp.timeout', `The command did not end within ${deadlineMs / 1000} s.`, { place })),
          deadlineMs,
        );
        client.once('close', onClose);
        if (signal.aborted) return onClose();
        try {
          client.exec(command, (error, channel) => {
            if (error !== undefined) return finish({ ok: false, error: sshFault(error, place) });
            collect(channel, maxBytes, stdin, (result) =>
              result === undefined ? giveUp(tooMuch(maxBytes, place)) : finish(ok(result)),
            );
          });
        } catch (error) {
          finish({ ok: false, error: sshFault(error, place) });
        }
      }),
  };
}

function tooMuch(maxBytes: number, place: string): Result<never> {
  return fail('input.too-large', `The device sent more than the ${maxBytes} bytes that are taken.`, { place });
}

/** Reads a channel to its end; `undefined` as soon as there is more than is taken. */
function collect(
  channel: ClientChannel,
  maxBytes: number,
  stdin: Uint8Array | undefined,
  done: (result: ExecResult | undefined) => void,
): void {
  const parts = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  const sizes = { stdout: 0, stderr: 0 };
  let end: { readonly code?: number; readonly signal?: string } = {};
  const take = (name: 'stdout' | 'stderr') => (chunk: Buffer) => {
    sizes[name] += chunk.length;
    if (sizes[name] > maxBytes) done(undefined);
    else parts[name].push(chunk);
  };
  channel.on('data', take('stdout'));
  channel.stderr.on('data', take('stderr'));
  channel.on('error', () => {});
  channel.on('exit', (code: number | null, name?: string) => {
    end = code === null ? { signal: name ?? 'unknown' } : { code };
  });
  channel.on('close', () => done({ ...end, stdout: Buffer.concat(parts.stdout), stderr: Buffer.concat(parts.stderr) }));
  // A command that ends without reading its input closes the pipe; its exit code says what that meant.
  channel.end(stdin === undefined ? undefined : Buffer.from(stdin));
}
