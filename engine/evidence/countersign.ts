import { metaName } from '../../core/bundle/layout.ts';
import { renderStatement, STATEMENT_FORMAT, type Statement, statementSchema } from '../../core/bundle/statement.ts';
import { certificatesFromPem, commonName, sameKey } from '../../core/bundle/trust.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { checkSigner, type Identity } from '../keys/identity.ts';
import { extendBundle, type Extensible, inspectBundle } from './extend.ts';
import { addSignature } from './seal.ts';

export type StatementInput = {
  /** Function in the hospital, in words. */
  readonly role: string;
  readonly remark: string;
  /** Item keys whose waivers are accepted. */
  readonly acceptedWaivers?: readonly string[];
};

export type CountersignOptions = {
  readonly bundle: string;
  readonly identity: Identity;
  /** `name`: default, the name in the certificate. */
  readonly statement: StatementInput & { readonly name?: string };
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

/**
 * Adds the hospital's signature 'as accepted' over payload, earlier signatures and its own statement (ETSI EN 319 162-1,
 * A.4). Bytes of earlier entries stay as they are. A bundle that is broken, unsigned, or signed by the same key
 * is refused. Errors: `input.not-found`, `bundle.malformed`, `bundle.too-large`, `identity.invalid`, `journal.write`.
 */
export async function countersign(options: CountersignOptions): Promise<Result<Countersigned>> {
  const { bundle, identity, now } = options;
  const signer = checkSigner(identity, now);
  if (!signer.ok) return signer;
  const statement = makeStatement({ ...options.statement, name: options.statement.name ?? identity.name }, now);
  if (!statement.ok) return statement;
  const inspected = await inspectBundle(bundle, now);
  if (!inspected.ok) return inspected;
  const leaf = certificatesFromPem(identity.certificatePem)[0];
  const other = leaf === undefined ? ok(undefined) : checkOtherPerson(leaf, inspected.value, bundle, identity.name);
  if (!other.ok) return other;
  const { number, files } = inspected.value;
  const extended = await extendBundle(bundle, options.out ?? bundle, inspected.value, async (writer) => {
    const name = metaName('statement', number);
    const { sha256 } = await writer.add(name, new TextEncoder().encode(renderStatement(statement.value)));
    await addSignature(writer, number, [...files, { name, sha256 }], identity, now);
    return ok(undefined);
  });
  if (!extended.ok) return extended;
  return ok({ ...extended.value, signatures: inspected.value.signers.length + 1, provisional: false });
}

/** The hospital's statement in its one form. Error: `input.malformed`. */
export function makeStatement(input: StatementInput & { readonly name: string }, now: Date): Result<Statement> {
  const parsed = statementSchema.safeParse({
    format: STATEMENT_FORMAT,
    party: 'hospital',
    name: input.name,
    role: input.role,
    remark: input.remark,
    acceptedWaivers: [...(input.acceptedWaivers ?? [])].sort(),
    at: now.toISOString(),
  });
  if (parsed.success) return ok(parsed.data);
  return fail('input.malformed', 'The statement is not acceptable.', {
    cause: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
  });
}

/** Refuses a certificate whose key or person has signed the bundle already. Error: `identity.invalid`. */
export function checkOtherPerson(
  leaf: Parameters<typeof sameKey>[0],
  { signers }: Extensible,
  bundle: string,
  name = commonName(leaf),
): Result<undefined> {
  const twice = signers.find((signer) => sameKey(signer.certificate, leaf) || signer.name === name);
  if (twice === undefined) return ok(undefined);
  return fail(
    'identity.invalid',
    `${twice.name} has signed this bundle already; the countersignature is another person's.`,
    { place: bundle },
  );
}
