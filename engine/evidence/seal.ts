import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { metaName, MIMETYPE } from '../../core/bundle/layout.ts';
import { type ManifestFile, renderManifest, renderSums } from '../../core/bundle/manifest.ts';
import { payloadOrder } from '../../core/bundle/verify-container.ts';
import { appError, type AppError, fail, ok, type Result } from '../../core/result.ts';
import { checkSigner, type Identity } from '../keys/identity.ts';
import { type ContainerWriter, writeContainer } from './container-writer.ts';
import { digestBeside } from './digest-beside.ts';
import { writeAtomically, writeError } from './files.ts';
import { readJournal } from './journal-file.ts';
import { namedFiles } from './named-files.ts';
import { bundleReadme, guideReadme } from './readme.ts';
import { signDetached } from './signer.ts';

export type SealOptions = {
  readonly sessionDir: string;
  /** Number of the last journal line that goes in; default: the last whole one. */
  readonly upTo?: number;
  /** The very bytes whose digests line 0 names. `container`: the guide as its publisher signed it. */
  readonly guide: { readonly yaml: string | Uint8Array; readonly container?: Uint8Array };
  readonly site: string | Uint8Array;
  /** The HTML report. */
  readonly report: string;
  /** More reports by entry name, below reports/. */
  readonly reports?: Readonly<Record<string, string | Uint8Array>>;
  /** The engineer's; without one the bundle is unsigned. */
  readonly identity?: Identity;
  readonly now: Date;
  /** Where the bundle goes; replaced when it exists. */
  readonly out: string;
};

export type Sealed = {
  readonly file: string;
  /** SHA-256 of the whole file. */
  readonly sha256: string;
  readonly size: number;
  readonly upTo: number;
  readonly signatures: number;
  /** True until two parties have signed. */
  readonly provisional: boolean;
  /** SHA-256 of SHA256SUMS: the same for the same session, whoever seals it and when. */
  readonly payloadSha256: string;
};

type Payload = ReadonlyMap<string, Uint8Array | { readonly file: string; readonly sha256: string }>;

/** Carries an AppError through `writeAtomically`, which cleans up on whatever is thrown. */
class Stop extends Error {
  readonly error: AppError;
  constructor(error: AppError) {
    super(error.message);
    this.error = error;
  }
}

/**
 * Seals a session into an ASiC-E container (ETSI EN 319 162-1), signed as CAdES when there is an identity. The payload
 * is a pure function of the journal up to `upTo`, the files it names, guide, site and reports. Nothing is left at `out`
 * on failure. Errors: `session.not-found`, `journal.broken`, `identity.invalid`, `bundle.too-large`, `journal.write`.
 */
export async function sealBundle(options: SealOptions): Promise<Result<Sealed>> {
  const signer = options.identity === undefined ? ok(undefined) : checkSigner(options.identity, options.now);
  if (!signer.ok) return signer;
  const journal = await readJournal(options.sessionDir);
  if (!journal.ok) return journal;
  const { reading, bytes } = journal.value;
  const upTo = options.upTo ?? reading.events.length - 1;
  const end = reading.ends[upTo];
  if (end === undefined)
    return fail('session.state', `The journal has no line ${upTo}.`, { place: options.sessionDir });
  const payload = new Map<string, Uint8Array | { file: string; sha256: string }>([
    ['README.txt', encode(bundleReadme())],
    ['report.html', encode(options.report)],
    ['guide/guide.yaml', encode(options.guide.yaml)],
    ['site.yaml', encode(options.site)],
    ['journal.jsonl', bytes.subarray(0, end)],
    ...Object.entries(options.reports ?? {}).map(([name, content]) => [name, encode(content)] as const),
  ]);
  if (options.guide.container !== undefined) payload.set('guide/guide.asice', options.guide.container);
  for (const { file, sha256 } of namedFiles(reading.events.slice(0, upTo + 1))) {
    payload.set(file, { file: join(options.sessionDir, file), sha256 });
  }
  const written = await writeSigned(options.out, payload, options.identity, options.now);
  if (!written.ok) return written;
  return ok({ ...written.value, upTo, provisional: true });
}

/**
 * Signs a guide into a container of the same form. Errors: `identity.invalid`, `journal.write`.
 */
