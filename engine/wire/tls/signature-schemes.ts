import type { z } from 'zod';
import type { AbsentFact } from '../../../core/probes/declaration.ts';
import type { tlsEndpoint } from '../../../core/probes/tls-endpoint.ts';
import { ok, type Result } from '../../../core/result.ts';
import { isAbort } from '../tcp.ts';
import { describeAnswer } from './describe-answer.ts';
import type { Inquiry, InquiryAnswer } from './inquiry.ts';
import type { Refuses } from './refusals.ts';
import { ORDINARY_SUITES, suiteName, TLS13_SUITES } from './suites.ts';

/** Signature schemes by number (IANA TLS registry, RFC 8446 section 4.2.3), and the older pairs of RFC 5246 by its names. */
const SCHEME_NAMES: Readonly<Record<number, string>> = {
  0x0403: 'ecdsa_secp256r1_sha256',
  0x0503: 'ecdsa_secp384r1_sha384',
  0x0603: 'ecdsa_secp521r1_sha512',
  0x0807: 'ed25519',
  0x0808: 'ed448',
  0x0804: 'rsa_pss_rsae_sha256',
  0x0805: 'rsa_pss_rsae_sha384',
  0x0806: 'rsa_pss_rsae_sha512',
  0x0809: 'rsa_pss_pss_sha256',
  0x080a: 'rsa_pss_pss_sha384',
  0x080b: 'rsa_pss_pss_sha512',
  0x081a: 'ecdsa_brainpoolP256r1tls13_sha256',
  0x081b: 'ecdsa_brainpoolP384r1tls13_sha384',
  0x081c: 'ecdsa_brainpoolP512r1tls13_sha512',
  0x0401: 'rsa_pkcs1_sha256',
  0x0501: 'rsa_pkcs1_sha384',
  0x0601: 'rsa_pkcs1_sha512',
  0x0402: 'dsa_sha256',
  0x0303: 'ecdsa_sha224',
  0x0301: 'rsa_pkcs1_sha224',
  0x0302: 'dsa_sha224',
  0x0203: 'ecdsa_sha1',
  0x0201: 'rsa_pkcs1_sha1',
  0x0202: 'dsa_sha1',
  0x0101: 'rsa_pkcs1_md5',
};
export const SCHEMES = Object.keys(SCHEME_NAMES).map(Number);
/** Those with which a server may sign in TLS 1.3 (RFC 8446 section 4.2.3), by the kind of key: a server has few kinds. */
const TLS13_KINDS: Kinds = [
  [
    [0x0403, 0x0503, 0x0603],
    [0x0807, 0x0808],
    [0x081a, 0x081b, 0x081c],
  ],
  0x0804,
  0x0805,
  0x0806,
  [0x0809, 0x080a, 0x080b],
];
const TLS13_SCHEMES = schemesOf(TLS13_KINDS);
/** Suites whose key exchange the server signs. */
const SIGNED_SUITES = ORDINARY_SUITES.filter((suite) => /^TLS_(ECDHE|DHE)_/.test(suiteName(suite)));

/** Schemes, and groups of them that are asked about together first. */
type Kinds = readonly (number | Kinds)[];
type EndpointFacts = z.input<typeof tlsEndpoint.facts>;
type Signatures = NonNullable<EndpointFacts['signatures']>;
type Inquire = (inquiry: Inquiry) => Promise<Result<InquiryAnswer>>;
/** The list, or why it is not complete. */
type Listed = number[] | string;

/**
 * With which schemes a server signs its handshake. In TLS 1.2 it says so in clear, and what it used is left out of the
 * next inquiry; in TLS 1.3 a kind of key is offered first, and then each scheme alone. Errors: cancel and deadline only.
 * @param seen schemes that the server was seen to sign with in TLS 1.2
 */
