import { findElectron } from '../../build/electron-runtime/find.mjs';
import { ensureTrialRuntime } from '../../build/electron-runtime/trial.mjs';
import { progressOn } from '../../build/tools/progress.mjs';

export type TestRuntime = { readonly folder: string; readonly executable: string; readonly version: string };

/**
 * Finds the Electron that the e2e tests run on: the trial runtime, so that all machines test on the same one, and where
 * that cannot be had the one that `npm start` would use.
 * @returns the runtime, or the sentence that says why there is none at all
 */
export async function findTestRuntime(): Promise<TestRuntime | string> {
  const progress = progressOn(process.stderr);
  const reasons: string[] = [];
  for (const find of [() => ensureTrialRuntime(progress), () => installedRuntime(progress)]) {
    try {
      return await find();
    } catch (error) {
      reasons.push(error instanceof Error ? error.message : String(error));
    }
  }
  return reasons.join('\n');
}

async function installedRuntime(progress: ReturnType<typeof progressOn>): Promise<TestRuntime> {
  const outcome = await findElectron(progress);
  if ('missing' in outcome) throw new Error(outcome.missing);
  return outcome.found;
}
