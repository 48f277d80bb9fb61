import { ok, type Result } from '../../core/result.ts';
import type { LdapEntry } from './ldap.ts';
import { byNames, type Wanted } from './ldap-lookup.ts';
import { escapeFilterValue, normalizeDn } from './ldap-names.ts';
import type { SiteDirectory } from './ldap-site.ts';

/** How members were read: by their names, or by the directory's own in-chain matching (MS-ADTS 3.1.1.3.4.4.3). */
export type HowRead = { readonly how: 'walk' | 'in-chain'; readonly why: string };

/** Members that are still to be read one name after the other: from here on it is worth a trial. */
const WORTH_A_TRIAL = 1_000;
const BATCH = 50;
const TRIALS = 2;
/** What in-chain matching of one batch may cost, as a multiple of reading it. */
const NEARLY_FREE = 1.25;
const LEAST_BUDGET_MS = 250;

/** What is said of a walk that was too short for a trial. */
export const SHORT_WALK: HowRead = { how: 'walk', why: 'there were too few questions to ask for another way' };

/**
 * Reads who is in a group by in-chain matching where that is the faster way, and takes them out of `wanted`; whoever is
 * still there must be read by name. Windows follows the links at next to no cost, Samba takes milliseconds for every entry
 * of the domain: so both ways read the same number of members first, which is no time lost, and the question for all of
 * them is abandoned once the names would have been read.
 * @param found takes each entry with its key
 */
export async function readInChain(
  { session, baseDn, root }: SiteDirectory,
  group: LdapEntry,
  wanted: Map<string, Wanted>,
  attributes: readonly string[],
  found: (key: string, entry: LdapEntry) => void,
): Promise<Result<HowRead>> {
  if (root.kind !== 'active-directory' || wanted.size < WORTH_A_TRIAL) return ok(SHORT_WALK);
  const chain = `(memberOf:1.2.840.113556.1.4.1941:=${escapeFilterValue(group.dn)})`;
  const take = (entry: LdapEntry) => {
    const one = wanted.get(normalizeDn(entry.dn));
    if (one !== undefined && wanted.delete(one.key)) found(one.key, entry);
  };
  const all = [...wanted.values()];
  const spent = { plain: 0, chain: 0 };
  for (let at = 0; at < 2 * TRIALS; at += 1) {
    const way = at % 2 === 0 ? 'plain' : 'chain';
    const names = byNames(root.kind, all.slice(at * BATCH, (at + 1) * BATCH));
    const start = performance.now();
    const filter = way === 'plain' ? names : `(&${names}${chain})`;
    const read = await session.search({ base: baseDn, filter, attributes, each: take });
    if (!read.ok && read.error.code === 'ldap.result' && way === 'chain')
      return ok({ how: 'walk', why: 'the directory refused in-chain matching' });
    if (!read.ok) return read;
    spent[way] += performance.now() - start;
  }
  const ratio = spent.chain / spent.plain;
  if (ratio > NEARLY_FREE)
    return ok({ how: 'walk', why: `in-chain matching took ${ratio.toFixed(1)} times as long as reading by name` });
  const budgetMs = Math.max(LEAST_BUDGET_MS, (spent.plain / TRIALS) * (wanted.size / BATCH));
  const whole = await session.search({ base: baseDn, filter: chain, attributes, each: take, budgetMs });
  if (!whole.ok && whole.error.code !== 'ldap.result') return whole;
  return whole.ok && whole.value.complete
    ? ok({ how: 'in-chain', why: 'in-chain matching took no longer than reading by name, and is one question' })
    : ok({
        how: 'walk',
        why: 'in-chain matching of the whole group took longer than reading by name, and was given up',
      });
}
