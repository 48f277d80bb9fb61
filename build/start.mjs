import { join } from 'node:path';
import { findElectron } from './electron-runtime/find.mjs';
import { blockedSandbox, diedOfSandbox, readSandboxFacts, remedy } from './electron-runtime/sandbox.mjs';
import { ensureTrialRuntime } from './electron-runtime/trial.mjs';
import { ensureBuilt } from './tools/bundles.mjs';
import { ensureDependencies } from './tools/dependencies.mjs';
import { findNode, NODE_FLAGS, projectEnvironment } from './tools/node.mjs';
import { become, root } from './tools/process.mjs';
import { progressOn, runCommand } from './tools/progress.mjs';

const USAGE = `npm start                       sets up, starts the practice hospital and opens the wizard on it
npm start -- --headless         walks the same guide without a window
npm start -- --trial-runtime    opens the wizard on a stand-in Electron from the npm registry, for trials only`;
const KNOWN = ['--headless', '--trial-runtime', '--help'];

const progress = progressOn(process.stdout);

await runCommand(async () => {
  const given = process.argv.slice(2);
  const unknown = given.filter((argument) => !KNOWN.includes(argument));
  if (unknown.length > 0 || given.includes('--help')) {
    process.stdout.write(`${unknown.length > 0 ? `Unknown: ${unknown.join(' ')}\n` : ''}${USAGE}\n`);
    return unknown.length > 0 ? 2 : 0;
  }
  await ensureDependencies(progress);
  await ensureBuilt(progress);

  const reason = given.includes('--headless') ? 'it was asked for' : whyNoWindow();
  if (reason !== undefined) return walkHeadless(`No window, because ${reason}.`);

  const runtime = await chooseRuntime(given.includes('--trial-runtime'));
  if ('missing' in runtime) {
    progress.say(runtime.missing);
    return walkHeadless('So there is no window this time.', '-- --trial-runtime');
  }
  progress.say(`Running on Electron ${runtime.found.version} (${runtime.found.source}: ${runtime.found.folder}).`);
  return openWizard(runtime.found);
});

/** @returns {string | undefined} why no window can be opened here */
function whyNoWindow() {
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) {
    return 'there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)';
  }
  if (process.getuid?.() === 0) return "you are root, and the window's sandbox does not work for root";
  return undefined;
}

/**
 * @param {boolean} trial
 * @returns {ReturnType<typeof findElectron>}
 */
async function chooseRuntime(trial) {
  if (!trial) return findElectron(progress);
  const runtime = await ensureTrialRuntime(progress);
  progress.say(`Electron ${runtime.version} is out of support: for a trial only, never on a hospital's network.`);
  return { found: { ...runtime, source: 'trial runtime' } };
}

/**
 * @param {import('./electron-runtime/find.mjs').Runtime} runtime
 * @returns {Promise<number>} exit code
 */
async function openWizard(runtime) {
  const facts = process.platform === 'linux' ? readSandboxFacts(runtime.folder) : undefined;
  const doubt = facts === undefined ? undefined : blockedSandbox(facts);
  // Only a warning: a profile of AppArmor's may allow this very copy, which the settings do not show.
  if (doubt !== undefined) progress.say(`The window may not open: ${doubt}.`);

  let errorOutput = '';
  const ended = await become(runtime.executable, [root, '--practice'], {
    onErrorOutput: (text) => {
      errorOutput = (errorOutput + text).slice(-20_000);
    },
  });
  if (ended.code !== 0 && diedOfSandbox(errorOutput)) {
    const cause = doubt === undefined ? '' : `: ${doubt}`;
    progress.say(`\nElectron ended because it could not make its sandbox${cause}.\n${remedy(runtime.folder)}`);
  }
  return ended.code;
}

/**
 * Runs the practice hospital and the reference guide without a window.
 * @param {string} notice why there is no window
 * @param {string} [flags] what `npm start` takes to open the window here
 * @returns {Promise<number>} exit code: 0 when the walk completed
 */
async function walkHeadless(notice, flags) {
  progress.say(notice);
  const node = await findNode();
  const cli = join(root, 'cli', 'main.ts');
  const ended = await become(node, [...NODE_FLAGS, cli, 'lab', 'walk'], { env: projectEnvironment() });
  const command = flags === undefined ? 'npm start' : `npm start ${flags}`;
  progress.say(`\nTo open the wizard, on a desktop and as an ordinary user: ${command}`);
  return ended.code;
}
