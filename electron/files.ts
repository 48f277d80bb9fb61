import { basename } from 'node:path';
import type { FileRef, Input } from '../core/ipc.ts';
import { fail, ok, type Result } from '../core/result.ts';
import { createHandles } from './handles.ts';

export type FileKind = Input<'file.choose'>['kind'] | 'evidence';

const LIFE_MS = 12 * 60 * 60_000;
const MOST = 2_000;

/** Files that the page may name: those that the person chose, that ship with the app, or that it produced. */
export type Files = {
  /** The reference to `path`; the same one while it is alive. */
  readonly refer: (kind: FileKind, path: string, name?: string) => FileRef;
  /** The path behind a handle. Errors: `input.not-found` when its time is over or it stands for another kind of file. */
  readonly resolve: (kind: FileKind, handle: string) => Result<string>;
  readonly clear: () => void;
};

type Entry = { readonly kind: FileKind; readonly path: string };

const gone = { code: 'input.not-found', message: 'This file is no longer at hand. Choose it again.' } as const;

/** Makes an empty table of files. */
export function createFiles(now: () => number = Date.now): Files {
  const byKey = new Map<string, string>();
  const key = ({ kind, path }: Entry) => `${kind}:${path}`;
  const table = createHandles<Entry>({
    lifeMs: LIFE_MS,
    sliding: true,
    most: MOST,
    gone,
    dispose: (entry) => byKey.delete(key(entry)),
    now,
  });
  return {
    refer: (kind, path, name = basename(path)) => {
      const entry = { kind, path };
      const present = byKey.get(key(entry));
      if (present !== undefined && table.get(present).ok) return { handle: present, name };
      const { handle } = table.put(entry);
      byKey.set(key(entry), handle);
      return { handle, name };
    },
    resolve: (kind, handle) => {
      const entry = table.get(handle);
      if (!entry.ok) return entry;
      return entry.value.kind === kind
        ? ok(entry.value.path)
        : fail(gone.code, gone.message, { cause: `it is a ${entry.value.kind}, not a ${kind}` });
    },
    clear: table.clear,
  };
}
