import { type AppError, ok, type Result, fail } from '../../core/result.ts';
import { type Site, siteSchema } from '../../core/site/schema.ts';
import type { Probe, ProbeContext, ProbeOutcome } from '../../engine/context.ts';

export type DirectoryEnd = {
  readonly host: string;
  readonly address: string;
  readonly ldap?: number;
  readonly ldaps?: number;
  readonly caPem: string;
  readonly baseDn: string;
  readonly bindAccount: string;
  readonly kind?: 'active-directory' | 'ldap';
};

/** A site with nothing but one directory server. */
export function directorySite(end: DirectoryEnd): Site {
  const ports = {
    ...(end.ldap === undefined ? {} : { ldap: end.ldap }),
    ...(end.ldaps === undefined ? {} : { ldaps: end.ldaps }),
  };
  return siteSchema.parse({
    site: 'test-hospital',
    name: 'Test hospital',
    hosts: { [end.host]: end.address },
    anchors: [{ id: 'root', pem: end.caPem }],
    directory: {
      kind: end.kind ?? 'active-directory',
      baseDn: end.baseDn,
      servers: [{ id: 'dc1', host: end.host, ...ports }],
      anchors: ['root'],
      bindAccount: end.bindAccount,
    },
  });
}

/** A context for one probe or change; counts connections and refuses nested ones, as the budget would deadlock on them. */
export function testContext(
  site: Site,
  password: string | undefined,
  more: { siteKey?: Uint8Array; namesAgreed?: boolean; now?: () => Date; signal?: AbortSignal } = {},
): ProbeContext & { readonly connections: () => number } {
  let busy = false;
  let connections = 0;
  return {
    site,
    now: more.now ?? (() => new Date()),
    signal: more.signal ?? new AbortController().signal,
    secret: async (name): Promise<Result<string>> =>
      password === undefined ? fail('secret.missing', `No password for ${name}.`) : ok(password),
    anchor: (id) => site.anchors.find((anchor) => anchor.id === id)?.pem,
    connection: async (_host, work) => {
      if (busy) throw new Error('nested connection');
      busy = true;
      connections += 1;
      try {
        return await work();
      } finally {
        busy = false;
      }
    },
    progress: () => {},
    ask: async () => false,
    ...(more.siteKey === undefined ? {} : { siteKey: more.siteKey }),
    namesAgreed: more.namesAgreed === true,
    connections: () => connections,
  };
}

// oxlint-disable-next-line typescript/no-explicit-any -- tests reach into facts of every probe
type AnyFacts = any;

/** Runs a probe as the runner does: parameters and facts go through the declaration's schemas. */
export async function runDirectoryProbe(
  probe: Probe,
  params: Record<string, unknown>,
  context: ProbeContext,
): Promise<
  { facts: AnyFacts; absent: Record<string, string>; notApplicable?: string } & (
    | { error?: never }
    | { error: AppError }
  )
> {
  const outcome = (await probe.run(probe.declaration.params.parse(params), context)) as Result<ProbeOutcome>;
  if (!outcome.ok) return { error: outcome.error, facts: undefined, absent: {} };
  if (outcome.value.kind === 'not-applicable')
    return { facts: undefined, absent: {}, notApplicable: outcome.value.reason };
  const facts = probe.declaration.facts.parse(outcome.value.facts);
  return { facts, absent: Object.fromEntries(outcome.value.absent.map(({ path, reason }) => [path, reason])) };
}
