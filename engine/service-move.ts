import { hostname } from 'node:os';
import { basename } from 'node:path';
import type { Outputs } from '../core/ipc.ts';
import { ok, type Result } from '../core/result.ts';
import type { Opener } from './evidence/decrypt.ts';
import { loadDecryptionKey } from './keys/decryption-key.ts';
import { loadIdentity } from './keys/identity.ts';
import type { ServiceInputs } from './service-contract.ts';
import { handOverJournal, type HandOverTo } from './session/hand-over.ts';
import { readSmallFile } from './session/load-site.ts';
import type { Session } from './session/session.ts';
import { takeOverSession } from './session/take-over.ts';

/** Hands the open session over and closes it. Errors: those of the identity, of the certificate, and of `handOverSession`. */
export async function moveOut(
  open: Session,
  { to, path, passphrase, out }: ServiceInputs['session.handOver'],
  close: () => Promise<void>,
): Promise<Result<Outputs['session.handOver']>> {
  const recipient = await readTo(to);
  if (!recipient.ok) return recipient;
  const identity = await loadIdentity(path, passphrase);
  if (!identity.ok) return identity;
  const { journal, now } = open;
  const handed = await handOverJournal(journal, { to: recipient.value, identity: identity.value, out, now });
  if (!handed.ok) return handed;
  await close();
  return ok({ name: basename(handed.value.file), to: handed.value.to });
}

/** Takes a session over into the folder of the sessions. Errors: those of the keys and of `takeOverSession`. */
export async function moveIn(
  sessions: string,
  { file, opens, operator, path, passphrase, engineers }: ServiceInputs['session.takeOver'],
): Promise<Result<Outputs['session.takeOver']>> {
  const identity = await loadIdentity(path, passphrase);
  if (!identity.ok) return identity;
  const opener = await readOpener(opens);
  if (!opener.ok) return opener;
  try {
    const where = { engineers, computer: hostname(), now: () => new Date() };
    return await takeOverSession(sessions, file, {
      opener: opener.value,
      operator,
      identity: identity.value,
      ...where,
    });
  } finally {
    if ('key' in opener.value) opener.value.key.pkcs8.fill(0);
  }
}

async function readTo(to: ServiceInputs['session.handOver']['to']): Promise<Result<HandOverTo>> {
  if ('passphrase' in to) return ok(to);
  const pem = await readSmallFile(to.certificate, "recipient's certificate");
  return pem.ok ? ok({ certificates: [pem.value] }) : pem;
}

async function readOpener(opens: ServiceInputs['session.takeOver']['opens']): Promise<Result<Opener>> {
  if (!('key' in opens)) return ok(opens);
  const key = await loadDecryptionKey(opens.key, opens.passphrase);
  return key.ok ? ok({ key: key.value }) : key;
}
