import type { Duplex } from 'node:stream';
import type { z } from 'zod';
import type { AbsentFact } from '../../core/probes/declaration.ts';
import { dicomEcho } from '../../core/probes/dicom-echo.ts';
import { type AppError, fail, ok, type Result } from '../../core/result.ts';
import type { Endpoint } from '../../core/site/schema.ts';
import { defineProbe, type ProbeContext } from '../context.ts';
import { type ClientIdentity, loadTrialIdentity } from '../keys/trial-identity.ts';
import {
  associateRequest,
  describeAbort,
  echoRequest,
  parseAssociateAccept,
  parseAssociateReject,
  parseEchoResponse,
  parsePdu,
  PDU,
  type Pdu,
  releaseRequest,
} from '../wire/dicom.ts';
import { abortError, type Conversation, converse, dial } from '../wire/tcp.ts';
import { anchorPems } from '../wire/tls/anchors.ts';
import { CERTIFICATE_REFUSALS, alertOf } from '../wire/tls/alerts.ts';
import { connectVerified, observeHandshake } from '../wire/tls/handshake.ts';

const ANSWER_TIMEOUT_MS = 6_000;
const RELEASE_TIMEOUT_MS = 1_000;

type Facts = z.input<typeof dicomEcho.facts>;
type Dialogue = Pick<
  Facts,
  'associated' | 'echoAccepted' | 'echoStatus' | 'rejected' | 'aborted' | 'implementation' | 'tlsVersion'
>;
/** The association, or the TLS refusal that came instead of it. */
type Attempt = { readonly dialogue: Dialogue } | { readonly refused: AppError };

export const dicomEchoProbe = defineProbe(
  dicomEcho,
  async ({ endpoint, tls, callingAe, calledAe, identity: identityId }, context) => {
    const place = `${endpoint.host}:${endpoint.port}`;
    const anchors = anchorPems(endpoint.anchors, context);
    if (!anchors.ok) return anchors;
    let identity: ClientIdentity | undefined;
    if (tls && identityId !== undefined) {
      const loaded = await loadTrialIdentity(identityId, context);
      if (!loaded.ok) return loaded;
      identity = loaded.value;
    }

    const attempt = (present: ClientIdentity | undefined): Promise<Result<Attempt>> =>
      context.connection(endpoint.host, async () => {
        const options = { hosts: context.site.hosts, signal: context.signal };
        let stream: Duplex;
        let tlsVersion: string | undefined;
        if (tls) {
          const connected = await connectVerified(endpoint, {
            ...options,
            anchors: anchors.value,
            ...(present === undefined ? {} : { identity: present }),
          });
          if (!connected.ok)
            return connected.error.code === 'tls.alert' && isCertificateAlert(connected.error)
              ? ok({ refused: connected.error })
              : connected;
          stream = connected.value.socket;
          tlsVersion = connected.value.peer.version;
        } else {
          const dialled = await dial(endpoint.host, endpoint.port, options);
          if (!dialled.ok) return dialled;
          stream = dialled.value;
        }
        const conversation = converse(stream, context.signal);
        try {
          const spoken = await speak(conversation, callingAe, calledAe, place, context.signal);
          if (!spoken.ok) return tls && isCertificateAlert(spoken.error) ? ok({ refused: spoken.error }) : spoken;
          return ok({ dialogue: { ...spoken.value, ...(tlsVersion === undefined ? {} : { tlsVersion }) } });
        } finally {
          conversation.close();
        }
      });

    const absent: AbsentFact[] = [];
    context.progress(`DICOM echo with ${place}`);
    const main = await attempt(identity);
    if (!main.ok) {
      if (tls || !(await refusesClearText(main.error, endpoint, anchors.value, context))) return main;
      const hungUp = `${main.error.message} It speaks TLS on this port.`;
      for (const [path, reason] of [
        ['insistsOnCertificate', 'The association went without TLS.'],
        ...ABSENCES,
      ] as const)
        if (path !== 'hungUp') absent.push({ path, reason });
      return ok({ kind: 'facts', facts: { tls, associated: false, hungUp }, absent });
    }
    if ('refused' in main.value) return { ok: false, error: main.value.refused };
    const { dialogue } = main.value;
    const facts: Facts = { tls, ...dialogue };

    if (!tls) absent.push({ path: 'insistsOnCertificate', reason: 'The association went without TLS.' });
    else if (identity === undefined) {
      if (dialogue.associated) facts.insistsOnCertificate = false;
      else
        absent.push({
          path: 'insistsOnCertificate',
          reason: 'The association was not accepted, for another reason than a certificate.',
        });
    } else if (!dialogue.associated)
      absent.push({
        path: 'insistsOnCertificate',
        reason: 'The association was not accepted with the identity either.',
      });
    else {
      const bare = await attempt(undefined);
      if (!bare.ok && context.signal.aborted) return bare;
      if (bare.ok && 'refused' in bare.value) facts.insistsOnCertificate = true;
      else if (bare.ok && 'dialogue' in bare.value && bare.value.dialogue.associated)
        facts.insistsOnCertificate = false;
      // With the identity the same server answered a moment ago, so hanging up now is its answer to the missing certificate.
      else if (
        !bare.ok &&
        (bare.error.code === 'tcp.reset' || bare.error.code === 'tls.not-spoken' || bare.error.code === 'tls.alert')
      )
        facts.insistsOnCertificate = true;
      else
        absent.push({
          path: 'insistsOnCertificate',
          reason: bare.ok
            ? 'Without the certificate the association was rejected for another reason.'
            : bare.error.message,
        });
    }
    for (const [path, reason] of ABSENCES) if (facts[path] === undefined) absent.push({ path, reason });
    return ok({ kind: 'facts', facts, absent });
  },
);

