import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../core/result.ts';
import { type FactsFile, factsFileSchema, type JournalEvent } from '../../core/session/events.ts';
import type { CheckOutcome } from '../../core/verdict/judge.ts';

/** The newest outcome of every check, by item key and check index. */
export type Outcomes = Map<string, Map<number, CheckOutcome>>;

/** Sets one outcome. */
export function setOutcome(outcomes: Outcomes, key: string, check: number, outcome: CheckOutcome): void {
  const checks = outcomes.get(key) ?? new Map<number, CheckOutcome>();
  outcomes.set(key, checks.set(check, outcome));
}

/** Facts files that are read at a time. */
const AT_ONCE = 16;

/**
 * Reads the outcomes of a journal back from its facts files, each checked against the digest that the journal holds.
 * Errors: `journal.broken` where a facts file is missing or was altered.
 */
export async function readOutcomes(dir: string, events: readonly JournalEvent[]): Promise<Result<Outcomes>> {
  const recorded = events.filter((event) => event.type === 'facts.recorded');
  const newest = new Map(recorded.map((event) => [`${event.data.check} ${event.data.key}`, event.n]));
  const facts = new Map<number, FactsFile>();
  for (let at = 0; at < recorded.length; at += AT_ONCE) {
    const read = recorded.slice(at, at + AT_ONCE).map(async ({ n, data: { key, check, file, sha256 } }) => {
      const path = join(dir, file);
      const bytes = await readFile(path).catch(() => undefined);
      if (bytes === undefined)
        return fail('journal.broken', `The journal names ${file}, which is not there.`, { place: path });
      if (createHash('sha256').update(bytes).digest('hex') !== sha256)
        return fail('journal.broken', `${file} was altered after it was recorded.`, { place: path });
      if (newest.get(`${check} ${key}`) === n) facts.set(n, factsFileSchema.parse(JSON.parse(bytes.toString('utf8'))));
      return ok(undefined);
    });
    for (const done of await Promise.all(read)) if (!done.ok) return done;
  }
  const outcomes: Outcomes = new Map();
  for (const { n, type, data } of events) {
    if (type === 'probe.failed') setOutcome(outcomes, data.key, data.check, { error: data.error });
    const known = facts.get(n);
    if (type === 'facts.recorded' && known !== undefined) setOutcome(outcomes, data.key, data.check, { facts: known });
  }
  return ok(outcomes);
}
