import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { CHANGE_DECLARATIONS } from '../../core/changes/index.ts';
import { checkGuide } from '../../core/guide/check.ts';
import type { Guide } from '../../core/guide/schema.ts';
import type { GuideTrust, PublisherView } from '../../core/ipc.ts';
import { PROBE_DECLARATIONS } from '../../core/probes/index.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { openGuideContainer } from '../evidence/guide-container.ts';
import { signGuide } from '../evidence/seal.ts';
import type { Identity } from '../keys/identity.ts';
import { readSmallFile } from './load-site.ts';

const MAX_GUIDE_BYTES = 2_000_000;

/** Whom the operator trusts as a publisher: pinned signer certificates (SHA-256, hex) and roots (PEM). */
export type PublisherTrust = { readonly pins?: readonly string[]; readonly roots?: readonly string[] };

export type LoadedGuide = {
  readonly path: string;
  readonly guide: Guide;
  /** The YAML as it was signed or read. */
  readonly text: string;
  /** SHA-256 of `text` in UTF-8, hex. */
  readonly sha256: string;
  readonly trust: GuideTrust;
  readonly signer?: PublisherView;
  /** The signed container as it is. */
  readonly container?: Uint8Array;
};

/**
 * Reads a guide, as YAML (then it is unsigned) or as a signed container, and checks it whole. A container whose signature
 * does not hold is refused; one whose publisher is unknown is `untrusted` and only reads.
 * Errors: `input.not-found`, `input.too-large`, `bundle.malformed`, `guide.untrusted`, `guide.invalid` with every fault.
 */
export async function loadGuide(path: string, trust: PublisherTrust): Promise<Result<LoadedGuide>> {
  const source = await readSource(path, trust);
  if (!source.ok) return source;
  const { guide, faults } = checkGuide(source.value.text, { probes: PROBE_DECLARATIONS, changes: CHANGE_DECLARATIONS });
  if (guide === undefined || faults.length > 0) {
    const causes = faults.map(
      (fault) => `${path}:${fault.line}:${fault.column} ${fault.path === '' ? '' : `${fault.path}: `}${fault.message}`,
    );
    return fail('guide.invalid', `The guide has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}.`, {
      place: path,
      cause: causes.join('\n'),
    });
  }
  return ok({
    path,
    guide,
    sha256: createHash('sha256').update(source.value.text, 'utf8').digest('hex'),
    ...source.value,
  });
}

/** The YAML of a guide, whether it is signed or not. Errors as for `loadGuide`. */
export async function readGuideText(path: string): Promise<Result<string>> {
  const source = await readSource(path, {});
  return source.ok ? ok(source.value.text) : source;
}

/** Signs a guide into a container. Errors: `identity.invalid`, `journal.write`. */
export async function signGuideFile(
  yaml: string,
  identity: Identity,
  out: string,
  now: Date,
): Promise<Result<unknown>> {
  return signGuide(yaml, identity, { now, out });
}

type Source = Pick<LoadedGuide, 'text' | 'trust' | 'signer' | 'container'>;

async function readSource(path: string, trust: PublisherTrust): Promise<Result<Source>> {
  if (!(await isContainer(path))) {
    const text = await readSmallFile(path, 'guide', MAX_GUIDE_BYTES);
    return text.ok ? ok({ text: text.value, trust: 'unsigned' }) : text;
  }
  const opened = await openGuideContainer(path, { trust: { publisher: trust.roots ?? [] }, at: new Date() });
  if (!opened.ok) return opened;
  const { yaml, container, signer, trusted } = opened.value;
  const text = new TextDecoder('utf-8').decode(yaml);
  if (signer === undefined) return ok({ text, trust: 'unsigned', container });
  const view: PublisherView = {
    subject: signer.subject,
    issuer: signer.issuer,
    sha256: signer.sha256,
    notAfter: signer.notAfter,
  };
  const known = trusted || (trust.pins ?? []).includes(signer.sha256);
  return ok({ text, container, signer: view, trust: known ? 'trusted' : 'untrusted' });
}

/** A ZIP begins with a local file header; YAML cannot. */
async function isContainer(path: string): Promise<boolean> {
  try {
    const handle = await open(path, 'r');
    try {
      const { buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
      return buffer.toString('latin1') === 'PK\u0003\u0004';
    } finally {
      await handle.close();
    }
  } catch {
    return false;
  }
}
