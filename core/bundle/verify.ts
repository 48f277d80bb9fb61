import type { Result } from '../result.ts';
import { ok } from '../result.ts';
import type { EventData, FactsFile, JournalEvent } from '../session/events.ts';
import type { Summary } from '../session/summary.ts';
import { EDITION_FILE } from './edition.ts';
import { type BundleFinding, collect, type Found, worstFirst } from './finding.ts';
import { type ByteSource, type Host, sha256Hex } from './host.ts';
import type { Statement } from './statement.ts';
import type { Trust } from './trust.ts';
import { checkContainer, type Kind, type Opened } from './verify-container.ts';
import { checkEditionParts } from './verify-edition.ts';
import { checkGuide } from './verify-guide.ts';
import { checkJournal } from './verify-journal.ts';
import { checkSignatures, type Signer } from './verify-signatures.ts';
import { checkWaivers } from './verify-waivers.ts';
import { readContainer } from './zip-reader.ts';

/** What a judge needs to compute the verdicts again. `facts` by the number of the event that names them. */
export type BundleParts = {
  readonly guideYaml: string;
  readonly siteYaml: string;
  readonly events: readonly JournalEvent[];
  readonly facts: ReadonlyMap<number, FactsFile>;
  readonly statements: readonly Statement[];
  readonly at: Date;
  /** SHA-256 of the journal's last line, hex. */
  readonly head: string;
  /** SHA-256 (hex) of every entry of the container, by name. */
  readonly digests: ReadonlyMap<string, string>;
  /** SHA-256 of bytes, hex, as the host computes it. */
  readonly sha256: (bytes: Uint8Array<ArrayBuffer>) => Promise<string>;
};

export type VerifyOptions = {
  readonly trust: Trust;
  /** The date at which the bundle is looked at. */
  readonly at: Date;
  /** Recomputes the verdicts from the facts with the bundle's own guide and compares. */
  readonly rejudge?: (parts: BundleParts) => readonly BundleFinding[] | Promise<readonly BundleFinding[]>;
};

/** A signer without what only checking needs. */
export type SignerSummary = Omit<Signer, 'certificate' | 'number'>;

export type Verification = {
  /** Nothing bad was found. A provisional bundle may be sound. */
  readonly sound: boolean;
  /** Worst first. */
  readonly findings: readonly BundleFinding[];
  readonly summary: {
    readonly kind: Kind;
    readonly practice: boolean;
    /** A signature is missing: the engineer's or the hospital's. Never true for a guide. */
    readonly provisional: boolean;
    readonly signers: readonly SignerSummary[];
    readonly session?: {
      readonly id: string;
      readonly operator: string;
      readonly openedAt: string;
      readonly lastAt: string;
      readonly events: number;
      readonly lockstep: string;
    };
    readonly guide?: EventData<'session.opened'>['guide'];
    readonly site?: { readonly id: string; readonly name: string; readonly sha256: string };
    readonly verdictsRecomputed: boolean;
    /** Of an edition, which leaves things out: for whom, how many parts, and the state as it was signed. */
    readonly edition?: { readonly for: string; readonly leftOut: number; readonly state?: Summary };
  };
};

/**
 * Verifies a sealed bundle or a signed guide and collects every finding. An error only when the file is no container
 * that can be read safely: `bundle.malformed`, `bundle.too-large`.
 */
