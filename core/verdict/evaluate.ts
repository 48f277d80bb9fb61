import cel from '@marcbachmann/cel-js';
import type { AbsentFact } from '../probes/declaration.ts';
import { fail, ok, type Result } from '../result.ts';
import { type AccessPath, compileExpression, type Expression } from './expression.ts';

/** Values by root name (`facts`, `link`, `site`, the target, inputs); plain JSON. */
export type Values = Readonly<Record<string, unknown>>;
/** What is unknown, by root name; paths are relative to the root. */
export type AbsentByRoot = Readonly<Record<string, readonly AbsentFact[]>>;

const environment = new cel.Environment({ unlistedVariablesAreDyn: true, homogeneousAggregateLiterals: false })
  .registerFunction('same_(dyn, dyn): bool', same)
  .registerFunction('in_(dyn, dyn): bool', contains)
  .registerFunction('some_(dyn): dyn', (list: unknown) => {
    if (Array.isArray(list) && list.length === 0)
      throw new Error('the list is empty, so there is nothing that `all` could be true of');
    return list;
  });

/**
 * Evaluates an expression to a boolean. Everything but a clean true or false is an error: an unknown or missing value
 * that it touches (`expression.absent`, decided before CEL runs; `expression.not-applicable` where every such value is one
 * that cannot be there), a type that does not fit, `all` over nothing
 * (`expression.type`), or a text that CEL cannot read (`expression.invalid`).
 */
export function evaluateBoolean(source: string, values: Values, absent: AbsentByRoot = {}): Result<boolean> {
  const result = evaluate(source, values, absent);
  if (!result.ok) return result;
  if (typeof result.value === 'boolean') return ok(result.value);
  return fail(
    'expression.type',
    `The expression ${JSON.stringify(source)} gives ${typeName(result.value)}, not true or false.`,
  );
}

/** Evaluates an expression to plain JSON, under the same rules. */
export function evaluate(source: string, values: Values, absent: AbsentByRoot = {}): Result<unknown> {
  const compiled = compileExpression(source);
  if (!compiled.ok) return compiled;
  const unknown = findUnknown(compiled.value, values, absent);
  if (unknown !== undefined) {
    const { path: place, reason: cause, notApplicable } = unknown;
    return notApplicable === true
      ? fail('expression.not-applicable', 'The question does not arise here.', { place, cause })
      : fail('expression.absent', 'Not known.', { place, cause });
  }
  try {
    return ok(toJson(environment.evaluate(compiled.value.guarded, toCel(values) as Record<string, unknown>)));
  } catch (error) {
    const summary = error instanceof Error ? ((error as { summary?: string }).summary ?? error.message) : String(error);
    return fail('expression.type', `The expression ${JSON.stringify(source)} cannot be judged: ${summary}.`);
  }
}

/**
 * Fills `{{ expression }}` in a sentence. What is unknown reads "(unknown)": a sentence is for people and never decides.
 */
export function fillTemplate(template: string, values: Values, absent: AbsentByRoot = {}): string {
  return template.replace(/\{\{(.+?)\}\}/g, (_, source: string) => {
    const result = evaluate(source.trim(), values, absent);
    return result.ok ? show(result.value) : '(unknown)';
  });
}

function show(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(show).join(', ');
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}

/** Names whose values come from probes; all others come from the site file. */
const SEEN = new Set(['facts', 'link']);

type Unknown = { readonly path: string; readonly reason: string; readonly notApplicable?: true };

/** The first path that touches something absent, missing or null; one that cannot be there only where nothing else is unknown. */
function findUnknown(expression: Expression, values: Values, absent: AbsentByRoot): Unknown | undefined {
  const unknown = expression.paths.flatMap((path) => unknownAt(path, values, absent));
  return unknown.find(({ notApplicable }) => notApplicable !== true) ?? unknown[0];
}

function unknownAt(path: AccessPath, values: Values, absent: AbsentByRoot): Unknown[] {
  const shown = [path.root, ...path.steps].join('.');
  const listed = (Object.hasOwn(absent, path.root) ? (absent[path.root] ?? []) : []).filter((entry) =>
    touches(path, entry.path),
  );
  if (listed.length > 0) return listed.map((entry) => ({ ...entry, path: shown }));
  if (!Object.hasOwn(values, path.root)) return [{ path: shown, reason: 'There is no such name here.' }];
  const missing = missingAt(values[path.root], path.steps, [path.root]);
  if (missing === undefined) return [];
  const reason = SEEN.has(path.root) ? 'The probe did not report it.' : 'The site does not give it.';
  return [{ path: missing, reason }];
}

function touches(path: AccessPath, absentPath: string): boolean {
  const unknown =
    absentPath === ''
      ? []
      : absentPath
          .replace(/\[(\d*)\]/g, '.$1')
          .split('.')
          .map((step) => (step === '' ? '*' : step));
  const shared = Math.min(unknown.length, path.steps.length);
  for (let i = 0; i < shared; i += 1) {
    const a = unknown[i];
    const b = path.steps[i];
    if (a !== b && a !== '*' && b !== '*') return false;
  }
  return unknown.length <= path.steps.length || !path.container;
}

/** The path of the first value on the way that is not there or null; undefined where all is there. */
function missingAt(value: unknown, steps: readonly string[], trail: readonly string[]): string | undefined {
  if (value === undefined || value === null) return trail.join('.');
  const [step, ...rest] = steps;
  if (step === undefined) return undefined;
  if (step === '*') {
    const entries = Array.isArray(value) ? value : typeof value === 'object' ? Object.values(value) : [];
    for (const [index, entry] of entries.entries()) {
      const missing = missingAt(entry, rest, [...trail, String(index)]);
      if (missing !== undefined) return missing;
    }
    return undefined;
  }
  if (typeof value !== 'object' || !Object.hasOwn(value, step)) return [...trail, step].join('.');
  return missingAt((value as Record<string, unknown>)[step], rest, [...trail, step]);
}

function same(left: unknown, right: unknown): boolean {
  const [a, b] = [typeName(left), typeName(right)];
  if (a === 'null' || b === 'null') throw new Error('null is not a value to compare with');
  if (a !== b) throw new Error(`${a} and ${b} cannot be compared`);
  if (a === 'list' || a === 'map') return canonical(left) === canonical(right);
  return a === 'number' ? Number(left) === Number(right) : left === right;
}

function contains(element: unknown, container: unknown): boolean {
  if (Array.isArray(container)) return container.some((entry) => same(element, entry));
  if (typeof container === 'string' && typeof element === 'string') return container.includes(element);
  if (typeof container === 'object' && container !== null && typeof element === 'string')
    return Object.hasOwn(container, element);
  throw new Error(`${typeName(element)} cannot be looked for in ${typeName(container)}`);
}

function canonical(value: unknown): string {
  return JSON.stringify(toJson(value), (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'bigint' || typeof value === 'number') return 'number';
  if (Array.isArray(value)) return 'list';
  return typeof value === 'object' ? 'map' : typeof value;
}

/** JSON integers become BigInt: to cel-js every JavaScript number is a double, and `n + 1` would find no overload. */
function toCel(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, toCel(part)]));
  }
  return value;
}

function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, part]) => [String(key), toJson(part)]));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, toJson(part)]));
  }
  return value;
}
