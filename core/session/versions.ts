/** Version of the journal that is written. A later one adds types and fields; what a field means never changes. */
export const JOURNAL_VERSION = 2;

/** A line as it was parsed, before anything about it is known but its outline. */
export type RawEvent = { readonly type: string; readonly data: unknown };

/** From a version to the next, by the version that is left. In memory only: bytes and digests stay as they are. */
const UPGRADES: Readonly<Record<number, (event: RawEvent) => RawEvent>> = {
  // Until then sessions could only be resumed, never taken over from another laptop.
  1: (event) => (event.type === 'operator.joined' ? withData(event, { how: 'resumed' }) : event),
};

/**
 * The version in which a line is written: line 0 names it in its format, a later line may carry a higher one, and the
 * others inherit. A line that names none and inherits none is taken for the present one, so that its fault is named.
 */
export function versionOf(line: unknown, inherited: number | undefined): number {
  const { v, type, data } = (isObject(line) ? line : {}) as { v?: unknown; type?: unknown; data?: unknown };
  if (typeof v === 'number' && Number.isInteger(v)) return v;
  const format = type === 'session.opened' && isObject(data) ? data.format : undefined;
  const named = typeof format === 'string' ? /^lockstep-journal\/(\d{1,6})$/.exec(format)?.[1] : undefined;
  return named === undefined ? (inherited ?? JOURNAL_VERSION) : Number(named);
}

/** An event of an earlier version as it would be written today. */
export function upgradeEvent<E extends RawEvent>(event: E, version: number): E {
  let upgraded: RawEvent = event;
  for (let at = version; at < JOURNAL_VERSION; at += 1) upgraded = UPGRADES[at]?.(upgraded) ?? upgraded;
  return upgraded as E;
}

function withData(event: RawEvent, added: Record<string, unknown>): RawEvent {
  return isObject(event.data) ? { ...event, data: { ...added, ...event.data } } : event;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