export async function signGuide(
  yaml: string | Uint8Array,
  identity: Identity,
  options: { now: Date; out: string },
): Promise<Result<{ file: string; sha256: string; size: number }>> {
  const signer = checkSigner(identity, options.now);
  if (!signer.ok) return signer;
  const payload = new Map([
    ['README.txt', encode(guideReadme())],
    ['guide.yaml', encode(yaml)],
  ]);
  const written = await writeSigned(options.out, payload, identity, options.now);
  if (!written.ok) return written;
  const { file, sha256, size } = written.value;
  return ok({ file, sha256, size });
}

async function writeSigned(
  out: string,
  payload: Payload,
  identity: Identity | undefined,
  now: Date,
): Promise<Result<Omit<Sealed, 'upTo' | 'provisional'>>> {
  try {
    const written = await writeAtomically(out, async (handle) => {
      const digest = digestBeside(handle.fd);
      try {
        const writer = writeContainer(handle, undefined, digest.extend);
        const files = await writePayload(writer, payload);
        const sums = files.find((file) => file.name === 'SHA256SUMS');
        if (identity !== undefined) await addSignature(writer, 1, files, identity, now);
        const { size } = await writer.finish();
        const [sha256] = await Promise.all([digest.finish(size), handle.sync()]);
        return { sha256, size, payloadSha256: sums?.sha256 ?? '' };
      } finally {
        await digest.stop();
      }
    });
    return ok({ file: out, ...written, signatures: identity === undefined ? 0 : 1 });
  } catch (error) {
    return { ok: false, error: sealError(error, out) };
  }
}

/** An error of writing a container, as a value. */
export function sealError(error: unknown, out: string): AppError {
  if (error instanceof Stop) return error.error;
  if (error instanceof RangeError)
    return appError('bundle.too-large', 'This does not fit into one container.', { place: out, cause: error.message });
  return writeError('The container', out, error);
}

/** Writes mimetype, payload and SHA256SUMS; returns all that a manifest lists. */
async function writePayload(writer: ContainerWriter, payload: Payload): Promise<ManifestFile[]> {
  const mimetype = await writer.add('mimetype', encode(MIMETYPE));
  const files: ManifestFile[] = [];
  for (const name of payloadOrder([...payload.keys()])) {
    const content = payload.get(name);
    if (content === undefined) continue;
    const { sha256 } = await addPart(writer, name, content);
    files.push({ name, sha256 });
  }
  const sums = await writer.add(
    'SHA256SUMS',
    encode(renderSums([{ name: 'mimetype', sha256: mimetype.sha256 }, ...files])),
  );
  return [...files, { name: 'SHA256SUMS', sha256: sums.sha256 }];
}

async function addPart(
  writer: ContainerWriter,
  name: string,
  content: Uint8Array | { file: string; sha256: string },
): Promise<{ sha256: string }> {
  if (content instanceof Uint8Array) return writer.add(name, content);
  let written: { sha256: string };
  try {
    written = await writer.add(name, content);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Stop(appError('journal.broken', 'A file that the journal names is gone.', { place: content.file }));
  }
  if (written.sha256 === content.sha256) return written;
  throw new Stop(
    appError('journal.broken', 'A file is not the one that the journal names; it was changed.', {
      place: content.file,
    }),
  );
}

/** Adds the manifest of the nth signature and the signature itself. */
export async function addSignature(
  writer: ContainerWriter,
  number: number,
  files: readonly ManifestFile[],
  identity: Identity,
  now: Date,
): Promise<void> {
  const manifest = encode(renderManifest(number, files));
  const signature = await signDetached(identity, manifest, now);
  if (!signature.ok) throw new Stop(signature.error);
  await writer.add(metaName('manifest', number), manifest);
  await writer.add(metaName('signature', number), signature.value);
}

/** SHA-256 of a file, hex; streamed. */
export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function encode(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? new TextEncoder().encode(content) : content;
}

/** Guide, site and signed guide as a session folder holds them. */
export async function sessionFiles(
  dir: string,
): Promise<{ guide: { yaml: Uint8Array; container?: Uint8Array }; site: Uint8Array }> {
  const container = await readFile(join(dir, 'guide.asice')).catch(() => undefined);
  return {
    guide: { yaml: await readFile(join(dir, 'guide.yaml')), ...(container === undefined ? {} : { container }) },
    site: await readFile(join(dir, 'site.yaml')),
  };
}
