const CONTEXT = 2;
const MAX_CELLS = 4_000_000;

/**
 * The difference of two texts as `diff -u` writes it, with two lines around each change. Texts without a common line near by
 * are shown as one block that goes and one that comes.
 * @returns '' where they are the same
 */
export function unifiedDiff(before: string, after: string, path: string): string {
  if (before === after) return '';
  const [old, now] = [linesOf(before), linesOf(after)];
  const script = compare(old, now);
  const out: string[] = [`--- ${path}`, `+++ ${path}`];
  let at = 0;
  while (at < script.length) {
    const first = script.findIndex((step, index) => index >= at && step.sign !== ' ');
    if (first < 0) break;
    let last = first;
    for (let index = first; index < script.length && index - last <= 2 * CONTEXT; index += 1)
      if (script[index]?.sign !== ' ') last = index;
    const [from, to] = [Math.max(at, first - CONTEXT), Math.min(script.length, last + CONTEXT + 1)];
    const block = script.slice(from, to);
    const count = (sign: string): number => block.filter((step) => step.sign === ' ' || step.sign === sign).length;
    const place = (sign: string): number =>
      script.slice(0, from).filter((step) => step.sign === ' ' || step.sign === sign).length +
      (count(sign) === 0 ? 0 : 1);
    out.push(`@@ -${place('-')},${count('-')} +${place('+')},${count('+')} @@`);
    out.push(...block.map((step) => `${step.sign}${step.line}`));
    at = to;
  }
  return `${out.join('\n')}\n`;
}

type Step = { readonly sign: ' ' | '-' | '+'; readonly line: string };

/** A last line without its end is another line than the same with one. */
function linesOf(text: string): string[] {
  if (text === '') return [];
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  else lines[lines.length - 1] += ' \\ no newline at the end';
  return lines;
}

function compare(old: readonly string[], now: readonly string[]): Step[] {
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(old.length, now.length) - head && old[old.length - 1 - tail] === now[now.length - 1 - tail])
    tail += 1;
  const same = (lines: readonly string[]): Step[] => lines.map((line) => ({ sign: ' ', line }));
  const middle = longest(old.slice(head, old.length - tail), now.slice(head, now.length - tail));
  return [...same(old.slice(0, head)), ...middle, ...same(old.slice(old.length - tail))];
}

/** Longest common subsequence, by the table of the textbook. */
function longest(old: readonly string[], now: readonly string[]): Step[] {
  const steps: Step[] = [];
  const width = now.length + 1;
  const table = old.length * now.length > MAX_CELLS ? undefined : new Uint32Array((old.length + 1) * width);
  if (table !== undefined)
    for (let i = old.length - 1; i >= 0; i -= 1)
      for (let j = now.length - 1; j >= 0; j -= 1)
        table[i * width + j] =
          old[i] === now[j]
            ? (table[(i + 1) * width + j + 1] ?? 0) + 1
            : Math.max(table[(i + 1) * width + j] ?? 0, table[i * width + j + 1] ?? 0);
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    const [left, right] = [old[i], now[j]];
    if (table !== undefined && left !== undefined && left === right) {
      steps.push({ sign: ' ', line: left });
      i += 1;
      j += 1;
    } else if (
      left !== undefined &&
      (right === undefined || (table?.[(i + 1) * width + j] ?? 1) >= (table?.[i * width + j + 1] ?? 0))
    ) {
      steps.push({ sign: '-', line: left });
      i += 1;
    } else {
      steps.push({ sign: '+', line: right ?? '' });
      j += 1;
    }
  }
  return steps;
}
