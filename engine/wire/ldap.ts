import type { Socket } from 'node:net';
import { Attribute, Change, Client, Control, ResultCodeError, type Entry } from 'ldapts';
import { type AppError, fail, ok, type Result } from '../../core/result.ts';
import { dialDirectory, type DialedPeer, type DialTarget } from './ldap-dial.ts';
import { attributesOf, entryMaker, type LdapEntry } from './ldap-entry.ts';
import { resultError } from './ldap-errors.ts';

export type { LdapEntry };
import { abortError } from './tcp.ts';

type LdapSearch = {
  readonly base: string;
  readonly scope?: 'base' | 'one' | 'sub';
  readonly filter?: string;
  readonly attributes: readonly string[];
  /** Stop after this many entries; the outcome then says `complete: false`. */
  readonly limit?: number;
  /** Entries that are wanted; what else a page brings is dropped at once, and counts towards the limit all the same. */
  readonly wanted?: (dn: string) => boolean;
  /** Leave out entries with an attribute that came in ranges, rather than fetch the rest of it. */
  readonly wholeOnly?: boolean;
  /** Parts of the security descriptor to return (MS-ADTS 3.1.1.3.4.1.11): 1 owner, 4 DACL. */
  readonly securityDescriptor?: number;
};

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
  readonly search: (search: LdapSearch) => Promise<Result<{ entries: LdapEntry[]; complete: boolean }>>;
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
/** Far below what Active Directory gives at most (MaxPageSize): what is decoded at once decides how much memory it takes. */
const PAGE_SIZE = 200;
const DEFAULT_LIMIT = 200_000;
const RANGED = /^([^;]+);range=(\d+)-(\d+|\*)$/i;
const MAX_RANGES = 2_000;
const MAX_BYTES = 512 * 1024 * 1024;

/** Binary attributes, spelt as servers answer them. */
const BINARY = [
  'objectSid',
  'objectGUID',
  'nTSecurityDescriptor',
  'tokenGroups',
  'sIDHistory',
  'msDS-AllowedToActOnBehalfOfOtherIdentity',
];

