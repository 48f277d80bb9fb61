import { fail, ok, type Result } from '../../core/result.ts';

/** What is shorter may stand in any text by chance. */
const LEAST = 8;

/**
 * Refuses a text that a person typed, or the name of a file, when it holds a password of this session: the journal keeps what is
 * written there for ever. Error: `input.malformed`.
 * @param texts by what they are, for the person
 */
export function withoutSecrets(
  texts: Readonly<Record<string, string>>,
  secrets: ReadonlyMap<string, string>,
): Result<undefined> {
  for (const [what, text] of Object.entries(texts)) {
    const found = [...secrets].find(([, secret]) => secret.length >= LEAST && text.includes(secret));
    if (found !== undefined)
      return fail(
        'input.malformed',
        `The ${what} holds the password "${found[0]}" of this session. Take it out: what is written there stays in the bundle.`,
      );
  }
  return ok(undefined);
}
