import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

type LockedPackage = {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};
type Manifest = {
  readonly [field in 'dependencies' | 'devDependencies' | 'optionalDependencies']?: Readonly<Record<string, string>>;
};

/**
 * Finds what makes `npm ci` stop or differ between machines: an optional dependency that npm dropped from the lock without
 * a word (a binary for another platform), a package without a digest, a version in package.json that is not exact.
 * @param packages the `packages` of a package-lock.json, version 3
 * @returns one sentence per fault
 */
export function lockFaults(packages: Readonly<Record<string, LockedPackage>>, manifest: Manifest): string[] {
  const faults: string[] = [];
  for (const [path, locked] of Object.entries(packages)) {
    for (const name of Object.keys(locked.optionalDependencies ?? {})) {
      if (!isLocked(packages, path, name))
        faults.push(`${path === '' ? 'package.json' : path} names ${name}, which the lock lacks`);
    }
    if (path !== '' && locked.link !== true && locked.integrity === undefined)
      faults.push(`${path} has no integrity in the lock`);
  }
  for (const field of ['dependencies', 'devDependencies', 'optionalDependencies'] as const) {
    for (const [name, version] of Object.entries(manifest[field] ?? {})) {
      const locked = packages[`node_modules/${name}`]?.version;
      if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) faults.push(`${name} is not pinned exactly: ${version}`);
      else if (locked !== version)
        faults.push(`${name} is ${version} in package.json and ${locked ?? 'absent'} in the lock`);
    }
  }
  return faults;
}

/** As Node looks a package up: in the nearest node_modules, then outwards. */
function isLocked(packages: Readonly<Record<string, LockedPackage>>, from: string, name: string): boolean {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const place = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (place in packages) return true;
    if (folder === '') return false;
  }
}

function main(): void {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..');
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
  const faults = lockFaults(lock.packages, manifest);
  const count = Object.keys(lock.packages).length;
  process.stdout.write(
    `${faults.join('\n')}${faults.length > 0 ? '\n' : ''}${count} packages looked at, ${faults.length} faults\n`,
  );
  process.exitCode = faults.length === 0 && count > 1 ? 0 : 1;
}

if (argv[1] === fileURLToPath(import.meta.url)) main();
