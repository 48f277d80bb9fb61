import { certificatePinned } from '../../core/probes/certificate-pinned.ts';
import { ok } from '../../core/result.ts';
import { defineProbe } from '../context.ts';
import { checkChain } from '../keys/chain.ts';
import { readHeldCopy } from '../keys/held-copy.ts';
import { oneLine, type ReadCertificate, summarise } from '../keys/read-certificate.ts';
import { noCertificate, readPresented } from '../wire/tls/presented.ts';

const DAY_MS = 86_400_000;

export const certificatePinnedProbe = defineProbe(certificatePinned, async ({ endpoint, pinned: held }, context) => {
  const copy = await readHeldCopy(held, context);
  if (!copy.ok) return copy;
  const { certificates: pinned, readFrom } = copy.value;
  const anchors = pinned.map((one) => summarise(one).pem);
  const seen = await readPresented(endpoint, anchors, context);
  if (!seen.ok) return seen;
  const { certificates: presented, error } = seen.value;
  const [leaf] = presented;
  if (leaf === undefined) return error === undefined ? noCertificate(endpoint) : { ok: false, error };

  const now = context.now();
  const { relation, reason, decisive } = compare(pinned, leaf, presented, now);
  const earliest = Math.min(...decisive.map((one) => one.notAfter.getTime()));
  return ok({
    kind: 'facts',
    facts: {
      matches: relation === 'same-leaf' || relation === 'anchors-chain',
      relation,
      reason,
      readFrom,
      pinnedValid: decisive.every((one) => now >= one.notBefore && now <= one.notAfter),
      daysLeft: Math.floor((earliest - now.getTime()) / DAY_MS),
      pinned: pinned.map(summarise),
      presented: summarise(leaf),
    },
    absent: [],
  });
});

type Comparison = {
  relation: 'same-leaf' | 'anchors-chain' | 'renewed' | 'unrelated';
  reason: string;
  decisive: readonly ReadCertificate[];
};

function compare(
  pinned: readonly ReadCertificate[],
  leaf: ReadCertificate,
  presented: readonly ReadCertificate[],
  now: Date,
): Comparison {
  const same = pinned.find((one) => one.der.equals(leaf.der));
  if (same !== undefined)
    return {
      relation: 'same-leaf',
      reason: 'The server presents the very certificate that is pinned.',
      decisive: [same],
    };
  // Judged while it was in date, so that an expired copy is called expired and not unrelated.
  const anchor = pinned.find((one) =>
    [now, new Date(Math.min(one.notAfter.getTime(), leaf.notAfter.getTime()))].some(
      (at) => checkChain(presented, [one], at, 'server').trusted,
    ),
  );
  if (anchor !== undefined)
    return {
      relation: 'anchors-chain',
      reason: `The server's certificate leads to the pinned ${oneLine(anchor.node.subject)}.`,
      decisive: [anchor],
    };
  const old = pinned.find((one) => one.node.subject === leaf.node.subject);
  if (old !== undefined) {
    return {
      relation: 'renewed',
      reason: `The server presents another certificate for ${oneLine(leaf.node.subject)} than the pinned one: the copy is stale.`,
      decisive: [old],
    };
  }
  return {
    relation: 'unrelated',
    reason: 'The pinned certificate is neither what the server presents nor an anchor of it.',
    decisive: pinned,
  };
}
