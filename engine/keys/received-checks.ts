import 'reflect-metadata';
import { X509Certificate } from '@peculiar/x509';
import { TLS_GUIDELINE } from '../guideline.ts';
import { checkChain, isSelfSigned } from './chain.ts';
import { canonicalName } from './certificate-request.ts';
import { oneLine, publicKeyOf, type ReadCertificate } from './read-certificate.ts';
import type { Received } from './received.ts';
import { keyFacts, signatureFacts } from './strength.ts';

/** One thing that was looked at, in the order in which a person asks. `refused` stops the installation, `note` does not. */
export type ReceivedCheck = {
  readonly id:
    | 'key'
    | 'authority'
    | 'subject'
    | 'names'
    | 'purpose'
    | 'strength'
    | 'validity'
    | 'lifetime'
    | 'chain'
    | 'factory'
    | 'private-key';
  readonly outcome: 'good' | 'note' | 'refused';
  readonly sentence: string;
};

export type ReceivedWanted = {
  readonly publicKeySha256: string;
  readonly subject: string;
  readonly names: readonly string[];
  readonly purposes: readonly ('server' | 'client')[];
};

export type CheckedReceived = {
  /** The certificate that is for the device; absent where none fits the request. */
  readonly leaf?: ReadCertificate;
  /** The device presents these: leaf first, then each issuer, without the root. */
  readonly chain: readonly ReadCertificate[];
  readonly checks: readonly ReceivedCheck[];
  readonly accepted: boolean;
};

const DAY = 86_400_000;
/** A certificate that is due again so soon was hardly meant. */
const SHORT_DAYS = 30;

/**
 * Checks what an authority sent against what it was asked for. Pure but for the clock that is passed in.
 * @param anchors what the *other* side of the connection holds
 * @param shown the certificate that the device shows today, where it shows one
 * @param sameKey the key of the certificate shown today was to be used again
 */
export function checkReceived(
  received: Received,
  wanted: ReceivedWanted,
  anchors: readonly ReadCertificate[],
  at: Date,
  shown: ReadCertificate | undefined,
  sameKey: boolean,
): CheckedReceived {
  const checks: ReceivedCheck[] = [];
  const say = (id: ReceivedCheck['id'], outcome: ReceivedCheck['outcome'], sentence: string): void => {
    checks.push({ id, outcome, sentence });
  };
  if (received.withKey)
    say(
      'private-key',
      'refused',
      'The file holds a private key, so the authority made one of its own instead of certifying the one asked for. Have it use the request.',
    );
  const leaf = received.certificates.find((one) => publicKeyOf(one) === wanted.publicKeySha256);
  if (leaf === undefined) {
    const names = received.certificates.map(({ node }) => oneLine(node.subject)).join('; ');
    say('key', 'refused', `No certificate in the file is for the key of the request. It holds: ${names}.`);
    return { chain: [], checks, accepted: false };
  }
  say('key', 'good', 'It is for the key of the request.');

  if (leaf.ca?.isCa === true || leaf.keyUsage?.includes('keyCertSign') === true)
    say('authority', 'refused', 'It could issue certificates itself (CA flag). A device must never hold such a one.');
  else say('authority', 'good', 'It cannot issue certificates.');

  const { subject } = new X509Certificate(new Uint8Array(leaf.der));
  if (attributes(subject) === attributes(wanted.subject)) say('subject', 'good', `Subject as asked for: ${subject}.`);
  else say('subject', 'note', `Asked for was ${wanted.subject}; the authority wrote ${subject}.`);
  checkNames(leaf, wanted, say);
  checkPurpose(leaf, wanted, say);

  const [key, signature] = [keyFacts(leaf), signatureFacts(leaf)];
  if (!key.strong) say('strength', 'refused', `The key is too weak (${key.algorithm} ${key.bits ?? ''}).`);
  else if (!signature.strong) say('strength', 'refused', `The signature is weak (${signature.algorithm}).`);
  else
    say('strength', 'good', `Key ${key.curve ?? `${key.algorithm} ${key.bits}`}, signed with ${signature.algorithm}.`);

  const days = Math.floor((leaf.notAfter.getTime() - at.getTime()) / DAY);
  const span = `${leaf.notBefore.toISOString()} to ${leaf.notAfter.toISOString()}`;
  if (at < leaf.notBefore) say('validity', 'refused', `It is valid only from ${leaf.notBefore.toISOString()}.`);
  else if (at > leaf.notAfter) say('validity', 'refused', `It ended on ${leaf.notAfter.toISOString()}.`);
  else if (days < SHORT_DAYS) say('validity', 'note', `Valid from ${span}: it ends in ${days} days already.`);
  else say('validity', 'good', `Valid from ${span}, ${days} days more.`);
  checkLifetime(leaf, say);

  checkFactory(leaf, shown, sameKey, say);
  const presented = [leaf, ...received.certificates.filter((one) => one !== leaf)];
  const trusted = wanted.purposes.map((purpose) => checkChain(presented, anchors, at, purpose));
  const broken = trusted.find((facts) => !facts.trusted);
  if (anchors.length === 0) say('chain', 'refused', 'The site names no anchor that the other side holds.');
  else if (broken === undefined) say('chain', 'good', trusted[0]?.reason ?? '');
  else
    say(
      'chain',
      'refused',
      `The other side will not believe it: ${broken.reason} Ask the authority for the chain, or see that the site names the right anchor.`,
    );
  return {
    leaf,
    chain: chainOf(leaf, received.certificates),
    checks,
    accepted: checks.every((check) => check.outcome !== 'refused'),
  };
}

