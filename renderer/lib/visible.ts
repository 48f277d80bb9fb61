import type { Snapshot } from '../../core/ipc.ts';

/** What of one probe, or of changes, the hospital's monitoring will see. */
export type VisibleGroup = { readonly title: string; readonly sentences: readonly string[] };

const PLACE = /[\w.-]*[\w-]+:\d{1,5}\b/g;

/** What the probes of a plan will be seen to do, each sentence once under the title of its probe. */
export function visibleProbes({ items }: Snapshot): readonly VisibleGroup[] {
  const groups = new Map<string, string[]>();
  for (const item of items)
    for (const check of item.applies ? item.checks : [])
      groups.set(check.title, [...(groups.get(check.title) ?? []), ...check.visible]);
  return [...groups].flatMap(([title, sentences]) =>
    sentences.length === 0 ? [] : [{ title, sentences: joinPlaces(sentences) }],
  );
}

/** What changes would be seen to do, if they were made. */
export function visibleChanges({ items }: Snapshot): readonly string[] {
  return joinPlaces(items.flatMap((item) => (item.applies ? (item.control.change?.visible ?? []) : [])));
}

/** Says once, for all its places (`host:port`), what is done at each of them in the same way. */
export function joinPlaces(sentences: readonly string[]): readonly string[] {
  const alike = new Map<string, Set<string>>();
  for (const sentence of sentences) {
    const places = sentence.match(PLACE) ?? [];
    const key = places.length === 1 ? sentence.replace(PLACE, '\0') : sentence;
    alike.set(key, (alike.get(key) ?? new Set()).add(places[0] ?? ''));
  }
  return [...alike].map(([key, places]) => {
    const [first = '', ...rest] = places;
    return key.replace('\0', rest.length === 0 ? first : `each of ${listed([...places])}`);
  });
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
