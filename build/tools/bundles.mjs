import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { findNode, NODE_FLAGS, quietEnvironment } from './node.mjs';
import { SetupError } from './progress.mjs';
import { root, run } from './process.mjs';

/** The parts of the app, each built by its own build/vite.<part>.config.ts. */
const PARTS = ['main', 'preload', 'renderer', 'verifier'];
const SOURCES = ['assets', 'core', 'electron', 'engine', 'lab', 'renderer', 'package.json', 'package-lock.json'];
const BUILD_SECONDS = 300;

const stamp = join(root, 'dist', '.built-from');

/**
 * Builds the app into dist/ when its sources differ from those of the last build.
 * @param {import('./progress.mjs').Progress} progress
 * @throws {SetupError} when a part does not build; the message carries what the bundler said
 */
export async function ensureBuilt(progress) {
  const sources = fingerprint();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return;
  await progress.step('Building the app', async () => {
    rmSync(stamp, { force: true });
    // Two configs build into this folder at once, so neither can empty it.
    rmSync(join(root, 'dist', 'electron'), { recursive: true, force: true });
    const node = await findNode();
    const outcomes = await Promise.all(PARTS.map((part) => buildPart(node, part)));
    const failed = outcomes.filter((outcome) => outcome.code !== 0);
    if (failed.length > 0) {
      throw new SetupError(
        failed.map(({ part, output }) => `The ${part} part does not build:\n${output.trim()}`).join('\n'),
      );
    }
    rmSync(join(root, 'dist', 'assets'), { recursive: true, force: true });
    cpSync(join(root, 'assets'), join(root, 'dist', 'assets'), { recursive: true });
  });
  // Taken before the build, so that a file changed meanwhile is built again next time.
  writeFileSync(stamp, sources);
}

/**
 * @param {string} node
 * @param {string} part
 */
async function buildPart(node, part) {
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const config = join(root, 'build', `vite.${part}.config.ts`);
  const outcome = await run(node, [...NODE_FLAGS, vite, 'build', '--logLevel', 'warn', '--config', config], {
    env: quietEnvironment(),
    seconds: BUILD_SECONDS,
  });
  return { ...outcome, part };
}

/** A digest over path, size and time of every source file: a deleted or an older file counts as a difference too. */
function fingerprint() {
  const digest = createHash('sha256');
  const configs = readdirSync(join(root, 'build'))
    .filter((name) => name.startsWith('vite.'))
    .map((name) => join('build', name));
  for (const source of [...SOURCES, ...configs].flatMap((name) => filesUnder(join(root, name))).sort()) {
    const { size, mtimeMs } = statSync(source);
    digest.update(`${relative(root, source).split(sep).join('/')} ${size} ${mtimeMs}\n`);
  }
  return digest.digest('hex');
}

/**
 * @param {string} path
 * @returns {string[]}
 */
function filesUnder(path) {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return [];
  if (found.isFile()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
