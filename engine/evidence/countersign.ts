import { randomBytes } from 'node:crypto';
import { copyFile, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { collect } from '../../core/bundle/finding.ts';
import { metaName } from '../../core/bundle/layout.ts';
import { renderStatement, STATEMENT_FORMAT, type Statement, statementSchema } from '../../core/bundle/statement.ts';
import { certificatesFromPem, sameKey } from '../../core/bundle/trust.ts';
import { checkContainer, payloadOrder } from '../../core/bundle/verify-container.ts';
import { checkSignatures } from '../../core/bundle/verify-signatures.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { checkSigner, type Identity } from '../keys/identity.ts';
import { nodeHost, withContainer } from './container-reader.ts';
import { type Existing, writeContainer } from './container-writer.ts';
import { syncDirectory } from './files.ts';
import { addSignature, hashFile, sealError } from './seal.ts';

export type CountersignOptions = {
  readonly bundle: string;
  readonly identity: Identity;
  readonly statement: {
    /** Default: the name in the certificate. */
    readonly name?: string;
    /** Function in the hospital, in words. */
    readonly role: string;
    readonly remark: string;
    /** Item keys whose waivers are accepted. */
    readonly acceptedWaivers?: readonly string[];
  };
  readonly now: Date;
  /** Default: the bundle itself is replaced. */
  readonly out?: string;
};

export type Countersigned = {
  readonly file: string;
  readonly sha256: string;
  readonly size: number;
  readonly signatures: number;
  readonly provisional: false;
};

type Prepared = {
  readonly number: number;
  readonly files: { name: string; sha256: string }[];
  readonly existing: Existing;
};

/**
 * Adds the hospital's signature 'as accepted' over payload, earlier signatures and its own statement (ETSI EN 319 162-1,
 * A.4). Bytes of earlier entries stay as they are. A bundle that is broken, unsigned, or signed by the same key
 * is refused. Errors: `input.not-found`, `bundle.malformed`, `bundle.too-large`, `identity.invalid`, `journal.write`.
 */
export async function countersign(options: CountersignOptions): Promise<Result<Countersigned>> {
  const { bundle, identity, now } = options;
  const signer = checkSigner(identity, now);
  if (!signer.ok) return signer;
  const statement = makeStatement(options);
  if (!statement.ok) return statement;
  const prepared = await prepare(bundle, identity, now);
  if (!prepared.ok) return prepared;
  const out = options.out ?? bundle;
  const temporary = join(dirname(out), `.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await copyFile(bundle, temporary);
    const handle = await open(temporary, 'r+');
    try {
      const { number, files, existing } = prepared.value;
      const writer = writeContainer(handle, existing);
      const name = metaName('statement', number);
      const { sha256 } = await writer.add(name, new TextEncoder().encode(renderStatement(statement.value)));
      await addSignature(writer, number, [...files, { name, sha256 }], identity, now);
      const { size } = await writer.finish();
      await handle.sync();
      await handle.close();
      await rename(temporary, out);
      await syncDirectory(dirname(out));
      return ok({ file: out, sha256: await hashFile(out), size, signatures: number, provisional: false });
    } finally {
      await handle.close().catch(() => {});
    }
  } catch (error) {
    await rm(temporary, { force: true });
    return { ok: false, error: sealError(error, out) };
  }
}

function makeStatement({ statement, identity, now }: CountersignOptions): Result<Statement> {
  const parsed = statementSchema.safeParse({
    format: STATEMENT_FORMAT,
    party: 'hospital',
    name: statement.name ?? identity.name,
    role: statement.role,
    remark: statement.remark,
    acceptedWaivers: [...(statement.acceptedWaivers ?? [])].sort(),
    at: now.toISOString(),
  });
  if (parsed.success) return ok(parsed.data);
  return fail('input.malformed', 'The statement is not acceptable.', {
    cause: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
  });
}

async function prepare(bundle: string, identity: Identity, now: Date): Promise<Result<Prepared>> {
  return withContainer(bundle, async (container, source) => {
    const found = collect();
    const opened = await checkContainer(container, found);
    // Trust is the verifier's business: here it only matters that what is signed is whole.
    const signers = await checkSignatures(opened, {}, now, nodeHost, found);
    const fault = found.list.find((finding) => finding.severity === 'bad' && !finding.code.startsWith('trust.'));
    if (fault !== undefined) {
      return fail(
        'bundle.malformed',
        `This bundle is damaged or was altered, so it cannot be countersigned. ${fault.sentence}`,
        fault.place === undefined ? {} : { place: fault.place },
      );
    }
    if (opened.kind !== 'bundle') return fail('bundle.malformed', 'This is a guide, not a bundle.', { place: bundle });
    if (signers.length === 0)
      return fail('bundle.malformed', 'Nobody has signed this bundle yet; the engineer signs first.', {
        place: bundle,
      });
    const own = certificatesFromPem(identity.certificatePem)[0];
    const twice = signers.find(
      (signer) => own !== undefined && (sameKey(signer.certificate, own) || signer.name === identity.name),
    );
    if (twice !== undefined) {
      return fail(
        'identity.invalid',
        `${twice.name} has signed this bundle already; the countersignature is another person's.`,
        { place: bundle },
      );
    }
    const payload = payloadOrder(
      [...opened.digests.keys()].filter((name) => !name.startsWith('META-INF/') && name !== 'mimetype'),
    );
    const meta = opened.numbers.flatMap((number) =>
      (['statement', 'manifest', 'signature'] as const).map((kind) => metaName(kind, number)),
    );
    const files = [...payload, ...meta].flatMap((name) => {
      const sha256 = opened.digests.get(name);
      return sha256 === undefined ? [] : [{ name, sha256 }];
    });
    const offset = container.directoryOffset;
    const directory = await source.read(offset, source.size - 22 - offset);
    return ok({ number: signers.length + 1, files, existing: { offset, directory, count: container.entries.length } });
  });
}