export async function surveySignatures(
  inquire: Inquire,
  refuses: Refuses,
  accepts: NonNullable<EndpointFacts['accepts']>,
  stopped: string | undefined,
  seen: readonly number[] = [],
): Promise<Result<{ signatures: Signatures; absent: AbsentFact[] }>> {
  const signatures: Signatures = {};
  const absent: AbsentFact[] = [];
  const ways = [
    { key: 'tls12', name: 'TLS 1.2', list: () => listSigned(inquire, refuses, seen) },
    { key: 'tls13', name: 'TLS 1.3', list: () => listAlone(inquire, refuses) },
  ] as const;
  for (const { key, name, list } of ways) {
    const path = `signatures.${key}`;
    if (accepts[key] !== true || stopped !== undefined) {
      const why = accepts[key] === false ? `${name} is not accepted.` : `Whether ${name} is accepted is not known.`;
      absent.push({ path, reason: accepts[key] === true ? `Not tried: ${stopped}.` : why });
      continue;
    }
    const listed = await list();
    if (!listed.ok) return listed;
    if (typeof listed.value === 'string') absent.push({ path, reason: `${name}: ${listed.value}.` });
    else signatures[key] = listed.value.map((scheme) => SCHEME_NAMES[scheme] ?? String(scheme));
  }
  return ok({ signatures, absent });
}

async function listSigned(inquire: Inquire, refuses: Refuses, seen: readonly number[]): Promise<Result<Listed>> {
  const found = [...seen];
  const ask = (signatures: readonly number[]) =>
    inquire({ version: 'TLS 1.2', suites: SIGNED_SUITES, signatures, wantsScheme: true });
  for (;;) {
    const open = SCHEMES.filter((scheme) => !found.includes(scheme));
    if (open.length === 0) return ok(found);
    const answer = await ask(open);
    if (!answer.ok) return isAbort(answer.error) ? answer : ok(answer.error.message);
    const { value } = answer;
    if (value.kind === 'hello' && value.scheme !== undefined && open.includes(value.scheme)) {
      found.push(value.scheme);
      continue;
    }
    if (found.length === 0) return ok(`no key exchange was signed: ${describeAnswer(value)}`);
    if (value.kind === 'hello' && value.scheme !== undefined)
      return ok(`it signs with ${SCHEME_NAMES[value.scheme] ?? value.scheme}, which was not offered any more`);
    const refused = await refuses(value, { again: () => ask(open), control: async () => isGood(await ask(found)) });
    return ok(refused ? found : `not every scheme was decided: ${describeAnswer(value)}`);
  }
}

async function listAlone(inquire: Inquire, refuses: Refuses): Promise<Result<Listed>> {
  const found: number[] = [];
  const ask = (signatures: readonly number[]) => inquire({ version: 'TLS 1.3', suites: TLS13_SUITES, signatures });
  const look = async (kinds: Kinds): Promise<Result<string | undefined>> => {
    for (const one of kinds) {
      const offered = typeof one === 'number' ? [one] : schemesOf(one);
      const answer = await ask(offered);
      if (!answer.ok) return isAbort(answer.error) ? answer : ok(answer.error.message);
      if (answer.value.kind === 'hello') {
        if (typeof one === 'number') found.push(one);
        const open = typeof one === 'number' ? ok(undefined) : await look(one);
        if (!open.ok || open.value !== undefined) return open;
        continue;
      }
      const refused = await refuses(answer.value, {
        again: () => ask(offered),
        control: async () => isGood(await ask(TLS13_SCHEMES)),
      });
      if (!refused) return ok(`not every scheme was decided: ${describeAnswer(answer.value)}`);
    }
    return ok(undefined);
  };
  const open = await look(TLS13_KINDS);
  if (!open.ok) return open;
  return ok(open.value ?? (found.length > 0 ? found : 'every scheme was refused alone'));
}

function schemesOf(kinds: Kinds): number[] {
  return kinds.flatMap((one) => (typeof one === 'number' ? [one] : schemesOf(one)));
}

function isGood(answer: Result<InquiryAnswer>): boolean {
  return answer.ok && answer.value.kind === 'hello';
}
