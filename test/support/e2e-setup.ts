import { ensureDisplay } from './display.ts';
import { findTestRuntime } from './runtime.ts';

/**
 * Runs once before the e2e tests: one display and one runtime for all of them, handed on through the environment. Without
 * any runtime the tests skip themselves, with the reason that stands there.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const runtime = await findTestRuntime();
  if (typeof runtime === 'string') {
    process.stderr.write(`The e2e tests are skipped, because there is no Electron runtime:\n${runtime}\n`);
    process.env.LOCKSTEP_TEST_NO_RUNTIME = runtime;
    return async () => {};
  }
  process.stderr.write(`The e2e tests run on Electron ${runtime.version}.\n`);
  process.env.LOCKSTEP_TEST_RUNTIME = JSON.stringify(runtime);
  const display = await ensureDisplay();
  return display.stop;
}
