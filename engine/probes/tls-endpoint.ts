import { tlsEndpoint } from '../../core/probes/tls-endpoint.ts';
import { ok, type Result } from '../../core/result.ts';
import type { Endpoint } from '../../core/site/schema.ts';
import { defineProbe, type ProbeContext } from '../context.ts';
import { stimulusFor, type ApplicationProtocol } from '../wire/stimulus.ts';
import { abortError, converse, dial, isAbort } from '../wire/tcp.ts';
import { anchorPems, readAnchors } from '../wire/tls/anchors.ts';
import { CERTIFICATE_FACTS, type CertificateFacts, certificateFacts } from '../wire/tls/certificate-facts.ts';
import { FEATURES, surveyFeatures } from '../wire/tls/features.ts';
import { observeHandshake, runtimeEngine } from '../wire/tls/handshake.ts';
import { compareWithGuideline, NOT_ASKED, openLevels, surveyFully } from '../wire/tls/full-survey.ts';
import { inquire, type Inquiry } from '../wire/tls/inquiry.ts';
import { offer } from '../wire/tls/offer.ts';
import { type Presented, readPresented } from '../wire/tls/presented.ts';
import { refusalsOf } from '../wire/tls/refusals.ts';
import { tryRenegotiation } from '../wire/tls/renegotiation.ts';
import { noAnswer, surveyVersions } from '../wire/tls/survey.ts';
import type { Offer } from '../wire/tls/version-offer.ts';
import { withdrawRefusals } from '../wire/tls/withdraw-refusals.ts';

const GREETING_TIMEOUT_MS = 4_000;

export const tlsEndpointProbe = defineProbe(
  tlsEndpoint,
  async ({ endpoint, protocol, survey: depth, factory }, context) => {
    const place = `${endpoint.host}:${endpoint.port}`;
    const options = { hosts: context.site.hosts, signal: context.signal };
    const engine = runtimeEngine();
    const anchors = anchorPems(endpoint.anchors, context);
    if (!anchors.ok) return anchors;

    context.progress(`Offering TLS versions to ${place}`);
    const offerThere: Offer = (version, suites) =>
      context.connection(endpoint.host, () => offer(endpoint, version, suites, options));
    const inquireThere = (inquiry: Inquiry) =>
      context.connection(endpoint.host, () => inquire(endpoint, inquiry, options));
    const refuses = refusalsOf(offerThere);
    const surveyed = await surveyVersions(offerThere, refuses);
    if (!surveyed.ok) return surveyed;
    if (surveyed.value.kind === 'no-answer') {
      const greeted = await greet(endpoint, protocol, context);
      if (!greeted.ok) return greeted;
      if (greeted.value === undefined) return noAnswer(surveyed.value.reason, place);
      return ok(notTls(engine, `${greeted.value} in clear text`));
    }
    if (surveyed.value.kind === 'not-tls') return ok(notTls(engine, surveyed.value.seen));

    context.progress(`Asking ${place} for what else it offers`);
    const features = await surveyFeatures(
      inquireThere,
      refuses,
      surveyed.value.survey.accepts ?? {},
      surveyed.value.stopped,
      depth === 'full',
    );
    if (!features.ok) return features;

    if (depth === 'full') context.progress(`Asking ${place} for every cipher suite`);
    const full =
      depth === 'full'
        ? await surveyFully(
            offerThere,
            inquireThere,
            refuses,
            surveyed.value.survey,
            surveyed.value.stopped,
            features.value.suites,
          )
        : ok({ facts: {}, absent: NOT_ASKED });
    if (!full.ok) return full;

    context.progress(`Reading the certificate of ${place}`);
    const { absent: surveyAbsent, ...survey } = surveyed.value.survey;
    const presented = await readPresented(endpoint, anchors.value, context);
    if (!presented.ok) return presented;
    const { negotiated, certificates, refusal, stapled, why } = presented.value;
    const named = await readUnknownName(endpoint, presented.value, anchors.value, context);
    if (!named.ok) return named;
    const again =
      depth === 'full' && surveyed.value.survey.accepts?.tls12 === true
        ? await context.connection(endpoint.host, () => tryRenegotiation(endpoint, options))
        : ok({ why: 'TLS 1.2 is not known to be accepted.' });
    if (!again.ok) return again;
    const told = {
      facts: {
        speaksTls: true,
        engine,
        ...survey,
        ...features.value.facts,
        ...full.value.facts,
        ...(stapled === undefined ? {} : { stapled: stapled.answer !== undefined }),
        ...('unknownName' in named.value ? named.value : {}),
        ...('clientRenegotiation' in again.value ? again.value : {}),
        ...(negotiated === undefined ? {} : { negotiated }),
      },
      absent: [
        { path: 'clearText', reason: 'The server speaks TLS.' },
        ...surveyAbsent,
        ...features.value.absent,
        ...full.value.absent,
      ],
    };
    const { good } = surveyed.value;
    // The handshake was the last control; where it brought nothing, the offer that was accepted first is.
    const control =
      certificates.length > 0 || good === undefined ? undefined : await offerThere(good.version, good.suites);
    if (control?.ok === false && isAbort(control.error)) return control;
    const tired = control !== undefined && !(control.ok && control.value.kind === 'hello');
    const { facts, absent } = tired ? withdrawRefusals(told.facts, told.absent) : told;
    if (depth === 'full' && 'why' in again.value) absent.push({ path: 'clientRenegotiation', reason: again.value.why });
    if (stapled === undefined) absent.push({ path: 'stapled', reason: why });
    if ('why' in named.value) absent.push({ path: 'unknownName', reason: named.value.why });
    if (negotiated === undefined) absent.push({ path: 'negotiated', reason: why });
    const judged = (seen: Partial<CertificateFacts>) => {
      if (depth !== 'full') return {};
      const guideline = compareWithGuideline({ ...facts, ...seen });
      absent.push(...openLevels(guideline));
      return { guideline };
    };
    const [leaf, ...rest] = certificates;
    if (leaf === undefined) {
      absent.push(...CERTIFICATE_FACTS.map((path) => ({ path, reason: why })));
      return ok({ kind: 'facts', facts: { ...facts, ...judged({}) }, absent });
    }
    const seen = certificateFacts(
      [leaf, ...rest],
      readAnchors(anchors.value),
      endpoint.serverName ?? endpoint.host,
      context.now(),
      refusal,
      factory,
    );
    absent.push(...seen.absent);
    return ok({
      kind: 'facts',
      facts: { ...facts, ...seen.facts, ...judged(seen.facts) },
      absent,
    });
  },
);

