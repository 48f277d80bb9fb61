import type { z } from 'zod';
import type { linkSchema } from '../../../core/site/schema.ts';
import { fail, ok, type Result } from '../../../core/result.ts';
import type { AskOptions, ProbeContext } from '../../context.ts';
import { hostOfUrl, requestHttp } from '../http.ts';
import type { Impostor } from './impostor.ts';

export type Listen = NonNullable<z.output<typeof linkSchema>['impostor']>;

/** A question outlasts the wait by this much, so that its end is never taken for a no. */
const GRACE_MS = 1_000;

/** One device that is made to connect to one impostor. */
export type Summons = {
  readonly listen: Listen;
  /** Name of the server that is played. */
  readonly name: string;
  /** Longest wait for the device. */
  readonly seconds: number;
  readonly anchors: readonly string[];
};

/**
 * Makes the device connect and waits for it. `ok` carries what the trigger said; an error counts only if nobody came.
 * @param again the device points here already: it only has to send once more
 */
export async function summon(
  { listen, name, seconds, anchors }: Summons,
  impostor: Impostor,
  again: boolean,
  context: ProbeContext,
): Promise<Result<string>> {
  const { address, trigger } = listen;
  const over = Date.now() + seconds * 1000;
  if (trigger === 'operator') {
    const question = again
      ? `Send one more test message from the device to ${address} port ${impostor.port}, and say when it is done.`
      : `Point the device at ${address} port ${impostor.port} in the place of ${name}, send one test message, and say when it is done.`;
    const asked = askUntil(over + GRACE_MS, question, context, { otherwise: 'Lockstep stops waiting for the device' });
    const waited = impostor.waitForVisit(seconds * 1000, context.signal).then(() => 'waited' as const);
    const first = await Promise.race([asked.then((done) => (done ? 'done' : 'declined')), waited]);
    if (first === 'declined')
      return fail('probe.cancelled', 'The operator declined to point the device at the impostor.');
    // The next question must not come while this one is still on screen.
    await asked;
    return ok('');
  }
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (trigger.credential !== undefined) {
    const password = await context.secret(trigger.credential.secret);
    if (!password.ok) return password;
    headers.authorization = `Basic ${Buffer.from(`${trigger.credential.user}:${password.value}`).toString('base64')}`;
  }
  const body = JSON.stringify({ host: address, port: impostor.port });
  const answer = await context.connection(hostOfUrl(trigger.url), () =>
    requestHttp(
      { url: trigger.url, method: 'POST', headers, body },
      { anchors, hosts: context.site.hosts, signal: context.signal, answerMs: seconds * 1000 },
    ),
  );
  if (!answer.ok) return answer;
  if (answer.value.status >= 400)
    return fail(
      'http.protocol',
      `The device's API did not accept the request for a test message: HTTP ${answer.value.status}.`,
      { place: trigger.url.split(/[?#]/)[0] ?? trigger.url },
    );
  // An API may answer at once and let the device connect a little later.
  await impostor.waitForVisit(Math.max(0, over - Date.now()), context.signal);
  return ok(`HTTP ${answer.value.status}`);
}

/** The operator's answer; no where there is none by `until` (milliseconds since 1970) or when the probe is cancelled. */
export function askUntil(
  until: number,
  question: string,
  { ask, signal }: ProbeContext,
  how: Omit<AskOptions, 'until'>,
): Promise<boolean> {
  return new Promise((resolve) => {
    const finish = (answer: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', refuse);
      resolve(answer);
    };
    const refuse = (): void => finish(false);
    const timer = setTimeout(refuse, until - Date.now());
    signal.addEventListener('abort', refuse, { once: true });
    if (signal.aborted) refuse();
    else ask(question, { ...how, until: new Date(until) }).then(finish, refuse);
  });
}
