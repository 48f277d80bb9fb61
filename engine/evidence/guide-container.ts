import { memorySource } from '../../core/bundle/host.ts';
import type { Trust } from '../../core/bundle/trust.ts';
import { type SignerSummary, type Verification, verifyContainer } from '../../core/bundle/verify.ts';
import { readContainer } from '../../core/bundle/zip-reader.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { nodeHost, readSmallFile } from './container-reader.ts';

/** Largest signed guide that is read, in bytes. */
const MAX_GUIDE = 32 * 1024 * 1024;

export type GuideContainer = {
  readonly yaml: Uint8Array<ArrayBuffer>;
  /** The container as it is, to be put into a bundle. */
  readonly container: Uint8Array<ArrayBuffer>;
  readonly verification: Verification;
  /** Who signed; present also when the signature is not trusted. */
  readonly signer?: SignerSummary;
  /** The signature leads to a publisher's root. That it holds is a condition for being opened at all. */
  readonly trusted: boolean;
};

/** Opens a signed guide on disk. Errors: `input.not-found`, `input.too-large`, `bundle.malformed`, `guide.untrusted` when its signature is broken. */
export async function openGuideContainer(
  file: string,
  options: { trust: Trust; at: Date },
): Promise<Result<GuideContainer>> {
  const bytes = await readSmallFile(file, MAX_GUIDE);
  if (!bytes.ok) return bytes;
  const opened = await readGuideContainer(bytes.value, options);
  return opened.ok
    ? opened
    : {
        ok: false,
        error: { ...opened.error, place: opened.error.place === undefined ? file : `${file}: ${opened.error.place}` },
      };
}

/** As `openGuideContainer`, from bytes. A guide that was altered after signing is refused, not run as unsigned. */
export async function readGuideContainer(
  bytes: Uint8Array<ArrayBuffer>,
  options: { trust: Trust; at: Date },
): Promise<Result<GuideContainer>> {
  const source = memorySource(bytes, nodeHost);
  const verification = await verifyContainer(source, nodeHost, options);
  if (!verification.ok) return verification;
  if (verification.value.summary.kind !== 'guide') return fail('bundle.malformed', 'This is a bundle, not a guide.');
  const broken = verification.value.findings.find(
    (finding) => finding.severity === 'bad' && !finding.code.startsWith('trust.'),
  );
  if (broken !== undefined) {
    return fail(
      'guide.untrusted',
      `This signed guide is damaged or was altered. ${broken.sentence}`,
      broken.place === undefined ? {} : { place: broken.place },
    );
  }
  const container = await readContainer(source, nodeHost);
  if (!container.ok) return container;
  const entry = container.value.get('guide.yaml');
  if (entry === undefined) return fail('bundle.malformed', 'There is no guide in this container.');
  const yaml = await container.value.read(entry);
  if (!yaml.ok) return yaml;
  const signer = verification.value.summary.signers[0];
  return ok({
    yaml: yaml.value,
    container: bytes,
    verification: verification.value,
    ...(signer === undefined ? {} : { signer }),
    trusted: verification.value.sound,
  });
}
