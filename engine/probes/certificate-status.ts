import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { certificateStatus, type RevocationSource } from '../../core/probes/certificate-status.ts';
import type { AbsentFact } from '../../core/probes/declaration.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { defineProbe, type ProbeContext } from '../context.ts';
import { chainToAnchor } from '../keys/chain.ts';
import { checkCrl, crlBytes, namesIssuer, statusPointers } from '../keys/crl.ts';
import { checkOcsp, ocspRequest } from '../keys/ocsp.ts';
import { oneLine, type ReadCertificate, summarise } from '../keys/read-certificate.ts';
import type { RevocationAnswer } from '../keys/signed-data.ts';
import { hostOfUrl, requestHttp } from '../wire/http.ts';
import { anchorPems, readAnchors } from '../wire/tls/anchors.ts';
import { noCertificate, type Presented, readPresented } from '../wire/tls/presented.ts';

const MAX_SOURCES = 4;
const MAX_CRL_BYTES = 16 * 1024 * 1024;
const ANSWER_MS = 10_000;
const HOUR_MS = 3_600_000;

type Facts = z.input<typeof certificateStatus.facts>;
type Source = RevocationSource;
type Judged = Facts['certificates'][number];

export const certificateStatusProbe = defineProbe(certificateStatus, async ({ endpoint, crl }, context) => {
  const place = `${endpoint.host}:${endpoint.port}`;
  const given = crl === undefined ? ok(undefined) : await readCrl(crl);
  if (!given.ok) return given;
  const anchors = anchorPems(endpoint.anchors, context);
  if (!anchors.ok) return anchors;
  const seen = await readPresented(endpoint, anchors.value, context);
  if (!seen.ok) return seen;
  const { certificates: presented, error } = seen.value;
  const stapled = seen.value.stapled?.answer;
  const now = context.now();
  // Addresses are followed only where the anchor vouches for the certificate that names them.
  const chain = chainToAnchor(presented, readAnchors(anchors.value), now);
  const [leaf] = presented;
  if (leaf === undefined) return error === undefined ? noCertificate(endpoint) : { ok: false, error };
  if (chain === undefined)
    return fail(
      'tls.chain',
      "No chain leads from the server's certificate to an anchor, so nobody can vouch for its status.",
      {
        place,
      },
    );
  if (chain.length === 1)
    return fail('probe.inconclusive', "The server's certificate is itself the anchor; nobody could revoke it.", {
      place,
    });

  // A file holds the list of one authority; the others of the chain have theirs elsewhere.
  const listed =
    given.value === undefined
      ? -1
      : Math.max(
          0,
          chain.slice(1).findIndex((one) => namesIssuer(given.value ?? Buffer.alloc(0), one)),
        );
  const certificates: Judged[] = [];
  const ends: (Date | undefined)[] = [];
  for (const [index, certificate] of chain.slice(0, -1).entries()) {
    const issuer = chain[index + 1] as ReadCertificate;
    const sources = await askSources(
      certificate,
      issuer,
      { stapled: index === 0 ? stapled : undefined, given: index === listed ? given.value : undefined },
      context,
    );
    if (!sources.ok) return sources;
    certificates.push(judge(certificate, sources.value));
    ends.push(certificate.notAfter, ...endsOf(sources.value));
  }
  return ok({ kind: 'facts', ...readStatus(certificates, ends, seen.value, now) });
});

async function readCrl(path: string): Promise<Result<Buffer>> {
  try {
    const file = await readFile(path);
    if (file.length > MAX_CRL_BYTES)
      return fail('input.too-large', 'The file is too large for a CRL.', { place: path });
    return ok(crlBytes(file));
  } catch (error) {
    return fail('input.not-found', 'The CRL cannot be read.', { place: path, cause: (error as Error).message });
  }
}

async function askSources(
  certificate: ReadCertificate,
  issuer: ReadCertificate,
  { stapled, given }: { readonly stapled: Buffer | undefined; readonly given: Buffer | undefined },
  context: ProbeContext,
): Promise<Result<Source[]>> {
  const now = context.now();
  const { crls, responders } = statusPointers(certificate);
  const sources: Source[] = [];
  const add = (kind: Source['kind'], from: string, answer: RevocationAnswer): void => {
    sources.push(describe(kind, from, answer));
  };
  if (stapled !== undefined) add('stapled', 'the handshake', checkOcsp(stapled, certificate, issuer, now));
  if (given !== undefined) add('crl', 'the file given', checkCrl(given, certificate, issuer, now));
  const asked = [
    ...responders.slice(0, MAX_SOURCES).map((url) => ({ kind: 'ocsp' as const, url })),
    ...crls.slice(0, MAX_SOURCES).map((url) => ({ kind: 'crl' as const, url })),
  ].slice(0, MAX_SOURCES);
  for (const { kind, url } of asked) {
    context.progress(`Asking ${url}`);
    const body = await fetchAnswer(kind, url, certificate, issuer, context);
    if (context.signal.aborted && !body.ok) return body;
    if (!body.ok) add(kind, url, { usable: false, reason: `It could not be fetched: ${body.error.message}` });
    else if (kind === 'ocsp') add(kind, url, checkOcsp(body.value, certificate, issuer, now));
    else add(kind, url, checkCrl(crlBytes(body.value), certificate, issuer, now));
  }
  return ok(sources);
}

