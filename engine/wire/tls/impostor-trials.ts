import type { z } from 'zod';
import type { AbsentFact } from '../../../core/probes/declaration.ts';
import { IMPOSTOR_TRIALS, type ImpostorTrial, type tlsImpostor } from '../../../core/probes/tls-impostor.ts';
import type { Result } from '../../../core/result.ts';
import { runtimeEngine } from './handshake.ts';
import type { ImpostorVisit } from './impostor-visit.ts';
import { readVisits } from './impostor-facts.ts';
import { judgeVisits, type VisitsVerdict } from './impostor-verdict.ts';

type Facts = z.input<typeof tlsImpostor.facts>;

/** What a device did with one identity. */
export type ImpostorSeen = {
  readonly presents: ImpostorTrial | 'good';
  /** Of the trial identity; absent for what was made here. */
  readonly id?: string;
  readonly visits: readonly ImpostorVisit[];
  readonly triggered: Result<string>;
};

const FIELDS: Readonly<Record<ImpostorTrial, keyof Facts['refuses']>> = {
  'unknown-ca': 'unknownCa',
  'wrong-name': 'wrongName',
  expired: 'expired',
  revoked: 'revoked',
};
const ASK_FOR: Readonly<Record<ImpostorTrial, string>> = {
  'unknown-ca': 'It was not tried.',
  'wrong-name': "Ask the hospital's CA for a server certificate in another name, and its key.",
  expired: "Ask the hospital's CA for a server certificate in this name that is out of date, and its key.",
  revoked: "Ask the hospital's CA for a server certificate in this name, and then to revoke it.",
};

/**
 * Trials, control and the overall answer; what else the visits show comes from the one of the unknown CA.
 * @param site the device's addresses, where the site tells them
 * @param told whether the device's own API was told to send
 * @param restored whether the device was seen to be set back
 */
export function impostorFacts(
  seen: readonly ImpostorSeen[],
  listened: string,
  site: readonly string[] | undefined,
  told: boolean,
  restored: boolean | undefined,
): { facts: Facts; absent: AbsentFact[] } {
  const judgeSeen = (
    { visits, triggered }: ImpostorSeen,
    device: readonly string[] | undefined,
    sends: boolean,
  ): VisitsVerdict =>
    judgeVisits(
      visits,
      device,
      sends,
      triggered.ok ? 'Nobody connected while Lockstep listened.' : `Nobody connected: ${triggered.error.message}`,
    );
  const good = seen.find(({ presents }) => presents === 'good');
  const control = good === undefined ? undefined : judgeSeen(good, site, false);
  // Who sent a message to the good one is the device, and was about to send it to the others.
  const sends = control?.outcome === 'accepted';
  const device = site ?? (sends ? sendersOf(good?.visits ?? []) : undefined);
  const verdictOf = (one: ImpostorSeen) => judgeSeen(one, device, sends);
  const trials: Facts['trials'] = IMPOSTOR_TRIALS.map((presents) => {
    const one = seen.find((candidate) => candidate.presents === presents);
    if (one === undefined)
      return {
        presents,
        outcome: 'not-tested',
        how: `The site gives no server identity of this kind. ${ASK_FOR[presents]}`,
      };
    const base = { presents, ...(one.id === undefined ? {} : { identity: one.id }) };
    const verdict = verdictOf(one);
    if (verdict.outcome === 'open') return { ...base, outcome: 'not-tested', how: verdict.reason };
    const how = verdict.outcome === 'refused' && verdict.alert !== undefined ? `alert ${verdict.alert}` : verdict.how;
    // A device that does not even take the good certificate of this CA refuses the others for another reason.
    if (verdict.outcome === 'refused' && presents !== 'unknown-ca' && control?.outcome !== 'accepted')
      return {
        ...base,
        outcome: 'not-tested',
        how: `Seen: ${how}; but it proves nothing, because ${control === undefined ? 'there is no good server identity for a positive control' : 'the device did not talk to the good one either'}.`,
      };
    return { ...base, outcome: verdict.outcome, how };
  });
  const unknown = seen.find(({ presents }) => presents === 'unknown-ca');
  const read = readVisits(
    unknown?.visits ?? [],
    device,
    unknown === undefined ? ({ outcome: 'open', reason: 'It was not tried.' } as const) : verdictOf(unknown),
  );
  const absent = [...read.absent];
  const facts: Facts = {
    engine: runtimeEngine(),
    listened,
    ...read.facts,
    trials,
    refuses: {},
    ...(good?.id === undefined || control === undefined ? {} : { control: controlFact(good.id, control) }),
    ...(restored === undefined ? {} : { restored }),
  };
  for (const { presents, outcome, how } of trials) {
    if (outcome === 'not-tested') absent.push({ path: `refuses.${FIELDS[presents]}`, reason: how });
    else facts.refuses[FIELDS[presents]] = outcome === 'refused';
  }
  const fell = trials.find(({ outcome, presents }) => outcome === 'accepted' && presents !== 'unknown-ca');
  if (fell !== undefined) {
    facts.refused = false;
    facts.how = 'application-data';
    for (const path of ['refused', 'how']) {
      const at = absent.findIndex((fact) => fact.path === path);
      if (at >= 0) absent.splice(at, 1);
    }
  }
  if (facts.control === undefined)
    absent.push({ path: 'control', reason: 'The site gives no good server identity for a positive control.' });
  if (restored === undefined)
    absent.push({
      path: 'restored',
      reason: told ? "The device's setting was not changed." : 'That the device was set back was not confirmed.',
    });
  return { facts, absent };
}

/** Addresses that sent application data. */
function sendersOf(visits: readonly ImpostorVisit[]): readonly string[] {
  return visits.filter(({ applicationBytes }) => applicationBytes > 0).map(({ peer }) => peer);
}

function controlFact(identity: string, verdict: VisitsVerdict): NonNullable<Facts['control']> {
  if (verdict.outcome === 'open') return { identity, outcome: 'inconclusive', how: verdict.reason };
  if (verdict.outcome === 'accepted') return { identity, outcome: 'application-data', how: verdict.how };
  return { identity, outcome: 'refused', how: verdict.alert === undefined ? verdict.how : `alert ${verdict.alert}` };
}
