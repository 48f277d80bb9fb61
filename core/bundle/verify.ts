import type { Result } from '../result.ts';
import { ok } from '../result.ts';
import type { EventData, FactsFile, JournalEvent } from '../session/events.ts';
import { type BundleFinding, collect, type Found, worstFirst } from './finding.ts';
import { type ByteSource, type Host, memorySource, sha256Hex } from './host.ts';
import type { Statement } from './statement.ts';
import type { Trust } from './trust.ts';
import { checkContainer, type Kind, type Opened } from './verify-container.ts';
import { checkJournal } from './verify-journal.ts';
import { checkSignatures, type Signer } from './verify-signatures.ts';
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
  const findings = worstFirst(found.list);
  return ok({
    sound: findings.every((finding) => finding.severity !== 'bad'),
    findings,
    summary: {
      kind: opened.kind,
      practice: rest?.opening?.site.practice ?? signers.some((signer) => signer.subject.includes('PRACTICE')),
      provisional: rest?.provisional ?? false,
      signers: signers.map(({ certificate: _certificate, number: _number, ...signer }) => signer),
      ...(rest?.session === undefined ? {} : { session: rest.session }),
      ...(rest?.opening === undefined ? {} : { guide: rest.opening.guide, site: siteOf(rest.opening) }),
      verdictsRecomputed: rest?.recomputed ?? false,
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
  const { events, facts, head } = await checkJournal(opened, signers, trust, at, host, found);
  const first = events[0];
  const opening = first?.type === 'session.opened' ? (first.data as EventData<'session.opened'>) : undefined;
  const provisional = !(['engineer', 'hospital'] as const).every((role) =>
    signers.some((signer) => signer.role === role),
  );
  if (provisional)
    found.warn('provisional', 'This bundle is provisional: the engineer and the hospital have not both signed it.');
  if (opening !== undefined) {
    await checkGuide(opened, opening, host, options, found);
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
  return { opening, provisional, session, recomputed };
}

/** The guide inside: its digest, and its publisher's signature when it came with one. */
async function checkGuide(
  opened: Opened,
  opening: EventData<'session.opened'>,
  host: Host,
  options: VerifyOptions,
  found: Found,
): Promise<void> {
  const digest = opened.digests.get('guide/guide.yaml');
  if (digest !== undefined && digest !== opening.guide.sha256) {
    found.bad('guide.digest', 'The guide is not the one that the session was opened with.', 'guide/guide.yaml');
  }
  const place = 'guide/guide.asice';
  if (!opened.digests.has(place)) {
    if (opening.guide.trust === 'unsigned')
      found.warn('guide.unsigned', 'The guide is unsigned; nothing shows who wrote it.', 'guide/guide.yaml');
    else
      found.bad(
        'guide.signature-missing',
        'The session was opened with a signed guide, but its signature is not here.',
        place,
      );
    return;
  }
  const bytes = await opened.bytes(place);
  if (bytes === undefined) return;
  const given = options.trust.publisher !== undefined && options.trust.publisher.length > 0;
  const inner = await verifyContainer(memorySource(bytes, host), host, { trust: options.trust, at: options.at });
  if (!inner.ok) {
    found.bad('guide.container', inner.error.message, place);
    return;
  }
  for (const finding of inner.value.findings) {
    const innerPlace = finding.place === undefined ? place : `${place}/${finding.place}`;
    // Who verifies a bundle need not know the publisher; the signature is shown either way.
    if (finding.code === 'trust.none' && !given)
      found.warn(
        'guide.publisher-unknown',
        'No root was given for the publisher, so nothing shows who the guide comes from.',
        place,
      );
    else
      found.list.push({
        ...finding,
        code: finding.code.startsWith('guide.') ? finding.code : `guide.${finding.code}`,
        place: innerPlace,
      });
  }
  const publisher = inner.value.summary.signers[0];
  if (
    publisher !== undefined &&
    opening.guide.publisherSha256 !== undefined &&
    publisher.sha256 !== opening.guide.publisherSha256
  ) {
    found.bad(
      'guide.publisher',
      'The guide is signed by another publisher than the one the session was opened with.',
      place,
    );
  }
  const container = await readContainer(memorySource(bytes, host), host);
  const entry = container.ok ? container.value.get('guide.yaml') : undefined;
  const innerDigest = container.ok && entry !== undefined ? await container.value.digest(entry) : undefined;
  if (innerDigest?.ok !== true || innerDigest.value.sha256 !== digest) {
    found.bad('guide.swapped', 'The signed guide and the guide beside it are not the same.', place);
  }
}

/** A waiver is a request until a countersignature accepts it, holds until its day, and stands beside `fail` only. */
function checkWaivers(statements: readonly Statement[], events: readonly JournalEvent[], at: Date, found: Found): void {
  const until = new Map<string, string>();
  const verdicts = new Map<string, string>();
  for (const event of events) {
    if (event.type === 'judged') verdicts.set(event.data.key, event.data.verdict);
    if (event.type !== 'waived') continue;
    const { key } = event.data;
    until.set(key, event.data.until);
    if (verdicts.get(key) !== 'fail')
      found.bad(
        'waiver.not-failed',
        `A waiver was asked for ${key}, which had not failed; only what fails can be waived.`,
        `journal.jsonl:${event.n + 1}`,
      );
  }
  const accepted = new Set(statements.flatMap((statement) => statement.acceptedWaivers));
  for (const key of accepted) {
    if (!until.has(key))
      found.bad('waiver.unknown', `The hospital accepted a waiver for ${key}, which nobody asked for.`);
  }
  for (const [key, end] of until) {
    const over = Date.parse(end) <= at.getTime();
    if (!accepted.has(key))
      found.warn('waiver.request', `The waiver for ${key} is a request; no countersignature accepts it.`);
    else if (over)
      found.warn(
        'waiver.expired',
        `The hospital accepted a waiver for ${key}, which ran out on ${end}: it counts no more.`,
      );
    else found.info('waiver.accepted', `The hospital accepted a waiver for ${key}, until ${end}.`);
  }
}
