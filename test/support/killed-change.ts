import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CHANGES } from '../../engine/changes/index.ts';
import { applyChange, planChange } from '../../engine/session/changes.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { openSession } from '../../engine/session/open-session.ts';
import { value } from './evidence.ts';

/** What this process does; it lies in `plan.json` of the folder that it is given. Practice passwords only. */
export type KilledChange = {
  readonly guide: string;
  readonly site: string;
  readonly publisherRoot: string;
  readonly key: string;
  readonly readPassword: string;
  readonly writer: { readonly user: string; readonly password: string };
};

/**
 * Opens a session, plans a change and applies it, and kills itself (SIGKILL) right before the write or right after it, before
 * it is read back. Run as a process of its own: `node killed-change.ts FOLDER before|after`.
 */
async function main(folder: string, when: 'before' | 'after'): Promise<void> {
  const plan = JSON.parse(await readFile(join(folder, 'plan.json'), 'utf8')) as KilledChange;
  const guide = value(await loadGuide(plan.guide, { roots: [plan.publisherRoot] }));
  const site = value(await loadSite(plan.site));
  const session = value(
    await openSession(join(folder, 'sessions'), guide, site, {
      now: () => new Date(),
      lockstep: '0.0.0',
      runtime: {},
      operator: 'Test Person',
      ask: async () => false,
    }),
  );
  session.secrets.set('directory-bind', plan.readPassword);
  const shown = value(await planChange(session, plan.key));
  for (const change of CHANGES as unknown as { apply: (typeof CHANGES)[number]['apply'] }[]) {
    const { apply } = change;
    change.apply = async (...given) => {
      if (when === 'after') value(await apply(...given));
      process.kill(process.pid, 'SIGKILL');
      return new Promise(() => {});
    };
  }
  await applyChange(session, plan.key, shown.change, { ticket: 'CHG-1', approver: 'Ada', credential: plan.writer });
}

const [, , folder = '', when] = process.argv;
if (when === 'before' || when === 'after') await main(folder, when);
