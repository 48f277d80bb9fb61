import type { z } from 'zod';
import type { AbsentFact } from '../../../core/probes/declaration.ts';
import { TLS_VERSIONS, type tlsEndpoint, type TlsVersion } from '../../../core/probes/tls-endpoint.ts';
import { ok, type Result } from '../../../core/result.ts';
import { isAbort } from '../tcp.ts';
import { describeAnswer, isHangUp } from './describe-answer.ts';
import { suiteName, suitesOf } from './suites.ts';
import { type Offer, VERSION_KEYS } from './survey.ts';

type EndpointFacts = z.input<typeof tlsEndpoint.facts>;
type SuiteLists = NonNullable<EndpointFacts['suites']>;
export type SuiteListsResult = { readonly suites: SuiteLists; readonly absent: readonly AbsentFact[] };

/** Some servers choke on longer lists. */
const AT_ONCE = 128;

/** Suites that are known to be accepted, and whether they are all. */
export type KnownSuites = Readonly<
  Partial<Record<TlsVersion, { readonly suites: readonly number[]; readonly all?: true }>>
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
    const listed = await listSuites(offer, version, seen?.suites ?? []);
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
  version: TlsVersion,
  seen: readonly number[],
): Promise<Result<number[] | Incomplete>> {
  const found = [...seen];
  const all = suitesOf(version).filter((suite) => !found.includes(suite));
  for (let start = 0; start < all.length; start += AT_ONCE) {
    const chunk = all.slice(start, start + AT_ONCE);
    const rest = await drain(offer, version, chunk, found);
    if (!rest.ok) return rest;
    if (rest.value !== undefined) return ok(rest.value);
  }
  return ok(found);
}

/** Adds to `found` what the server accepts of `chunk`; says why where that could not be told. */
async function drain(
  offer: Offer,
  version: TlsVersion,
  chunk: readonly number[],
  found: number[],
): Promise<Result<Incomplete | undefined>> {
  // A refusal or the choice of one suite ends each round, so there are at most as many as suites.
  for (let open = chunk; open.length > 0; open = open.filter((suite) => !found.includes(suite))) {
    const answer = await offer(version, open);
    if (!answer.ok) {
      if (isAbort(answer.error)) return answer;
      return ok({ reason: answer.error.message, lost: true });
    }
    const { value } = answer;
    if (value.kind === 'hello' && open.includes(value.suite)) {
      found.push(value.suite);
      continue;
    }
    // A server that goes down to a version it prefers has no suite left in this one.
    if ((value.kind === 'alert' && value.refusal) || value.kind === 'lower') return ok(undefined);
    if (isHangUp(value) && (await refusesByHangUp(offer, version, open, found))) return ok(undefined);
    return ok({
      reason:
        value.kind === 'hello'
          ? `the server chose ${suiteName(value.suite)}, which was not offered`
          : describeAnswer(value),
      lost: value.kind === 'silent',
    });
  }
  return ok(undefined);
}

/** A hang-up refuses only between two answers to an offer that is known to be good. */
async function refusesByHangUp(
  offer: Offer,
  version: TlsVersion,
  open: readonly number[],
  found: readonly number[],
): Promise<boolean> {
  const good = async () => {
    const control = found.length > 0 ? found : suitesOf(version).slice(0, AT_ONCE);
    const answer = await offer(version, control);
    return answer.ok && answer.value.kind === 'hello';
  };
  if (!(await good())) return false;
  const again = await offer(version, open);
  return again.ok && isHangUp(again.value) && (await good());
}
