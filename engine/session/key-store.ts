import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fail, ok, type Result } from '../../core/result.ts';
import { enrolmentOf } from '../../core/session/enrolment.ts';
import type { ChangeMaterial, KeyStore } from '../changes/change.ts';
import type { Received } from '../keys/received.ts';
import { saveFile } from './save-file.ts';
import type { Session } from './session.ts';

const MAX_FILE = 65_536;

/** Requests and locked keys in the folder `keys` of a session. They stay there: no bundle takes them. */
export function keyStoreOf(dir: string): KeyStore {
  const folder = join(dir, 'keys');
  const pathOf = (name: string): string => {
    // Names come back from a journal.
    if (!/^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(name)) throw new Error(`not a name of a key file: ${name}`);
    return join(folder, name);
  };
  return {
    save: async (name, text) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return saveFile(pathOf(name), text);
    },
    read: async (name) => {
      const bytes = await readFile(pathOf(name)).catch(() => undefined);
      if (bytes === undefined)
        return fail('input.not-found', 'The key that was made for this request is not beside this session.', {
          place: name,
        });
      return bytes.length > MAX_FILE
        ? fail('input.too-large', 'A key file is never this large.')
        : ok(bytes.toString());
    },
    remove: async (name): Promise<Result<void>> => {
      await rm(pathOf(name), { force: true });
      return ok(undefined);
    },
  };
}

/** What a change of a step gets from its session. */
export function materialOf(session: Session, key: string, received?: Received): ChangeMaterial {
  return {
    enrolment: enrolmentOf(session.journal.events, key),
    keys: keyStoreOf(session.dir),
    ...(received === undefined ? {} : { received }),
  };
}
