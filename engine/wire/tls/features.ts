import type { z } from 'zod';
import type { AbsentFact } from '../../../core/probes/declaration.ts';
import type { tlsEndpoint } from '../../../core/probes/tls-endpoint.ts';
import { ok, type Result } from '../../../core/result.ts';
import { isAbort } from '../tcp.ts';
import { describeAnswer } from './describe-answer.ts';
import { ALL_GROUPS, GROUP_NAMES } from './groups.ts';
import type { Inquiry, InquiryAnswer } from './inquiry.ts';
import type { Refuses } from './refusals.ts';
import type { KnownSuites } from './suite-lists.ts';
import { ORDINARY_SUITES, suiteName, SUITE_NAMES, TLS13_SUITES } from './suites.ts';

/** X25519 and X448: key exchange only, never the curve of an ECDSA certificate. */
const NO_CERTIFICATE_GROUPS: ReadonlySet<number> = new Set([0x001d, 0x001e]);
const ECDHE_SUITES = ORDINARY_SUITES.filter((suite) => SUITE_NAMES[suite]?.includes('_ECDHE_'));
const PROTOCOLS = ['h2', 'http/1.1'];
const EXTENSION = { alpn: 16, extendedMasterSecret: 23, sessionTicket: 35, renegotiationInfo: 0xff01 } as const;

type Facts = z.input<typeof tlsEndpoint.facts>;
type Inquire = (inquiry: Inquiry) => Promise<Result<InquiryAnswer>>;

/** The facts below, as far as they come from here. */
export const FEATURES = [
  'suiteOrder',
  'groups',
  'alpn',
  'compression',
  'sessionTickets',
  'secureRenegotiation',
  'extendedMasterSecret',
] as const;
export type Features = Pick<Facts, (typeof FEATURES)[number]>;

/**
 * What a server that was seen to accept TLS 1.2 or 1.3 offers besides. Each inquiry differs from an accepted one in one
 * thing; an answer that does not decide leaves its fact absent. Errors: cancel and deadline only.
 * @param stopped why the server is to be left alone
 * @param wantsSuites whether the suites of TLS 1.3 are to be told from the same inquiries as its groups
 */
export async function surveyFeatures(
  inquire: Inquire,
  refuses: Refuses,
  accepts: NonNullable<Facts['accepts']>,
  stopped: string | undefined,
  wantsSuites: boolean,
): Promise<Result<{ facts: Features; absent: AbsentFact[]; suites: KnownSuites }>> {
  const facts: Features = {};
  const why = new Map<string, string>();
  let aborted: Result<never> | undefined;
  // A first failure to connect ends it: the server is not asked again and again (rule 5).
  let lost = stopped;
  const ask = async (inquiry: Inquiry): Promise<InquiryAnswer> => {
    if (lost !== undefined) return { kind: 'other', reason: lost };
    const answer = await inquire(inquiry);
    if (answer.ok) {
      if (answer.value.kind === 'silent') lost = 'the server kept silent, so it was left alone';
      return answer.value;
    }
    if (isAbort(answer.error)) aborted = answer;
    lost = answer.error.message;
    return { kind: 'other', reason: lost };
  };

  let tls12Suites: readonly number[] = [];
  if (accepts.tls12 === true) tls12Suites = await readHello(ask, facts, why);
  else {
    const reason = accepts.tls12 === false ? 'TLS 1.2 is not accepted.' : 'Whether TLS 1.2 is accepted is not known.';
    for (const path of FEATURES) if (path !== 'groups' && path !== 'compression') why.set(path, reason);
    // TLS 1.3 knows no compression (RFC 8446 section 4.1.2); older versions were not asked.
    const old = [accepts.ssl30, accepts.tls10, accepts.tls11, accepts.tls12];
    if (accepts.tls13 === true && old.every((one) => one === false)) facts.compression = false;
    else why.set('compression', reason);
  }
  const version = accepts.tls13 === true ? 'TLS 1.3' : accepts.tls12 === true ? 'TLS 1.2' : undefined;
  const read =
    version === undefined
      ? { groups: 'Neither TLS 1.2 nor 1.3 is accepted.' }
      : await readGroups(ask, refuses, version, wantsSuites && version === 'TLS 1.3');
  if (typeof read.groups === 'string') why.set('groups', read.groups);
  else facts.groups = read.groups;
  if (aborted !== undefined) return aborted;
  return ok({
    facts,
    absent: [...why].map(([path, reason]) => ({ path, reason })),
    suites: {
      'TLS 1.2': { suites: tls12Suites },
      ...('suites' in read && read.suites !== undefined ? { 'TLS 1.3': { suites: read.suites, all: true } } : {}),
    },
  });
}

type Ask = (inquiry: Inquiry) => Promise<InquiryAnswer>;

/** Fills in what the ServerHello tells; the suites that were chosen on the way. */
async function readHello(ask: Ask, facts: Features, why: Map<string, string>): Promise<readonly number[]> {
  const plain = { version: 'TLS 1.2', suites: ORDINARY_SUITES } as const;
  const answer = await ask({ ...plain, compression: true, sessionTicket: true });
  if (answer.kind !== 'hello') {
    for (const path of FEATURES) if (path !== 'groups') why.set(path, `TLS 1.2: ${describeAnswer(answer)}.`);
    return [];
  }
  const { hello } = answer;
  facts.compression = hello.compression !== 0;
  facts.sessionTickets = hello.extensions.has(EXTENSION.sessionTicket);
  facts.secureRenegotiation = hello.extensions.has(EXTENSION.renegotiationInfo);
  facts.extendedMasterSecret = hello.extensions.has(EXTENSION.extendedMasterSecret);
  const alpn = await readProtocols(ask);
  if (typeof alpn === 'string') why.set('alpn', alpn);
  else facts.alpn = alpn;
  const order = await readOrder(ask, hello.suite);
  if ('by' in order) facts.suiteOrder = order.by;
  else why.set('suiteOrder', order.why);
  return order.second === undefined ? [hello.suite] : [hello.suite, order.second];
}

