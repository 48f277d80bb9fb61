import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

// Debian keeps daemons in the sbin folders, which an ordinary user's PATH lacks.
const SBIN = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/**
 * Finds a program as the tests start it: PATH first, then the sbin folders.
 * @returns its absolute path, or undefined when it is not installed.
 */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SBIN].filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/**
 * Says whether every program a test starts is installed, for `describe.skipIf(!needs('samba', 'samba-tool'))`.
 * A skip is only for a developer's own machine: under CI a missing program throws, so that nothing is left out unseen.
 * @param binaries program names as in PATH, not package names; build/debian-packages.txt lists the packages.
 */
export function needs(...binaries: readonly string[]): boolean {
  const missing = binaries.filter((name) => findProgram(name) === undefined);
  if (missing.length === 0) return true;
  const reason = `not installed: ${missing.join(', ')} (build/debian-packages.txt lists the packages)`;
  if (process.env.CI) throw new Error(`${reason}; under CI nothing is skipped`);
  process.stderr.write(`Skipped, ${reason}\n`);
  return false;
}

/** Says whether the tests run as root, for what only root may do (binding port 389, setuid, provisioning Samba). */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
