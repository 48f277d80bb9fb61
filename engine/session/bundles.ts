import { basename, join } from 'node:path';
import { verifyJudged } from '../../core/bundle/verify-judged.ts';
import type { VerifyView } from '../../core/ipc.ts';
import { REPORTS } from '../../core/report/index.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { readEntry, verifyFile } from '../evidence/container-reader.ts';
import { countersign } from '../evidence/countersign.ts';
import type { Identity } from '../keys/identity.ts';
import { saveFile } from './save-file.ts';
import type { SealedBundle } from './seal.ts';

/** Root certificates (PEM) per role. */
type Roots = {
  readonly engineer: readonly string[];
  readonly hospital: readonly string[];
  readonly publisher: readonly string[];
  readonly timestamp?: readonly string[];
};

/**
 * Verifies a bundle: container, digests, journal, signatures, and every verdict judged again from the facts in it.
 * Errors only where the file is no container that can be read safely.
 */
export async function verifyBundle(path: string, trust: Roots, at: Date): Promise<Result<VerifyView>> {
  const verified = await verifyJudged((options) => verifyFile(path, options), trust, at);
  if (!verified.ok) return verified;
  const { sound, complete, state, findings, signers } = verified.value;
  return ok({
    sound,
    complete,
    ...(state === undefined ? {} : { summary: state }),
    findings,
    signers: signers.map((signer) => ({
      role: signer.role,
      subject: signer.subject,
      ...(signer.signedAt === undefined ? {} : { at: signer.signedAt }),
    })),
  });
}

/**
 * Adds the hospital's signature, 'as accepted', with its statement; earlier bytes stay as they are.
 * Errors: `bundle.malformed`, `identity.invalid`, `journal.write`.
 */
export async function countersignBundle(
  path: string,
  identity: Identity,
  statement: { role: string; remark: string; acceptedWaivers?: readonly string[] },
  now: Date,
): Promise<Result<SealedBundle>> {
  const signed = await countersign({ bundle: path, identity, statement, now });
  if (!signed.ok) return signed;
  const { file, sha256, signatures, provisional } = signed.value;
  return ok({ path: file, sha256, signatures, provisional });
}

/** Keys of the steps for which a bundle asks for a waiver. Errors: `input.not-found`, `bundle.malformed`. */
export async function requestedWaivers(path: string): Promise<Result<readonly string[]>> {
  const journal = await readEntry(path, 'journal.jsonl');
  if (!journal.ok) return journal;
  const lines = new TextDecoder()
    .decode(journal.value)
    .split('\n')
    .filter((line) => line !== '');
  const events = lines.map((line) => JSON.parse(line) as { type: string; data: { key: string } });
  return ok([...new Set(events.filter((event) => event.type === 'waived').map((event) => event.data.key))]);
}

/**
 * Writes one report of a bundle, as it was sealed, into a folder under its own name.
 * @param id of a report in the list, or `open-items` for those of all parties
 * Errors: `input.malformed` (no such report), `input.not-found`, `bundle.malformed`, `journal.write`.
 */
export async function extractReports(path: string, folder: string, id: string): Promise<Result<readonly string[]>> {
  const wanted = REPORTS.filter((report) => report.id === id || report.id.startsWith(`${id}-`));
  if (wanted.length === 0)
    return fail(
      'input.malformed',
      `There is no report "${id}"; there are ${REPORTS.map((report) => report.id).join(', ')}.`,
    );
  const written: string[] = [];
  for (const { file } of wanted) {
    const report = await readEntry(path, file);
    if (!report.ok) return report;
    const out = join(folder, basename(file));
    const saved = await saveFile(out, report.value);
    if (!saved.ok) return saved;
    written.push(out);
  }
  return ok(written);
}

/** Writes the report for people into a folder. Errors: `input.not-found`, `bundle.malformed`, `journal.write`. */
export async function extractReport(path: string, folder: string): Promise<Result<{ path: string }>> {
  const written = await extractReports(path, folder, 'html');
  return written.ok ? ok({ path: written.value[0] ?? folder }) : written;
}
