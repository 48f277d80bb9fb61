/**
 * How two journals of one session stand to each other: the same, one going on where the other ends, or a fork, with the
 * number of the first line in which they differ.
 */
export type Relation =
  | { readonly kind: 'same' | 'first-goes-on' | 'second-goes-on' }
  | { readonly kind: 'fork'; readonly line: number };

/**
 * Compares two journals by the digests of their lines. Each line holds the digest of the one before, so equal digests
 * mean that all before it is equal too.
 */
export function relate(first: readonly string[], second: readonly string[]): Relation {
  const shared = Math.min(first.length, second.length);
  const line = first.findIndex((digest, at) => at < shared && digest !== second[at]);
  if (line >= 0) return { kind: 'fork', line };
  if (first.length === second.length) return { kind: 'same' };
  return { kind: first.length > second.length ? 'first-goes-on' : 'second-goes-on' };
}
