import { fail, ok, type Result } from '../../core/result.ts';
import type { ProbeContext } from '../context.ts';
import { nameOf } from './ldap-lookup.ts';
import { withDirectory } from './ldap-site.ts';
import { describePerson } from './ldap-walk.ts';

/** A person that a code stands for. */
export type Known = { readonly code: string; readonly name: string; readonly dn: string };

const DOMAIN_PEOPLE = '(&(objectClass=user)(!(objectClass=computer)))';
const OTHER_PEOPLE = '(|(objectClass=person)(objectClass=account)(objectClass=posixAccount))';
const ATTRIBUTES = ['objectSid', 'objectClass', 'sAMAccountName', 'cn'];
/** Hex digits of a code that are enough to look for; fewer would fit several people. */
const FEWEST_DIGITS = 8;
const MOST_PEOPLE = 200_000;

/**
 * Finds who codes stand for: computes the code of everybody in the directory under the site key, which takes both. For the
 * hospital alone; nothing is recorded.
 * @param codes hex, whole or their beginning
 * @returns everybody whose code begins with one of them; several for one that is too short
 * Errors: `input.malformed`, `secret.missing` (no site key), and those of the directory.
 */
export async function whoIs(context: ProbeContext, codes: readonly string[]): Promise<Result<readonly Known[]>> {
  const odd = codes.find((code) => !/^[0-9a-f]+$/i.test(code) || code.length < FEWEST_DIGITS || code.length > 64);
  if (odd !== undefined)
    return fail('input.malformed', `"${odd}" is no code: give ${FEWEST_DIGITS} to 64 of its hexadecimal digits.`);
  if (context.siteKey === undefined)
    return fail('secret.missing', 'Without the site key nobody can tell who they are.');
  const wanted = codes.map((code) => code.toLowerCase());
  return withDirectory(context, async ({ session, root, baseDn }) => {
    const filter = root.kind === 'active-directory' ? DOMAIN_PEOPLE : OTHER_PEOPLE;
    const found = await session.search({ base: baseDn, filter, attributes: ATTRIBUTES, limit: MOST_PEOPLE });
    if (!found.ok) return found;
    if (!found.value.complete)
      return fail('probe.inconclusive', `There are more than ${MOST_PEOPLE} people, so not everybody was looked at.`);
    const known = found.value.entries.flatMap((entry): Known[] => {
      const code = describePerson(entry, context, false)?.id ?? '';
      return wanted.some((begin) => code.startsWith(begin)) ? [{ code, name: nameOf(entry), dn: entry.dn }] : [];
    });
    return ok(known.sort((a, b) => (a.code < b.code ? -1 : 1)));
  });
}
