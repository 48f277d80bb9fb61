import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Result } from '../../core/result.ts';
import { decryptFile } from '../../engine/evidence/decrypt.ts';
import { encryptFile } from '../../engine/evidence/encrypt.ts';
import { readSmallFile } from '../../engine/session/load-site.ts';
import { EXIT } from '../host.ts';
import { unlockDecryptionKey } from '../keys.ts';
import { complain, print } from '../terminal.ts';

type DecryptOptions = { key: string; passphrase?: string; certificate?: string; out: string };

/** `lockstep bundle encrypt|decrypt`. */
export function addEncryptCommands(bundle: Command): void {
  bundle
    .command('encrypt')
    .description('Encrypt a bundle to certificates; `openssl cms -decrypt` opens it')
    .argument('<bundle>')
    .requiredOption('--to <file...>', "recipients' certificates (PEM)")
    .requiredOption('--out <file>', 'encrypted file to write (.p7m)')
    .action(async (file: string, options: { to: string[]; out: string }) => {
      process.exitCode = finish(await encrypt(resolve(file), options));
    });
  bundle
    .command('decrypt')
    .description('Open a bundle that was encrypted to a certificate of yours')
    .argument('<file>')
    .requiredOption('--key <file>', 'your PKCS#12 or PEM')
    .option('--passphrase <env:NAME>', 'its passphrase; without it, it is asked for')
    .option('--certificate <file>', 'your certificate, where it is not beside the key')
    .requiredOption('--out <file>', 'bundle to write')
    .action(async (file: string, options: DecryptOptions) => {
      process.exitCode = finish(await decrypt(resolve(file), options));
    });
}

function finish(done: Result<unknown>): number {
  if (!done.ok) complain(done.error);
  return done.ok ? EXIT.done : EXIT.usage;
}

async function encrypt(file: string, options: { to: string[]; out: string }): Promise<Result<unknown>> {
  const recipients: string[] = [];
  for (const to of options.to) {
    const pem = await readSmallFile(resolve(to), "recipient's certificate");
    if (!pem.ok) return pem;
    recipients.push(pem.value);
  }
  const done = await encryptFile(file, recipients, resolve(options.out), new Date());
  if (done.ok) print(`${done.value.file}, for ${done.value.recipients.join(' and ')}`);
  return done;
}

async function decrypt(file: string, options: DecryptOptions): Promise<Result<unknown>> {
  const key = await unlockDecryptionKey(options);
  if (!key.ok) return key;
  try {
    const done = await decryptFile(file, { key: key.value }, resolve(options.out));
    if (done.ok) print(done.value.file);
    return done;
  } finally {
    key.value.pkcs8.fill(0);
  }
}
