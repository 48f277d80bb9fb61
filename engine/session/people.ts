import { webcrypto } from 'node:crypto';
import type { PlanItem } from '../../core/guide/plan.ts';
import { readSiteKey, type SiteKey } from '../../core/people/site-key.ts';
import type { WebCrypto } from '../../core/bundle/host.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { Site } from '../../core/site/schema.ts';
import type { Session } from './session.ts';

/**
 * Takes the hospital's site key for this run: from here on people appear as HMACs under it. The journal records its id; the
 * key stays in memory. Errors: `input.malformed` (mistyped), `site.invalid` (not the key that the site file names),
 * `session.state` (people of this session were recorded under another).
 */
export async function useSiteKey(session: Session, text: string): Promise<Result<{ keyId: string }>> {
  const key = await readSiteKey(text, webcrypto as WebCrypto);
  if (!key.ok) return key;
  const { id } = key.value;
  const fits = checkKeyOfSite(key.value, session.site.sealed);
  if (!fits.ok) return fits;
  const recorded = session.state().keyId;
  if (recorded !== undefined && recorded !== id)
    return fail(
      'session.state',
      `This is the site key ${id}, and this session recorded people under ${recorded}. Take that one, or begin a new session.`,
    );
  if (recorded === undefined) {
    const keyed = await session.journal.append('people.keyed', { keyId: id });
    if (!keyed.ok) return keyed;
  }
  session.memory.siteKey = key.value;
  return ok({ keyId: id });
}

/** `site.invalid` where the site file names another key. */
export function checkKeyOfSite({ id }: SiteKey, { people }: Site): Result<void> {
  if (people === undefined || people.keyId === id) return ok(undefined);
  return fail(
    'site.invalid',
    `This is the site key ${id}, and the site file names ${people.keyId}. Take the key of this hospital, or correct the site file.`,
    { place: 'people.keyId' },
  );
}

/** Items whose checks ask for the names of people. */
export function asksForNames(items: readonly PlanItem[]): readonly PlanItem[] {
  return items.filter(
    ({ applies, checks }) =>
      applies.kind === 'yes' && checks.some(({ params }) => params.ok && params.value.names === true),
  );
}

/** Records whether the operator agrees that people are named where the guide asks for it. Errors: `session.state`, `journal.write`. */
export async function agreeToNames(session: Session, agreed: boolean): Promise<Result<unknown>> {
  const asking = asksForNames(session.plan.items).map(({ key }) => key);
  if (asking.length === 0) return fail('session.state', 'No step of this guide asks for the names of people.');
  return session.journal.append('people.names', { agreed, asking });
}
