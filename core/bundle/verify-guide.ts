import type { EventData } from '../session/events.ts';
import type { Found } from './finding.ts';
import { type Host, memorySource } from './host.ts';
import type { Opened } from './verify-container.ts';
import type { verifyContainer, VerifyOptions } from './verify.ts';
import { readContainer } from './zip-reader.ts';

/** What the session was opened with, as its first line or its verdicts say. */
export type OpenedWith = Pick<EventData<'session.opened'>['guide'], 'sha256' | 'trust' | 'publisherSha256'>;

/** The guide inside: its digest, and its publisher's signature when it came with one. */
export async function checkGuide(
  opened: Opened,
  guide: OpenedWith,
  host: Host,
  options: VerifyOptions,
  verify: typeof verifyContainer,
  found: Found,
): Promise<void> {
  const digest = opened.digests.get('guide/guide.yaml');
  if (digest !== undefined && digest !== guide.sha256) {
    found.bad('guide.digest', 'The guide is not the one that the session was opened with.', 'guide/guide.yaml');
  }
  const place = 'guide/guide.asice';
  if (!opened.digests.has(place)) {
    if (guide.trust === 'unsigned')
      found.warn('guide.unsigned', 'The guide is unsigned; nothing shows who wrote it.', 'guide/guide.yaml');
    else
      found.bad(
        'guide.signature-missing',
        'The session was opened with a signed guide, but its signature is not here.',
        place,
      );
    return;
  }
  const bytes = await opened.bytes(place);
  if (bytes === undefined) return;
  const given = options.trust.publisher !== undefined && options.trust.publisher.length > 0;
  const inner = await verify(memorySource(bytes, host), host, { trust: options.trust, at: options.at });
  if (!inner.ok) {
    found.bad('guide.container', inner.error.message, place);
    return;
  }
  for (const finding of inner.value.findings) {
    const innerPlace = finding.place === undefined ? place : `${place}/${finding.place}`;
    // Who verifies a bundle need not know the publisher; the signature is shown either way.
    if (finding.code === 'trust.none' && !given)
      found.warn(
        'guide.publisher-unknown',
        'No root was given for the publisher, so nothing shows who the guide comes from.',
        place,
      );
    else
      found.list.push({
        ...finding,
        code: finding.code.startsWith('guide.') ? finding.code : `guide.${finding.code}`,
        place: innerPlace,
      });
  }
  const publisher = inner.value.summary.signers[0];
  if (publisher !== undefined && guide.publisherSha256 !== undefined && publisher.sha256 !== guide.publisherSha256) {
    found.bad(
      'guide.publisher',
      'The guide is signed by another publisher than the one the session was opened with.',
      place,
    );
  }
  const container = await readContainer(memorySource(bytes, host), host);
  const entry = container.ok ? container.value.get('guide.yaml') : undefined;
  const innerDigest = container.ok && entry !== undefined ? await container.value.digest(entry) : undefined;
  if (innerDigest?.ok !== true || innerDigest.value.sha256 !== digest) {
    found.bad('guide.swapped', 'The signed guide and the guide beside it are not the same.', place);
  }
}
