import type { z } from 'zod';
import { checkExpression } from './check-expression.ts';
import { describe } from './expression-kinds.ts';
import { suggest } from './nearest.ts';
import { ANY, itemOf, kindsOf, propertyOf, type Shape, shapeOf } from './shapes.ts';

/** A fault at a path below `with`, at an offset of the value there where it is an expression. */
export type ParameterFault = {
  readonly path: readonly PropertyKey[];
  readonly within?: number;
  readonly message: string;
};

/**
 * Checks what a guide passes to a probe or a change: literals against the schema, expressions by what they would yield.
 * @returns the faults, and the root names that the expressions touch.
 */
export function checkParameters(
  given: Readonly<Record<string, unknown>>,
  params: z.ZodType,
  names: ReadonlyMap<string, Shape>,
): { readonly faults: readonly ParameterFault[]; readonly roots: ReadonlySet<string> } {
  const faults: ParameterFault[] = [];
  const roots = new Set<string>();
  const expressions: PropertyKey[][] = [];
  walk(given, [], shapeOf(params, 'input'), (path, source, wanted) => {
    expressions.push([...path]);
    const checked = checkExpression(source, names);
    for (const root of checked.roots) roots.add(root);
    faults.push(...checked.faults.map((fault) => ({ path, within: fault.offset, message: fault.message })));
    const [has, may] = [kindsOf(checked.shape), kindsOf(wanted)];
    if (checked.faults.length > 0 || has === undefined || may === undefined || [...has].some((kind) => may.has(kind)))
      return;
    faults.push({ path, within: 0, message: `this is ${describe(checked.shape)}; here belongs ${describe(wanted)}` });
  });
  const parsed = params.safeParse(given);
  for (const issue of parsed.success ? [] : parsed.error.issues) {
    if (issue.code === 'unrecognized_keys') {
      const known = propertiesAt(shapeOf(params, 'input'), issue.path);
      for (const key of issue.keys)
        faults.push({ path: [...issue.path, key], message: `unknown parameter "${key}"${suggest(key, known)}` });
      continue;
    }
    // What an expression yields is not known yet: neither it nor a value around it can be judged as a literal.
    if (expressions.some((path) => startsWith(path, issue.path) || startsWith(issue.path, path))) continue;
    const missing = issue.code === 'invalid_type' && valueAt(given, issue.path) === undefined;
    faults.push({
      path: issue.path,
      message: missing ? `the parameter "${issue.path.map(String).join('.')}" is missing` : issue.message,
    });
  }
  return { faults, roots };
}

function walk(
  value: unknown,
  path: readonly PropertyKey[],
  shape: Shape,
  visit: (path: readonly PropertyKey[], source: string, wanted: Shape) => void,
): void {
  if (typeof value === 'string' && value.startsWith('$')) return visit(path, value, shape);
  if (Array.isArray(value)) return value.forEach((entry, index) => walk(entry, [...path, index], itemOf(shape), visit));
  if (typeof value !== 'object' || value === null) return;
  for (const [key, entry] of Object.entries(value)) {
    const found = propertyOf(shape, key);
    walk(entry, [...path, key], 'shape' in found ? found.shape : ANY, visit);
  }
}

function propertiesAt(shape: Shape, path: readonly PropertyKey[]): readonly string[] {
  let current = shape;
  for (const step of path) {
    const found = propertyOf(current, String(step));
    current = 'shape' in found ? found.shape : ANY;
  }
  return Object.keys(current.properties ?? {});
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (current, step) =>
      typeof current === 'object' && current !== null ? (current as Record<PropertyKey, unknown>)[step] : undefined,
    value,
  );
}

function startsWith(path: readonly PropertyKey[], prefix: readonly PropertyKey[]): boolean {
  return prefix.every((step, index) => path[index] === step);
}
