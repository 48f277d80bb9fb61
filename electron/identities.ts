import { open } from 'node:fs/promises';
import type { IdentityView } from '../core/ipc.ts';
import { ok, type Result } from '../core/result.ts';
import type { Files } from './files.ts';
import type { JsonStore } from './json-store.ts';
import type { LabInfo } from './practice.ts';
import type { Secrets } from './secrets.ts';
import { remember, type Settings } from './settings.ts';

const HEAD_BYTES = 65_536;
const PRACTICE_ROLES = ['engineer', 'hospital'] as const;

/** The identities to sign with, and the passphrases that opened them, in memory for as long as secrets live. */
export type Identities = {
  readonly list: () => Promise<readonly IdentityView[]>;
  /** Puts a file that the person chose on the list. */
  readonly add: (path: string) => Promise<void>;
  /** The file behind a handle, with its passphrase, where it has one: the one behind the other handle, else the one that opened it before. */
  readonly key: (
    handle: string,
    passphrase: string | undefined,
  ) => Promise<Result<{ readonly path: string; readonly passphrase?: string }>>;
  /** Learns what came of an attempt: a passphrase that fits is kept while it lives, one that does not is dropped. */
  readonly opened: (
    path: string,
    handle: string | undefined,
    outcome: Result<{ readonly subject?: string }>,
  ) => Promise<void>;
};

export type IdentitiesOptions = {
  readonly files: Files;
  readonly secrets: Secrets;
  readonly settings: JsonStore<Settings>;
  /** The practice hospital's own identities open without typing. */
  readonly lab: () => Promise<LabInfo | undefined>;
};

/** Makes the list; it begins with the practice hospital's identities, then those used before. */
export function createIdentities({ files, secrets, settings, lab }: IdentitiesOptions): Identities {
  const fitting = new Map<string, string>();
  const subjects = new Map<string, string>();

  const practiceIdentities = async () => {
    const info = await lab();
    if (info === undefined) return [];
    return PRACTICE_ROLES.map((role) => ({ role, ...info.identities[role] }));
  };

  const passphraseOf = async (path: string, handle: string | undefined): Promise<Result<string | undefined>> => {
    if (handle !== undefined) return secrets.peek(handle);
    const own = (await practiceIdentities()).find((one) => one.path === path);
    if (own !== undefined) return ok(own.passphrase);
    const before = fitting.get(path);
    const kept = before === undefined ? undefined : secrets.peek(before);
    return ok(kept?.ok === true ? kept.value : undefined);
  };

  return {
    list: async () => {
      const practice = await practiceIdentities();
      const used = (await settings.read()).identities.filter(({ path }) => practice.every((one) => one.path !== path));
      const views: IdentityView[] = practice.map(({ role, path }) => ({
        file: files.refer('identity', path),
        ...named(subjects.get(path)),
        role,
        practice: true,
        needsPassphrase: false,
      }));
      for (const { path, subject } of used) {
        const head = await readHead(path);
        if (head === undefined) continue;
        const file = files.refer('identity', path);
        views.push({
          file,
          ...named(subjects.get(path) ?? subject),
          role: 'unknown',
          practice: false,
          needsPassphrase: needsPassphrase(head),
        });
      }
      return views;
    },
    add: async (path) => {
      await settings.update((present) => {
        const known = present.identities.find((one) => one.path === path);
        return { ...present, identities: remember(present.identities, known ?? { path }) };
      });
    },
    key: async (handle, passphrase) => {
      const path = files.resolve('identity', handle);
      if (!path.ok) return path;
      const opens = await passphraseOf(path.value, passphrase);
      if (!opens.ok) return opens;
      return ok({ path: path.value, ...(opens.value === undefined ? {} : { passphrase: opens.value }) });
    },
    opened: async (path, handle, outcome) => {
      if (!outcome.ok) {
        if (outcome.error.code === 'identity.passphrase' && handle !== undefined) secrets.drop(handle);
        return;
      }
      if (handle !== undefined) fitting.set(path, handle);
      const { subject } = outcome.value;
      if (subject === undefined) return;
      subjects.set(path, subject);
      if ((await practiceIdentities()).some((one) => one.path === path)) return;
      await settings.update((present) => ({ ...present, identities: remember(present.identities, { path, subject }) }));
    },
  };
}

function named(subject: string | undefined): { readonly subject?: string } {
  return subject === undefined ? {} : { subject };
}

/** PKCS#12 always asks; PEM only where its key is encrypted (RFC 5958, or the older header of RFC 1421). */
function needsPassphrase(head: Buffer): boolean {
  const text = head.toString('latin1');
  return !text.includes('-----BEGIN ') || /-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(text);
}

async function readHead(path: string): Promise<Buffer | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}