class SecurityDescriptorControl extends Control {
  private readonly parts: number;
  constructor(parts: number) {
    super('1.2.840.113556.1.4.801', { critical: true });
    this.parts = parts;
  }
  override writeControl(writer: Parameters<Control['write']>[0]): void {
    const value = Buffer.from([0x30, 0x03, 0x02, 0x01, this.parts]);
    writer.writeBuffer(value, 0x04);
  }
}

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
  const client = new Client({
    url: 'ldap://connected.invalid',
    // ldapts reconnects by itself, without TLS, on any call after a failure: a second connection must never come about.
    createConnection: (() => {
      if (handedOver) throw new Error('the connection is gone');
      handedOver = true;
      return socket;
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

  const session: LdapSession = {
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
    search: (search) => runSearch(search),
    async read(dn, attributes, securityDescriptor) {
      const found = await runSearch({
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

  async function runSearch(search: LdapSearch): Promise<Result<{ entries: LdapEntry[]; complete: boolean }>> {
    const { base, scope = 'sub', filter = '(objectClass=*)', attributes, limit = DEFAULT_LIMIT } = search;
    const doing = `Searching ${base === '' ? 'the root DSE' : base}`;
    const controls =
      search.securityDescriptor === undefined ? [] : [new SecurityDescriptorControl(search.securityDescriptor)];
    const options = { scope, filter, attributes: [...attributes], explicitBufferAttributes: BINARY };
    const entries: LdapEntry[] = [];
    const make = entryMaker();
    let seen = 0;
    // The rest of ranges is fetched after the last page: servers differ in what they allow between two pages.
    const ranged: { at: number; entry: Entry }[] = [];
    const take = (page: readonly Entry[]) => {
      for (const entry of page) {
        seen += 1;
        if (seen > limit) return;
        if (search.wanted?.(entry.dn) === false) continue;
        const isRanged = Object.keys(entry).some((name) => RANGED.test(name));
        if (isRanged && search.wholeOnly === true) continue;
        if (isRanged) ranged.push({ at: entries.length, entry });
        entries.push(make(entry.dn, isRanged ? [] : attributesOf(entry)));
      }
    };
    if (scope === 'base') {
      const found = await call(doing, () => client.search(base, options, controls));
      if (!found.ok) return found;
      take(found.value.searchEntries);
    } else {
      const pages = client.searchPaginated(base, { ...options, paged: { pageSize: PAGE_SIZE } }, controls);
      for (;;) {
        const page = await call(doing, () => pages.next());
        if (!page.ok) return page;
        if (page.value.done === true) break;
        take(page.value.value.searchEntries);
        if (seen > limit) {
          await pages.return(undefined);
          break;
        }
      }
    }
    // Names that are not UTF-8 look alike once they are decoded: two people would count as one (RFC 4511, 4.1.2).
    const garbled = entries.find(({ dn }) => dn.includes('\uFFFD'));
    if (garbled !== undefined)
      return fail('ldap.protocol', `${doing} brought a name that is not UTF-8: ${garbled.dn}.`, { place });
    for (const { at, entry } of ranged) {
      const resolved = await resolveRanges(entry);
      if (!resolved.ok) return resolved;
      entries[at] = resolved.value;
    }
    return ok({ entries, complete: seen <= limit });
  }

  /** Fetches the rest of attributes that came as `name;range=0-1499` (MS-ADTS 3.1.1.3.1.3.3). */
  async function resolveRanges(entry: Entry): Promise<Result<LdapEntry>> {
    const values = new Map<string, (string | Buffer)[]>();
    for (const [key, value] of Object.entries(entry)) {
      if (key === 'dn') continue;
      const range = RANGED.exec(key);
      const list = Array.isArray(value) ? [...value] : [value];
      if (range === null) {
        if (list.length > 0 || !values.has(key.toLowerCase())) values.set(key.toLowerCase(), list);
        continue;
      }
      const rest = await fetchRanges(entry.dn, range[1] ?? '', list, range[3] ?? '*');
      if (!rest.ok) return rest;
      values.set((range[1] ?? '').toLowerCase(), rest.value);
    }
    return ok(entryMaker()(entry.dn, values));
  }

  async function fetchRanges(
    dn: string,
    name: string,
    first: (string | Buffer)[],
    last: string,
  ): Promise<Result<(string | Buffer)[]>> {
    const all = first;
    let end = last;
    for (let round = 0; end !== '*'; round += 1) {
      if (round >= MAX_RANGES) return fail('input.too-large', `${name} of ${dn} does not end.`, { place });
      const wanted = `${name};range=${Number(end) + 1}-*`;
      const found = await call(`Reading ${wanted}`, () =>
        client.search(dn, { scope: 'base', attributes: [wanted], explicitBufferAttributes: BINARY }),
      );
      if (!found.ok) return found;
      const entry = found.value.searchEntries[0] ?? {};
      const prefix = `${name.toLowerCase()};range=${Number(end) + 1}-`;
      const key =
        Object.keys(entry).find((candidate) => candidate.toLowerCase().startsWith(prefix) && candidate !== wanted) ??
        Object.keys(entry).find((candidate) => candidate.toLowerCase() === wanted.toLowerCase());
      const value = key === undefined ? undefined : (entry as Entry)[key];
      const list = value === undefined ? [] : Array.isArray(value) ? value : [value];
      // A membership that is cut short would be a false pass.
      if (key === undefined || list.length === 0)
        return fail('ldap.protocol', `The directory cut off ${name} of ${dn} at value ${end}.`, { place });
      all.push(...list);
      end = key.slice(prefix.length);
      if (end !== '*' && !/^\d+$/.test(end))
        return fail('ldap.protocol', `The range of ${name} is malformed.`, { place });
    }
    return ok(all);
  }

  return session;
}

function attributeOf({ attribute, values }: LdapModification): Attribute {
  const binary = values.length > 0 && values.every((value) => typeof value !== 'string');
  return new Attribute({ type: attribute, values: (binary ? [...values] : values.map(String)) as string[] | Buffer[] });
}

/** ldapts puts the server's words before ` Code: 0x…`, and its own where the server said nothing. */
function diagnosticOf(error: ResultCodeError): string {
  return error.message.replace(/\s*Code: 0x[0-9a-f]+$/i, '');
}
