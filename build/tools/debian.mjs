import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './process.mjs';

const POLICY = '/usr/sbin/policy-rc.d';
const KEPT = `${POLICY}.lockstep-kept`;
const UPDATE_SECONDS = 300;
const INSTALL_SECONDS = 1500;

/**
 * Looks which of the packages that the tests need are not installed.
 * @returns {Promise<{ missing: string[], apt: boolean }>} `apt` is false on a system without Debian's tools
 */
export async function missingPackages() {
  const wanted = readFileSync(join(root, 'build', 'debian-packages.txt'), 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const asked = await run('dpkg-query', ['-W', '-f', '${db:Status-Abbrev} ${Package} ${Provides}\n', '*'], {
    env: plainEnvironment(),
  });
  if (asked.code !== 0) return { missing: wanted, apt: false };
  const installed = new Set(
    asked.output
      .split('\n')
      .filter((line) => line.startsWith('ii'))
      // Newer releases rename libraries and provide the old name (libgtk-3-0 became libgtk-3-0t64).
      .flatMap((line) =>
        line
          .slice(2)
          .replace(/\([^)]*\)/g, '')
          .split(/[\s,]+/),
      ),
  );
  return { missing: wanted.filter((name) => !installed.has(name)), apt: true };
}

/** The one line that installs packages by hand. @param {readonly string[]} packages */
export function aptLine(packages) {
  return `apt-get update && apt-get install --no-install-recommends ${packages.join(' ')}`;
}

/**
 * Installs packages as root, and keeps their services from starting meanwhile: the tests start their own, elsewhere.
 * @param {readonly string[]} packages
 * @param {import('./progress.mjs').Progress} progress
 * @returns {Promise<string | undefined>} what apt said when it failed
 */
export async function installPackages(packages, progress) {
  const update = await progress.step('Reading the package lists (apt-get update)', () =>
    apt(['update'], UPDATE_SECONDS),
  );
  if (update.code !== 0) return update.output;
  const restore = forbidServices();
  try {
    const install = await progress.step(`Installing ${packages.length} Debian packages`, () =>
      apt(['install', '--yes', '--no-install-recommends', ...packages], INSTALL_SECONDS),
    );
    return install.code === 0 ? undefined : install.output;
  } finally {
    restore();
  }
}

/** Lets invoke-rc.d start nothing (exit code 101), and gives back what puts the system's own policy in its place again. */
function forbidServices() {
  // One that a broken run left behind is the system's own.
  if (existsSync(POLICY) && !existsSync(KEPT)) renameSync(POLICY, KEPT);
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n');
  chmodSync(POLICY, 0o755);
  const stop = () => process.exit(130);
  const restore = () => {
    process.off('exit', restore).off('SIGINT', stop).off('SIGTERM', stop);
    if (existsSync(KEPT)) renameSync(KEPT, POLICY);
    else rmSync(POLICY, { force: true });
  };
  process.on('exit', restore).on('SIGINT', stop).on('SIGTERM', stop);
  return restore;
}

/**
 * @param {readonly string[]} args
 * @param {number} seconds
 */
function apt(args, seconds) {
  return run('apt-get', ['-q', '-o', 'DPkg::Lock::Timeout=600', ...args], { env: plainEnvironment(), seconds });
}

function plainEnvironment() {
  return { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
}
