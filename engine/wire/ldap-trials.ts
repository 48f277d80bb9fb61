import { randomBytes } from 'node:crypto';
import { Client, ResultCodeError } from 'ldapts';
import { appError, type AppError } from '../../core/result.ts';
import { dialTcp, type DialTarget } from './ldap-dial.ts';
import { sessionOver, type LdapSession } from './ldap.ts';
import { resultName } from './ldap-errors.ts';
import { escapeDnValue } from './ldap-names.ts';

/** What a trial saw, or why it could not tell. */
export type Trial<T> = { readonly seen: T } | { readonly inconclusive: string };

const REFUSALS = [1, 7, 8, 13, 48, 50, 53];
const TRIAL_MS = 8_000;

/**
 * Whether a search under `baseDn` is answered on a session that has not bound.
 * `refused` where the server says so or shows no entry.
 */
export async function tryAnonymousSearch(session: LdapSession, baseDn: string): Promise<Trial<'refused' | 'allowed'>> {
  const found = await session.search({ base: baseDn, attributes: ['1.1'], limit: 1 });
  if (found.ok) return { seen: found.value.entries.length > 0 ? 'allowed' : 'refused' };
  const code = Number(/\((\d+)\)/.exec(found.error.message)?.[1] ?? Number.NaN);
  if (found.error.code === 'ldap.no-right' || REFUSALS.includes(code) || code === 32) return { seen: 'refused' };
  if (code === 4) return { seen: 'allowed' };
  return { inconclusive: `the anonymous search was not decided: ${found.error.message}` };
}

type ClearBind = { readonly state: 'refused' | 'accepted'; readonly result: number };

/**
 * Sends a simple bind without TLS, under a made-up name with a random password: there is no parameter through which a
 * real one could get in. A server that wants TLS answers 8 (Active Directory) or 13 (RFC 4513, 5.1.3); 49 means that it
 * looked at the password.
 */
export async function tryClearBind(
  target: Omit<DialTarget, 'mode' | 'anchors'>,
  baseDn: string,
  signal: AbortSignal,
): Promise<Trial<ClearBind>> {
  const dialed = await dialTcp(target, signal);
  if (!dialed.ok) return { inconclusive: `the clear-text bind was not tried: ${dialed.error.message}` };
  const socket = dialed.value;
  let used = false;
  const client = new Client({
    url: 'ldap://connected.invalid',
    timeout: TRIAL_MS,
    createConnection: (() => {
      if (used) throw new Error('the connection is gone');
      used = true;
      return socket;
    }) as never,
  });
  const stop = () => socket.destroy();
  signal.addEventListener('abort', stop, { once: true });
  const deadline = setTimeout(stop, TRIAL_MS);
  const name = `CN=${escapeDnValue(`lockstep-test-${randomBytes(4).toString('hex')}`)},${baseDn}`;
  try {
    await client.bind(name, randomBytes(18).toString('base64url'));
    return { seen: { state: 'accepted', result: 0 } };
  } catch (error) {
    if (!(error instanceof ResultCodeError)) return { inconclusive: 'the server did not answer the clear-text bind' };
    const { code } = error;
    if (code === 49 || code === 32) return { seen: { state: 'accepted', result: code } };
    if (REFUSALS.includes(code) && code !== 1) return { seen: { state: 'refused', result: code } };
    return { inconclusive: `the clear-text bind was answered with ${resultName(code)}` };
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

/** A session without TLS for what may be read by anybody. It cannot bind. */
export async function openClear(
  target: Omit<DialTarget, 'mode' | 'anchors'>,
  signal: AbortSignal,
): Promise<LdapSession | AppError> {
  const dialed = await dialTcp(target, signal);
  if (!dialed.ok) return dialed.error;
  return sessionOver(dialed.value, `${target.host}:${target.port}`, signal);
}

/** Clocks further apart than this explain a certificate that seems out of date (Kerberos allows as much). */
const CLOCK_TOLERANCE_SECONDS = 300;

/** Turns 'expired' and 'not valid yet' into a clock error where the server's clock says so. */
export function blameClock(error: AppError, offsetSeconds: number | undefined): AppError {
  if (offsetSeconds === undefined || Math.abs(offsetSeconds) <= CLOCK_TOLERANCE_SECONDS) return error;
  if (error.code !== 'tls.expired' && error.code !== 'tls.clock') return error;
  const text = `The certificate seems out of date, but the clocks of server and laptop are ${Math.round(Math.abs(offsetSeconds))} s apart.`;
  return appError('tls.clock', text, {
    ...(error.place === undefined ? {} : { place: error.place }),
    ...(error.cause === undefined ? {} : { cause: error.cause }),
  });
}
