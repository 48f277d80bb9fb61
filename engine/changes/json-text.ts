import { pointerSteps } from '../../core/json-pointer.ts';
import { fail, ok, type Result } from '../../core/result.ts';

/** A value of a JSON text with the place where it stands, so that one value can be replaced and the rest stays as it is. */
export type JsonNode = { readonly start: number; readonly end: number } & (
  | { readonly kind: 'object'; readonly members: readonly JsonMember[] }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'scalar'; readonly value: string | number | boolean | null }
);
export type JsonMember = { readonly key: string; readonly start: number; readonly node: JsonNode };

const MAX_DEPTH = 64;

class Malformed extends Error {}

/**
 * Reads JSON (RFC 8259) in which comments may stand, as many configuration files have them. Errors: `input.malformed` with line
 * and column.
 */
export function readJson(text: string): Result<JsonNode> {
  let at = 0;
  const stop = (what: string): never => {
    throw new Malformed(what);
  };
  const blank = (): void => {
    for (;;) {
      const found = /^(?:[ \t\r\n]+|\/\/[^\n]*|\/\*[\s\S]*?\*\/)/.exec(text.slice(at, at + 65_536));
      if (found === null) return;
      at += found[0].length;
    }
  };
  const literal = (pattern: RegExp, what: string): string => {
    const sticky = new RegExp(pattern, `${pattern.flags}y`);
    sticky.lastIndex = at;
    const found = sticky.exec(text)?.[0] ?? stop(what);
    at += found.length;
    return found;
  };
  const string = (): string =>
    JSON.parse(literal(/"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/u, 'a string')) as string;
  const value = (depth: number): JsonNode => {
    if (depth > MAX_DEPTH) stop('fewer brackets in each other');
    blank();
    const start = at;
    const first = text[at];
    if (first === '{' || first === '[') {
      const close = first === '{' ? '}' : ']';
      const [members, items]: [JsonMember[], JsonNode[]] = [[], []];
      at += 1;
      blank();
      while (text[at] !== close) {
        const before = at;
        if (first === '[') items.push(value(depth + 1));
        else {
          const key = string();
          blank();
          literal(/:/, 'a colon');
          if (members.some((member) => member.key === key)) stop(`the key ${JSON.stringify(key)} only once`);
          members.push({ key, start: before, node: value(depth + 1) });
        }
        blank();
        if (text[at] === close) break;
        literal(/,/, 'a comma');
        blank();
        if (text[at] === close) stop('no comma before the end');
      }
      at += 1;
      return first === '{' ? { kind: 'object', members, start, end: at } : { kind: 'array', items, start, end: at };
    }
    const source =
      first === '"' ? undefined : literal(/true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/, 'a value');
    const scalar = source === undefined ? string() : (JSON.parse(source) as number | boolean | null);
    return { kind: 'scalar', value: scalar, start, end: at };
  };
  try {
    const root = value(0);
    blank();
    if (at < text.length) stop('nothing more');
    return ok(root);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    const lines = text.slice(0, at).split('\n');
    const place = `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
    return fail('input.malformed', `This is not JSON: ${error.message} was expected.`, { place });
  }
}

/** What a node stands for. */
export function valueOf(node: JsonNode): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'array') return node.items.map(valueOf);
  return Object.fromEntries(node.members.map(({ key, node: member }) => [key, valueOf(member)]));
}

/**
 * Sets one member and leaves every other byte alone. What is missing on the way is added as objects. Errors: `input.malformed`,
 * `change.refused` (the way leads through something that is no object).
 * @param pointer RFC 6901
 */
export function setInJson(text: string, pointer: string, value: unknown): Result<string> {
  const root = readJson(text);
  if (!root.ok) return root;
  const steps = pointerSteps(pointer);
  let node = root.value;
  for (const [index, step] of steps.entries()) {
    if (node.kind !== 'object')
      return fail('change.refused', `What stands above ${pointer} is no object.`, { place: pointer });
    const member = node.members.find(({ key }) => key === step);
    if (member === undefined) {
      const nested = steps.slice(index + 1).reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
      return ok(insert(text, node, step, nested));
    }
    node = member.node;
  }
  if (JSON.stringify(valueOf(node)) === JSON.stringify(value)) return ok(text);
  return ok(text.slice(0, node.start) + print(value, indentAt(text, node.start)) + text.slice(node.end));
}

/** A new member stands first, so that no comma of another line changes, and before a comment. */
function insert(text: string, node: JsonNode & { kind: 'object' }, key: string, value: unknown): string {
  const first = node.members[0];
  const outer = indentAt(text, node.start);
  const rest = text.slice(node.start + 1);
  const gap = rest.slice(0, (first?.start ?? node.end - 1) - node.start - 1);
  const inner =
    first !== undefined && gap.includes('\n')
      ? indentAt(text, first.start)
      : (/\n([ \t]*)\S/.exec(gap)?.[1] ?? `${outer}  `);
  const member = `\n${inner}${JSON.stringify(key)}: ${print(value, inner)}${first === undefined ? '' : ','}`;
  const after =
    first === undefined && gap.trim() === ''
      ? `\n${outer}${rest.trimStart()}`
      : /^[ \t]*\r?\n/.test(rest)
        ? rest
        : `\n${inner}${rest.trimStart()}`;
  return text.slice(0, node.start + 1) + member + after;
}

function indentAt(text: string, at: number): string {
  const line = text.slice(text.lastIndexOf('\n', at - 1) + 1, at);
  return /^[ \t]*/.exec(line)?.[0] ?? '';
}

function print(value: unknown, indent: string): string {
  return JSON.stringify(value, null, 2).replaceAll('\n', `\n${indent}`);
}
