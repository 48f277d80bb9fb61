import { basename, join } from 'node:path';
import { metaEntry } from '../../core/bundle/layout.ts';
import { statementSchema } from '../../core/bundle/statement.ts';
import { verifyJudged } from '../../core/bundle/verify-judged.ts';
import type { AskedWaiver, SealedView, VerifyView } from '../../core/ipc.ts';
import { REPORTS } from '../../core/report/index.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { parseEvent } from '../../core/session/events.ts';
import { reduceAll } from '../../core/session/state.ts';
import { readEntry, verifyFile, withContainer } from '../evidence/container-reader.ts';
import { countersign } from '../evidence/countersign.ts';
import { inspectBundle } from '../evidence/extend.ts';
import { hashFile } from '../evidence/seal.ts';
import type { Identity } from '../keys/identity.ts';
import type { TrustPems } from '../service-contract.ts';
import { saveFile } from './save-file.ts';
import type { SealedBundle } from './seal.ts';

/**
 * Verifies a bundle: container, digests, journal, signatures, and every verdict judged again from the facts in it.
 * Errors only where the file is no container that can be read safely.
 */
export async function verifyBundle(path: string, trust: TrustPems, at: Date): Promise<Result<VerifyView>> {
  const verified = await verifyJudged((options) => verifyFile(path, options), trust, at);
  if (!verified.ok) return verified;
  const { sound, complete, state, edition, findings, signers } = verified.value;
  // What cannot be read is among the findings.
  const waivers = await askedWaivers(path);
  return ok({
    waivers: waivers.ok ? waivers.value : [],
    sound,
    complete,
    ...(state === undefined ? {} : { summary: state }),
    ...(edition === undefined ? {} : { edition: { for: edition.for, leftOut: edition.leftOut } }),
    findings,
    signers: signers.map((signer) => ({
      role: signer.role,
      subject: signer.subject,
      sha256: signer.sha256,
      trusted: signer.trusted,
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

/** The waivers that a bundle asks for, one for each step. Errors: `input.not-found`, `bundle.malformed`. */
export async function askedWaivers(path: string): Promise<Result<readonly AskedWaiver[]>> {
  const journal = await readEntry(path, 'journal.jsonl');
  if (!journal.ok) return journal;
  try {
    const lines = new TextDecoder().decode(journal.value).split('\n');
    const { items } = reduceAll(lines.filter((line) => line !== '').map((line) => parseEvent(JSON.parse(line))));
    return ok(
      Object.values(items).flatMap(({ key, waiver }) => {
        if (waiver === undefined) return [];
        const { reason, compensating, until } = waiver;
        return [{ key, reason, compensating, until }];
      }),
    );
  } catch (error) {
    return fail('bundle.malformed', 'The journal in this bundle cannot be read.', {
      place: path,
      cause: error instanceof Error ? error.message : String(error),
    });
  }
}

/** Refuses to accept a waiver for which the bundle does not ask. Errors: `input.malformed`, and as `askedWaivers`. */
export async function checkAccepted(path: string, accepted: readonly string[]): Promise<Result<readonly string[]>> {
  const asked = await askedWaivers(path);
  if (!asked.ok) return asked;
  const keys = asked.value.map((waiver) => waiver.key);
  const unknown = accepted.find((key) => !keys.includes(key));
  if (unknown === undefined) return ok(accepted);
  return fail('input.malformed', `Nobody asked for a waiver of "${unknown}" in this bundle.`, {
    cause: `asked for: ${keys.join(', ') || 'none'}`,
  });
}

/** A bundle as it lies on the disk now. Errors: those of reading a bundle; one that nobody has signed is none. */
export async function describeBundle(path: string, now: Date): Promise<Result<Omit<SealedView, 'bundle'>>> {
  const inspected = await inspectBundle(path, now);
  if (!inspected.ok) return inspected;
  const waivers = await askedWaivers(path);
  if (!waivers.ok) return waivers;
  const accepted = await acceptedWaivers(path);
  if (!accepted.ok) return accepted;
  return ok({
    path,
    provisional: inspected.value.signers.length < 2,
    sha256: await hashFile(path),
    waivers: waivers.value,
    accepted: accepted.value,
  });
}

/** Steps whose waivers the statements in a bundle accept. */
async function acceptedWaivers(path: string): Promise<Result<readonly string[]>> {
  return withContainer(path, async (container) => {
    const accepted = new Set<string>();
    for (const entry of container.entries) {
      if (metaEntry(entry.name)?.kind !== 'statement') continue;
      const read = await container.read(entry);
      if (!read.ok) return read;
      const parsed = statementSchema.safeParse(JSON.parse(new TextDecoder().decode(read.value)));
      for (const key of parsed.success ? parsed.data.acceptedWaivers : []) accepted.add(key);
    }
    return ok([...accepted]);
  });
}

/**
 * Writes one report of a bundle, as it was sealed, into a folder under its own name.
 * @param id of a report in the list, or `open-items` for those of all parties
 * Errors: `input.malformed` (no such report), `input.not-found`, `bundle.malformed`, `journal.write`.
 */
export async function extractReports(path: string, folder: string, id: string): Promise<Result<readonly string[]>> {
  const wanted = REPORTS.filter((report) => report.id === id || report.id.startsWith(`${id}-`));
  if (wanted.length === 0) return noReport(id);
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

/** Writes one report of a bundle, as it was sealed, to a file. Errors: as `extractReports`. */
export async function saveReport(path: string, id: string, out: string): Promise<Result<void>> {
  const wanted = REPORTS.find((report) => report.id === id);
  if (wanted === undefined) return noReport(id);
  const report = await readEntry(path, wanted.file);
  return report.ok ? saveFile(out, report.value) : report;
}

function noReport(id: string): Result<never> {
  // Only Chromium makes it, and it never makes the same bytes twice, so that no bundle holds one.
  if (id === 'pdf')
    return fail(
      'input.malformed',
      'The app saves the report as PDF; without it, take --format html and print that from a browser.',
    );
  return fail(
    'input.malformed',
    `There is no report "${id}"; there are ${REPORTS.map((report) => report.id).join(', ')}.`,
  );
}

/** Writes the report for people into a folder. Errors: `input.not-found`, `bundle.malformed`, `journal.write`. */
export async function extractReport(path: string, folder: string): Promise<Result<{ path: string }>> {
  const written = await extractReports(path, folder, 'html');
  return written.ok ? ok({ path: written.value[0] ?? folder }) : written;
}
