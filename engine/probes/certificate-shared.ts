import type { z } from 'zod';
import { certificateShared } from '../../core/probes/certificate-shared.ts';
import { ok } from '../../core/result.ts';
import { defineProbe } from '../context.ts';
import { fingerprint, oneLine, type ReadCertificate } from '../keys/read-certificate.ts';
import { publicKeyDigest } from '../keys/sample-certificate.ts';
import { anchorPems } from '../wire/tls/anchors.ts';
import { readPresented } from '../wire/tls/presented.ts';

type Facts = z.input<typeof certificateShared.facts>;
type Seen = { readonly device: string; readonly endpoint: string; readonly certificate: ReadCertificate };

export const certificateSharedProbe = defineProbe(
  certificateShared,
  async ({ devices, endpoints: wanted }, context) => {
    const seen: Seen[] = [];
    const unread: Facts['unread'] = [];
    for (const { id: device, endpoints } of devices) {
      for (const [name, endpoint] of Object.entries(endpoints)) {
        if (wanted !== undefined && !wanted.includes(name)) continue;
        context.progress(`Reading the certificate of ${endpoint.host}:${endpoint.port}`);
        const anchors = anchorPems(endpoint.anchors, context);
        if (!anchors.ok) return anchors;
        const presented = await readPresented(endpoint, anchors.value, context);
        if (!presented.ok) return presented;
        const [certificate] = presented.value.certificates;
        if (certificate === undefined) unread.push({ device, endpoint: name, reason: presented.value.why });
        else seen.push({ device, endpoint: name, certificate });
      }
    }
    const shared = findShared(seen);
    const reason =
      seen.length === 0 && unread.length === 0
        ? 'None of the devices has such an endpoint.'
        : `Not every certificate was seen: ${unread.map((one) => `${one.device} (${one.endpoint}): ${one.reason}`).join(' ')}`;
    const decided = shared.length > 0 || (unread.length === 0 && seen.length > 0);
    return ok({
      kind: 'facts',
      facts: {
        ...(decided ? { distinct: shared.length === 0 } : {}),
        shared,
        seen: seen.map(({ certificate, ...where }) => ({
          ...where,
          fingerprint: fingerprint(certificate),
          publicKey: publicKeyDigest(certificate),
        })),
        unread,
      },
      absent: decided ? [] : [{ path: 'distinct', reason }],
    });
  },
);

function findShared(seen: readonly Seen[]): Facts['shared'] {
  const byKey = new Map<string, Seen[]>();
  for (const one of seen) {
    const key = publicKeyDigest(one.certificate);
    byKey.set(key, [...(byKey.get(key) ?? []), one]);
  }
  return [...byKey].flatMap(([publicKey, holders]) => {
    const devices = [...new Set(holders.map(({ device }) => device))];
    const [first] = holders;
    if (first === undefined || devices.length < 2) return [];
    return [
      {
        publicKey,
        subject: oneLine(first.certificate.node.subject),
        devices,
        sameCertificate: new Set(holders.map(({ certificate }) => fingerprint(certificate))).size === 1,
      },
    ];
  });
}