async function readProtocols(ask: Ask): Promise<string[] | string> {
  const chosen: string[] = [];
  while (chosen.length < PROTOCOLS.length) {
    const alpn = PROTOCOLS.filter((name) => !chosen.includes(name));
    const answer = await ask({ version: 'TLS 1.2', suites: ORDINARY_SUITES, alpn });
    if (answer.kind === 'alert' && answer.alert === 'no_application_protocol') break;
    if (answer.kind !== 'hello') return `ALPN in TLS 1.2: ${describeAnswer(answer)}.`;
    const list = answer.hello.extensions.get(EXTENSION.alpn);
    if (list === undefined) break;
    const name = list.subarray(3).toString('latin1');
    if (!alpn.includes(name)) return 'The server chose an application protocol that was not offered.';
    chosen.push(name);
  }
  return chosen;
}

/** @param first what the server chose from all suites */
async function readOrder(
  ask: Ask,
  first: number,
): Promise<({ by: 'server' | 'client' } | { why: string }) & { second?: number }> {
  const rest = await ask({ version: 'TLS 1.2', suites: ORDINARY_SUITES.filter((suite) => suite !== first) });
  if (rest.kind === 'alert' && rest.refusal) return { why: 'One suite only is accepted, so no order is to be seen.' };
  if (rest.kind !== 'hello') return { why: `Without the preferred suite: ${describeAnswer(rest)}.` };
  const second = rest.hello.suite;
  const both = await ask({ version: 'TLS 1.2', suites: [second, first] });
  if (both.kind !== 'hello') return { why: `Two suites in turn: ${describeAnswer(both)}.`, second };
  return { by: both.hello.suite === first ? 'server' : 'client', second };
}

/** The groups, or why their list is not complete; the suites of TLS 1.3 where all were told. */
type GroupsRead = { readonly groups: string[] | string; readonly suites?: readonly number[] };

/**
 * Offers what has not been chosen yet, until it is refused. Where suites are wanted, those that were chosen are left out,
 * too; once the rest is refused, and the same groups are accepted with all suites again, that list is complete.
 */
async function readGroups(
  ask: Ask,
  refuses: Refuses,
  version: 'TLS 1.2' | 'TLS 1.3',
  wantsSuites: boolean,
): Promise<GroupsRead> {
  const all = version === 'TLS 1.3' ? TLS13_SUITES : ECDHE_SUITES;
  const inquiry = (groups: readonly number[], suites = all): Inquiry => ({
    version,
    suites,
    groups,
    wantsGroup: true,
    ...(version === 'TLS 1.3' ? { keyShares: false } : {}),
  });
  const found: number[] = [];
  const suites: number[] = [];
  let suitesOpen = wantsSuites;
  let suitesTold = false;
  let curveBound = false;
  const result = (groups: string[] | string): GroupsRead => (suitesTold ? { groups, suites } : { groups });
  for (;;) {
    const open = ALL_GROUPS.filter((group) => !found.includes(group));
    if (open.length === 0) break;
    const narrowed = suitesOpen && suites.length > 0;
    let answer = await ask(inquiry(open, narrowed ? all.filter((suite) => !suites.includes(suite)) : all));
    if (narrowed && answer.kind === 'alert' && answer.refusal) {
      suitesOpen = false;
      answer = await ask(inquiry(open));
      suitesTold = answer.kind === 'hello';
    }
    if (answer.kind === 'hello' && answer.group !== undefined && open.includes(answer.group)) {
      found.push(answer.group);
      if (suitesOpen && !suites.includes(answer.hello.suite)) suites.push(answer.hello.suite);
      const ecdsa = suiteName(answer.hello.suite).includes('_ECDSA_');
      curveBound = ecdsa && found.some((group) => !NO_CERTIFICATE_GROUPS.has(group));
      continue;
    }
    if (found.length === 0) return { groups: `No group was chosen in ${version}: ${describeAnswer(answer)}.` };
    // In TLS 1.2 the groups bound the certificate's curve too (RFC 8422 section 5.1), so its removal alone may be refused.
    if (curveBound)
      return {
        groups: `Not every group was decided in ${version} (accepted: ${namesOf(found)}): without its certificate's curve the server can offer nothing.`,
      };
    const recheck = {
      again: async () => ok(await ask(inquiry(open))),
      control: async () => (await ask(inquiry(found))).kind === 'hello',
    };
    if (await refuses(answer, recheck)) break;
    return result(
      `Not every group was decided in ${version} (accepted: ${namesOf(found)}): ${describeAnswer(answer)}.`,
    );
  }
  return result(found.map((group) => GROUP_NAMES[group] ?? String(group)));
}

function namesOf(groups: readonly number[]): string {
  return groups.map((group) => GROUP_NAMES[group]).join(', ');
}
