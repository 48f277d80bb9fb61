import { EDITION_FILE, type EditionRule, makeEditionNote, renderEdition } from '../../core/bundle/edition.ts';
import { collect } from '../../core/bundle/finding.ts';
import { checkContainer } from '../../core/bundle/verify-container.ts';
import { checkSignatures } from '../../core/bundle/verify-signatures.ts';
import { VERDICTS_FILE } from '../../core/report/verdicts.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { nodeHost, withContainer } from './container-reader.ts';
import { writeContainer } from './container-writer.ts';
import { writeAtomically } from './files.ts';
import { hashFile, sealError } from './seal.ts';

export type EditionPlan = {
  readonly leftOut: readonly { readonly name: string; readonly rule: EditionRule }[];
  readonly stays: readonly string[];
  /** Who signed: their names stay, in their certificates and in the hospital's statement. */
  readonly signers: readonly string[];
};

export type MadeEdition = EditionPlan & { readonly file: string; readonly sha256: string };

/**
 * Makes the manufacturer's edition of a bundle: without what the hospital keeps, with the signatures as they are. The bundle
 * itself stays. Errors: `input.not-found`, `bundle.malformed` (damaged, unsigned, a guide, an edition already, or sealed
 * before there were editions), `bundle.too-large`, `journal.write`.
 * @param out where it goes; without it nothing is written, and the answer says what would be
 */
export async function makeEdition(bundle: string, now: Date): Promise<Result<EditionPlan>>;
export async function makeEdition(bundle: string, now: Date, out: string): Promise<Result<MadeEdition>>;
export async function makeEdition(bundle: string, now: Date, out?: string): Promise<Result<EditionPlan | MadeEdition>> {
  return withContainer(bundle, async (container) => {
    const found = collect();
    const opened = await checkContainer(container, found);
    const signers = await checkSignatures(opened, {}, now, nodeHost, found);
    const fault = found.list.find(({ severity, code }) => severity === 'bad' && !code.startsWith('trust.'));
    const refuse = (sentence: string) => fail('bundle.malformed', sentence, { place: bundle });
    if (fault !== undefined) return refuse(`This bundle is damaged or was altered. ${fault.sentence}`);
    if (opened.kind === 'guide') return refuse('This is a guide; there are editions of bundles only.');
    if (opened.edition !== undefined) return refuse('This is an edition already.');
    if (signers.length === 0) return refuse('Nobody has signed this bundle, so an edition of it would prove nothing.');
    if (!opened.digests.has(VERDICTS_FILE))
      return refuse(
        'This bundle was sealed by an earlier Lockstep, without the verdicts that an edition is left with.',
      );
    const sealed = [...opened.digests].map(([name, sha256]) => ({ name, sha256 }));
    const note = makeEditionNote(sealed, now.toISOString());
    const leftOut = note.leftOut.map(({ name, rule }) => ({ name, rule }));
    const without = new Set(leftOut.map(({ name }) => name));
    const stays = container.entries.filter(({ name }) => !without.has(name));
    const plan = { leftOut, stays: stays.map(({ name }) => name), signers: signers.map(({ subject }) => subject) };
    if (out === undefined) return ok(plan);
    try {
      await writeAtomically(out, async (handle) => {
        const writer = writeContainer(handle);
        for (const entry of stays) {
          const content = await container.read(entry);
          if (!content.ok) throw new Error(content.error.message);
          await writer.add(entry.name, content.value);
        }
        await writer.add(EDITION_FILE, new TextEncoder().encode(renderEdition(note)));
        await writer.finish();
      });
      return ok({ ...plan, file: out, sha256: await hashFile(out) });
    } catch (error) {
      return { ok: false, error: sealError(error, out) };
    }
  });
}
