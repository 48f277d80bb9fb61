import type { FileEdit } from '../../core/changes/ssh-file.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { setInJson } from './json-text.ts';

export type Values = Readonly<Record<string, string | number | boolean>>;

/**
 * Does edits to a file, one after the other. Doing them again changes nothing, so whether they are in effect can be seen.
 * @param text the file now; undefined where there is none
 * @param values by name; secrets as `secret.<name>`
 * Errors: `change.refused` (what an edit looks for is not there, or twice), `input.malformed`, `guide.invalid` (an unknown name).
 */
export function applyEdits(text: string | undefined, edits: readonly FileEdit[], values: Values): Result<string> {
  let now = text;
  for (const template of edits) {
    const edit = filled(template, values);
    if (!edit.ok) return edit;
    const next: Result<string> =
      'whole' in edit.value
        ? ok(edit.value.whole)
        : now === undefined
          ? fail('change.refused', 'There is no such file on the device.')
          : 'json' in edit.value
            ? setInJson(now, edit.value.json, edit.value.value)
            : 'key' in edit.value
              ? setKey(now, edit.value)
              : replaceLine(now, edit.value);
    if (!next.ok) return next;
    now = next.value;
  }
  return ok(now ?? '');
}

/** Puts values in the place of `{{ name }}`, in strings at any depth. */
function filled<T>(template: T, values: Values): Result<T> {
  let unknown: string | undefined;
  const fill = (part: unknown): unknown => {
    if (typeof part === 'string')
      return part.replace(/\{\{\s*([A-Za-z][\w.]*)\s*\}\}/g, (mark, name: string) => {
        if (!Object.hasOwn(values, name)) unknown = name;
        return String(values[name] ?? mark);
      });
    if (Array.isArray(part)) return part.map(fill);
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([key, value]) => [fill(key), fill(value)]));
  };
  const edit = fill(template) as T;
  return unknown === undefined
    ? ok(edit)
    : fail('guide.invalid', `The edits name {{ ${unknown} }}, which is not given.`);
}

type KeyEdit = Extract<FileEdit, { key: string }>;

function setKey(text: string, { key, value, separator, section }: KeyEdit): Result<string> {
  if (/[\r\n\0]/.test(value)) return fail('change.refused', `The value of ${key} has more than one line.`);
  const lines = text.split('\n');
  const { from, to } = rangeOf(lines, section, separator);
  if (section !== undefined && from > lines.length)
    return ok(`${text}${text === '' || text.endsWith('\n') ? '' : '\n'}\n[${section}]\n${key}${separator}${value}\n`);
  const same = separator === ' ' ? /[ \t]/ : separator === ': ' ? /:/ : /=/;
  const found = lines.flatMap((line, index) => {
    if (index < from || index >= to) return [];
    const name = line.trimStart().split(same)[0]?.trimEnd();
    return name?.toLowerCase() === key.toLowerCase() ? [index] : [];
  });
  if (found.length > 1)
    return fail('change.refused', `${key} stands there ${found.length} times, so it is open which one counts.`);
  const [index] = found;
  const ending = lines.some((line) => line.endsWith('\r')) ? '\r' : '';
  if (index === undefined) lines.splice(from, 0, `${key}${separator}${value}${ending}`);
  else {
    const line = lines[index] ?? '';
    const present = line
      .trim()
      .slice(key.length)
      .replace(separator === ' ' ? /^[ \t]+/ : /^\s*[=:]\s*/, '');
    if (present !== value) lines[index] = `${/^\s*/.exec(line)?.[0] ?? ''}${key}${separator}${value}${ending}`;
  }
  return ok(lines.join('\n'));
}

/** The lines in which a key belongs: its section, or what stands before the first block that narrows what follows. */
function rangeOf(
  lines: readonly string[],
  section: string | undefined,
  separator: KeyEdit['separator'],
): { from: number; to: number } {
  const header = /^\s*\[([^\]]*)\]\s*$/;
  const next = (from: number, pattern: RegExp): number => {
    const index = lines.findIndex((line, at) => at >= from && pattern.test(line));
    return index < 0 ? lines.length : index;
  };
  // In sshd_config everything below `Match` counts for some log-ins only.
  if (section === undefined) return { from: 0, to: separator === ' ' ? next(0, /^\s*Match\s/i) : next(0, header) };
  const head = lines.findIndex((line) => header.exec(line)?.[1]?.trim() === section);
  return head < 0 ? { from: lines.length + 1, to: lines.length } : { from: head + 1, to: next(head + 1, header) };
}

function replaceLine(text: string, { line, with: replacement }: Extract<FileEdit, { line: string }>): Result<string> {
  const lines = text.split('\n');
  const wanted = replacement === '' ? [] : replacement.replace(/\n$/, '').split('\n');
  const bare = (one: string): string => one.trim();
  const at = lines.flatMap((one, index) => (bare(one) === bare(line) ? [index] : []));
  const [index] = at;
  if (at.length > 1) return fail('change.refused', `The line "${line.trim()}" stands there ${at.length} times.`);
  if (index === undefined) {
    const there = lines.some(
      (_one, start) =>
        wanted.length > 0 && wanted.every((one, offset) => bare(lines[start + offset] ?? '') === bare(one)),
    );
    if (there || wanted.length === 0) return ok(text);
    return fail('change.refused', `The line "${line.trim()}" is not in the file.`);
  }
  if (wanted.some((one) => bare(one) === bare(line))) {
    const start = index - wanted.findIndex((one) => bare(one) === bare(line));
    if (wanted.every((one, offset) => bare(lines[start + offset] ?? '') === bare(one))) return ok(text);
  }
  const indent = /^\s*/.exec(lines[index] ?? '')?.[0] ?? '';
  const ending = lines[index]?.endsWith('\r') === true ? '\r' : '';
  lines.splice(index, 1, ...wanted.map((one) => `${indent}${one}${ending}`));
  return ok(lines.join('\n'));
}
