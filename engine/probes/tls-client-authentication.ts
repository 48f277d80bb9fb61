import type { z } from 'zod';
import type { AbsentFact } from '../../core/probes/declaration.ts';
import {
  CLIENT_TRIALS,
  type ClientTrial,
  tlsClientAuthentication,
} from '../../core/probes/tls-client-authentication.ts';
import { ok, type Result } from '../../core/result.ts';
import type { Endpoint } from '../../core/site/schema.ts';
import { defineProbe, type ProbeContext } from '../context.ts';
import type { ClientIdentity } from '../keys/trial-identity.ts';
import { type Stimulus, stimulusFor } from '../wire/stimulus.ts';
import { type TrialSeen, type TrialVersion, tryClient } from '../wire/tls/client-trial.ts';
import { spokenVersions, TRIAL_VERSIONS } from '../wire/tls/client-versions.ts';
import { runtimeEngine } from '../wire/tls/handshake.ts';
import { readPlainHandshake } from '../wire/tls/plain-handshake.ts';
import { type Client, type Good, prepareClients } from '../wire/tls/trial-clients.ts';

type Facts = z.input<typeof tlsClientAuthentication.facts>;
type Trial = Facts['trials'][number];
type Control = Facts['controls'][number];

const KEYS: Readonly<Record<ClientTrial, keyof Facts['refuses']>> = {
  none: 'none',
  'unknown-ca': 'unknownCa',
  'self-signed': 'selfSigned',
  expired: 'expired',
  revoked: 'revoked',
  'wrong-subject': 'wrongSubject',
  'key-mismatch': 'keyMismatch',
};
/** What the hospital's authority would have to make for a trial that the site has no identity for. */
const ASK_FOR: Readonly<Record<Exclude<ClientTrial, 'key-mismatch'>, string>> = {
  none: 'It was not tried.',
  'unknown-ca': 'It was not tried.',
  'self-signed': 'It was not tried.',
  expired:
    "The site gives no expired identity. Ask the hospital's CA for a client certificate that is out of date, and its key.",
  revoked: "The site gives no revoked identity. Ask the hospital's CA for a client certificate, and then to revoke it.",
  'wrong-subject':
    "The site gives no identity of another subject. Ask the hospital's CA for a client certificate in another machine's name.",
};
const INSISTS_ON: readonly ClientTrial[] = ['none', 'unknown-ca', 'self-signed'];

export const tlsClientAuthenticationProbe = defineProbe(
  tlsClientAuthentication,
  async ({ endpoint, identities, application }, context) => {
    const stimulus = stimulusFor(application.protocol, endpoint.serverName ?? endpoint.host, application.path);
    const prepared = await prepareClients(identities, context);
    if (!prepared.ok) return prepared;
    const { good, clients, noMismatch } = prepared.value;
    const spoken = await spokenVersions(endpoint, context);
    if (!spoken.ok) return spoken;
    const { versions, undecided } = spoken.value;

    const controls: Control[] = [];
    const trials: Trial[] = [];
    for (const version of TRIAL_VERSIONS) {
      if (!versions.includes(version)) {
        const how = undecided.get(version) ?? `The server does not speak ${version}.`;
        for (const presents of CLIENT_TRIALS) trials.push({ version, presents, outcome: 'not-tested', how });
        continue;
      }
      context.progress(`Client certificates under ${version}`);
      const done = await tryVersion(endpoint, version, good, clients, noMismatch, stimulus, context);
      if (!done.ok) return done;
      controls.push(...done.value.controls);
      trials.push(...done.value.trials);
    }
    const requested = versions.includes('TLS 1.2') ? await requestsCertificate(endpoint, context) : ok(undefined);
    if (!requested.ok) return requested;
    const judged = judge(trials, versions, undecided);
    const absent = [...judged.absent, ...listAbsent(trials)];
    if (requested.value === undefined)
      absent.push({ path: 'requestsCertificate', reason: 'No TLS 1.2 handshake could be read in clear.' });
    return ok({
      kind: 'facts',
      facts: {
        engine: runtimeEngine(),
        ...judged.facts,
        ...(requested.value === undefined ? {} : { requestsCertificate: requested.value }),
        versions: [...versions],
        controls,
        trials,
      },
      absent,
    });
  },
);

