import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { ByteSource } from '../../core/bundle/host.ts';
import type { Container, ContainerEntry } from '../../core/bundle/zip-reader.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import type { JournalEvent } from '../../core/session/events.ts';
import type { ContainerWriter } from './container-writer.ts';
import { writeAtomically, writeFully } from './files.ts';
import { BASELINE_FILE, neededFiles } from './named-files.ts';

/** What a session folder holds beside the files that its journal names. */
const PLAIN = ['guide.yaml', 'guide.asice', 'site.yaml'] as const;
const JOURNAL = 'journal.jsonl';
const CHUNK = 1024 * 1024;

/**
 * Writes all of a session but its journal into a container: guide, site, and every file that the events name, each
 * checked against its digest. Errors: `journal.broken` where one is gone or was changed. Throws what the file system throws.
 */
export async function packFiles(
  writer: ContainerWriter,
  dir: string,
  events: readonly JournalEvent[],
): Promise<Result<undefined>> {
  for (const name of PLAIN) {
    try {
      await writer.add(name, { file: join(dir, name) });
    } catch (error) {
      if (name !== 'guide.asice' || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  for (const [name, sha256] of new Map(neededFiles(events).map((each) => [each.file, each.sha256]))) {
    const file = join(dir, name);
    let written: string;
    try {
      written = (await writer.add(name, { file })).sha256;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return fail('journal.broken', 'A file that the journal names is gone.', { place: file });
    }
    if (written !== sha256)
      return fail('journal.broken', 'A file is not the one that the journal names; it was changed.', { place: file });
  }
  return ok(undefined);
}

/** Adds the journal, which comes last: it may say itself that it was handed over. */
export async function packJournal(writer: ContainerWriter, dir: string): Promise<void> {
  await writer.add(JOURNAL, { file: join(dir, JOURNAL) });
}

/**
 * Writes the files of a package into a folder: those that a session has, no other, none twice. Whether they are the
 * right ones is for `checkSession` to say. Errors: `input.malformed`. Throws what the file system throws.
 */
export async function unpackFiles(container: Container, source: ByteSource, dir: string): Promise<Result<undefined>> {
  for (const entry of container.entries) {
    if (entry.compressed || !isSessionFile(entry.name))
      return fail('input.malformed', 'This is not a session: it holds a file that no session has.', {
        place: entry.name,
      });
  }
  if (container.get(JOURNAL) === undefined || container.get('guide.yaml') === undefined)
    return fail('input.malformed', 'This is not a session: its journal or its guide is missing.');
  for (const entry of container.entries)
    await writeAtomically(join(dir, entry.name), (target) => copyOut(source, entry, target));
  return ok(undefined);
}

/** Whether a folder holds all that its journal names. Answers with the file that is missing or another. */
export async function findFault(
  dir: string,
  events: readonly JournalEvent[],
  hash: (file: string) => Promise<string>,
): Promise<string | undefined> {
  const opened = events[0];
  if (opened?.type !== 'session.opened') return JOURNAL;
  const { guide, site } = opened.data;
  const wanted = [
    { file: 'guide.yaml', sha256: guide.sha256 },
    { file: 'site.yaml', sha256: site.sha256 },
    ...neededFiles(events),
  ];
  for (const [file, sha256] of new Map(wanted.map((each) => [each.file, each.sha256]))) {
    if (!isSessionFile(file)) return file;
    if ((await hash(join(dir, file)).catch(() => '')) !== sha256) return file;
  }
  return undefined;
}

function isSessionFile(name: string): boolean {
  return (
    name === JOURNAL ||
    name === BASELINE_FILE ||
    (PLAIN as readonly string[]).includes(name) ||
    /^(?:facts\/\d+\.json|attachments\/[0-9a-f]{64}\.[a-z0-9]{1,8})$/.test(name)
  );
}

async function copyOut(source: ByteSource, entry: ContainerEntry, target: FileHandle): Promise<void> {
  for (let done = 0; done < entry.size; done += CHUNK) {
    const part = await source.read(entry.dataOffset + done, Math.min(CHUNK, entry.size - done));
    await writeFully(target, part, done);
  }
}