export async function verifyContainer(
  source: ByteSource,
  host: Host,
  options: VerifyOptions,
): Promise<Result<Verification>> {
  const container = await readContainer(source, host);
  if (!container.ok) return container;
  const found = collect();
  const opened = await checkContainer(container.value, found);
  const signers = await checkSignatures(opened, options.trust, options.at, host, found);
  if (signers.length === 0) {
    const who = opened.kind === 'guide' ? 'Nobody signed this guide.' : 'Nobody signed this bundle.';
    found.bad('signature.none', who);
  }
  const rest = opened.kind === 'bundle' ? await checkBundle(opened, signers, host, options, found) : undefined;
  if (opened.kind === 'guide' && opened.edition !== undefined)
    found.bad('edition.form', 'There are no editions of a guide.', EDITION_FILE);
  const findings = worstFirst(found.list);
  return ok({
    sound: findings.every((finding) => finding.severity !== 'bad'),
    findings,
    summary: {
      kind: opened.kind,
      practice: rest?.practice ?? signers.some((signer) => signer.subject.includes('PRACTICE')),
      provisional: rest?.provisional ?? false,
      signers: signers.map(({ certificate: _certificate, number: _number, ...signer }) => signer),
      ...(rest?.session === undefined ? {} : { session: rest.session }),
      ...(rest?.opening === undefined ? {} : { guide: rest.opening.guide, site: siteOf(rest.opening) }),
      verdictsRecomputed: rest?.recomputed ?? false,
      ...(rest?.edition === undefined ? {} : { edition: rest.edition }),
    },
  });
}

function siteOf(opening: EventData<'session.opened'>): { id: string; name: string; sha256: string } {
  return { id: opening.site.id, name: opening.site.name, sha256: opening.site.sha256 };
}

async function checkBundle(
  opened: Opened,
  signers: readonly Signer[],
  host: Host,
  options: VerifyOptions,
  found: Found,
) {
  const { trust, at, rejudge } = options;
  const provisional = !(['engineer', 'hospital'] as const).every((role) =>
    signers.some((signer) => signer.role === role),
  );
  if (provisional)
    found.warn('provisional', 'This bundle is provisional: the engineer and the hospital have not both signed it.');
  if (opened.edition !== undefined) {
    const { verdicts, ...edition } = await checkEditionParts(opened, opened.edition, signers, at, found);
    if (verdicts !== undefined) await checkGuide(opened, verdicts.guide, host, options, verifyContainer, found);
    return { provisional, practice: verdicts?.practice, edition };
  }
  const { events, facts, head } = await checkJournal(opened, signers, trust, at, host, found);
  const first = events[0];
  const opening = first?.type === 'session.opened' ? (first.data as EventData<'session.opened'>) : undefined;
  if (opening !== undefined) {
    await checkGuide(opened, opening.guide, host, options, verifyContainer, found);
    if (opening.site.practice)
      found.info('practice', 'This bundle comes from a practice hospital and proves nothing about a real one.');
    if (opened.digests.has('site.yaml') && opened.digests.get('site.yaml') !== opening.site.sha256) {
      found.bad('site.digest', 'The site is not the one that the session was opened with.', 'site.yaml');
    }
  }
  const statements = signers.flatMap((signer) => signer.statement ?? []);
  checkWaivers(statements, events, at, found);
  const guideYaml = opened.digests.has('guide/guide.yaml') ? await opened.text('guide/guide.yaml') : undefined;
  const siteYaml = opened.digests.has('site.yaml') ? await opened.text('site.yaml') : undefined;
  let recomputed = false;
  if (rejudge !== undefined && guideYaml !== undefined && siteYaml !== undefined) {
    found.list.push(
      ...(await rejudge({
        guideYaml,
        siteYaml,
        events,
        facts,
        statements,
        at,
        head,
        digests: opened.digests,
        sha256: (bytes) => sha256Hex(host.webCrypto, bytes),
      })),
    );
    recomputed = true;
  } else found.info('verdicts.not-recomputed', 'The verdicts were not computed again from the facts.');
  const last = events.at(-1);
  const session =
    opening === undefined || first === undefined || last === undefined
      ? undefined
      : {
          id: opening.session,
          operator: opening.operator.name,
          openedAt: first.at,
          lastAt: last.at,
          events: events.length,
          lockstep: opening.lockstep,
        };
  return { opening, provisional, practice: opening?.site.practice, session, recomputed };
}
