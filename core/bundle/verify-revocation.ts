import type { Certificate, CryptoEngine } from 'pkijs';
import type { Found } from './finding.ts';
import { type RecordedStatus, recordedStatus } from './revocation.ts';
import { commonName } from './trust.ts';

/**
 * Judges a signer's chain by the revocation that the signature carries, at the time of signing. A certificate that was revoked
 * later is no fault where a time-stamp proves that the signature is older; a claimed time proves nothing.
 * @param path leaf first, the anchor last, which nobody revokes
 * @param claimed the time that the signer claims
 * @returns whether the leaf's status is recorded
 */
export async function checkRevocation(
  recorded: readonly RecordedStatus[],
  path: readonly Certificate[],
  claimed: Date,
  proven: Date | undefined,
  engine: CryptoEngine,
  place: string,
  found: Found,
): Promise<boolean> {
  let known = false;
  for (const [index, certificate] of path.slice(0, -1).entries()) {
    const issuer = path[index + 1];
    if (issuer === undefined) continue;
    const name = commonName(certificate);
    const status = await recordedStatus(recorded, certificate, issuer, proven ?? claimed, engine);
    if (status.status !== 'none' && index === 0) known = true;
    if (status.status === 'revoked') {
      const sentence = `The certificate of ${name} was revoked on ${status.at.toISOString()} (${status.by}).`;
      if (status.at <= (proven ?? claimed))
        found.bad('revocation.revoked', `${sentence} That is before it signed.`, place);
      else if (proven === undefined)
        found.bad('revocation.revoked', `${sentence} No time-stamp proves that it signed before.`, place);
      else
        found.info(
          'revocation.later',
          `${sentence} A time-stamp proves that it signed before, on ${proven.toISOString()}.`,
          place,
        );
    } else if (status.status === 'good')
      found.info('revocation.good', `The certificate of ${name} was not revoked when it signed (${status.by}).`, place);
    else for (const reason of status.reasons) found.warn('revocation.unusable', `${name}: ${reason}`, place);
  }
  return known;
}

/** Says once of whom nothing is recorded: not that they are good. */
export function sayUnrecorded(names: readonly string[], found: Found): void {
  if (names.length > 0)
    found.info(
      'revocation.none',
      `No CRL or OCSP answer is recorded for ${names.join(' and ')}; whether these certificates were revoked is not known.`,
    );
}
