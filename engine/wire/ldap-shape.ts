/** Longest chain below `root` and the nodes that reach themselves. Iterative: a directory may nest thousands deep. */
export function shapeOf(
  root: string,
  edges: ReadonlyMap<string, readonly string[]>,
): { depth: number; cyclic: string[] } {
  const incoming = new Map<string, number>();
  for (const targets of edges.values())
    for (const target of new Set(targets)) incoming.set(target, (incoming.get(target) ?? 0) + 1);
  const depthOf = new Map<string, number>([[root, 0]]);
  const ready = [...edges.keys()].filter((key) => (incoming.get(key) ?? 0) === 0);
  const done = new Set<string>();
  for (let key = ready.pop(); key !== undefined; key = ready.pop()) {
    done.add(key);
    for (const target of new Set(edges.get(key) ?? [])) {
      depthOf.set(target, Math.max(depthOf.get(target) ?? 0, (depthOf.get(key) ?? 0) + 1));
      incoming.set(target, (incoming.get(target) ?? 0) - 1);
      if (incoming.get(target) === 0) ready.push(target);
    }
  }
  const rest = [...edges.keys()].filter((key) => !done.has(key));
  const cyclic = rest.filter((key) => reaches(key, edges));
  for (const [key, level] of levels(root, edges))
    if (!done.has(key)) depthOf.set(key, Math.max(depthOf.get(key) ?? 0, level));
  return { depth: Math.max(...depthOf.values()), cyclic };
}

function reaches(start: string, edges: ReadonlyMap<string, readonly string[]>): boolean {
  const seen = new Set<string>();
  const queue = [...(edges.get(start) ?? [])];
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    if (key === start) return true;
    if (seen.has(key)) continue;
    seen.add(key);
    queue.push(...(edges.get(key) ?? []));
  }
  return false;
}

function levels(root: string, edges: ReadonlyMap<string, readonly string[]>): Map<string, number> {
  const found = new Map<string, number>([[root, 0]]);
  const queue = [root];
  for (const key of queue) {
    for (const target of edges.get(key) ?? []) {
      if (found.has(target)) continue;
      found.set(target, (found.get(key) ?? 0) + 1);
      queue.push(target);
    }
  }
  return found;
}
