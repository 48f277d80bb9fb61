import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * @typedef {object} SandboxFacts what decides whether Chromium can put its renderers into a sandbox on Linux
 * @property {boolean} helperReady chrome-sandbox belongs to root and has mode 4755, which works on every kernel
 * @property {string | undefined} appArmorRestricts /proc/sys/kernel/apparmor_restrict_unprivileged_userns
 * @property {string | undefined} usernsClone /proc/sys/kernel/unprivileged_userns_clone
 * @property {string | undefined} maxNamespaces /proc/sys/user/max_user_namespaces
 */

/**
 * Reads what this system allows.
 * @param {string} folder the folder of the Electron runtime
 * @returns {SandboxFacts}
 */
export function readSandboxFacts(folder) {
  const helper = statSync(join(folder, 'chrome-sandbox'), { throwIfNoEntry: false });
  return {
    helperReady: helper !== undefined && helper.uid === 0 && (helper.mode & 0o7777) === 0o4755,
    appArmorRestricts: setting('/proc/sys/kernel/apparmor_restrict_unprivileged_userns'),
    usernsClone: setting('/proc/sys/kernel/unprivileged_userns_clone'),
    maxNamespaces: setting('/proc/sys/user/max_user_namespaces'),
  };
}

/**
 * Says why the sandbox cannot work here, or gives undefined when nothing speaks against it.
 * @param {SandboxFacts} facts
 * @returns {string | undefined} the cause, for the person
 */
export function blockedSandbox(facts) {
  if (facts.helperReady) return undefined;
  if (facts.appArmorRestricts === '1') {
    return 'AppArmor keeps ordinary programs from making user namespaces (kernel.apparmor_restrict_unprivileged_userns = 1, the rule of Ubuntu 23.10 and newer)';
  }
  if (facts.usernsClone === '0') {
    return 'this kernel keeps ordinary users from making user namespaces (kernel.unprivileged_userns_clone = 0)';
  }
  if (facts.maxNamespaces === '0') return 'this system allows no user namespaces (user.max_user_namespaces = 0)';
  return undefined;
}

/**
 * Tells from what Electron printed whether it ended because it could not sandbox its renderers.
 * @param {string} errorOutput
 */
export function diedOfSandbox(errorOutput) {
  return /No usable sandbox|SUID sandbox helper binary was found, but is not configured correctly|setuid_sandbox_host\.cc|Failed to move to new namespace/.test(
    errorOutput,
  );
}

/**
 * What an administrator can do about it. Switching the sandbox off is not among it.
 * @param {string} folder
 */
export function remedy(folder) {
  const helper = join(folder, 'chrome-sandbox');
  return (
    `The window's pages run in a sandbox, and Lockstep does not start without it. An administrator can allow it for this copy alone:\n` +
    `  sudo chown root:root '${helper}' && sudo chmod 4755 '${helper}'\n` +
    `The same walk runs without a window: npm start -- --headless`
  );
}

/** @param {string} file */
function setting(file) {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}
