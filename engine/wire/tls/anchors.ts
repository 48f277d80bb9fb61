import { fail, ok, type Result } from '../../../core/result.ts';
import type { ProbeContext } from '../../context.ts';
import { type ReadCertificate, readCertificatesPem } from '../../keys/read-certificate.ts';

/** PEM of the named anchors, or of all that the site has. Error: `site.invalid` for one that is missing or unreadable. */
export function anchorPems(ids: readonly string[] | undefined, context: ProbeContext): Result<string[]> {
  const pems: string[] = [];
  for (const id of ids ?? context.site.anchors.map((anchor) => anchor.id)) {
    const pem = context.anchor(id);
    if (pem === undefined) return fail('site.invalid', `The site has no trust anchor "${id}".`);
    const read = readCertificatesPem(pem);
    if (!read.ok)
      return fail(
        'site.invalid',
        `The trust anchor "${id}" cannot be read.`,
        read.error.cause === undefined ? {} : { cause: read.error.cause },
      );
    pems.push(pem);
  }
  return ok(pems);
}

/** The certificates in PEM texts that `anchorPems` returned. */
export function readAnchors(pems: readonly string[]): ReadCertificate[] {
  return pems.flatMap((pem) => {
    const read = readCertificatesPem(pem);
    return read.ok ? read.value : [];
  });
}