/** The good identity first and last: what lies between is a refusal only if the server served the good one both times. */
async function tryVersion(
  endpoint: Endpoint,
  version: TrialVersion,
  good: Good | undefined,
  clients: readonly Client[],
  noMismatch: string,
  stimulus: Stimulus | undefined,
  context: ProbeContext,
): Promise<Result<{ controls: Control[]; trials: Trial[] }>> {
  const options = { hosts: context.site.hosts, signal: context.signal };
  const attempt = async (identity: ClientIdentity | undefined): Promise<Result<TrialSeen>> => {
    const seen = await context.connection(endpoint.host, () =>
      tryClient(endpoint, version, identity, stimulus, options),
    );
    return seen.ok || context.signal.aborted ? seen : ok({ kind: 'inconclusive', how: seen.error.message });
  };
  const controls: Control[] = [];
  const control = async (): Promise<Result<boolean>> => {
    if (good === undefined) return ok(false);
    const seen = await attempt(good.identity);
    if (!seen.ok) return seen;
    const { kind, how } = seen.value;
    controls.push({
      version,
      identity: good.id,
      outcome: kind === 'data' ? 'application-data' : kind === 'inconclusive' ? 'inconclusive' : 'refused',
      how,
    });
    return ok(kind === 'data');
  };
  const before = await control();
  if (!before.ok) return before;
  const seen: { client: Client; seen: TrialSeen }[] = [];
  // A server that keeps even the good identity waiting would keep every other one waiting, too.
  const silent = controls[0]?.outcome === 'inconclusive';
  for (const client of silent ? [] : clients) {
    const result = await attempt(client.identity);
    if (!result.ok) return result;
    seen.push({ client, seen: result.value });
  }
  const after = before.value ? await control() : before;
  if (!after.ok) return after;
  const why =
    good === undefined
      ? 'there is no good identity for a positive control'
      : !before.value
        ? 'the good identity got no application data either'
        : after.value
          ? undefined
          : 'afterwards the good identity got no application data any more';
  const trials = seen.map(({ client, seen: one }): Trial => toTrial(version, client, one, why));
  for (const presents of CLIENT_TRIALS) {
    if (trials.some((trial) => trial.presents === presents)) continue;
    const missing = presents === 'key-mismatch' ? noMismatch : ASK_FOR[presents];
    const how = silent ? `Not tried: the good identity got no application data (${controls[0]?.how}).` : missing;
    trials.push({ version, presents, outcome: 'not-tested', how });
  }
  return ok({ controls, trials });
}

function toTrial(version: TrialVersion, client: Client, seen: TrialSeen, uncontrolled: string | undefined): Trial {
  const how = client.as === undefined ? seen.how : `${client.as}: ${seen.how}`;
  const base = {
    version,
    presents: client.presents,
    ...(client.id === undefined ? {} : { identity: client.id }),
    ...(seen.alert === undefined ? {} : { alert: seen.alert }),
  };
  if (seen.kind === 'data') return { ...base, outcome: 'accepted', how };
  if (seen.kind === 'inconclusive') return { ...base, outcome: 'not-tested', how: `Inconclusive: ${how}.` };
  if (uncontrolled !== undefined)
    return {
      ...base,
      outcome: 'not-tested',
      how: `Seen: ${how}; but it proves nothing, because ${uncontrolled}.`,
    };
  return { ...base, outcome: 'refused', how };
}

async function requestsCertificate(endpoint: Endpoint, context: ProbeContext): Promise<Result<boolean | undefined>> {
  const options = { hosts: context.site.hosts, signal: context.signal };
  const plain = await context.connection(endpoint.host, () => readPlainHandshake(endpoint, options));
  if (!plain.ok) return context.signal.aborted ? plain : ok(undefined);
  return ok(plain.value?.requestsCertificate);
}

function judge(
  trials: readonly Trial[],
  versions: readonly TrialVersion[],
  undecided: ReadonlyMap<TrialVersion, string>,
): { facts: Pick<Facts, 'refuses' | 'insists'>; absent: AbsentFact[] } {
  const refuses: Facts['refuses'] = {};
  const absent: AbsentFact[] = [];
  const reasons = new Map<ClientTrial, string>();
  for (const presents of CLIENT_TRIALS) {
    const own = trials.filter(
      (trial) => trial.presents === presents && versions.includes(trial.version as TrialVersion),
    );
    const open = own.find((trial) => trial.outcome === 'not-tested');
    if (own.some((trial) => trial.outcome === 'accepted')) refuses[KEYS[presents]] = false;
    else if (own.length > 0 && open === undefined && undecided.size === 0) refuses[KEYS[presents]] = true;
    else {
      const reason =
        open === undefined ? [...undecided.values()].join(' ') : `${presents} under ${open.version}: ${open.how}`;
      reasons.set(presents, reason);
      absent.push({ path: `refuses.${KEYS[presents]}`, reason });
    }
  }
  const decided = INSISTS_ON.map((presents) => refuses[KEYS[presents]]);
  if (decided.includes(false)) return { facts: { refuses, insists: false }, absent };
  if (decided.every((refused) => refused === true)) return { facts: { refuses, insists: true }, absent };
  const first = INSISTS_ON.find((presents) => reasons.has(presents));
  absent.push({ path: 'insists', reason: (first === undefined ? undefined : reasons.get(first)) ?? 'Not decided.' });
  return { facts: { refuses }, absent };
}

/** Optional properties of list elements, for whoever writes an expectation over the lists. */
function listAbsent(trials: readonly Trial[]): AbsentFact[] {
  const absent: AbsentFact[] = [];
  if (trials.some((trial) => trial.identity === undefined))
    absent.push({ path: 'trials[].identity', reason: 'Not every trial uses an identity of the site.' });
  if (trials.some((trial) => trial.alert === undefined))
    absent.push({ path: 'trials[].alert', reason: 'Not every trial ended with an alert.' });
  return absent;
}
