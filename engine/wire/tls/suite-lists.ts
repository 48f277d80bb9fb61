import type { z } from 'zod';
import type { AbsentFact } from '../../../core/probes/declaration.ts';
import { TLS_VERSIONS, type tlsEndpoint, type TlsVersion } from '../../../core/probes/tls-endpoint.ts';
import { ok, type Result } from '../../../core/result.ts';
import { isAbort } from '../tcp.ts';
import { describeAnswer } from './describe-answer.ts';
import type { Refuses } from './refusals.ts';
import { portionsOf, suiteName, suitesOf } from './suites.ts';
import { VERSION_KEYS } from './survey.ts';
import type { Offer } from './version-offer.ts';

type EndpointFacts = z.input<typeof tlsEndpoint.facts>;
type SuiteLists = NonNullable<EndpointFacts['suites']>;
export type SuiteListsResult = { readonly suites: SuiteLists; readonly absent: readonly AbsentFact[] };

/** Suites that are known to be accepted, whether they are all, and those that are known to be refused. */
export type KnownSuites = Readonly<
  Partial<
    Record<
      TlsVersion,
      { readonly suites: readonly number[]; readonly all?: true; readonly refused?: readonly number[] }
    >
  >
>;

/**
 * Every suite that a server accepts, version by version: what it chose is left out of the next offer, until it refuses
 * what is left. A version that is refused accepts none; one that is not known, or a list that was cut short, is absent.
 * Errors: cancel and deadline only.
 * @param accepts which versions the server was seen to accept and to refuse
 * @param stopped why the server is to be left alone
 * @param known what it was seen to accept so far
 */
export async function surveySuites(
  offer: Offer,
  refuses: Refuses,
  accepts: NonNullable<EndpointFacts['accepts']>,
  stopped: string | undefined,
  known: KnownSuites = {},
): Promise<Result<SuiteListsResult>> {
  const suites: SuiteLists = {};
  const absent: AbsentFact[] = [];
  let lost = stopped;
  for (const version of TLS_VERSIONS) {
    const key = VERSION_KEYS[version];
    if (accepts[key] === false) {
      suites[key] = [];
      continue;
    }
    const seen = known[version];
    if (seen?.all === true) {
      suites[key] = seen.suites.map(suiteName);
      continue;
    }
    const path = `suites.${key}`;
    if (accepts[key] === undefined) {
      absent.push({ path, reason: `Whether ${version} is accepted is not known.` });
      continue;
    }
    if (lost !== undefined) {
      absent.push({ path, reason: `Not tried: ${lost}.` });
      continue;
    }
    const listed = await listSuites(offer, refuses, version, seen ?? { suites: [] });
    if (!listed.ok) return listed;
    if (Array.isArray(listed.value)) suites[key] = listed.value.map(suiteName);
    else {
      absent.push({ path, reason: `The list for ${version} is not complete: ${listed.value.reason}.` });
      if (listed.value.lost) lost = listed.value.reason;
    }
  }
  return ok({ suites, absent });
}

type Incomplete = { readonly reason: string; readonly lost: boolean };

async function listSuites(
  offer: Offer,
  refuses: Refuses,
  version: TlsVersion,
  seen: { readonly suites: readonly number[]; readonly refused?: readonly number[] },
): Promise<Result<number[] | Incomplete>> {
  const found = [...seen.suites];
  const open = suitesOf(version).filter((suite) => !found.includes(suite) && seen.refused?.includes(suite) !== true);
  for (const portion of portionsOf(open)) {
    const rest = await drain(offer, refuses, version, portion, found);
    if (!rest.ok) return rest;
    if (rest.value !== undefined) return ok(rest.value);
  }
  return ok(found);
}

/** Adds to `found` what the server accepts of a portion; says why where that could not be told. */
async function drain(
  offer: Offer,
  refuses: Refuses,
  version: TlsVersion,
  portion: readonly number[],
  found: number[],
): Promise<Result<Incomplete | undefined>> {
  // A refusal or the choice of one suite ends each round, so there are at most as many as suites.
  for (let open = portion; open.length > 0; open = open.filter((suite) => !found.includes(suite))) {
    const answer = await offer(version, open);
    if (!answer.ok) {
      if (isAbort(answer.error)) return answer;
      return ok({ reason: answer.error.message, lost: true });
    }
    const { value } = answer;
    if (value.kind === 'hello') {
      found.push(value.suite);
      continue;
    }
    const offered = open;
    const control = found.length > 0 ? found : (portionsOf(suitesOf(version))[0] ?? []);
    const recheck = {
      again: () => offer(version, offered),
      control: async () => {
        const good = await offer(version, control);
        return good.ok && good.value.kind === 'hello';
      },
    };
    // A server that goes down to a version it prefers has no suite left in this one.
    if (await refuses(value, recheck)) return ok(undefined);
    return ok({
      reason: describeAnswer(value),
      lost: value.kind === 'silent',
    });
  }
  return ok(undefined);
}
