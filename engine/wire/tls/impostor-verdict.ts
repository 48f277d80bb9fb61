import { type ImpostorVisit, visitVerdict } from './impostor-visit.ts';

export type VisitsVerdict =
  | { readonly outcome: 'accepted'; readonly how: 'application-data' | 'clear-text' }
  | { readonly outcome: 'refused'; readonly how: 'alert' | 'closed-without-data'; readonly alert?: string }
  | { readonly outcome: 'open'; readonly reason: string };

/**
 * What all visits to one impostor show together: one that falls for it outweighs any number of refusals.
 * @param told whether the device's own API was told to send. A client that hangs up without an alert looks like an idle
 *   connection test unless it was.
 * @param nobody the sentence for no visit at all
 */
export function judgeVisits(visits: readonly ImpostorVisit[], told: boolean, nobody: string): VisitsVerdict {
  if (visits.length === 0) return { outcome: 'open', reason: nobody };
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
  return told
    ? { outcome: 'refused', how: 'closed-without-data' }
    : {
        outcome: 'open',
        reason:
          "The device hung up without an alert and without sending anything: a refusal or an idle connection test. Look into the device's log, and send a message.",
      };
}
