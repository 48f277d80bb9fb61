import { basename, join } from 'node:path';
import type { BundleFinding } from '../../core/bundle/finding.ts';
import type { BundleParts } from '../../core/bundle/verify.ts';
import type { VerifyView } from '../../core/ipc.ts';
import { REPORTS } from '../../core/report/index.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { Summary } from '../../core/session/summary.ts';
import { rejudge } from '../../core/verdict/rejudge.ts';
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
  let summary: Summary | undefined;
  const verified = await verifyFile(path, {
    trust,
    at,
    rejudge: (parts) => {
      const judged = judgeAgain(parts);
      summary = judged.summary;
      return judged.findings;
    },
  });
  if (!verified.ok) return verified;
  const { sound, findings, summary: about } = verified.value;
  return ok({
    sound: sound && !about.provisional,
    complete: summary !== undefined && undecidedOf(summary) === 0 && summary.expired.length === 0,
    ...(summary === undefined ? {} : { summary }),
    findings,
    signers: about.signers.map((signer) => ({
      role: signer.role,
      subject: signer.subject,
      ...(signer.signedAt === undefined ? {} : { at: signer.signedAt }),
    })),
  });
}

function undecidedOf({ counts }: Summary): number {
  return counts.error + counts['not-reviewed'];
}

function judgeAgain(parts: BundleParts): { findings: BundleFinding[]; summary?: Summary } {
  const facts = (file: string): unknown => parts.facts.get(Number(/^facts\/(\d+)\.json$/.exec(file)?.[1]));
  const accepted = new Set(parts.statements.flatMap((statement) => statement.acceptedWaivers));
  const { faults, summary } = rejudge({ ...parts, facts }, parts.at, accepted);
  const findings: BundleFinding[] = faults.map((fault) => ({ severity: 'bad', ...fault }));
  if (summary === undefined) return { findings };
  const { word, counts, expired } = summary;
  const counted = Object.entries(counts).filter(([, count]) => count > 0);
  findings.push({
    severity: 'info',
    code: 'state',
    sentence: `At ${parts.at.toISOString().slice(0, 10)} this is ${word}: ${counted.map(([verdict, count]) => `${count} ${verdict}`).join(', ')}.`,
  });
  const undecided = undecidedOf(summary);
  if (undecided > 0)
    findings.push({
      severity: 'warn',
      code: 'incomplete',
      sentence: `${undecided} ${undecided === 1 ? 'step is' : 'steps are'} undecided, so this bundle is incomplete.`,
    });
  for (const key of expired)
    findings.push({ severity: 'warn', code: 'expired', sentence: `The evidence for ${key} has run out.`, place: key });
  return { findings, summary };
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
