import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Trust } from '../../core/bundle/trust.ts';
import type { BundleParts } from '../../core/bundle/verify.ts';
import { verifyJudged } from '../../core/bundle/verify-judged.ts';
import { frameOf } from '../../core/guide/plan.ts';
import { type EarlierFacts, earlierFactsSchema } from '../../core/people/earlier.ts';
import { withoutNames } from '../../core/people/named.ts';
import type { Baseline } from '../../core/people/with-changes.ts';
import { PROBE_DECLARATIONS } from '../../core/probes/index.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { EventData, FactsFile } from '../../core/session/events.ts';
import { reduceAll } from '../../core/session/state.ts';
import { verifyFile } from '../evidence/container-reader.ts';
import { BASELINE_FILE } from '../evidence/named-files.ts';
import { hashFile } from '../evidence/seal.ts';
import { planOf } from './plan-of.ts';
import { saveFile } from './save-file.ts';
import type { Session } from './session.ts';

type Chosen = EventData<'baseline.chosen'>;

const COMPARED = new Set(PROBE_DECLARATIONS.filter(({ compare }) => compare !== undefined).map(({ id }) => id));

/**
 * Compares this session with an earlier bundle of the same site and guide. The bundle is verified first; a bundle that lacks a
 * signature is taken, and marked so wherever something is compared with it.
 * @returns what the journal says of it
 * Errors: those of reading it, `bundle.not-sound` with the findings in the cause, `input.malformed` (of another site or guide,
 * or of this very session), `session.state` (another was chosen, or a step was judged without it), `journal.write`.
 */
export async function useBaseline(session: Session, path: string, trust: Trust): Promise<Result<Chosen>> {
  const read = await readBaseline(path, trust, session.now());
  if (!read.ok) return read;
  const { about, facts, opened } = read.value;
  const present = session.state().opened;
  const name = basename(path);
  if (opened.site.id !== present?.site.id)
    return fail('input.malformed', `${name} is of ${opened.site.name}, and this session is at ${present?.site.name}.`);
  if (opened.guide.id !== present.guide.id)
    return fail(
      'input.malformed',
      `${name} is of the guide ${opened.guide.id}, and this session of ${present.guide.id}.`,
    );
  if (opened.session === session.id)
    return fail('input.malformed', `${name} was sealed from this very session; there is nothing to compare.`);
  const before = session.state().baseline;
  if (before?.bundle === about.bundle) return restore(session, before, facts);
  if (before !== undefined)
    return fail('session.state', `This session is compared with a bundle of ${before.lastAt.slice(0, 10)} already.`);
  if (Object.values(session.state().items).some(({ verdict }) => verdict !== undefined))
    return fail(
      'session.state',
      'Steps of this session were judged already. Choose the bundle to compare with in a new session, before the first check.',
    );
  const text = `${JSON.stringify(facts)}\n`;
  const saved = await saveFile(join(session.dir, BASELINE_FILE), text);
  if (!saved.ok) return saved;
  const chosen = { ...about, facts: createHash('sha256').update(text).digest('hex') };
  const recorded = await session.journal.append('baseline.chosen', chosen);
  return recorded.ok ? restore(session, chosen, facts) : recorded;
}

/** Takes up what a resumed session was compared with. Error: `journal.broken` where its file is gone or was altered. */
export async function restoreBaseline(session: Session): Promise<Result<unknown>> {
  const { baseline } = session.state();
  if (baseline === undefined) return ok(undefined);
  const place = join(session.dir, BASELINE_FILE);
  const bytes = await readFile(place).catch(() => undefined);
  if (bytes === undefined || createHash('sha256').update(bytes).digest('hex') !== baseline.facts)
    return fail('journal.broken', 'What this session is compared with is gone or was altered.', { place });
  return restore(session, baseline, earlierFactsSchema.parse(JSON.parse(bytes.toString('utf8'))));
}

function restore(session: Session, chosen: Chosen, facts: EarlierFacts): Result<Chosen> {
  const plan = planOf(session.guide, session.site, frameOf({ baseline: chosen }));
  if (!plan.ok) return plan;
  const { bundle, session: earlier, provisional } = chosen;
  const baseline: Baseline = { since: { bundle, session: earlier, provisional }, facts };
  session.memory.baseline = baseline;
  session.replan(plan.value);
  return ok(chosen);
}

type Read = {
  readonly about: Omit<Chosen, 'facts'>;
  readonly facts: EarlierFacts;
  readonly opened: EventData<'session.opened'>;
};

async function readBaseline(path: string, trust: Trust, at: Date): Promise<Result<Read>> {
  let parts: BundleParts | undefined;
  const verified = await verifyJudged(
    (options) =>
      verifyFile(path, {
        ...options,
        rejudge: async (found) => {
          parts = found;
          return (await options.rejudge?.(found)) ?? [];
        },
      }),
    trust,
    at,
  );
  if (!verified.ok) return verified;
  const bad = verified.value.findings.filter(({ severity }) => severity === 'bad');
  if (bad.length > 0 || parts === undefined)
    return fail('bundle.not-sound', 'This bundle is not sound, so nothing is compared with it.', {
      place: basename(path),
      cause: bad.length === 0 ? 'it is no bundle of a session' : bad.map(({ sentence }) => sentence).join(' '),
    });
  const state = reduceAll(parts.events);
  const last = parts.events.at(-1);
  if (state.opened === undefined || last === undefined)
    return fail('bundle.malformed', 'The journal of this bundle does not begin with session.opened.', { place: path });
  const { opened, keyId } = state;
  return ok({
    about: {
      bundle: await hashFile(path),
      session: opened.session,
      guide: opened.guide.version,
      lastAt: last.at,
      provisional: verified.value.provisional,
      ...(keyId === undefined ? {} : { keyId }),
    },
    facts: comparedFacts(parts),
    opened,
  });
}

/** The newest facts of each check that compares; none where it ended as an error since. */
function comparedFacts({ events, facts }: BundleParts): EarlierFacts {
  const found = new Map<string, { key: string; facts: FactsFile }>();
  for (const event of events) {
    if (event.type !== 'facts.recorded' && event.type !== 'probe.failed') continue;
    const { key, check, probe } = event.data;
    if (!COMPARED.has(probe)) continue;
    const file = facts.get(event.n);
    if (event.type === 'probe.failed' || file === undefined) found.delete(`${key} ${check}`);
    // Names that were agreed to then are not by that agreed to now, and a comparison needs none.
    else found.set(`${key} ${check}`, { key, facts: { ...file, facts: withoutNames(file.facts) } });
  }
  return [...found.values()];
}
