import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Result } from '../../core/result.ts';
import { newIdentity } from '../../engine/keys/csr.ts';
import { identityFromPem, type Identity } from '../../engine/keys/identity.ts';
import { readSmallFile } from '../../engine/session/load-site.ts';
import { saveFile } from '../../engine/session/save-file.ts';
import { EXIT } from '../host.ts';
import { unlockIdentity } from '../keys.ts';
import { complain, print, readSecret } from '../terminal.ts';

/** `lockstep identity new|import|show`. */
export function addIdentityCommands(program: Command): void {
  const identity = program.command('identity').description('Keys and certificates that sign');
  identity
    .command('new')
    .description('Make a key (locked with a passphrase) and a certificate request for your authority')
    .requiredOption('--name <name>', 'your name, as the certificate shall show it')
    .option('--organization <name>')
    .option('--email <address>')
    .option('--passphrase <env:NAME>', 'locks the key; without it, it is asked for')
    .requiredOption('--out <prefix>', 'writes PREFIX.key.pem and PREFIX.csr.pem')
    .action(async (options: NewOptions) => {
      process.exitCode = await create(options);
    });
  identity
    .command('import')
    .description('Join a key with the certificate that the authority issued for it')
    .requiredOption('--key <file>', 'PREFIX.key.pem of `identity new`')
    .requiredOption('--certificate <file>', 'what came back, PEM, with its intermediates')
    .option('--passphrase <env:NAME>', 'of the key; without it, it is asked for')
    .requiredOption('--out <file>', 'identity to write; its key stays locked')
    .action(async (options: { key: string; certificate: string; passphrase?: string; out: string }) => {
      process.exitCode = await join(options);
    });
  identity
    .command('show')
    .description('Open an identity and say what it can do')
    .argument('<file>', 'PKCS#12 or PEM')
    .option('--passphrase <env:NAME>', 'without it, it is asked for')
    .action(async (file: string, options: { passphrase?: string }) => {
      process.exitCode = report(await unlockIdentity(file, options.passphrase));
    });
}

type NewOptions = { name: string; organization?: string; email?: string; passphrase?: string; out: string };

async function create({ out, passphrase, ...about }: NewOptions): Promise<number> {
  const secret = await readSecret(passphrase, 'passphrase for the new key');
  if (!secret.ok) return refuse(secret);
  const made = await newIdentity({ ...about, passphrase: secret.value });
  if (!made.ok) return refuse(made);
  for (const [path, content] of [
    [`${out}.key.pem`, made.value.encryptedKeyPem],
    [`${out}.csr.pem`, made.value.requestPem],
  ] as const) {
    const saved = await saveFile(resolve(path), content);
    if (!saved.ok) return refuse(saved);
    print(path);
  }
  return EXIT.done;
}

async function join(options: { key: string; certificate: string; passphrase?: string; out: string }): Promise<number> {
  const key = await readSmallFile(resolve(options.key), 'key file');
  if (!key.ok) return refuse(key);
  const certificate = await readSmallFile(resolve(options.certificate), 'certificate file');
  if (!certificate.ok) return refuse(certificate);
  const secret = await readSecret(options.passphrase, `passphrase of ${options.key}`);
  if (!secret.ok) return refuse(secret);
  const pem = `${key.value.trimEnd()}\n${certificate.value.trimEnd()}\n`;
  const identity = await identityFromPem(pem, secret.value);
  if (!identity.ok) return refuse(identity);
  const saved = await saveFile(resolve(options.out), pem);
  if (!saved.ok) return refuse(saved);
  print(options.out);
  return report(identity);
}

function report(identity: Result<Identity>): number {
  if (!identity.ok) return refuse(identity);
  const { subject, issuer, notBefore, notAfter, sha256 } = identity.value;
  print(`subject  ${subject}`);
  print(`issuer   ${issuer}`);
  print(`valid    ${notBefore} to ${notAfter}`);
  print(`sha256   ${sha256}`);
  return EXIT.done;
}

function refuse(result: Result<unknown>): number {
  if (!result.ok) complain(result.error);
  return EXIT.usage;
}
