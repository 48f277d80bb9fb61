import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fail, ok } from '../../core/result.ts';
import type { ProbeContext } from '../../engine/context.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { REFERENCE_INPUTS } from '../../lab/site.ts';
import { testContext } from './directory.ts';
import { value } from './evidence.ts';

export type HardenedLab = {
  readonly lab: Lab;
  readonly site: ProbeContext['site'];
  /** What a change is given there, with the secrets of the practice hospital. */
  readonly context: (more?: Partial<ProbeContext>) => ProbeContext;
  /** Everything as it was hardened. */
  readonly reset: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** The practice hospital in this process, hardened, for trying changes on it. */
export async function startHardenedLab(): Promise<HardenedLab> {
  const dir = mkdtempSync(join(tmpdir(), 'lockstep-hardened-'));
  const lab = await startLab({ dir, shipped: false, inputs: REFERENCE_INPUTS });
  const { site } = value(await loadSite(lab.siteFile));
  return {
    lab,
    site,
    context: (more = {}) => ({
      ...testContext(site, undefined),
      secret: async (name) => {
        const secret = lab.secrets[name];
        return secret === undefined ? fail('secret.missing', name) : ok(secret);
      },
      ...more,
    }),
    reset: async () => {
      await lab.reset();
      await lab.harden();
    },
    stop: async () => {
      await lab.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** What a value is after it was written to a journal and read again. */
export const throughJournal = <T>(written: T): T => JSON.parse(JSON.stringify(written)) as T;
