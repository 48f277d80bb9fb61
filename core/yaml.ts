import { type Document, isCollection, LineCounter, parseDocument, visit } from 'yaml';
import type { z } from 'zod';

/** One fault in a text, with where it is (1-based) and what is wrong. */
export type Fault = { readonly line: number; readonly column: number; readonly path: string; readonly message: string };

/**
 * Where a key stands (1-based). With `within`, an offset in the value there: where that character stands, as far as the
 * value's own text can be followed; else where the value begins.
 */
export type Locate = (path: readonly PropertyKey[], within?: number) => { line: number; column: number };

/** Larger texts are refused before they are parsed. */
export const MAX_YAML_CHARACTERS = 2_000_000;

/** Lists and maps within each other; no guide and no site comes near. */
export const MAX_YAML_DEPTH = 60;
const TOO_DEEP = `nested more than ${MAX_YAML_DEPTH} deep`;

/**
 * Parses YAML 1.2 and checks it against a zod schema. Aliases and anchors are refused (a guide is read by people, and
 * they make recursive or exploding documents possible), as are duplicate keys and more than one document.
 * @returns the value, or every fault with line and column.
 */
export function parseYaml<S extends z.ZodType>(
  text: string,
  schema: S,
): { ok: true; value: z.output<S>; locate: Locate } | { ok: false; faults: Fault[] } {
  if (text.length > MAX_YAML_CHARACTERS) {
    return {
      ok: false,
      faults: [{ line: 1, column: 1, path: '', message: `longer than ${MAX_YAML_CHARACTERS} characters` }],
    };
  }
  const control = findControlCharacter(text);
  if (control !== undefined) return { ok: false, faults: [control] };
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const abyss = findAbyss(text);
  if (abyss !== undefined) return { ok: false, faults: [abyss] };
  const document = parseSafely(text, lines);
  if (document === undefined) return { ok: false, faults: [{ line: 1, column: 1, path: '', message: TOO_DEEP }] };
  // The parser reports its own stack's end as a fault of the text, where it stood.
  const deep = document.errors.find((error) => /call stack|stack overflow/i.test(error.message));
  if (deep !== undefined) return { ok: false, faults: [{ ...at(deep.pos[0]), path: '', message: TOO_DEEP }] };
  if (document.errors.length > 0) {
    return {
      ok: false,
      faults: document.errors.map((error) => ({
        ...at(error.pos[0]),
        path: '',
        message: (error.message.split(' at line ')[0] ?? '').trim(),
      })),
    };
  }
  const faults: Fault[] = [];
  visit(document, {
    Alias(_, node) {
      faults.push({ ...at(node.range?.[0] ?? 0), path: '', message: 'aliases (*) are not allowed' });
    },
    Node(_, node, path) {
      if (isCollection(node) && path.filter(isCollection).length >= MAX_YAML_DEPTH) {
        faults.push({ ...at(node.range?.[0] ?? 0), path: '', message: TOO_DEEP });
        return visit.BREAK;
      }
      if ('anchor' in node && node.anchor)
        faults.push({ ...at(node.range?.[0] ?? 0), path: '', message: 'anchors (&) are not allowed' });
      return undefined;
    },
  });
  if (faults.length > 0) return { ok: false, faults };
  const locate: Locate = (path, within) =>
    at(within === undefined ? offsetOf(document, path) : offsetWithin(document, path, within, text));
  const parsed = schema.safeParse(document.toJS({ maxAliasCount: 0 }));
  if (parsed.success) return { ok: true, value: parsed.data, locate };
  for (const issue of parsed.error.issues) {
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : [undefined];
    for (const key of keys) {
      const path = key === undefined ? issue.path : [...issue.path, key];
      const message = key === undefined ? issue.message : `unknown key "${key}"`;
      faults.push({ ...at(offsetOf(document, path)), path: path.map(String).join('.'), message });
    }
  }
  faults.sort((a, b) => a.line - b.line || a.column - b.column);
  return { ok: false, faults };
}

/** Brackets that no text opens and never closes, strings and comments included; the parser would take seconds to give up. */
const MAX_OPEN_BRACKETS = 1000;

function findAbyss(text: string): Fault | undefined {
  let open = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (character === '[' || character === '{') open += 1;
    else if (character === ']' || character === '}') open -= 1;
    if (open > MAX_OPEN_BRACKETS) {
      const before = text.slice(0, index).split('\n');
      return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, path: '', message: TOO_DEEP };
    }
  }
  return undefined;
}

function parseSafely(text: string, lineCounter: LineCounter): Document | undefined {
  try {
    return parseDocument(text, { lineCounter, uniqueKeys: true, strict: true, merge: false });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Offset of the key at `path`, or of the deepest part of it that exists. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const part = path.slice(0, length);
    const parent = length === 0 ? document.contents : document.getIn(part.slice(0, -1), true);
    const pairs = (parent as { items?: unknown[] } | null | undefined)?.items;
    const last = part.at(-1);
    for (const pair of pairs ?? []) {
      const key = (pair as { key?: { value?: unknown; range?: number[] } }).key;
      if (length > 0 && key?.value === last && key?.range) return key.range[0] ?? 0;
    }
    const node = document.getIn(part, true) as { range?: number[] } | undefined;
    if (node?.range) return node.range[0] ?? 0;
  }
  return 0;
}

/** Follows a scalar's value through its text: quotes, escapes, and lines that are folded into one blank. */
function offsetWithin(document: Document, path: readonly PropertyKey[], within: number, text: string): number {
  const node = document.getIn(path, true) as { value?: unknown; type?: string; range?: number[] } | undefined;
  const start = node?.range?.[0];
  if (start === undefined) return offsetOf(document, path);
  if (typeof node?.value !== 'string') return start;
  const block = node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED';
  const quoted = node.type === 'QUOTE_SINGLE' || node.type === 'QUOTE_DOUBLE';
  let offset = block ? skipBlank(text, text.indexOf('\n', start)) : quoted ? start + 1 : start;
  for (const wanted of node.value.slice(0, within)) {
    if (text[offset] === '\n') offset = skipBlank(text, offset);
    else if (wanted === text[offset]) offset += node.type === 'QUOTE_SINGLE' && wanted === "'" ? 2 : 1;
    else if (node.type === 'QUOTE_DOUBLE' && text[offset] === '\\' && text[offset + 1] === wanted) offset += 2;
    else return start;
  }
  if (text[offset] === '\n') offset = skipBlank(text, offset);
  return offset;
}

function skipBlank(text: string, from: number): number {
  let offset = from;
  while (text[offset] === ' ' || text[offset] === '\n' || text[offset] === '\r') offset += 1;
  return offset;
}

function findControlCharacter(text: string): Fault | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const match = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd\ufeff]/.exec(
    text.startsWith('\ufeff') ? ` ${text.slice(1)}` : text,
  );
  if (match === null) return undefined;
  const before = text.slice(0, match.index).split('\n');
  const code = (match[0] ?? '').charCodeAt(0).toString(16).padStart(4, '0').toUpperCase();
  const message = code === 'FFFD' ? 'not valid UTF-8' : `the character U+${code} is not allowed`;
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, path: '', message };
}
