import { AbandonRequest, Control, FilterParser, PagedResultsControl, SearchRequest } from 'ldapts';
import { fail, ok, type Result } from '../../core/result.ts';
import { entryMaker, isBinary, type LdapEntry } from './ldap-entry.ts';
import { resultError } from './ldap-errors.ts';
import { readSearchMessage, type SearchDone, type WireValues } from './ldap-reader.ts';
import type { SharedSocket } from './ldap-shared-socket.ts';

export type LdapSearch = {
  readonly base: string;
  readonly scope?: 'base' | 'one' | 'sub';
  readonly filter?: string;
  readonly attributes: readonly string[];
  /** Stop after this many entries; the outcome then says `complete: false`. */
  readonly limit?: number;
  /** Stop after this many milliseconds, likewise. */
  readonly budgetMs?: number;
  /** Entries that are wanted; what else a page brings is dropped at once, and counts towards the limit all the same. */
  readonly wanted?: (dn: string) => boolean;
  /** Takes each entry as it comes, so that not all of them are held; the outcome then has none. */
  readonly each?: (entry: LdapEntry) => void;
  /** Leave out entries with an attribute that came in ranges, rather than fetch the rest of it. */
  readonly wholeOnly?: boolean;
  /** Parts of the security descriptor to return (MS-ADTS 3.1.1.3.4.1.11): 1 owner, 4 DACL. */
  readonly securityDescriptor?: number;
};

export type Found = { entries: LdapEntry[]; complete: boolean };

/** What a search needs of its session: the connection, and a deadline around each question. */
export type SearchPart = {
  readonly shared: SharedSocket;
  readonly place: string;
  readonly call: <T>(doing: string, work: () => Promise<T>) => Promise<Result<T>>;
};

/** Far below what Active Directory gives at most (MaxPageSize): what is decoded at once decides how much memory it takes. */
const PAGE_SIZE = 500;
const DEFAULT_LIMIT = 200_000;
/** Pages without a single entry that a server may send in a row. */
const MOST_EMPTY_PAGES = 1_000;
const RANGED = /^([^;]+);range=(\d+)-(\d+|\*)$/;
const MAX_RANGES = 2_000;
/** Time a server is given for one question, as far as it minds (RFC 4511, 4.5.1.5). */
const SERVER_SECONDS = 20;

