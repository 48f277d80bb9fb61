/** One measured figure. `peer` and `ratio` (ours divided by the peer's) are null where the goal is an absolute one. */
export type Figure = {
  readonly figure: string;
  readonly ours: number;
  readonly peer: number | null;
  readonly unit: 'ms' | 'MB' | '1/s' | 'count';
  readonly ratio: number | null;
  readonly goal: string;
  readonly holds: boolean;
};

/** What a bench hands back: its figures, and what was measured beside them. */
export type BenchOutcome = { readonly figures: readonly Figure[]; readonly notes: readonly string[] };

/** One named bench. `say` takes a line for the person who waits. */
export type Bench = (say: (line: string) => void) => Promise<BenchOutcome>;

const round = (value: number) => Math.round(value * 10) / 10;

/** A figure compared with a peer that was measured in the same run. */
export function compared(
  figure: string,
  ours: number,
  peer: number,
  goal: { readonly text: string; readonly holds: (ours: number, peer: number) => boolean },
  unit: Figure['unit'] = 'ms',
): Figure {
  const ratio = Math.round((ours / peer) * 10_000) / 10_000;
  return {
    figure,
    ours: round(ours),
    peer: round(peer),
    unit,
    ratio,
    goal: goal.text,
    holds: goal.holds(ours, peer),
  };
}

/** A figure with an upper bound of its own. */
export function bounded(figure: string, ours: number, unit: Figure['unit'], most: number): Figure {
  return {
    figure,
    ours: round(ours),
    peer: null,
    unit,
    ratio: null,
    goal: `<= ${most} ${unit}`,
    holds: ours <= most,
  };
}

/** Middle value; the mean of the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('there is no median of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? 0;
  return (upper + lower) / 2;
}

/**
 * Runs every task once per round, each round in the opposite order of the one before, so that what warms or wears the
 * machine hits all of them alike.
 * @returns the values of each task, by round
 */
export async function alternate<K extends string>(
  rounds: number,
  tasks: Readonly<Record<K, () => Promise<number>>>,
): Promise<Record<K, number[]>> {
  const names = Object.keys(tasks) as K[];
  const values = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
  for (let at = 0; at < rounds; at += 1) {
    for (const name of at % 2 === 0 ? names : names.toReversed()) values[name].push(await tasks[name]());
  }
  return values;
}

/** The figures as a table for people. */
export function table(figures: readonly Figure[]): string {
  const text = (value: number | null) => (value === null ? '-' : String(value));
  const rows = [
    ['figure', 'ours', 'peer', 'unit', 'ratio', 'goal', 'holds'],
    ...figures.map(({ figure, ours, peer, unit, ratio, goal, holds }) => [
      figure,
      text(ours),
      text(peer),
      unit,
      text(ratio),
      goal,
      holds ? 'yes' : 'NO',
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const right = [1, 2, 4];
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          right.includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
