import { PROBE_DECLARATIONS } from '../probes/index.ts';
import type { FactsFile } from '../session/events.ts';
import { type Earlier, type EarlierFacts, earlierFacts, type Since } from './earlier.ts';

/** The earlier bundle that a session is compared with, as far as it is compared. */
export type Baseline = { readonly since: Omit<Since, 'at' | 'keyId'>; readonly facts: EarlierFacts };

/**
 * Adds what changed since the earlier bundle to what a probe saw; facts of a probe that compares nothing stay as they are.
 * @param key of the item, `control@kind:id`
 */
export function withChanges(file: FactsFile, key: string, baseline: Baseline | undefined): FactsFile {
  const compare = PROBE_DECLARATIONS.find(({ id }) => id === file.probe)?.compare;
  if (compare === undefined || file.facts === undefined) return file;
  const { facts, absent } = compare(file.facts, earlierOf(file.probe, key, baseline));
  return { ...file, facts, absent: [...file.absent, ...absent] };
}

function earlierOf(probe: string, key: string, baseline: Baseline | undefined): Earlier {
  if (baseline === undefined) return { reason: 'no earlier bundle was given to compare with' };
  const facts = earlierFacts(baseline.facts, key, probe);
  return facts === undefined
    ? { reason: 'the earlier bundle does not hold these facts' }
    : { since: baseline.since, facts };
}
