import type { CertificateTemplate } from '../../core/certificate-template.ts';
import { ok, type Result } from '../../core/result.ts';
import { opensslRequestConfig } from '../keys/certificate-request.ts';
import type { SshConnection } from '../wire/ssh.ts';
import { readFile, runScript } from '../wire/ssh-files.ts';
import { REQUEST, REQUEST_FAULTS } from './certificate-scripts.ts';
import { answer, unclear } from './certificate-ssh-answer.ts';

/** A large RSA key takes a small device its time. */
const MAKE_MS = 50_000;

/** Where the key that was made for a request waits for its certificate. */
export function waitingKey(keyFile: string, stamp: string): string {
  return `${keyFile}.${stamp}.new`;
}

export function waitingRequest(keyFile: string, stamp: string): string {
  return `${keyFile}.${stamp}.csr`;
}

/** The request that waits on the device, PEM; undefined where there is none. */
export async function readWaitingRequest(
  ssh: SshConnection,
  keyFile: string,
  stamp: string,
): Promise<Result<string | undefined>> {
  const file = await readFile(ssh, waitingRequest(keyFile, stamp), { maxBytes: 65_536 });
  return file.ok ? ok(file.value?.bytes.toString('latin1')) : file;
}

/** Has the device's own openssl make a key, unless the one it has serves again, and a request for it. */
export async function makeRequestThere(
  ssh: SshConnection,
  keyFile: string,
  stamp: string,
  template: CertificateTemplate,
  sameKey: boolean,
): Promise<Result<void>> {
  const rsa = template.key.startsWith('rsa-');
  const kind = rsa ? ['RSA', `rsa_keygen_bits:${template.key.slice(4)}`] : ['EC', `ec_paramgen_curve:${template.key}`];
  const request = waitingRequest(keyFile, stamp);
  const args = [keyFile, waitingKey(keyFile, stamp), request, ...kind, sameKey ? 'same' : 'new'];
  const made = await runScript(ssh, REQUEST, args, {
    stdin: Buffer.from(opensslRequestConfig(template)),
    deadlineMs: MAKE_MS,
  });
  if (!made.ok) return unclear(made);
  return answer(made.value, `${ssh.place} ${request}`, REQUEST_FAULTS, 'No request could be made on the device.');
}

/** Takes a request away, and the key that was made for it. */
export async function discardRequestThere(ssh: SshConnection, keyFile: string, stamp: string): Promise<Result<void>> {
  const files = [waitingKey(keyFile, stamp), waitingRequest(keyFile, stamp)];
  const gone = await runScript(ssh, 'rm -f -- "$1" "$2"', files);
  if (!gone.ok) return unclear(gone);
  return answer(gone.value, ssh.place, {}, 'The request cannot be taken away.');
}
