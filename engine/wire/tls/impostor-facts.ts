import type { z } from 'zod';
import type { AbsentFact } from '../../../core/probes/declaration.ts';
import type { tlsImpostor } from '../../../core/probes/tls-impostor.ts';
import { visitsOf } from './impostor-device.ts';
import type { ImpostorVisit } from './impostor-visit.ts';
import type { VisitsVerdict } from './impostor-verdict.ts';

type Facts = z.input<typeof tlsImpostor.facts>;
export type VisitFacts = Pick<
  Facts,
  | 'connected'
  | 'connections'
  | 'peers'
  | 'spokeTls'
  | 'offered'
  | 'handshakeCompleted'
  | 'applicationBytes'
  | 'alert'
  | 'refused'
  | 'how'
>;

const SEEN_ONLY = ['spokeTls', 'offered', 'handshakeCompleted', 'applicationBytes', 'alert', 'refused', 'how'] as const;

/**
 * What the visits to one impostor show, and what they leave open.
 * @param device addresses of the device, where they are known; who else connected is listed and not counted
 */
export function readVisits(
  everyone: readonly ImpostorVisit[],
  device: readonly string[] | undefined,
  verdict: VisitsVerdict,
): { facts: VisitFacts; absent: AbsentFact[] } {
  const visits = visitsOf(device, everyone);
  const facts: VisitFacts = {
    connected: visits.length > 0,
    connections: visits.length,
    peers: [...new Set(everyone.map((visit) => visit.peer))],
  };
  const absent: AbsentFact[] = [];
  const lacks = (path: (typeof SEEN_ONLY)[number], reason: string): void => void absent.push({ path, reason });
  if (visits.length === 0) {
    for (const path of SEEN_ONLY) lacks(path, verdict.outcome === 'open' ? verdict.reason : 'Nobody connected.');
    return { facts, absent };
  }
  const spoken = visits.filter((visit) => visit.spoke !== 'nothing');
  if (spoken.length === 0) lacks('spokeTls', 'The device connected and sent nothing.');
  else facts.spokeTls = !spoken.some((visit) => visit.spoke === 'clear');
  const offered = [...new Set(visits.flatMap((visit) => visit.offered))];
  if (offered.length === 0) lacks('offered', 'No ClientHello was read.');
  else facts.offered = offered;
  if (facts.spokeTls === true) facts.handshakeCompleted = visits.some((visit) => visit.handshakeCompleted);
  else lacks('handshakeCompleted', 'There was no handshake.');
  facts.applicationBytes = visits.reduce((sum, visit) => sum + visit.applicationBytes, 0);
  const alert = visits.find((visit) => visit.alert !== undefined)?.alert;
  if (alert === undefined) lacks('alert', 'The device sent no alert.');
  else facts.alert = alert;
  if (verdict.outcome === 'open') {
    lacks('refused', verdict.reason);
    lacks('how', verdict.reason);
  } else {
    facts.refused = verdict.outcome === 'refused';
    facts.how = verdict.how;
  }
  return { facts, absent };
}
