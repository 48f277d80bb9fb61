import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { SetupError } from './progress.mjs';
import { root, run } from './process.mjs';

const bin = join(root, 'node_modules', '.bin');

/**
 * Silences the warning that Node 22 prints for every TypeScript file; Node 24 no longer has it. And keeps the young part of
 * V8's heap small: it would grow to hundreds of megabytes over a walk of many hosts, of which next to nothing stays.
 */
export const NODE_FLAGS = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=2'];

/**
 * Finds a Node that runs TypeScript by stripping its types: the one that the project installs for Linux, or else the
 * one that runs now.
 * @returns {Promise<string>} the executable's path
 * @throws {SetupError} when neither can
 */
export async function findNode() {
  const installed = join(bin, 'node');
  const usable = process.platform !== 'win32' && existsSync(installed) && (await stripsTypes(installed));
  if (usable) return installed;
  if (await stripsTypes(process.execPath)) return process.execPath;
  throw new SetupError(
    `Lockstep's sources run on Node 22.18 or newer; this is ${process.version}, and no newer one comes for ` +
      `${process.platform} ${process.arch} from the npm registry.\nInstall Node 24 (https://nodejs.org) and start again.`,
  );
}

/**
 * The environment for a child whose output is kept and shown only when it fails: no colours, and the project's own
 * programs and Node first.
 * @returns {NodeJS.ProcessEnv}
 */
export function quietEnvironment() {
  const { FORCE_COLOR: _forced, ...rest } = projectEnvironment();
  return { ...rest, NO_COLOR: '1' };
}

/**
 * The environment for a child that should find the project's own programs and Node first.
 * @returns {NodeJS.ProcessEnv}
 */
export function projectEnvironment() {
  const path = process.env.PATH ?? process.env.Path ?? '';
  return { ...process.env, PATH: path === '' ? bin : `${bin}${delimiter}${path}` };
}

/** @param {string} node */
async function stripsTypes(node) {
  const asked = await run(node, ['-p', 'Boolean(process.features.typescript)'], { seconds: 20 });
  return asked.code === 0 && asked.output.trim() === 'true';
}
