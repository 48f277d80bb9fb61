import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../core/result.ts';
import { factsFileSchema, type JournalEvent } from '../../core/session/events.ts';
import type { CheckOutcome } from '../../core/verdict/judge.ts';

/** The newest outcome of every check, by item key and check index. */
export type Outcomes = Map<string, Map<number, CheckOutcome>>;

/** Sets one outcome. */
export function setOutcome(outcomes: Outcomes, key: string, check: number, outcome: CheckOutcome): void {
  const checks = outcomes.get(key) ?? new Map<number, CheckOutcome>();
  outcomes.set(key, checks.set(check, outcome));
}

/**
 * Reads the outcomes of a journal back from its facts files, each checked against the digest that the journal holds.
 * Errors: `journal.broken` where a facts file is missing or was altered.
 */
export async function readOutcomes(dir: string, events: readonly JournalEvent[]): Promise<Result<Outcomes>> {
  const outcomes: Outcomes = new Map();
  for (const event of events) {
    if (event.type === 'probe.failed')
      setOutcome(outcomes, event.data.key, event.data.check, { error: event.data.error });
    if (event.type !== 'facts.recorded') continue;
    const path = join(dir, event.data.file);
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes === undefined)
      return fail('journal.broken', `The journal names ${event.data.file}, which is not there.`, { place: path });
    if (createHash('sha256').update(bytes).digest('hex') !== event.data.sha256)
      return fail('journal.broken', `${event.data.file} was altered after it was recorded.`, { place: path });
    setOutcome(outcomes, event.data.key, event.data.check, {
      facts: factsFileSchema.parse(JSON.parse(bytes.toString('utf8'))),
    });
  }
  return ok(outcomes);
}
