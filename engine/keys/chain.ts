import type { CHAIN_PROBLEMS } from '../../core/probes/tls-endpoint.ts';
import { constraintBroken } from './name-constraints.ts';
import { oneLine, type ReadCertificate } from './read-certificate.ts';
import { keyFacts, signatureFacts } from './strength.ts';

export type ChainProblem = (typeof CHAIN_PROBLEMS)[number];
export type ChainFacts = { trusted: boolean; reason: string; problem: ChainProblem; anchor?: string; length?: number };
export type ChainPurpose = 'server' | 'client';

const MAX_DEPTH = 8;
const MAX_PATHS = 64;
/** Certificates that name each other as issuers could otherwise be put together in more ways than there is time for. */
const MAX_STEPS = 2_000;
/** What a server presents beyond these is not looked at. */
const MAX_PRESENTED = 32;

/**
 * Builds and checks a chain offline (RFC 5280 section 6): from the leaf over what was presented to one of the anchors.
 * Every certificate on it must be in date at `at`, properly signed, strong, and allowed to do what it does: CA flag,
 * path length, key usage, extended key usage, name constraints; an unknown critical extension refuses it. Revocation is
 * not looked at. An anchor need not be a root.
 * @param presented leaf first; the order of the rest does not matter
 */
export function checkChain(
  presented: readonly ReadCertificate[],
  anchors: readonly ReadCertificate[],
  at: Date,
  purpose: ChainPurpose,
): ChainFacts {
  const [leaf, ...others] = presented;
  if (leaf === undefined) return { trusted: false, problem: 'unreadable', reason: 'No certificate was presented.' };
  const paths = findPaths(leaf, others, anchors);
  let first: ChainFacts | undefined;
  for (const path of paths) {
    const facts = checkPath(path, at, purpose);
    if (facts.trusted) return facts;
    first ??= facts;
  }
  if (first !== undefined) return first;
  if (isSelfSigned(leaf))
    return {
      trusted: false,
      problem: 'self-signed',
      reason: `The certificate is self-signed by ${oneLine(leaf.node.subject)} and is no anchor.`,
    };
  const forged = [...others, ...anchors].find((issuer) => sameIssuerName(leaf, issuer) && !signedBy(leaf, issuer));
  if (forged !== undefined)
    return {
      trusted: false,
      problem: 'bad-signature',
      reason: `The certificate names ${oneLine(leaf.node.issuer)} as its issuer but is not signed by that key.`,
    };
  return {
    trusted: false,
    problem: 'unknown-issuer',
    reason: `No chain leads from the certificate, issued by ${oneLine(leaf.node.issuer)}, to an anchor of the site.`,
  };
}

/**
 * The way from the leaf to an anchor, both included, signature by signature: the first that is trusted, else the first.
 * `undefined`: there is none. For what is asked about each certificate; `checkChain` says whether to trust it.
 */
export function chainToAnchor(
  presented: readonly ReadCertificate[],
  anchors: readonly ReadCertificate[],
  at: Date,
): readonly ReadCertificate[] | undefined {
  const [leaf, ...others] = presented;
  if (leaf === undefined) return undefined;
  const paths = findPaths(leaf, others, anchors);
  return paths.find((path) => checkPath(path, at, 'server').trusted) ?? paths[0];
}

/** True where a certificate is signed by its own key. */
export function isSelfSigned(certificate: ReadCertificate): boolean {
  return sameIssuerName(certificate, certificate) && signedBy(certificate, certificate);
}

function sameIssuerName(child: ReadCertificate, issuer: ReadCertificate): boolean {
  return child.node.issuer === issuer.node.subject;
}

function signedBy(child: ReadCertificate, issuer: ReadCertificate): boolean {
  try {
    return child.node.verify(issuer.node.publicKey);
  } catch {
    return false;
  }
}

