import { type Verdicts, VERDICTS_FILE, verdictsSchema } from '../report/verdicts.ts';
import type { ItemState, SessionState } from '../session/state.ts';
import { reduceAll } from '../session/state.ts';
import { type Summary, summarize } from '../session/summary.ts';
import { type Edition, EDITION_FILE } from './edition.ts';
import type { Found } from './finding.ts';
import type { Opened } from './verify-container.ts';
import type { Signer } from './verify-signatures.ts';
import { checkAccepted } from './verify-waivers.ts';

export type EditionCheck = {
  readonly for: string;
  readonly leftOut: number;
  readonly verdicts?: Verdicts;
  /** The state at the given date, from verdicts as they were signed. */
  readonly state?: Summary;
};

/**
 * Checks what an edition still holds, and says of every verdict that it stands as both parties signed it: what decides it
 * is not here, so nobody can compute it again.
 */
export async function checkEditionParts(
  opened: Opened,
  edition: Edition,
  signers: readonly Signer[],
  at: Date,
  found: Found,
): Promise<EditionCheck> {
  const check = { for: edition.for, leftOut: edition.leftOut.length };
  const parts = edition.leftOut.length === 1 ? '1 part' : `${edition.leftOut.length} parts`;
  const rules = [...new Set(edition.leftOut.map(({ rule }) => rule))].join(', ');
  found.warn(
    'edition',
    `This is an edition for the ${edition.for}: ${parts} left out by rule (${rules}); what remains is what was signed.`,
    EDITION_FILE,
  );
  const verdicts = await readVerdicts(opened, found);
  if (verdicts === undefined) {
    found.warn('edition.no-verdicts', 'This edition holds no verdicts that can be read.', VERDICTS_FILE);
    return check;
  }
  if (verdicts.practice)
    found.info('practice', 'This bundle comes from a practice hospital and proves nothing about a real one.');
  const [first] = signers;
  if (first?.signedAt !== undefined && first.signedAt < `${verdicts.session.lastAt.slice(0, 19)}.000Z`)
    found.bad(
      'signature.back-dated',
      `The signature of ${first.name} claims ${first.signedAt}, before the journal's last event (${verdicts.session.lastAt}).`,
      VERDICTS_FILE,
    );
  if (edition.leftOut.find(({ name }) => name === 'site.yaml')?.sha256 !== verdicts.site.sha256)
    found.bad('site.digest', 'The site is not the one that the session was opened with.', 'site.yaml');
  const statements = signers.flatMap((signer) => signer.statement ?? []);
  const asked = verdicts.items.flatMap(({ key, waiverUntil }) =>
    waiverUntil === undefined ? [] : [[key, waiverUntil] as const],
  );
  checkAccepted(statements, new Map(asked), at, found);
  const accepted = new Set(statements.flatMap((statement) => statement.acceptedWaivers));
  const state = summarize(verdicts.items, stateOf(verdicts), at, accepted);
  for (const { key, verdict } of verdicts.items)
    found.warn('edition.not-recomputed', `${key}: ${verdict}, as signed; it cannot be computed again here.`, key);
  for (const key of state.expired) found.warn('expired', `The evidence for ${key} has run out.`, key);
  const counted = Object.entries(state.counts).filter(([, count]) => count > 0);
  found.info(
    'state',
    `At ${at.toISOString().slice(0, 10)} this is ${state.word} as it was signed: ${counted.map(([verdict, count]) => `${count} ${verdict}`).join(', ')}.`,
  );
  return { ...check, verdicts, state };
}

async function readVerdicts(opened: Opened, found: Found): Promise<Verdicts | undefined> {
  if (!opened.digests.has(VERDICTS_FILE)) return undefined;
  const text = await opened.text(VERDICTS_FILE);
  if (text === undefined) return undefined;
  try {
    return verdictsSchema.parse(JSON.parse(text));
  } catch (error) {
    const why = error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error);
    found.bad('edition.verdicts', `The verdicts cannot be read: ${why}`, VERDICTS_FILE);
    return undefined;
  }
}

/** As much of a session's state as its verdicts give. */
function stateOf({ items }: Verdicts): SessionState {
  const known = items.map(({ key, verdict, goodUntil, waiverUntil }): [string, ItemState] => [
    key,
    {
      key,
      checks: {},
      findings: [],
      attachments: [],
      changes: [],
      verdict,
      ...(goodUntil === undefined ? {} : { goodUntil }),
      ...(waiverUntil === undefined ? {} : { waiver: { reason: '', compensating: '', until: waiverUntil, by: '' } }),
    },
  ]);
  return { ...reduceAll([]), items: Object.fromEntries(known) };
}
