/** Whether an attribute holds the planned values, in whatever order; one that is not there never does. */
export function sameValues(a: readonly string[], b: readonly string[] | undefined): boolean {
  return b !== undefined && a.length === b.length && [...a].sort().join('\0') === [...b].sort().join('\0');
}

/** In words, where what a directory holds is not what was planned. */
export function attributeDifferences(
  planned: Readonly<Record<string, readonly string[]>>,
  held: Readonly<Record<string, readonly string[]>>,
): string[] {
  return Object.entries(planned)
    .filter(([name, values]) => !sameValues(values, held[name]))
    .map(([name, values]) => `${name} is ${held[name]?.join(', ') ?? 'not set'} instead of ${values.join(', ')}.`);
}