function findPaths(
  leaf: ReadCertificate,
  others: readonly ReadCertificate[],
  anchors: readonly ReadCertificate[],
): ReadCertificate[][] {
  const isAnchor = (one: ReadCertificate): boolean => anchors.some((anchor) => anchor.der.equals(one.der));
  const authorities = [...anchors, ...others.slice(0, MAX_PRESENTED)];
  const known = new Map<ReadCertificate, readonly ReadCertificate[]>();
  const issuersOf = (child: ReadCertificate): readonly ReadCertificate[] => {
    const issuers =
      known.get(child) ?? authorities.filter((issuer) => sameIssuerName(child, issuer) && signedBy(child, issuer));
    known.set(child, issuers);
    return issuers;
  };
  const paths: ReadCertificate[][] = [];
  let steps = 0;
  const walk = (path: readonly ReadCertificate[]): void => {
    const last = path.at(-1);
    steps += 1;
    if (last === undefined || paths.length >= MAX_PATHS || steps > MAX_STEPS) return;
    if (isAnchor(last)) {
      paths.push([...path]);
      return;
    }
    if (path.length >= MAX_DEPTH) return;
    for (const issuer of issuersOf(last)) if (!path.some((one) => one.der.equals(issuer.der))) walk([...path, issuer]);
  };
  walk([leaf]);
  return paths;
}

function checkPath(path: readonly ReadCertificate[], at: Date, purpose: ChainPurpose): ChainFacts {
  const anchor = path.at(-1);
  const refuse = (problem: ChainProblem, reason: string): ChainFacts => ({ trusted: false, problem, reason });
  for (const [index, certificate] of path.entries()) {
    const subject = oneLine(certificate.node.subject);
    const [critical] = certificate.unknownCritical;
    if (critical !== undefined)
      return refuse(
        'critical-extension',
        `${subject} carries the critical extension ${critical}, which Lockstep does not know.`,
      );
    if (index === 0 ? !fitLeaf(certificate, purpose) : false)
      return refuse(
        'key-usage',
        `The key of ${subject} may not be used for TLS (key usage ${certificate.keyUsage?.join(', ')}).`,
      );
    if (!allows(certificate, purpose))
      return refuse(
        'extended-key-usage',
        `${subject} is not issued for a TLS ${purpose} (extended key usage ${certificate.extendedKeyUsage?.join(', ')}).`,
      );
    if (index > 0) {
      if (certificate.ca?.isCa !== true)
        return refuse(
          'not-a-ca',
          `${subject} is not a certification authority, and yet issued a certificate in the chain.`,
        );
      if (certificate.keyUsage !== undefined && !certificate.keyUsage.includes('keyCertSign'))
        return refuse('key-usage', `${subject} may not sign certificates.`);
      // Intermediates between this one and the leaf; self-issued ones do not count (RFC 5280 section 4.2.1.9).
      const below = path.slice(1, index).filter((one) => one.node.subject !== one.node.issuer).length;
      if (certificate.ca.pathLength !== undefined && below > certificate.ca.pathLength) {
        return refuse(
          'path-length',
          `${subject} allows ${certificate.ca.pathLength} authorities below it, and there are ${below}.`,
        );
      }
      const outside = constraintBroken(certificate, path.slice(0, index));
      if (outside !== undefined) return refuse('name-constraints', `${subject}: ${outside}`);
    }
    if (!keyFacts(certificate).strong) return refuse('weak', `The key of ${subject} is too weak.`);
    // The anchor's own signature proves nothing: it is trusted because the site says so.
    if (certificate !== anchor && !signatureFacts(certificate).strong)
      return refuse('weak', `The signature on ${subject} is weak (${signatureFacts(certificate).algorithm}).`);
    if (at < certificate.notBefore)
      return refuse(
        'not-yet-valid',
        `${subject} is valid only from ${certificate.notBefore.toISOString()}; is the clock right?`,
      );
    if (at > certificate.notAfter)
      return refuse('expired', `${subject} expired on ${certificate.notAfter.toISOString()}.`);
  }
  const name = oneLine(anchor?.node.subject);
  return {
    trusted: true,
    problem: 'none',
    reason: `The chain of ${path.length} leads to the anchor ${name}.`,
    anchor: name,
    length: path.length,
  };
}

function fitLeaf(leaf: ReadCertificate, purpose: ChainPurpose): boolean {
  if (leaf.keyUsage === undefined) return true;
  const enough =
    purpose === 'server'
      ? ['digitalSignature', 'keyEncipherment', 'keyAgreement']
      : ['digitalSignature', 'keyAgreement'];
  return enough.some((usage) => leaf.keyUsage?.includes(usage));
}

/** `anyExtendedKeyUsage` is not enough: OpenSSL, and so many devices, want the purpose by name. */
function allows(certificate: ReadCertificate, purpose: ChainPurpose): boolean {
  const { extendedKeyUsage } = certificate;
  return (
    extendedKeyUsage === undefined || extendedKeyUsage.includes(purpose === 'server' ? 'serverAuth' : 'clientAuth')
  );
}
