import type { Socket } from 'node:net';
import { Attribute, Change, Client, ResultCodeError } from 'ldapts';
import { type AppError, fail, ok, type Result } from '../../core/result.ts';
import { dialDirectory, type DialedPeer, type DialTarget } from './ldap-dial.ts';
import type { LdapEntry } from './ldap-entry.ts';
import { resultError } from './ldap-errors.ts';
import { type Found, type LdapSearch, runSearch, type SearchPart, SecurityDescriptorControl } from './ldap-search.ts';
import { shareSocket } from './ldap-shared-socket.ts';
import { abortError } from './tcp.ts';

export type { LdapEntry };

/** One modification of an attribute (RFC 4511, 4.6). Replacing with no values removes the attribute. */
export type LdapModification = {
  readonly do: 'add' | 'delete' | 'replace';
  readonly attribute: string;
  readonly values: readonly (string | Buffer)[];
};

/** A directory session on one connection. The connection is never made anew: after it broke, every call fails. */
export type LdapSession = {
  readonly place: string;
  /** How the server proved itself; absent on the clear-text connection of a trial. */
  readonly peer?: DialedPeer;
  readonly bind: (user: string, password: string) => Promise<Result<void>>;
  readonly search: (search: LdapSearch) => Promise<Result<Found>>;
  /** One entry by DN; undefined when it is not there or not visible. */
  readonly read: (
    dn: string,
    attributes: readonly string[],
    securityDescriptor?: number,
  ) => Promise<Result<LdapEntry | undefined>>;
  readonly add: (dn: string, attributes: Readonly<Record<string, readonly string[]>>) => Promise<Result<void>>;
  /** All modifications or none. `securityDescriptor` as in `LdapSearch`, for writes of `nTSecurityDescriptor`. */
  readonly modify: (
    dn: string,
    modifications: readonly LdapModification[],
    securityDescriptor?: number,
  ) => Promise<Result<void>>;
  readonly remove: (dn: string) => Promise<Result<void>>;
  readonly close: () => void;
};

const OPERATION_MS = 20_000;
const MAX_BYTES = 512 * 1024 * 1024;

/** Opens a session whose server has proved itself. Errors as `dialDirectory`. */
export async function openLdap(target: DialTarget, signal: AbortSignal): Promise<Result<LdapSession>> {
  const dialed = await dialDirectory(target, signal);
  if (!dialed.ok) return dialed;
  return ok(sessionOver(dialed.value.socket, `${target.host}:${target.port}`, signal, dialed.value.peer));
}

/** LDAP over a socket that is connected already. Without `peer` it refuses to bind: the trial of clear binds has its own code. */
export function sessionOver(socket: Socket, place: string, signal: AbortSignal, peer?: DialedPeer): LdapSession {
  let broken: AppError | undefined;
  let handedOver = false;
  const shared = shareSocket(socket, (cause) => drop(brokenBy(cause.message)));
  const client = new Client({
    url: 'ldap://connected.invalid',
    // ldapts reconnects by itself, without TLS, on any call after a failure: a second connection must never come about.
    createConnection: (() => {
      if (handedOver) throw new Error('the connection is gone');
      handedOver = true;
      return shared.forClient;
    }) as never,
  });
  const drop = (error: AppError) => {
    broken ??= error;
    socket.destroy();
  };
  const onAbort = () => drop(abortError(signal, place));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  socket.on('error', () => {});

  async function call<T>(doing: string, work: () => Promise<T>): Promise<Result<T>> {
    if (socket.destroyed) broken ??= brokenBy('the connection was closed');
    if (broken !== undefined) return { ok: false, error: broken };
    let timer: NodeJS.Timeout | undefined;
    let reject: (error: AppError) => void = () => {};
    const late = new Promise<Result<T>>((resolve) => {
      reject = (error) => resolve({ ok: false, error });
      timer = setTimeout(() => {
        const answer = fail('probe.deadline', `${doing} was not answered within ${OPERATION_MS / 1000} s.`, { place });
        drop(answer.error);
        resolve(answer);
      }, OPERATION_MS);
    });
    const closed = () => setImmediate(() => reject(broken ?? brokenBy('the connection was closed')));
    const guard = setInterval(() => {
      if (socket.bytesRead > MAX_BYTES)
        drop({ code: 'ldap.protocol', message: 'The directory sends too much.', fixBy: 'hospital', place });
    }, 250);
    socket.once('close', closed);
    try {
      return await Promise.race([work().then(ok), late]);
    } catch (error) {
      if (error instanceof ResultCodeError) {
        return { ok: false, error: resultError({ code: error.code, diagnostic: diagnosticOf(error) }, doing, place) };
      }
      const reason = broken ?? brokenBy(error instanceof Error ? error.message : String(error));
      drop(reason);
      return { ok: false, error: reason };
    } finally {
      clearTimeout(timer);
      clearInterval(guard);
      socket.off('close', closed);
    }
  }
  function brokenBy(cause: string): AppError {
    return {
      code: 'ldap.protocol',
      message: 'The directory broke off the connection.',
      fixBy: 'hospital',
      place,
      cause,
    };
  }

  const part: SearchPart = { shared, place, call };
  return {
    place,
    ...(peer === undefined ? {} : { peer }),
    async bind(user, password) {
      if (peer === undefined)
        return fail('change.refused', 'A password is never sent over a connection without TLS.', { place });
      // RFC 4513, 5.1.2: with an empty password many servers say success and let in nobody.
      if (password === '' || user === '')
        return fail('ldap.credentials', 'User and password must not be empty.', { place });
      const bound = await call('The logon', () => client.bind(user, password));
      if (!bound.ok) drop(bound.error);
      return bound;
    },
    search: (search) => runSearch(part, search),
    async read(dn, attributes, securityDescriptor) {
      const found = await runSearch(part, {
        base: dn,
        scope: 'base',
        attributes,
        ...(securityDescriptor === undefined ? {} : { securityDescriptor }),
      });
      if (found.ok) return ok(found.value.entries[0]);
      return found.error.code === 'ldap.result' && /noSuchObject/.test(found.error.message) ? ok(undefined) : found;
    },
    add: (dn, attributes) =>
      call(`Adding ${dn}`, () =>
        client.add(dn, Object.fromEntries(Object.entries(attributes).map(([name, values]) => [name, [...values]]))),
      ),
    modify: (dn, modifications, securityDescriptor) =>
      call(`Changing ${dn}`, () =>
        client.modify(
          dn,
          modifications.map((one) => new Change({ operation: one.do, modification: attributeOf(one) })),
          securityDescriptor === undefined ? [] : [new SecurityDescriptorControl(securityDescriptor)],
        ),
      ),
    remove: (dn) => call(`Deleting ${dn}`, () => client.del(dn)),
    close() {
      signal.removeEventListener('abort', onAbort);
      broken ??= { code: 'internal', message: 'The session was closed.', fixBy: 'lockstep', place };
      void client.unbind().catch(() => {});
      socket.destroySoon();
    },
  };
}

function attributeOf({ attribute, values }: LdapModification): Attribute {
  const binary = values.length > 0 && values.every((value) => typeof value !== 'string');
  return new Attribute({ type: attribute, values: (binary ? [...values] : values.map(String)) as string[] | Buffer[] });
}

/** ldapts puts the server's words before ` Code: 0x…`, and its own where the server said nothing. */
function diagnosticOf(error: ResultCodeError): string {
  return error.message.replace(/\s*Code: 0x[0-9a-f]+$/i, '');
}
