import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { appError, type AppError, fail, ok, type Result } from '../../core/result.ts';
import { reduceAll } from '../../core/session/state.ts';
import { writeContainer } from '../evidence/container-writer.ts';
import { encryptStream, readRecipients } from '../evidence/encrypt.ts';
import { writeAtomically, writeError, writeFully } from '../evidence/files.ts';
import { type Journal, openJournal } from '../evidence/journal-file.ts';
import { packFiles, packJournal } from '../evidence/session-package.ts';
import { checkSigner, type Identity } from '../keys/identity.ts';
import { operatorOf } from './operator.ts';

/** Who can open the file: certificates in PEM, or whoever knows a passphrase. */
export type HandOverTo = { readonly certificates: readonly string[] } | { readonly passphrase: string };

export type HandOverOptions = {
  readonly to: HandOverTo;
  /** The operator's own key: it signs the head under which the session leaves. */
  readonly identity: Identity;
  readonly out: string;
  readonly now: () => Date;
};

export type HandedSession = { readonly file: string; readonly size: number; readonly to: string };

/** Shortest passphrase, in characters: it is all that protects the file. */
export const SHORTEST_PASSPHRASE = 12;
const CHUNK = 1024 * 1024;

/** Ends the work on a file without keeping what was written. */
class Stop extends Error {
  readonly error: AppError;
  constructor(error: AppError) {
    super(error.message);
    this.error = error;
  }
}

/**
 * Hands a session over as one encrypted file (CMS EnvelopedData over a ZIP of the session's files): its journal ends
 * with `handed-over` and a signed head, and nothing more may be written here. Where the file cannot be written in the
 * end, the hand-over is withdrawn and the session goes on. Errors: `session.not-found`, `session.state` (handed over
 * already), `journal.locked`, `journal.broken`, `journal.write`, `identity.invalid`, `input.malformed`, `bundle.too-large`.
 */
export async function handOverSession(
  dir: string,
  options: HandOverOptions & { readonly operator: string },
): Promise<Result<HandedSession>> {
  const journal = await openJournal(dir, { by: operatorOf(options.operator).id, now: options.now });
  if (!journal.ok) return journal;
  try {
    return await handOverJournal(journal.value, options);
  } finally {
    await journal.value.close();
  }
}

/** As `handOverSession`, with a journal that is open and stays so: it is to be closed where this went well. */
export async function handOverJournal(journal: Journal, options: HandOverOptions): Promise<Result<HandedSession>> {
  const { to, identity } = options;
  const { dir } = journal;
  const now = options.now();
  const signer = checkSigner(identity, now);
  if (!signer.ok) return signer;
  const recipients = 'certificates' in to ? readRecipients(to.certificates, now) : ok([]);
  if (!recipients.ok) return recipients;
  if ('passphrase' in to && to.passphrase.length < SHORTEST_PASSPHRASE)
    return fail('input.malformed', `The passphrase needs at least ${SHORTEST_PASSPHRASE} characters.`);
  if ('certificates' in to && to.certificates.length === 0)
    return fail('input.malformed', 'Say to whom the session is handed over.');
  const packed = join(dir, `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const { handedOver } = reduceAll(journal.events);
    if (handedOver !== undefined) return refuseHandedOver(handedOver, dir);
    const name = 'passphrase' in to ? 'whoever knows the passphrase' : recipients.value.map((each) => each.subject);
    const told = [name].flat().join(' and ');
    const filled = await pack(journal, packed, told, identity);
    if (!filled.ok) return filled;
    const written = await encryptTo(packed, options.out, {
      certificates: recipients.value,
      ...('passphrase' in to ? { passphrase: to.passphrase } : {}),
    });
    if (written.ok) return ok({ file: options.out, size: written.value.size, to: told });
    const reason = `The file could not be written: ${written.error.message}`;
    const withdrawn = await journal.append('hand-over.withdrawn', { reason });
    return withdrawn.ok ? written : withdrawn;
  } finally {
    await rm(packed, { force: true });
  }
}

/**
 * Takes a hand-over back, because the file was never taken over. What the reason says is the operator's word: if somebody
 * took it over all the same, there are two records of one session from here on. Errors: `session.state`, those of opening.
 */
export async function withdrawHandOver(
  dir: string,
  reason: string,
  options: { readonly operator: string; readonly now: () => Date },
): Promise<Result<unknown>> {
  const journal = await openJournal(dir, { by: operatorOf(options.operator).id, now: options.now });
  if (!journal.ok) return journal;
  try {
    if (reduceAll(journal.value.events).handedOver === undefined)
      return fail('session.state', 'This session was not handed over.', { place: dir });
    return await journal.value.append('hand-over.withdrawn', { reason });
  } finally {
    await journal.value.close();
  }
}

/** Why nothing may be written in a session that was handed over. */
export function refuseHandedOver(over: { readonly to: string; readonly at: string }, dir: string): Result<never> {
  return fail(
    'session.state',
    `This session was handed over to ${over.to} at ${over.at}; it goes on there, and here it can only be read.`,
    { place: dir },
  );
}

/** All that takes room goes first; the journal says last that the session leaves. */
async function pack(journal: Journal, file: string, to: string, identity: Identity): Promise<Result<undefined>> {
  try {
    await writeAtomically(file, async (handle) => {
      const writer = writeContainer(handle);
      const files = await packFiles(writer, journal.dir, journal.events);
      if (!files.ok) throw new Stop(files.error);
      const recorded = await journal.append('handed-over', { to });
      if (!recorded.ok) throw new Stop(recorded.error);
      const signed = await journal.signHead('hand-over', identity);
      if (!signed.ok) throw new Stop(signed.error);
      await packJournal(writer, journal.dir);
      await writer.finish();
    });
    return ok(undefined);
  } catch (error) {
    const failed =
      error instanceof Stop
        ? error.error
        : error instanceof RangeError
          ? appError('bundle.too-large', 'This session is too large for one file.', { cause: error.message })
          : writeError('The session', file, error);
    if (reduceAll(journal.events).handedOver !== undefined)
      await journal.append('hand-over.withdrawn', { reason: `The file could not be written: ${failed.message}` });
    return { ok: false, error: failed };
  }
}

async function encryptTo(
  file: string,
  out: string,
  to: Parameters<typeof encryptStream>[1],
): Promise<Result<{ readonly size: number }>> {
  try {
    return ok(
      await writeAtomically(out, async (handle) => {
        let position = 0;
        const done = await encryptStream(createReadStream(file, { highWaterMark: CHUNK }), to, async (bytes) => {
          await writeFully(handle, bytes, position);
          position += bytes.length;
        });
        if (!done.ok) throw new Stop(done.error);
        return done.value;
      }),
    );
  } catch (error) {
    return { ok: false, error: error instanceof Stop ? error.error : writeError('The file', out, error) };
  }
}
