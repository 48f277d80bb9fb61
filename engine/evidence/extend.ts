import { randomBytes } from 'node:crypto';
import { copyFile, open, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { collect } from '../../core/bundle/finding.ts';

import type { ManifestFile } from '../../core/bundle/manifest.ts';
import { checkContainer, coveredBy } from '../../core/bundle/verify-container.ts';
import { checkSignatures, type Signer } from '../../core/bundle/verify-signatures.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { nodeHost, withContainer } from './container-reader.ts';
import { type ContainerWriter, type Existing, writeContainer } from './container-writer.ts';
import { moveOver, syncDirectory } from './file-system.ts';
import { hashFile, sealError } from './seal.ts';

/** A sound, signed bundle to which a further signature or a time-stamp can be added. */
export type Extensible = {
  /** Number of what is added next. */
  readonly number: number;
  /** All that its manifest covers so far. */
  readonly files: readonly ManifestFile[];
  readonly signers: readonly Signer[];
  readonly existing: Existing;
};

export type Extended = { readonly file: string; readonly sha256: string; readonly size: number };

/**
 * Reads what a bundle holds, to add to it. One that is damaged or unsigned is refused; whom to trust is the verifier's
 * business. Errors: `input.not-found`, `bundle.malformed`, `bundle.too-large`.
 */
export async function inspectBundle(bundle: string, now: Date): Promise<Result<Extensible>> {
  return withContainer(bundle, async (container, source) => {
    const found = collect();
    const opened = await checkContainer(container, found);
    const signers = await checkSignatures(opened, {}, now, nodeHost, found);
    if (opened.edition !== undefined)
      return fail('bundle.malformed', 'This is an edition. Add to the whole bundle, and make the edition anew.');
    const fault = found.list.find((finding) => finding.severity === 'bad' && !finding.code.startsWith('trust.'));
    if (fault !== undefined) {
      return fail(
        'bundle.malformed',
        `This bundle is damaged or was altered, so nothing can be added to it. ${fault.sentence}`,
        fault.place === undefined ? {} : { place: fault.place },
      );
    }
    if (opened.kind !== 'bundle') return fail('bundle.malformed', 'This is a guide, not a bundle.', { place: bundle });
    if (signers.length === 0)
      return fail('bundle.malformed', 'Nobody has signed this bundle yet; the engineer signs first.', {
        place: bundle,
      });
    const number = opened.numbers.length + 1;
    const files = coveredBy(opened, number).flatMap((name) => {
      const sha256 = opened.digests.get(name);
      return sha256 === undefined ? [] : [{ name, sha256 }];
    });
    const offset = container.directoryOffset;
    const directory = await source.read(offset, source.size - 22 - offset);
    return ok({ number, files, signers, existing: { offset, directory, count: container.entries.length } });
  });
}

/**
 * Adds entries behind those of a bundle, whose bytes stay as they are, and replaces it (or writes `out`) when all is on
 * the disk.
 * @param recheck what is added comes from elsewhere: the whole is verified before anything is replaced
 * Errors: as `inspectBundle`, `journal.write`, and whatever `add` answers with.
 */
export async function extendBundle(
  bundle: string,
  out: string,
  { existing }: Extensible,
  add: (writer: ContainerWriter) => Promise<Result<unknown>>,
  recheck?: { readonly now: Date },
): Promise<Result<Extended>> {
  const temporary = join(dirname(out), `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await copyFile(bundle, temporary);
    const handle = await open(temporary, 'r+');
    let size: number;
    try {
      const writer = writeContainer(handle, existing);
      const added = await add(writer);
      if (!added.ok) return added;
      ({ size } = await writer.finish());
      await handle.sync();
    } finally {
      await handle.close();
    }
    const whole = recheck === undefined ? ok(undefined) : await inspectBundle(temporary, recheck.now);
    if (!whole.ok) return { ok: false, error: { ...whole.error, place: out } };
    await moveOver(temporary, out);
    await syncDirectory(dirname(out));
    return ok({ file: out, sha256: await hashFile(out), size });
  } catch (error) {
    return { ok: false, error: sealError(error, out) };
  } finally {
    await rm(temporary, { force: true });
  }
}
