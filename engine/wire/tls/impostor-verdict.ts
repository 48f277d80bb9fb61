import { visitsOf } from './impostor-device.ts';
import { type ImpostorVisit, visitVerdict } from './impostor-visit.ts';

export type VisitsVerdict =
  | { readonly outcome: 'accepted'; readonly how: 'application-data' | 'clear-text' }
  | { readonly outcome: 'refused'; readonly how: 'alert' | 'closed-without-data'; readonly alert?: string }
  | { readonly outcome: 'open'; readonly reason: string };

/**
 * What all visits to one impostor show together: one that falls for it outweighs any number of refusals.
 * @param device addresses of the device, where they are known
 * @param sends whether the device sent its message to a certificate that it should take. A client that hangs up without an
 *   alert looks like an idle connection test unless it did.
 * @param nobody the sentence for no visit at all
 */
export function judgeVisits(
  everyone: readonly ImpostorVisit[],
  device: readonly string[] | undefined,
  sends: boolean,
  nobody: string,
): VisitsVerdict {
  if (everyone.length === 0) return { outcome: 'open', reason: nobody };
  const visits = visitsOf(device, everyone);
  const peers = [...new Set(everyone.map(({ peer }) => peer))].join(' and ');
  if (visits.length === 0)
    return {
      outcome: 'open',
      reason: `The device did not connect, as far as its address (${device?.join(', ')}) tells; ${peers} did. If that is the device, name it in the site (from).`,
    };
  const verdict = judgeOwn(visits, sends);
  if (verdict.outcome === 'refused' && new Set(visits.map(({ peer }) => peer)).size > 1 && device === undefined)
    return {
      outcome: 'open',
      reason: `${peers} connected, and which of them is the device is not known. Name its address in the site (from).`,
    };
  return verdict;
}

function judgeOwn(visits: readonly ImpostorVisit[], sends: boolean): VisitsVerdict {
  const verdicts = visits.map(visitVerdict);
  const fell = verdicts.find((verdict) => verdict === 'application-data' || verdict === 'clear-text');
  if (fell !== undefined) return { outcome: 'accepted', how: fell };
  const alert = visits.find((visit) => visit.alert !== undefined)?.alert;
  if (verdicts.includes('alert'))
    return { outcome: 'refused', how: 'alert', ...(alert === undefined ? {} : { alert }) };
  if (!verdicts.includes('closed-without-data'))
    return {
      outcome: 'open',
      reason: `The device connected, but whether it refused the certificate was not seen${alert === undefined ? '' : ` (alert ${alert})`}.`,
    };
  return sends
    ? { outcome: 'refused', how: 'closed-without-data' }
    : {
        outcome: 'open',
        reason:
          "The device hung up without an alert and without sending anything: a refusal or an idle connection test. Look into the device's log; a good server identity for this trial would tell.",
      };
}
