import { siteSchema } from '../../core/site/schema.ts';
import type { AbsentFact } from '../../core/probes/declaration.ts';
import { type AppError, ok, fail, type Result } from '../../core/result.ts';
import type { Probe, ProbeContext } from '../../engine/context.ts';

export type ContextOptions = {
  readonly site?: Record<string, unknown>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly ask?: (question: string) => Promise<boolean>;
  readonly now?: Date;
};

/** A context as the engine makes it, that also checks rule 5: one connection per host at a time, never nested. */
export function probeContext(options: ContextOptions = {}): ProbeContext & { readonly connections: () => number } {
  const site = siteSchema.parse({ site: 'test', name: 'Test', ...options.site });
  let busy = false;
  let connections = 0;
  return {
    site,
    now: () => options.now ?? new Date(),
    signal: options.signal ?? new AbortController().signal,
    secret: (name): Promise<Result<string>> => {
      const value = options.secrets?.[name];
      return Promise.resolve(value === undefined ? fail('secret.missing', `No secret "${name}".`) : ok(value));
    },
    anchor: (id) => site.anchors.find((anchor) => anchor.id === id)?.pem,
    connection: async (_host, work) => {
      if (busy) throw new Error('two connections at once');
      busy = true;
      connections += 1;
      try {
        return await work();
      } finally {
        busy = false;
      }
    },
    progress: () => {},
    ask: options.ask ?? (() => Promise.resolve(true)),
    connections: () => connections,
  };
}

// Facts are looked at as the judge does: without their static types.
// oxlint-disable-next-line typescript/no-explicit-any
export type SeenFacts = { facts: any; absent: readonly AbsentFact[] };

/** Runs a probe as the engine does: parameters and facts go through the declared schemas, absences are checked. */
export async function runProbe(
  probe: Probe,
  params: Record<string, unknown>,
  context: ProbeContext,
): Promise<{ ok: true; value: SeenFacts } | { ok: false; error: AppError }> {
  const result = await probe.run(probe.declaration.params.parse(params), context);
  if (!result.ok) return result;
  if (result.value.kind !== 'facts') throw new Error('not applicable');
  const { absent } = result.value;
  const facts: unknown = probe.declaration.facts.parse(result.value.facts);
  for (const { path } of absent) {
    if (!path.includes('[]') && has(facts, path.split('.')))
      throw new Error(`${path} is listed as absent and has a value`);
  }
  const missing = missingFacts(facts, probe).filter((path) => !absent.some((fact) => fact.path === path));
  if (missing.length > 0) throw new Error(`neither present nor listed as absent: ${missing.join(', ')}`);
  return { ok: true, value: { facts, absent } };
}

function has(value: unknown, path: readonly string[]): boolean {
  const [head, ...rest] = path;
  if (head === undefined) return value !== undefined;
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.hasOwn(value, head) &&
    has((value as Record<string, unknown>)[head], rest)
  );
}

/** Top-level properties of the schema that are in neither list. */
function missingFacts(facts: unknown, probe: Probe): string[] {
  const shape = (probe.declaration.facts as unknown as { shape: Record<string, unknown> }).shape;
  return Object.keys(shape).filter((key) => !has(facts, [key]));
}

/** The facts of a probe that must have worked. */
export async function factsOf(
  probe: Probe,
  params: Record<string, unknown>,
  context: ProbeContext,
): Promise<SeenFacts> {
  const result = await runProbe(probe, params, context);
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message} ${result.error.cause ?? ''}`);
  return result.value;
}

/** The code of the error that a probe must end with. */
export async function errorOf(probe: Probe, params: Record<string, unknown>, context: ProbeContext): Promise<string> {
  const result = await runProbe(probe, params, context);
  if (result.ok)
    throw new Error(`an error was expected, facts came: ${JSON.stringify(result.value.facts).slice(0, 500)}`);
  return result.error.code;
}
