import type { z } from 'zod';
import type { AbsentFact } from '../../core/probes/declaration.ts';
import { tlsImpostor } from '../../core/probes/tls-impostor.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { defineProbe, type ProbeContext } from '../context.ts';
import { requestHttp } from '../wire/http.ts';
import { abortError } from '../wire/tcp.ts';
import { anchorPems } from '../wire/tls/anchors.ts';
import { runtimeEngine } from '../wire/tls/handshake.ts';
import { type Impostor, type ImpostorVisit, listenAsImpostor, visitVerdict } from '../wire/tls/impostor.ts';
import { makeUnknownIdentity } from '../wire/tls/unknown-identity.ts';

type Params = z.output<typeof tlsImpostor.params>;
type Facts = z.input<typeof tlsImpostor.facts>;
type Trigger = Params['listen']['trigger'];

/** A device that retries, or is slow to hang up, is given this long after the trigger said that it is done. */
const SETTLE_MS = 1_500;

export const tlsImpostorProbe = defineProbe(tlsImpostor, async ({ as, listen, seconds }, context) => {
  const name = as.serverName ?? as.host;
  const anchors = anchorPems(undefined, context);
  if (!anchors.ok) return anchors;
  const identity = await makeUnknownIdentity([name, listen.address], 'server', false, context.now());
  const listening = await listenAsImpostor(listen.address, listen.port, identity, as.starttls === 'ldap');
  if (!listening.ok) return listening;
  const impostor = listening.value;
  const listened = `${listen.address}:${impostor.port}`;
  let triggered: Result<string>;
  let visits: readonly ImpostorVisit[];
  try {
    context.progress(`Listening as ${name} on ${listened}`);
    triggered = await trigger(listen.trigger, listen.address, impostor, name, seconds, anchors.value, context);
    // A device that was refused TLS, or refused it, may come again in clear text.
    if (triggered.ok) await pause(SETTLE_MS, context.signal);
  } finally {
    visits = await impostor.stop();
  }
  if (context.signal.aborted) return { ok: false, error: abortError(context.signal, listened) };
  if (visits.length === 0 && !triggered.ok) return triggered;
  return ok({ kind: 'facts', ...readVisits(visits, listened, listen.trigger, triggered) });
});

/** Makes the device connect and waits for it. `ok` carries what the trigger said; an error counts only if nobody came. */
async function trigger(
  how: Trigger,
  address: string,
  impostor: Impostor,
  name: string,
  seconds: number,
  anchors: readonly string[],
  context: ProbeContext,
): Promise<Result<string>> {
  const over = Date.now() + seconds * 1000;
  if (how === 'operator') {
    const asked = context
      .ask(
        `Point the device at ${address} port ${impostor.port} in the place of ${name}, send one test message, and say when it is done. Set it back afterwards.`,
      )
      .catch(() => false);
    const waited = impostor.waitForVisit(seconds * 1000, context.signal).then(() => 'waited' as const);
    const first = await Promise.race([asked.then((done) => (done ? 'done' : 'declined')), waited]);
    if (first === 'declined')
      return fail('probe.cancelled', 'The operator declined to point the device at the impostor.');
    return ok('');
  }
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (how.credential !== undefined) {
    const password = await context.secret(how.credential.secret);
    if (!password.ok) return password;
    headers.authorization = `Basic ${Buffer.from(`${how.credential.user}:${password.value}`).toString('base64')}`;
  }
  const body = JSON.stringify({ host: address, port: impostor.port });
  const answer = await context.connection(new URL(how.url).hostname.replace(/^\[|\]$/g, ''), () =>
    requestHttp(
      { url: how.url, method: 'POST', headers, body },
      { anchors, hosts: context.site.hosts, signal: context.signal, answerMs: seconds * 1000 },
    ),
  );
  if (!answer.ok) return answer;
  if (answer.value.status >= 400)
    return fail(
      'http.protocol',
      `The device's API did not accept the request for a test message: HTTP ${answer.value.status}.`,
      { place: how.url.split(/[?#]/)[0] ?? how.url },
    );
  // An API may answer at once and let the device connect a little later.
  await impostor.waitForVisit(Math.max(0, over - Date.now()), context.signal);
  return ok(`HTTP ${answer.value.status}`);
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}

function readVisits(
  visits: readonly ImpostorVisit[],
  listened: string,
  how: Trigger,
  triggered: Result<string>,
): { facts: Facts; absent: AbsentFact[] } {
  const facts: Facts = {
    engine: runtimeEngine(),
    listened,
    connected: visits.length > 0,
    connections: visits.length,
    peers: [...new Set(visits.map((visit) => visit.peer))],
  };
  const absent: AbsentFact[] = [];
  const lacks = (path: keyof Facts, reason: string): void => void absent.push({ path, reason });
  const nobody = triggered.ok
    ? 'Nobody connected while Lockstep listened.'
    : `Nobody connected: ${triggered.error.message}`;
  if (visits.length === 0) {
    for (const path of [
      'spokeTls',
      'offered',
      'handshakeCompleted',
      'applicationBytes',
      'alert',
      'refused',
      'how',
    ] as const)
      lacks(path, nobody);
    return { facts, absent };
  }
  const spoken = visits.filter((visit) => visit.spoke !== 'nothing');
  if (spoken.length === 0) lacks('spokeTls', 'The device connected and sent nothing.');
  else facts.spokeTls = !spoken.some((visit) => visit.spoke === 'clear');
  const offered = [...new Set(visits.flatMap((visit) => visit.offered))];
  if (offered.length === 0) lacks('offered', 'No ClientHello was read.');
  else facts.offered = offered;
  if (facts.spokeTls === true) facts.handshakeCompleted = visits.some((visit) => visit.handshakeCompleted);
  else lacks('handshakeCompleted', 'There was no handshake.');
  facts.applicationBytes = visits.reduce((sum, visit) => sum + visit.applicationBytes, 0);
  const alert = visits.find((visit) => visit.alert !== undefined)?.alert;
  if (alert === undefined) lacks('alert', 'The device sent no alert.');
  else facts.alert = alert;

  // One visit that falls for the impostor outweighs any number of refusals.
  const verdicts = visits.map(visitVerdict);
  const fell = verdicts.find((verdict) => verdict === 'application-data' || verdict === 'clear-text');
  const refused = verdicts.includes('alert')
    ? 'alert'
    : verdicts.includes('closed-without-data')
      ? 'closed-without-data'
      : undefined;
  // A client that checks after the handshake looks like an idle connection test, unless its API was told to send.
  const conclusive = refused === 'alert' || (refused !== undefined && how !== 'operator');
  if (fell !== undefined) Object.assign(facts, { refused: false, how: fell });
  else if (refused !== undefined && conclusive) Object.assign(facts, { refused: true, how: refused });
  else {
    const reason =
      refused === undefined
        ? `The device connected, but whether it refused the certificate was not seen${alert === undefined ? '' : ` (alert ${alert})`}.`
        : "The device hung up without an alert and without sending anything: a refusal or an idle connection test. Look into the device's log, and send a message.";
    lacks('refused', reason);
    lacks('how', reason);
  }
  return { facts, absent };
}
