import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { type AppError, describeError, fail, ok, type Result } from '../core/result.ts';

/** Prints one line to standard output. */
export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Prints one line to standard error: progress, notices, errors. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Prints an error with its place, cause and who can fix it. */
export function complain(error: AppError): void {
  note(`error: ${describeError(error)}`);
}

const COLORS = { pass: 32, fail: 31, error: 33, 'not-reviewed': 36, 'not-applicable': 90 } as const;

/** A verdict as a word, coloured where standard output is a terminal that wants colour. */
export function paint(verdict: keyof typeof COLORS, text: string = verdict): string {
  const colour = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
  return colour ? `\u001b[${COLORS[verdict]}m${text}\u001b[0m` : text;
}

/** Prints rows as a table with columns as wide as they need; the last column wraps to the terminal. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd();
  print(line(head));
  print(
    widths
      .map((width, column) => '-'.repeat(column === widths.length - 1 ? (head[column]?.length ?? 0) : width))
      .join('  '),
  );
  for (const row of rows) print(line(row));
}

/** True where a person can be asked. */
export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks a yes-or-no question; no where nobody can answer, or nobody has by `until`. `otherwise` says what happens then. */
export async function askYesNo(
  question: string,
  { until, otherwise }: { until?: Date; otherwise?: string } = {},
): Promise<boolean> {
  if (!isInteractive()) return false;
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  const signal = until === undefined ? undefined : AbortSignal.timeout(Math.max(0, until.getTime() - Date.now()));
  try {
    const end =
      until === undefined || otherwise === undefined
        ? ''
        : ` Without a yes by ${until.toISOString().slice(11, 19)} UTC ${otherwise}.`;
    const answer = await reader.question(`${question}${end} [y/N] `, signal === undefined ? {} : { signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (signal?.aborted !== true) throw error;
    process.stderr.write('\n');
    return false;
  } finally {
    reader.close();
  }
}

/**
 * A secret by an option of the form `env:NAME` (read from that variable) or, without one, typed at a prompt that does not
 * echo. Secrets are never arguments: other users see those. Errors: `secret.missing`.
 */
export async function readSecret(source: string | undefined, what: string): Promise<Result<string>> {
  if (source !== undefined) {
    const name = /^env:([A-Za-z_][A-Za-z0-9_]*)$/.exec(source)?.[1];
    if (name === undefined)
      return fail('secret.missing', `Give the ${what} as env:NAME, the name of an environment variable that holds it.`);
    const value = process.env[name];
    return value === undefined || value === ''
      ? fail('secret.missing', `The environment variable ${name} is not set, so there is no ${what}.`)
      : ok(value);
  }
  if (!isInteractive()) return fail('secret.missing', `The ${what} is needed, and there is nobody to ask.`);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  process.stderr.write(`${what}: `);
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    const value = await reader.question('');
    return value === '' ? fail('secret.missing', `No ${what} was typed.`) : ok(value);
  } finally {
    reader.close();
    process.stderr.write('\n');
  }
}
