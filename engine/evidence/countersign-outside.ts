import 'reflect-metadata';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { verifyDetached } from '../../core/bundle/cms.ts';
import { sha256Hex } from '../../core/bundle/host.ts';
import { metaName } from '../../core/bundle/layout.ts';
import { renderManifest } from '../../core/bundle/manifest.ts';
import { renderStatement, statementSchema } from '../../core/bundle/statement.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { checkSigner } from '../keys/identity.ts';
import { summarizeCertificate } from '../keys/purposes.ts';
import { nodeHost, readSmallFile } from './container-reader.ts';
import { checkOtherPerson, type Countersigned, makeStatement, type StatementInput } from './countersign.ts';
import { countersignReadme } from './countersign-readme.ts';
import { extendBundle, inspectBundle } from './extend.ts';
import { writeAtomically, writeError, writeFully } from './files.ts';

/** Largest statement, manifest or signature that is read back, in bytes. */
const MAX_PART = 32 * 1024 ** 2;

export type PrepareOptions = {
  readonly bundle: string;
  /** Folder that takes what is to be signed. */
  readonly dir: string;
  readonly statement: StatementInput & { readonly name: string };
  readonly now: Date;
};

export type ImportOptions = {
  readonly bundle: string;
  /** The CMS signature that came back: DER, or PEM. */
  readonly signature: string;
  /** The folder that `prepareCountersignature` wrote. */
  readonly from: string;
  readonly now: Date;
  /** Default: the bundle itself is replaced. */
  readonly out?: string;
};

/**
 * Writes what a hospital signs whose key may not leave its machine: its statement, the manifest that covers bundle and
 * statement, and a README with the commands. The bundle is not touched. Errors: those of reading a bundle,
 * `input.malformed`, `journal.write`.
 */
export async function prepareCountersignature(
  options: PrepareOptions,
): Promise<Result<{ readonly manifest: string; readonly readme: string; readonly number: number }>> {
  const { bundle, dir, now } = options;
  const statement = makeStatement(options.statement, now);
  if (!statement.ok) return statement;
  const inspected = await inspectBundle(bundle, now);
  if (!inspected.ok) return inspected;
  const { number, files } = inspected.value;
  const text = new TextEncoder().encode(renderStatement(statement.value));
  const name = metaName('statement', number);
  const covered = [...files, { name, sha256: await sha256Hex(nodeHost.webCrypto, text) }];
  const manifest = metaName('manifest', number);
  const parts: readonly (readonly [string, Uint8Array])[] = [
    [name, text],
    [manifest, new TextEncoder().encode(renderManifest(number, covered))],
    ['README.txt', new TextEncoder().encode(countersignReadme(number, bundle))],
  ];
  for (const [part, bytes] of parts) {
    const file = join(dir, part);
    try {
      await writeAtomically(file, (handle) => writeFully(handle, bytes, 0));
    } catch (error) {
      return { ok: false, error: writeError('What is to be signed', file, error) };
    }
  }
  return ok({ manifest: join(dir, manifest), readme: join(dir, 'README.txt'), number });
}

/**
 * Adds a countersignature that was made elsewhere, when it covers exactly the prepared manifest, is CAdES, and was made
 * with a certificate for signing documents by somebody who has not signed yet. Earlier bytes stay as they are. Errors:
 * `input.not-found`, `input.malformed` (statement or signature), `identity.invalid`, `bundle.malformed`, `journal.write`.
 */
export async function importCountersignature(options: ImportOptions): Promise<Result<Countersigned>> {
  const { bundle, from, now } = options;
  const inspected = await inspectBundle(bundle, now);
  if (!inspected.ok) return inspected;
  const { number, files } = inspected.value;
  const prepared = await readPrepared(from, number, files);
  if (!prepared.ok) return prepared;
  const signature = await readSignature(options.signature);
  if (!signature.ok) return signature;
  const place = options.signature;
  const cms = await verifyDetached(signature.value, prepared.value.manifest, nodeHost.webCrypto);
  if (cms.leaf === undefined || cms.faults.length > 0) {
    return fail('input.malformed', `This signature cannot be taken. ${cms.faults.join(' ')}`, {
      place,
      cause: `it must be a detached CAdES signature over ${metaName('manifest', number)}, as README.txt beside it says`,
    });
  }
  const about = summarizeCertificate(new x509.X509Certificate(cms.leaf.toSchema().toBER()));
  // As of the signing: what counts later is the verifier's business.
  const fits = checkSigner(about, cms.signedAt ?? now);
  if (!fits.ok) return { ok: false, error: { ...fits.error, place } };
  const other = checkOtherPerson(cms.leaf, inspected.value, bundle);
  if (!other.ok) return other;
  const extended = await extendBundle(
    bundle,
    options.out ?? bundle,
    inspected.value,
    async (writer) => {
      await writer.add(metaName('statement', number), prepared.value.statement);
      await writer.add(metaName('manifest', number), prepared.value.manifest);
      await writer.add(metaName('signature', number), signature.value);
      return ok(undefined);
    },
    { now },
  );
  if (!extended.ok) return extended;
  return ok({ ...extended.value, signatures: inspected.value.signers.length + 1, provisional: false });
}

async function readPrepared(
  from: string,
  number: number,
  files: Parameters<typeof renderManifest>[1],
): Promise<Result<{ statement: Uint8Array<ArrayBuffer>; manifest: Uint8Array<ArrayBuffer> }>> {
  const name = metaName('statement', number);
  const statement = await readSmallFile(join(from, name), MAX_PART);
  if (!statement.ok) return statement;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(statement.value);
    if (renderStatement(statementSchema.parse(JSON.parse(text))) !== text) throw new Error('its form differs');
  } catch (error) {
    return fail('input.malformed', 'The statement is not as it was prepared. Prepare it again, and do not edit it.', {
      place: join(from, name),
      cause: error instanceof Error ? error.message : String(error),
    });
  }
  const manifest = await readSmallFile(join(from, metaName('manifest', number)), MAX_PART);
  if (!manifest.ok) return manifest;
  const covered = [...files, { name, sha256: await sha256Hex(nodeHost.webCrypto, statement.value) }];
  const expected = new TextEncoder().encode(renderManifest(number, covered));
  if (Buffer.compare(expected, manifest.value) !== 0) {
    return fail(
      'input.malformed',
      'What was prepared is not for this bundle as it is now, or was altered since. Prepare it again.',
      { place: join(from, metaName('manifest', number)) },
    );
  }
  return ok({ statement: statement.value, manifest: manifest.value });
}

/** DER of a signature file; PEM is unwrapped, because some tools write nothing else. */
async function readSignature(file: string): Promise<Result<Uint8Array<ArrayBuffer>>> {
  const bytes = await readSmallFile(file, MAX_PART);
  if (!bytes.ok) return bytes;
  const text = new TextDecoder('latin1').decode(bytes.value);
  const pem = /^\s*-----BEGIN (CMS|PKCS7)-----([A-Za-z0-9+/=\s]+)-----END \1-----\s*$/.exec(text);
  if (pem !== null) return ok(new Uint8Array(Buffer.from(pem[2] ?? '', 'base64')));
  if (/^(?:MIME-Version|Content-Type):/i.test(text))
    return fail('input.malformed', 'This is an e-mail message, not a signature; add "-outform DER" to openssl.', {
      place: file,
    });
  return bytes;
}
