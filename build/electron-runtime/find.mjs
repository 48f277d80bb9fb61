import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findNode, projectEnvironment } from '../tools/node.mjs';
import { SetupError } from '../tools/progress.mjs';
import { root, run } from '../tools/process.mjs';

const DOWNLOAD_SECONDS = 300;
const EXECUTABLES = { darwin: 'Electron.app/Contents/MacOS/Electron', win32: 'electron.exe' };

const packageFolder = join(root, 'node_modules', 'electron');

/**
 * @typedef {object} Runtime
 * @property {string} executable
 * @property {string} folder the folder that holds it
 * @property {string} version as the folder says, or 'of an unknown version'
 * @property {'ELECTRON_OVERRIDE_DIST_PATH' | 'installed' | 'downloaded' | 'trial runtime'} source
 */

/**
 * Finds the Electron to run the app on: the folder in ELECTRON_OVERRIDE_DIST_PATH, else the binary that the electron
 * package has, else the one that it downloads now.
 * @param {import('../tools/progress.mjs').Progress} progress
 * @returns {Promise<{ found: Runtime } | { missing: string }>} `missing` says in a sentence why there is none
 * @throws {SetupError} when ELECTRON_OVERRIDE_DIST_PATH is set and no Electron is there: a wish is not passed over
 */
export async function findElectron(progress) {
  const override = process.env.ELECTRON_OVERRIDE_DIST_PATH;
  if (override !== undefined && override !== '') {
    const found = runtimeIn(override, 'ELECTRON_OVERRIDE_DIST_PATH');
    if (found === undefined) {
      throw new SetupError(`ELECTRON_OVERRIDE_DIST_PATH names ${override}, but there is no ${executableName()} in it.`);
    }
    return { found };
  }
  const installed = installedRuntime('installed');
  if (installed !== undefined) return { found: installed };

  const node = await findNode();
  const outcome = await progress.step(`Downloading Electron ${wantedVersion()} (about 110 MB)`, async () =>
    run(node, [join(packageFolder, 'install.js')], { env: projectEnvironment(), seconds: DOWNLOAD_SECONDS }),
  );
  const downloaded = outcome.code === 0 ? installedRuntime('downloaded') : undefined;
  if (downloaded !== undefined) return { found: downloaded };
  const words = outcome.timedOut
    ? `it took longer than ${DOWNLOAD_SECONDS / 60} minutes`
    : (outcome.output.split('\n').find((line) => /error/i.test(line)) ?? outcome.output.trim()).trim();
  return { missing: `Electron ${wantedVersion()} is not installed and could not be downloaded: ${words}` };
}

/** @param {Runtime['source']} source */
function installedRuntime(source) {
  const runtime = runtimeIn(join(packageFolder, 'dist'), source);
  // The package writes path.txt last: without it the binary is what a broken download left.
  if (runtime === undefined || !existsSync(join(packageFolder, 'path.txt'))) return undefined;
  return runtime.version === wantedVersion() ? runtime : undefined;
}

/**
 * @param {string} folder
 * @param {Runtime['source']} source
 * @returns {Runtime | undefined}
 */
function runtimeIn(folder, source) {
  const executable = join(folder, executableName());
  if (!existsSync(executable)) return undefined;
  const versionFile = join(folder, 'version');
  const version = existsSync(versionFile)
    ? readFileSync(versionFile, 'utf8').trim().replace(/^v/, '')
    : 'of an unknown version';
  return { executable, folder, version, source };
}

function executableName() {
  return EXECUTABLES[/** @type {keyof typeof EXECUTABLES} */ (process.platform)] ?? 'electron';
}

function wantedVersion() {
  return /** @type {{ version: string }} */ (JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')))
    .version;
}
