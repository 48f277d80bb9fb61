import type { z } from 'zod';
import type { AbsentFact } from '../../../core/probes/declaration.ts';
import type { tlsEndpoint } from '../../../core/probes/tls-endpoint.ts';
import { type ChainFacts, checkChain, isSelfSigned } from '../../keys/chain.ts';
import { fingerprint, matchName, oneLine, type ReadCertificate, summarise } from '../../keys/read-certificate.ts';
import { looksLikeSample, publicKeyDigest } from '../../keys/sample-certificate.ts';
import { keyFacts, signatureFacts } from '../../keys/strength.ts';

const DAY_MS = 86_400_000;

type EndpointFacts = z.input<typeof tlsEndpoint.facts>;
export type CertificateFacts = Pick<
  EndpointFacts,
  | 'chain'
  | 'name'
  | 'validity'
  | 'key'
  | 'signature'
  | 'keyUsage'
  | 'extendedKeyUsage'
  | 'selfSigned'
  | 'subject'
  | 'issuer'
  | 'fingerprint'
  | 'publicKey'
  | 'sample'
  | 'certificates'
>;

/** Every fact that comes from the certificate; all are absent together where none was seen. */
export const CERTIFICATE_FACTS = [
  'chain',
  'name',
  'validity',
  'key',
  'signature',
  'keyUsage',
  'extendedKeyUsage',
  'selfSigned',
  'subject',
  'issuer',
  'fingerprint',
  'publicKey',
  'sample',
  'certificates',
] as const;

/**
 * What the presented certificates say, judged against anchors, name and clock.
 * @param presented leaf first, not empty
 * @param refusal the runtime's own objection to the chain, where it has one
 * @param factory SHA-256 of certificates or public keys that devices leave the factory with
 */
export function certificateFacts(
  presented: readonly [ReadCertificate, ...ReadCertificate[]],
  anchors: readonly ReadCertificate[],
  name: string,
  now: Date,
  refusal: string | undefined,
  factory: readonly string[] = [],
): { facts: CertificateFacts; absent: AbsentFact[] } {
  const [leaf] = presented;
  const absent: AbsentFact[] = [];
  const without = (path: string): void => void absent.push({ path, reason: 'The certificate has no such extension.' });
  if (leaf.keyUsage === undefined) without('keyUsage');
  if (leaf.extendedKeyUsage === undefined) without('extendedKeyUsage');
  const chain = secondOpinion(checkChain(presented, anchors, now, 'server'), anchors, refusal);
  if (chain.anchor === undefined)
    absent.push(
      { path: 'chain.anchor', reason: 'The chain leads to no anchor.' },
      { path: 'chain.length', reason: 'The chain leads to no anchor.' },
    );
  const key = keyFacts(leaf);
  if (key.curve === undefined)
    absent.push({ path: 'key.curve', reason: `A key of kind ${key.algorithm} has no curve.` });
  if (key.bits === undefined) absent.push({ path: 'key.bits', reason: 'The length of this kind of key is not known.' });
  const facts: CertificateFacts = {
    chain,
    name: matchName(leaf, name),
    validity: {
      notBefore: leaf.notBefore.toISOString(),
      notAfter: leaf.notAfter.toISOString(),
      daysLeft: Math.floor((leaf.notAfter.getTime() - now.getTime()) / DAY_MS),
      lifetimeDays: Math.floor((leaf.notAfter.getTime() - leaf.notBefore.getTime()) / DAY_MS),
      valid: now >= leaf.notBefore && now <= leaf.notAfter,
    },
    key,
    signature: signatureFacts(leaf),
    ...(leaf.keyUsage === undefined ? {} : { keyUsage: [...leaf.keyUsage] }),
    ...(leaf.extendedKeyUsage === undefined ? {} : { extendedKeyUsage: [...leaf.extendedKeyUsage] }),
    selfSigned: isSelfSigned(leaf),
    subject: oneLine(leaf.node.subject),
    issuer: oneLine(leaf.node.issuer),
    fingerprint: fingerprint(leaf),
    publicKey: publicKeyDigest(leaf),
    sample: looksLikeSample(leaf, factory),
    certificates: presented.map(summarise),
  };
  return { facts, absent };
}

/** Codes about the clock (ours is `context.now`), and about anchors that are no roots, which OpenSSL accepts only on request. */
const NOT_DECISIVE = new Set([
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Where the runtime objects to a chain that we would trust, the stricter of the two counts. */
function secondOpinion(
  chain: ChainFacts,
  anchors: readonly ReadCertificate[],
  refusal: string | undefined,
): ChainFacts {
  if (!chain.trusted || refusal === undefined) return chain;
  const time = refusal === 'CERT_HAS_EXPIRED' || refusal === 'CERT_NOT_YET_VALID';
  const rootless = anchors.some((anchor) => oneLine(anchor.node.subject) === chain.anchor && !isSelfSigned(anchor));
  if (time || (rootless && NOT_DECISIVE.has(refusal))) return chain;
  return {
    trusted: false,
    problem: 'refused-by-runtime',
    reason: `The TLS library refuses the chain (${refusal}), although a chain to ${chain.anchor} was found.`,
  };
}