type Say = (id: ReceivedCheck['id'], outcome: ReceivedCheck['outcome'], sentence: string) => void;

function checkNames(leaf: ReadCertificate, wanted: ReceivedWanted, say: Say): void {
  const has = leaf.sans.filter(({ kind }) => kind !== 'other').map(({ value }) => canonicalName(value));
  const wants = wanted.names.map(canonicalName);
  const missing = wants.filter((name) => !has.includes(name));
  const extra = has.filter((name) => !wants.includes(name));
  if (missing.length > 0)
    say('names', 'refused', `It lacks the name ${missing.join(', ')}; it carries ${has.join(', ') || 'none'}.`);
  else if (extra.length > 0) say('names', 'note', `It carries the names asked for, and also ${extra.join(', ')}.`);
  else say('names', 'good', `Names as asked for: ${has.join(', ')}.`);
}

function checkPurpose(leaf: ReadCertificate, wanted: ReceivedWanted, say: Say): void {
  const needs = wanted.purposes.map((purpose) => (purpose === 'server' ? 'serverAuth' : 'clientAuth'));
  const { extendedKeyUsage: has, keyUsage } = leaf;
  const lacks = needs.filter(
    (need) => has !== undefined && ![need, 'anyExtendedKeyUsage'].some((one) => has.includes(one)),
  );
  if (lacks.length > 0)
    say(
      'purpose',
      'refused',
      `It may not be used as ${lacks.join(' and ')}; it is for ${has?.join(', ') || 'nothing'}.`,
    );
  else if (keyUsage !== undefined && !keyUsage.includes('digitalSignature'))
    say('purpose', 'refused', `Its key may not sign (key usage ${keyUsage.join(', ')}), which TLS 1.3 needs.`);
  else if (has === undefined) say('purpose', 'note', 'It may be used for anything: it has no extended key usage.');
  else say('purpose', 'good', `For ${has.join(', ')}, as asked for.`);
}

/** Longer ones outlive the people who know of them; the hospital's authority may have its reasons, so it is no refusal. */
function checkLifetime({ notBefore, notAfter }: ReadCertificate, say: Say): void {
  const { title, version, levels } = TLS_GUIDELINE;
  const [days, most] = [Math.floor((notAfter.getTime() - notBefore.getTime()) / DAY), levels.intermediate.lifetimeDays];
  if (days > most)
    say('lifetime', 'note', `It is valid for ${days} days in all; ${title} ${version} wants at most ${most}.`);
  else say('lifetime', 'good', `It is valid for ${days} days in all, at most ${most} as ${title} ${version} wants.`);
}

function checkFactory(leaf: ReadCertificate, shown: ReadCertificate | undefined, sameKey: boolean, say: Say): void {
  if (isSelfSigned(leaf)) say('factory', 'refused', 'It vouches for itself: no authority has signed it.');
  else if (shown === undefined) say('factory', 'note', 'What the device shows today is not known.');
  else if (shown.der.equals(leaf.der)) say('factory', 'refused', 'The device shows this very certificate already.');
  else if (!sameKey && publicKeyOf(shown) === publicKeyOf(leaf))
    say('factory', 'refused', 'It is for the key that the device has had so far; asked for was a new one.');
  else say('factory', 'good', 'It is another one than the device shows today.');
}

/** Leaf, then each issuer that the file holds; roots are left out, because the other side brings its own. */
function chainOf(leaf: ReadCertificate, all: readonly ReadCertificate[]): ReadCertificate[] {
  const chain = [leaf];
  for (let last = leaf; chain.length <= all.length; ) {
    const issuer = all.find((one) => !chain.includes(one) && !isSelfSigned(one) && last.node.checkIssued(one.node));
    if (issuer === undefined) break;
    chain.push(issuer);
    last = issuer;
  }
  return chain;
}

/** Order and blanks differ between writers of names; what counts is which attributes there are. */
function attributes(name: string): string {
  return name
    .split(/,\s*(?=[A-Za-z][A-Za-z0-9.]*=)/)
    .map((part) => part.trim())
    .sort()
    .join('\n');
}
