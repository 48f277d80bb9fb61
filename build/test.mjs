import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from './tools/bundles.mjs';
import { runChecks } from './tools/checks.mjs';
import { aptLine, installPackages, missingPackages } from './tools/debian.mjs';
import { ensureDependencies } from './tools/dependencies.mjs';
import { findNode, NODE_FLAGS, projectEnvironment } from './tools/node.mjs';
import { become, root } from './tools/process.mjs';
import { progressOn, runCommand } from './tools/progress.mjs';

const USAGE = `npm test                       everything that is quick: checks, unit, renderer, integration and e2e tests
npm run test:long              what takes longer
npm test -- test/unit/core     only the test files whose path contains this, without the checks`;

const QUICK = ['unit', 'renderer', 'integration', 'e2e'];

const progress = progressOn(process.stdout);

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

await runCommand(async () => {
  const given = process.argv.slice(2);
  const filters = given.filter((argument) => !argument.startsWith('-'));
  const unknown = given.filter((argument) => argument.startsWith('-') && argument !== '--long');
  if (unknown.length > 0) {
    progress.say(`${unknown.includes('--help') ? '' : `Unknown: ${unknown.join(' ')}\n`}${USAGE}`);
    return unknown.includes('--help') ? 0 : 2;
  }
  const long = given.includes('--long');
  await ensureDependencies(progress);

  /** @type {Counts} */
  const counts = { passed: 0, failed: 0, skipped: 0 };
  if (long && testFiles(join(root, 'test', 'long')).length === 0) {
    progress.say('There are no long tests (test/long is empty).');
  } else {
    const projects = await projectsToRun(long ? ['long'] : QUICK, counts);
    await check(counts, 'build', () => ensureBuilt(progress));
    if (!long && filters.length === 0) await runChecks(progress, counts);
    add(counts, await runTests(projects, filters));
  }

  progress.say(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  return counts.failed === 0 ? 0 : 1;
});

/**
 * Sees to the Debian packages, and leaves out what cannot run without them on a developer's own machine.
 * @param {readonly string[]} wanted the test projects to run
 * @param {Counts} counts
 * @returns {Promise<string[]>}
 */
async function projectsToRun(wanted, counts) {
  let { missing, apt } = await missingPackages();
  if (missing.length > 0 && apt && process.getuid?.() === 0) {
    const trouble = await installPackages(missing, progress);
    if (trouble !== undefined) progress.say(`apt-get failed:\n${trouble.trim().split('\n').slice(-15).join('\n')}`);
    ({ missing, apt } = await missingPackages());
  }
  if (missing.length > 0) {
    progress.say(
      apt
        ? `Not installed: ${missing.join(' ')}.\nThe tests that need them are ${process.env.CI ? 'failures' : 'skipped'}. To run them too, as root: ${aptLine(missing)}`
        : "The servers that some tests need come from Debian's packages (build/debian-packages.txt); without them those tests are skipped.",
    );
  }
  const chromium = process.env.LOCKSTEP_TEST_CHROMIUM ?? '/usr/bin/chromium';
  if (!wanted.includes('renderer') || existsSync(chromium)) return [...wanted];
  progress.say(
    `The renderer tests are ${process.env.CI ? 'not possible' : 'skipped'}: there is no ${chromium} (LOCKSTEP_TEST_CHROMIUM names another).`,
  );
  if (process.env.CI) counts.failed += 1;
  else counts.skipped += testFiles(join(root, 'test', 'renderer')).length;
  return wanted.filter((name) => name !== 'renderer');
}

/**
 * @param {readonly string[]} projects
 * @param {readonly string[]} filters
 * @returns {Promise<Counts>}
 */
async function runTests(projects, filters) {
  const node = await findNode();
  const work = mkdtempSync(join(tmpdir(), 'lockstep-test-'));
  try {
    const file = join(work, 'counts.json');
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const chosen = projects.flatMap((name) => ['--project', name]);
    const ended = await become(node, [...NODE_FLAGS, vitest, 'run', ...chosen, ...filters], {
      env: { ...projectEnvironment(), LOCKSTEP_TEST_COUNTS: file },
    });
    /** @type {Counts} */
    const counts = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { passed: 0, failed: 0, skipped: 0 };
    // A run that broke off, found nothing to run, or faulted something that is not a test is a failure no test counted.
    const nothing = counts.passed + counts.failed + counts.skipped === 0;
    if ((ended.code !== 0 || nothing) && counts.failed === 0) counts.failed = 1;
    return counts;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * @param {Counts} counts
 * @param {string} name
 * @param {() => Promise<void>} work
 */
async function check(counts, name, work) {
  try {
    await work();
    counts.passed += 1;
    progress.say(`✓ ${name}`);
  } catch (error) {
    counts.failed += 1;
    progress.say(`✗ ${name}\n${error instanceof Error ? error.message : String(error)}`);
  }
}

/**
 * @param {Counts} counts
 * @param {Counts} more
 */
function add(counts, more) {
  counts.passed += more.passed;
  counts.failed += more.failed;
  counts.skipped += more.skipped;
}

/** @param {string} folder */
function testFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true }).filter((name) => /\.test\.tsx?$/.test(String(name)));
}
