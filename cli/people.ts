import { webcrypto } from 'node:crypto';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { WebCrypto } from '../core/bundle/host.ts';
import { readSiteKey, type SiteKey } from '../core/people/site-key.ts';
import { fail, ok, type Result } from '../core/result.ts';
import { useBaseline } from '../engine/session/baseline.ts';
import { agreeToNames, asksForNames, useSiteKey } from '../engine/session/people.ts';
import type { Session } from '../engine/session/session.ts';
import type { Trust } from './keys.ts';
import { note, readSecret } from './terminal.ts';

/** `--site-key [env:NAME]` and `--names`, as commander gives them. */
export type PeopleOptions = { siteKey?: string | true; names?: boolean; baseline?: string };

/** Adds the options about people that `run` and `probe` share. */
export function addPeopleOptions(command: Command): Command {
  return command
    .option(
      '--site-key [env:NAME]',
      'record people as HMACs under the site key of the hospital; without a value it is asked for',
    )
    .option('--names', 'agree that people are named where the guide asks for it');
}

/** The text of the site key where one is to be used, checked for typing errors. Errors: `secret.missing`, `input.malformed`. */
export async function readSiteKeyText(source: string | true | undefined): Promise<Result<string | undefined>> {
  if (source === undefined) return ok(undefined);
  const text = await readSecret(source === true ? undefined : source, 'site key');
  if (!text.ok) return text;
  const key = await readSiteKeyOf(text.value);
  return key.ok ? text : key;
}

/** The key that a text stands for. Error: `input.malformed`. */
export function readSiteKeyOf(text: string): Promise<Result<SiteKey>> {
  return readSiteKey(text, webcrypto as WebCrypto);
}

/** Gives a session its site key, the consent to names, and the bundle that it is compared with; says what that means. */
export async function usePeople(
  session: Session,
  siteKey: string | undefined,
  { names, baseline }: PeopleOptions,
  trust: Trust,
): Promise<Result<unknown>> {
  if (siteKey !== undefined) {
    const keyed = await useSiteKey(session, siteKey);
    if (!keyed.ok) return keyed;
    note(`people are recorded under the site key ${keyed.value.keyId}`);
  }
  if (baseline !== undefined) {
    const chosen = await useBaseline(session, resolve(baseline), trust);
    if (!chosen.ok) return chosen;
    const { lastAt, provisional } = chosen.value;
    note(
      `compared with the bundle of ${lastAt.slice(0, 10)}${provisional ? ', which the engineer and the hospital have not both signed' : ''}`,
    );
  }
  const asking = asksForNames(session.plan.items);
  if (names !== true) {
    if (asking.length > 0) note(`${steps(asking)} for names; without --names people appear as codes only`);
    return ok(undefined);
  }
  if (asking.length === 0)
    return fail('input.malformed', '--names: no step of this guide asks for the names of people.');
  const agreed = await agreeToNames(session, true);
  if (agreed.ok) note(`names of people are recorded, as ${steps(asking)}, and stay in the bundle`);
  return agreed;
}

function steps({ length }: readonly unknown[]): string {
  return length === 1 ? '1 step asks' : `${length} steps ask`;
}
