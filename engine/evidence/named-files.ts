import type { EventData, JournalEvent } from '../../core/session/events.ts';

/** A file below the session's folder, with the SHA-256 (hex) that the journal holds of it. */
export type NamedFile = { readonly file: string; readonly sha256: string };

/** Every file that events name: facts and attachments, in the order of the events. The same one may come twice. */
export function namedFiles(events: readonly JournalEvent[]): NamedFile[] {
  return events.flatMap((event) => {
    if (event.type !== 'facts.recorded' && event.type !== 'attached') return [];
    const { file, sha256 } = event.data as EventData<'facts.recorded'>;
    return [{ file, sha256 }];
  });
}