const NAME_OF_NOBODY = 'unknown-name.invalid';
type UnknownName = { unknownName: 'same-certificate' | 'other-certificate' | 'refused' } | { why: string };

/** What a client gets that asks for another name; only where the same handshake under the right name went well before. */
async function readUnknownName(
  endpoint: Endpoint,
  { negotiated, certificates: [leaf], why }: Presented,
  anchors: readonly string[],
  context: ProbeContext,
): Promise<Result<UnknownName>> {
  if (negotiated === undefined || leaf === undefined) return ok({ why });
  const shaken = await context.connection(endpoint.host, async () => {
    const other = { ...endpoint, serverName: NAME_OF_NOBODY };
    const result = await observeHandshake(other, { hosts: context.site.hosts, signal: context.signal, anchors });
    if (result.ok && result.value.ok) result.value.socket.destroy();
    return result;
  });
  if (!shaken.ok) return context.signal.aborted ? shaken : ok({ why: shaken.error.message });
  if (!shaken.value.ok) {
    const { kind, alert } = shaken.value.failure;
    return ok(kind === 'alert' ? { unknownName: 'refused' } : { why: `The handshake failed (${alert ?? kind}).` });
  }
  const [other] = shaken.value.peer.presented;
  if (other === undefined) return ok({ why: "The other name's certificate could not be read." });
  return ok({ unknownName: other.der.equals(leaf.der) ? 'same-certificate' : 'other-certificate' });
}

/** One clear-text greeting of the protocol, to see positively that there is no TLS. `undefined`: no such answer. */
async function greet(
  endpoint: Endpoint,
  protocol: ApplicationProtocol | undefined,
  context: ProbeContext,
): Promise<Result<string | undefined>> {
  const stimulus = protocol === undefined ? undefined : stimulusFor(protocol, endpoint.serverName ?? endpoint.host);
  if (stimulus === undefined) return ok(undefined);
  return context.connection(endpoint.host, async () => {
    const dialled = await dial(endpoint.host, endpoint.port, { hosts: context.site.hosts, signal: context.signal });
    if (!dialled.ok) return context.signal.aborted ? dialled : ok(undefined);
    const conversation = converse(dialled.value, context.signal);
    try {
      conversation.send(stimulus.bytes);
      const received = await conversation.receive(stimulus.recognise, GREETING_TIMEOUT_MS);
      if (received.ok) return ok(received.value);
      return context.signal.aborted ? { ok: false, error: abortError(context.signal) } : ok(undefined);
    } finally {
      conversation.close();
    }
  });
}

function notTls(engine: string, clearText: string) {
  const reason = `The server does not speak TLS: ${clearText}.`;
  const paths = [
    'versions',
    'accepts',
    'weakSuites',
    'acceptsWeakSuite',
    'negotiated',
    'stapled',
    'unknownName',
    'suites',
    'signatures',
    'guideline',
    'clientRenegotiation',
    ...FEATURES,
    ...CERTIFICATE_FACTS,
  ];
  return {
    kind: 'facts' as const,
    facts: { speaksTls: false, clearText, engine },
    absent: paths.map((path) => ({ path, reason })),
  };
}
