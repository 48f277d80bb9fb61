import { type Fault, fault } from './fault.ts';
import type { RevocationState } from './revocation.ts';

/** What can be wrong with how the hospital's authority tells which certificates it revoked. */
export const AUTHORITY_FAULTS: readonly Fault[] = [
  revocationFault('emr-cert-revoked', 'The authority revoked the certificate that the EMR presents', 'emrRevoked'),
  revocationFault('crl-stale', "The authority's revocation list was last renewed nine days ago", 'staleCrl', true),
  fault('crl-unreachable', {
    control: 'certificate.revocation',
    probe: 'certificate.status',
    title: 'Nobody answers where the certificates say that the revocation list is',
    active: (parts) => !parts.revocation.crl.isOpen(),
    set: (parts, on) => parts.revocation.crl.setOpen(!on),
  }),
  revocationFault('ocsp-stranger', 'A stranger signs what the OCSP responder says', 'strangerSigns'),
];

function revocationFault(id: string, title: string, key: keyof RevocationState, shipped?: true): Fault {
  return fault(id, {
    control: 'certificate.revocation',
    probe: 'certificate.status',
    title,
    ...(shipped === undefined ? {} : { shipped }),
    active: (parts) => parts.revocation.state[key],
    set: (parts, on) => {
      parts.revocation.state[key] = on;
    },
  });
}
