import type { EventData, JournalEvent } from '../../core/session/events.ts';

/** A file below the session's folder, with the SHA-256 (hex) that the journal holds of it. */
export type NamedFile = { readonly file: string; readonly sha256: string };

/** What a session is compared with: kept beside the journal, and in no bundle. */
export const BASELINE_FILE = 'baseline.json';

/** Every file that events name: facts and attachments, in the order of the events. The same one may come twice. */
export function namedFiles(events: readonly JournalEvent[]): NamedFile[] {
  return events.flatMap((event) => {
    if (event.type !== 'facts.recorded' && event.type !== 'attached') return [];
    const { file, sha256 } = event.data as EventData<'facts.recorded'>;
    return [{ file, sha256 }];
  });
}

/** Every file that a session needs to go on: what events name, and what it is compared with. */
export function neededFiles(events: readonly JournalEvent[]): NamedFile[] {
  const compared = events.flatMap((event) =>
    event.type === 'baseline.chosen'
      ? [{ file: BASELINE_FILE, sha256: (event.data as EventData<'baseline.chosen'>).facts }]
      : [],
  );
  return [...namedFiles(events), ...compared];
}