async function fetchAnswer(
  kind: 'ocsp' | 'crl',
  url: string,
  certificate: ReadCertificate,
  issuer: ReadCertificate,
  context: ProbeContext,
): Promise<Result<Buffer>> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    return fail('input.malformed', 'Lockstep fetches over HTTP only.', { place: url });
  const host = hostOfUrl(url);
  const message =
    kind === 'crl'
      ? { url, method: 'GET' as const }
      : {
          url,
          method: 'POST' as const,
          headers: { 'content-type': 'application/ocsp-request' },
          body: ocspRequest(certificate, issuer),
        };
  const pems = anchorPems(undefined, context);
  if (!pems.ok) return pems;
  const answer = await context.connection(host, () =>
    requestHttp(message, {
      anchors: pems.value,
      hosts: context.site.hosts,
      signal: context.signal,
      answerMs: ANSWER_MS,
      maxBody: MAX_CRL_BYTES,
    }),
  );
  if (!answer.ok) return answer;
  if (answer.value.truncated)
    return fail('input.too-large', `It is larger than ${MAX_CRL_BYTES} bytes.`, { place: url });
  if (answer.value.status !== 200)
    return fail('http.protocol', `The answer was HTTP ${answer.value.status}.`, { place: url });
  return ok(answer.value.body);
}

function describe(kind: Source['kind'], from: string, answer: RevocationAnswer): Source {
  return {
    kind,
    from,
    usable: answer.usable,
    ...(answer.usable ? { status: answer.status } : {}),
    reason: answer.reason,
    ...(answer.thisUpdate === undefined ? {} : { thisUpdate: answer.thisUpdate.toISOString() }),
    ...(answer.nextUpdate === undefined ? {} : { nextUpdate: answer.nextUpdate.toISOString() }),
  };
}

function judge(certificate: ReadCertificate, sources: readonly Source[]): Judged {
  const { subject, serial, sha256 } = summarise(certificate);
  const decisive = (['revoked', 'unknown', 'good'] as const)
    .map((status) => sources.find((source) => source.status === status))
    .find((source) => source !== undefined);
  const reason =
    decisive !== undefined
      ? `${decisive.kind === 'crl' ? 'CRL' : 'OCSP'} (${decisive.from}): ${decisive.reason}`
      : sources.length === 0
        ? 'The certificate names neither a CRL nor an OCSP responder, so no peer could learn that it was revoked.'
        : `No source can be used. ${sources.map(({ from, reason: why }) => `${from}: ${why}`).join(' ')}`;
  return {
    subject,
    serial,
    sha256,
    ...(decisive?.status === undefined ? {} : { status: decisive.status }),
    reason,
    sources: [...sources],
  };
}

/** Until when the good answers hold: the earliest end that one names; `undefined` where none does. */
function endsOf(sources: readonly Source[]): (Date | undefined)[] {
  const good = sources.filter(({ status }) => status === 'good');
  if (good.length === 0) return [];
  const ends = good.flatMap(({ nextUpdate }) => (nextUpdate === undefined ? [] : [Date.parse(nextUpdate)]));
  return [ends.length === 0 ? undefined : new Date(Math.min(...ends))];
}

function readStatus(
  certificates: readonly Judged[],
  ends: readonly (Date | undefined)[],
  { stapled, why }: Presented,
  now: Date,
): { facts: Facts; absent: AbsentFact[] } {
  const absent: AbsentFact[] = [];
  const of = (status: Judged['status']): Judged | undefined => certificates.find((one) => one.status === status);
  const decisive = of('revoked') ?? of(undefined) ?? of('unknown') ?? certificates[0];
  const { status } = decisive ?? {};
  const reason = `${oneLine(decisive?.subject)}: ${decisive?.reason ?? ''}`;
  if (status === undefined) absent.push({ path: 'status', reason });
  if (certificates.some((one) => one.status === undefined)) absent.push({ path: 'certificates[].status', reason });
  const sources = certificates.flatMap((one) => one.sources);
  if (sources.some((source) => source.status === undefined))
    absent.push({ path: 'certificates[].sources[].status', reason: 'Not every source can be used.' });
  for (const key of ['thisUpdate', 'nextUpdate'] as const)
    if (sources.some((source) => source[key] === undefined))
      absent.push({ path: `certificates[].sources[].${key}`, reason: 'Not every source came with it.' });
  if (stapled === undefined) absent.push({ path: 'stapled', reason: why });
  const until =
    status === 'good' && ends.every((end) => end !== undefined)
      ? new Date(Math.min(...ends.map((end) => end.getTime())))
      : undefined;
  if (until === undefined) {
    const why = status === 'good' ? 'An answer does not say how long it is good.' : 'The status is not good.';
    absent.push({ path: 'trueUntil', reason: why }, { path: 'hoursLeft', reason: why });
  }
  return {
    facts: {
      ...(status === undefined ? {} : { status }),
      reason,
      certificates: [...certificates],
      everySourceUsable: sources.length > 0 && sources.every((source) => source.usable),
      ...(until === undefined
        ? {}
        : {
            trueUntil: until.toISOString(),
            hoursLeft: Math.floor((until.getTime() - now.getTime()) / HOUR_MS),
          }),
      ...(stapled === undefined ? {} : { stapled: stapled.answer !== undefined }),
    },
    absent,
  };
}
