import { z } from 'zod';
import { type FactsFile, factsFileSchema } from '../session/events.ts';
import { keyIdSchema } from './key-id.ts';

/** Which earlier bundle something is compared with. */
export const sinceSchema = z.strictObject({
  at: z.iso.datetime().describe('When the earlier facts were seen'),
  bundle: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .describe('SHA-256 of the earlier bundle'),
  session: z.uuid().describe('Session of the earlier bundle'),
  provisional: z.boolean().describe('The earlier bundle lacks a signature, of the engineer or of the hospital'),
  keyId: keyIdSchema.optional().describe('Id of the site key under which it has people'),
});
export type Since = z.output<typeof sinceSchema>;

/** What probes that compare saw in an earlier bundle, by item key. */
export const earlierFactsSchema = z.array(z.strictObject({ key: z.string(), facts: factsFileSchema }));
export type EarlierFacts = z.output<typeof earlierFactsSchema>;

/** Earlier facts of a probe, or why there are none. */
export type Earlier =
  | { readonly since: Omit<Since, 'at' | 'keyId'>; readonly facts: FactsFile }
  | { readonly reason: string };

/**
 * Earlier facts of the same probe at the same target: those of the same control, else those of another one, since a guide
 * may ask the same thing twice.
 * @param key of the item now, `control@kind:id`
 */
export function earlierFacts(earlier: EarlierFacts, key: string, probe: string): FactsFile | undefined {
  const target = key.slice(key.indexOf('@'));
  const fitting = earlier.filter((entry) => entry.facts.probe === probe && entry.key.endsWith(target));
  return (fitting.find((entry) => entry.key === key) ?? fitting.at(-1))?.facts;
}
