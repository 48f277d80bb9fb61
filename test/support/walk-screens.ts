import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright';
import { afterEach, beforeEach } from 'vitest';

export type WalkScreens = {
  /** Where the pictures are. */
  readonly folder: string;
  /** Keeps a picture of the window, to be looked at. */
  readonly shot: (name: string) => Promise<void>;
};

/**
 * For a walk whose steps go on where the one before left off: after a failed step the others are skipped, for they would only
 * wait for what it should have brought. Pictures go to `test-results/screens/<name>`, numbered.
 */
export function walkScreens(name: string, page: () => Page): WalkScreens {
  const folder = join(import.meta.dirname, '..', '..', 'test-results', 'screens', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  let shots = 0;
  let broken = false;
  const picture = (file: string) => page().screenshot({ path: join(folder, `${file}.png`) });
  beforeEach((context) => {
    if (broken) context.skip('an earlier step of the walk failed');
  });
  afterEach(async (context) => {
    if (context.task.result?.state !== 'fail' || broken) return;
    broken = true;
    await picture('failed');
  });
  return {
    folder,
    shot: async (what) => {
      shots += 1;
      await picture(`${String(shots).padStart(2, '0')}-${what}`);
    },
  };
}