export class SecurityDescriptorControl extends Control {
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

/** Runs a search to its end, in pages, and fetches the rest of attributes that came in ranges (MS-ADTS 3.1.1.3.1.3.3). */
export async function runSearch(part: SearchPart, search: LdapSearch): Promise<Result<Found>> {
  const { base, limit = DEFAULT_LIMIT } = search;
  const { place } = part;
  const doing = `Searching ${base === '' ? 'the root DSE' : base}`;
  const entries: LdapEntry[] = [];
  const make = entryMaker();
  let seen = 0;
  let garbled: string | undefined;
  // The rest of ranges is fetched after the last page: servers differ in what they allow between two pages.
  const ranged: { dn: string; values: WireValues }[] = [];
  const keep = search.each ?? ((entry: LdapEntry) => void entries.push(entry));
  const take = (dn: string, read: () => WireValues) => {
    seen += 1;
    if (seen > limit || search.wanted?.(dn) === false) return;
    if (dn.includes('\uFFFD')) garbled ??= dn;
    const values = read();
    const isRanged = values.some(([name]) => name.includes(';range='));
    if (isRanged && search.wholeOnly === true) return;
    if (isRanged) ranged.push({ dn, values });
    else keep(make(dn, values));
  };
  const paged = await readPages(part, search, doing, take, () => seen <= limit);
  if (!paged.ok) return paged;
  // Names that are not UTF-8 look alike once they are decoded: two people would count as one (RFC 4511, 4.1.2).
  if (garbled !== undefined)
    return fail('ldap.protocol', `${doing} brought a name that is not UTF-8: ${garbled}.`, { place });
  for (const { dn, values } of ranged) {
    const whole = await resolveRanges(part, dn, values);
    if (!whole.ok) return whole;
    keep(entryMaker()(dn, whole.value));
  }
  return ok({ entries, complete: paged.value && seen <= limit });
}

type Take = (dn: string, read: () => WireValues) => void;

/** Asks page after page. Returns whether the search came to its end. */
async function readPages(
  part: SearchPart,
  search: LdapSearch,
  doing: string,
  take: Take,
  goesOn: () => boolean,
): Promise<Result<boolean>> {
  const { base, scope = 'sub', filter = '(objectClass=*)', attributes, budgetMs } = search;
  const until = budgetMs === undefined ? undefined : performance.now() + budgetMs;
  const page = scope === 'base' ? undefined : new PagedResultsControl({ value: { size: PAGE_SIZE } });
  const request = new SearchRequest({
    messageId: 0,
    baseDN: base,
    scope,
    filter: FilterParser.parseString(filter),
    attributes: [...attributes],
    timeLimit: SERVER_SECONDS,
    controls: [
      ...(search.securityDescriptor === undefined ? [] : [new SecurityDescriptorControl(search.securityDescriptor)]),
      ...(page === undefined ? [] : [page]),
    ],
  });
  let empty = 0;
  let brought = 0;
  const count: Take = (dn, read) => {
    brought += 1;
    take(dn, read);
  };
  for (;;) {
    brought = 0;
    const answer = await part.call(doing, () => ask(part.shared, request, count, until));
    if (!answer.ok) return answer;
    if (answer.value === 'late') return ok(false);
    const { code, diagnostic, cookie } = answer.value;
    if (code !== 0) return { ok: false, error: resultError({ code, diagnostic }, doing, part.place) };
    if (page === undefined || cookie.length === 0) return ok(true);
    if (!goesOn()) return ok(false);
    empty = brought === 0 ? empty + 1 : 0;
    if (empty > MOST_EMPTY_PAGES)
      return fail('ldap.protocol', `${doing} brought nothing but empty pages.`, { place: part.place });
    page.value = { size: PAGE_SIZE, cookie };
  }
}

/** Asks one question. `late`: it was abandoned because its time was up. */
function ask(
  shared: SharedSocket,
  request: SearchRequest,
  take: Take,
  until: number | undefined,
): Promise<SearchDone | 'late'> {
  return new Promise((resolve, reject) => {
    const timer = until === undefined ? undefined : setTimeout(() => late(), Math.max(0, until - performance.now()));
    const write = (id: number) => {
      request.messageId = id;
      return request.write();
    };
    const asked = shared.ask(write, (message) => {
      try {
        const done = readSearchMessage(message, isBinary, take);
        if (done === undefined) return;
        asked.forget();
        clearTimeout(timer);
        resolve(done);
      } catch (error) {
        asked.forget();
        clearTimeout(timer);
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    const late = () => {
      asked.forget();
      // RFC 4511, 4.11: nothing is answered to this.
      shared
        .ask(
          (id) => new AbandonRequest({ messageId: id, abandonId: asked.id }).write(),
          () => {},
        )
        .forget();
      resolve('late');
    };
  });
}

async function resolveRanges(part: SearchPart, dn: string, values: WireValues): Promise<Result<WireValues>> {
  const whole = new Map<string, readonly string[]>();
  for (const [key, list] of values) {
    const range = RANGED.exec(key);
    if (range === null) {
      // Beside its range an attribute comes once more, without values.
      if (list.length > 0 || !whole.has(key)) whole.set(key, list);
      continue;
    }
    const [, name = '', , last = '*'] = range;
    const rest = await fetchRanges(part, dn, name, list, last);
    if (!rest.ok) return rest;
    whole.set(name, rest.value);
  }
  return ok([...whole]);
}

async function fetchRanges(
  part: SearchPart,
  dn: string,
  name: string,
  first: readonly string[],
  last: string,
): Promise<Result<string[]>> {
  const { place } = part;
  const all = [...first];
  let end = last;
  for (let round = 0; end !== '*'; round += 1) {
    if (round >= MAX_RANGES) return fail('input.too-large', `${name} of ${dn} does not end.`, { place });
    const start = `${name};range=${Number(end) + 1}-`;
    let key: string | undefined;
    let list: readonly string[] = [];
    const take: Take = (_, read) => {
      for (const [candidate, values] of read()) {
        if (!candidate.startsWith(start) || values.length === 0) continue;
        key = candidate;
        list = values;
      }
    };
    const search: LdapSearch = { base: dn, scope: 'base', attributes: [`${start}*`] };
    const found = await readPages(part, search, `Reading ${start}*`, take, () => true);
    if (!found.ok) return found;
    // A membership that is cut short would be a false pass.
    if (key === undefined)
      return fail('ldap.protocol', `The directory cut off ${name} of ${dn} at value ${end}.`, { place });
    for (const value of list) all.push(value);
    end = key.slice(start.length);
    if (end !== '*' && !/^\d+$/.test(end))
      return fail('ldap.protocol', `The range of ${name} is malformed.`, { place });
  }
  return ok(all);
}
