import cel, { type ASTNode } from '@marcbachmann/cel-js';
import { fail, ok, type Result } from '../result.ts';

/** One access path in an expression: its root name and the steps below it; `*` stands for any list element or key. */
export type AccessPath = {
  readonly root: string;
  readonly steps: readonly string[];
  /** True where only the list's length or its elements are used, so that unknown parts of its elements do not matter here. */
  readonly container: boolean;
};

/** An expression that was read once: what it touches, and its source with run-time type and emptiness guards put in. */
export type Expression = {
  readonly source: string;
  readonly guarded: string;
  readonly paths: readonly AccessPath[];
  readonly ast: ASTNode;
};

const LIMITS = { maxAstNodes: 2000, maxDepth: 60, maxListElements: 500, maxMapEntries: 100, maxCallArguments: 16 };
const DOLLARS = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\$(?=[A-Za-z_(])/g;
const MACROS = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);
const parser = new cel.Environment({ unlistedVariablesAreDyn: true, limits: LIMITS });

/**
 * Reads a CEL expression. `$name` is written for an input or a target and means `name`; `$(…)` means `(…)`.
 * @returns the compiled expression, or `expression.invalid` with the parser's words and a caret.
 */
export function compileExpression(source: string): Result<Expression> {
  const plain = stripDollars(source);
  try {
    const ast = parser.parse(plain).ast;
    const paths: AccessPath[] = [];
    collectPaths(ast, new Map(), paths, false);
    return ok({ source, guarded: cel.serialize(guard(ast) as ASTNode), paths, ast });
  } catch (error) {
    return fail('expression.invalid', `The expression ${JSON.stringify(source)} is not valid.`, {
      cause: error instanceof Error ? error.message : String(error),
    });
  }
}

/**
 * Where and why an expression cannot be read, for a guide's author.
 * @returns the parser's words and the offset in `source`; undefined where the expression can be read.
 */
export function explainExpression(source: string): { readonly message: string; readonly offset: number } | undefined {
  try {
    parser.parse(stripDollars(source));
    return undefined;
  } catch (error) {
    const { summary, range } = error as { summary?: string; range?: { start: number } };
    const message = summary ?? (error instanceof Error ? error.message : String(error));
    return { message, offset: toSourceOffset(source, range?.start ?? 0) };
  }
}

/** Offset in `source` of what stands at `offset` once the dollars are removed, as in the parsed nodes. */
export function toSourceOffset(source: string, offset: number): number {
  let removed = 0;
  for (const match of source.matchAll(DOLLARS)) {
    if (match[0] !== '$') continue;
    if (match.index - removed > offset) break;
    removed += 1;
  }
  return offset + removed;
}

/** Removes `$` before names and brackets, outside string literals. */
function stripDollars(source: string): string {
  return source.replace(DOLLARS, (match) => (match === '$' ? '' : match));
}

type Node = { readonly op: string; readonly args: unknown };

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).op === 'string';
}

/**
 * CEL itself says `null != "clear"`, `1 == "a"` (false) and `[].all(…)` (true) where we must say error. So `==`, `!=`
 * and `in` become calls that compare types first, and the list of `all` must not be empty.
 */
function guard(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(guard);
  if (!isNode(value)) return value;
  const args = guard(value.args);
  if (value.op === '==') return { op: 'call', args: ['same_', args] };
  if (value.op === '!=') return { op: '!_', args: { op: 'call', args: ['same_', args] } };
  if (value.op === 'in') return { op: 'call', args: ['in_', args] };
  if (value.op === 'rcall') {
    const [name, receiver, rest] = args as [string, unknown, unknown];
    if (name === 'all') return { op: 'rcall', args: [name, { op: 'call', args: ['some_', [receiver]] }, rest] };
  }
  return { op: value.op, args };
}

type Scope = ReadonlyMap<string, { root: string; steps: readonly string[] } | null>;

/** The path of a chain of `.` and `[]`, with variables of comprehensions resolved; undefined where it is not a plain chain. */
function chainOf(node: unknown, scope: Scope): { root: string; steps: readonly string[] } | null | undefined {
  if (!isNode(node)) return undefined;
  if (node.op === 'id') {
    const name = node.args as string;
    return scope.has(name) ? scope.get(name) : { root: name, steps: [] };
  }
  if (node.op === '.' || node.op === '.?') {
    const [receiver, name] = node.args as [unknown, string];
    const chain = chainOf(receiver, scope);
    return chain ? { root: chain.root, steps: [...chain.steps, name] } : chain;
  }
  if (node.op === '[]' || node.op === '[?]') {
    const [receiver, index] = node.args as [unknown, Node];
    const chain = chainOf(receiver, scope);
    const literal = isNode(index) && index.op === 'value' ? index.args : undefined;
    const step = typeof literal === 'string' ? literal : typeof literal === 'bigint' ? String(literal) : '*';
    return chain ? { root: chain.root, steps: [...chain.steps, step] } : chain;
  }
  return undefined;
}

function collectPaths(node: unknown, scope: Scope, paths: AccessPath[], container: boolean): void {
  if (Array.isArray(node)) {
    for (const part of node) collectPaths(part, scope, paths, false);
    return;
  }
  if (!isNode(node)) return;
  const chain = chainOf(node, scope);
  if (chain !== undefined) {
    if (chain !== null) paths.push({ ...chain, container });
    collectIndexes(node, scope, paths);
    return;
  }
  if (node.op === 'call') {
    const [name, args] = node.args as [string, unknown[]];
    for (const argument of args) collectPaths(argument, scope, paths, name === 'size');
    return;
  }
  if (node.op === 'rcall') {
    const [name, receiver, args] = node.args as [string, unknown, unknown[]];
    collectPaths(receiver, scope, paths, name === 'size' || MACROS.has(name));
    const variable = args[0];
    if (MACROS.has(name) && isNode(variable) && variable.op === 'id') {
      const list = chainOf(receiver, scope);
      const element = list ? { root: list.root, steps: [...list.steps, '*'] } : null;
      const inner = new Map(scope).set(variable.args as string, element);
      for (const body of args.slice(1)) collectPaths(body, inner, paths, false);
      return;
    }
    for (const argument of args) collectPaths(argument, scope, paths, false);
    return;
  }
  if (node.op === 'in') {
    const [element, list] = node.args as [unknown, unknown];
    collectPaths(element, scope, paths, false);
    collectPaths(list, scope, paths, false);
    return;
  }
  collectPaths(node.args, scope, paths, false);
}

/** Expressions inside `[…]` of a chain touch facts too. */
function collectIndexes(node: Node, scope: Scope, paths: AccessPath[]): void {
  if (node.op === 'id') return;
  const [receiver, second] = node.args as [Node, unknown];
  if ((node.op === '[]' || node.op === '[?]') && isNode(second) && second.op !== 'value')
    collectPaths(second, scope, paths, false);
  collectIndexes(receiver, scope, paths);
}
