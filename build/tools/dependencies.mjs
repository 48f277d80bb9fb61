import { statSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './progress.mjs';
import { root, run } from './process.mjs';

const INSTALL_SECONDS = 1200;

/**
 * Installs the pinned packages when they are missing or older than the lock, with the npm that started this command.
 * @param {import('./progress.mjs').Progress} progress
 * @throws {SetupError} when npm fails; the message carries npm's own last words
 */
export async function ensureDependencies(progress) {
  if (!isStale()) return;
  const outcome = await progress.step('Installing packages (npm ci)', () =>
    npm(['ci', '--loglevel=error', '--no-audit', '--no-fund'], { seconds: INSTALL_SECONDS }),
  );
  if (outcome.code === 0) return;
  const reason = outcome.timedOut
    ? `npm ci took longer than ${INSTALL_SECONDS / 60} minutes and was stopped.`
    : 'npm ci failed.';
  throw new SetupError(`${reason} Its last words:\n${outcome.output.trim().split('\n').slice(-15).join('\n')}`);
}

/**
 * Runs the npm at hand: the one that runs this script, or else the one in PATH.
 * @param {readonly string[]} args
 * @param {{ cwd?: string, seconds?: number }} [options]
 */
export function npm(args, options = {}) {
  const cli = process.env.npm_execpath;
  if (cli?.endsWith('.js')) {
    // npm's own Node, and not the project's: npm ci removes that one while it works.
    return run(process.env.npm_node_execpath ?? process.execPath, [cli, ...args], options);
  }
  return run('npm', args, { ...options, shell: process.platform === 'win32' });
}

function isStale() {
  const installed = modified(join(root, 'node_modules', '.package-lock.json'));
  const wanted = modified(join(root, 'package-lock.json'));
  return installed === undefined || (wanted !== undefined && wanted > installed);
}

/** @param {string} file */
function modified(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}