const ABSENCES: readonly (readonly [keyof Facts, string])[] = [
  ['echoAccepted', 'There was no association.'],
  ['echoStatus', 'No echo was answered.'],
  ['rejected', 'The association was not rejected.'],
  ['aborted', 'The association was not aborted.'],
  ['implementation', 'The server did not give its implementation version name.'],
  ['tlsVersion', 'The association went without TLS.'],
  ['hungUp', 'The server answered.'],
];

/** Hanging up alone decides nothing; hanging up on clear text by a server that answers TLS on the same port is its refusal. */
async function refusesClearText(
  error: AppError,
  endpoint: Endpoint,
  anchors: readonly string[],
  context: ProbeContext,
): Promise<boolean> {
  if ((error.code !== 'tcp.reset' && error.code !== 'dicom.protocol') || context.signal.aborted) return false;
  const seen = await context.connection(endpoint.host, () =>
    observeHandshake(endpoint, { anchors, hosts: context.site.hosts, signal: context.signal }),
  );
  if (!seen.ok) return false;
  if (seen.value.ok) seen.value.socket.destroy();
  return seen.value.ok || seen.value.failure.kind === 'alert';
}

async function speak(
  conversation: Conversation,
  callingAe: string,
  calledAe: string,
  place: string,
  signal: AbortSignal,
): Promise<Result<Dialogue>> {
  conversation.send(associateRequest(callingAe, calledAe));
  const answer = await nextPdu(conversation, place, signal);
  if (!answer.ok) return answer;
  const { type, body } = answer.value;
  if (type === PDU.abort) return ok({ associated: false, aborted: describeAbort(body) });
  if (type === PDU.associateReject) {
    const rejected = parseAssociateReject(body);
    return rejected === undefined ? malformed(place, 'A-ASSOCIATE-RJ') : ok({ associated: false, rejected });
  }
  const accepted = type === PDU.associateAccept ? parseAssociateAccept(body) : undefined;
  if (accepted === undefined) return malformed(place, `PDU of type ${type}`);
  if (!accepted.echoAccepted) return ok({ associated: true, ...accepted });
  conversation.send(echoRequest());
  const echoed = await nextPdu(conversation, place, signal);
  if (!echoed.ok) return echoed;
  if (echoed.value.type === PDU.abort)
    return ok({ associated: true, ...accepted, aborted: describeAbort(echoed.value.body) });
  const echoStatus = echoed.value.type === PDU.data ? parseEchoResponse(echoed.value.body) : undefined;
  if (echoStatus === undefined) return malformed(place, 'answer to C-ECHO');
  conversation.send(releaseRequest());
  await conversation.receive(parsePdu, RELEASE_TIMEOUT_MS);
  return ok({ associated: true, ...accepted, echoStatus });
}

async function nextPdu(conversation: Conversation, place: string, signal: AbortSignal): Promise<Result<Pdu>> {
  const received = await conversation.receive(parsePdu, ANSWER_TIMEOUT_MS);
  if (received.ok) {
    if (received.value === 'malformed') return malformed(place, 'answer');
    conversation.consume(received.value.length);
    return ok(received.value);
  }
  const alert = alertOf(received.error);
  if (signal.aborted) return { ok: false, error: abortError(signal, place) };
  if (alert !== undefined)
    return fail('tls.alert', `The server ended the TLS connection with the alert ${alert}.`, { place, cause: alert });
  if (received.ended === 'silent')
    return fail('tcp.timeout', 'The server accepted the connection and did not answer in DICOM.', { place });
  if (received.ended === 'reset')
    return fail('tcp.reset', 'The server reset the connection instead of answering in DICOM.', { place });
  // An orderly end without a word is how servers without a rule for the caller hang up, too: nothing is decided.
  return fail('dicom.protocol', 'The server hung up without a DICOM answer.', {
    place,
    ...(received.error === undefined ? {} : { cause: received.error.message }),
  });
}

function malformed(place: string, what: string): Result<never> {
  return fail('dicom.protocol', `The server's ${what} is not proper DICOM.`, { place });
}

function isCertificateAlert(error: AppError): boolean {
  if (error.code !== 'tls.alert') return false;
  const alert = [...CERTIFICATE_REFUSALS, 'handshake_failure'].find((name) => error.message.includes(` ${name}.`));
  return alert !== undefined;
}
