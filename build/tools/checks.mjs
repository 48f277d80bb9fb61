import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findNode, NODE_FLAGS, quietEnvironment } from './node.mjs';
import { root, run } from './process.mjs';

const CHECK_SECONDS = 600;
const AT_ONCE = 2;

/** @typedef {{ name: string, args: string[] }} Check */

/**
 * Runs the checks over the sources, each of which counts as one test, and shows what the failing ones said.
 * @param {import('./progress.mjs').Progress} progress
 * @param {{ passed: number, failed: number }} counts
 */
export async function runChecks(progress, counts) {
  const node = await findNode();
  const waiting = allChecks();
  const work = async () => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const outcome = await run(node, [...NODE_FLAGS, ...check.args], {
        env: quietEnvironment(),
        seconds: CHECK_SECONDS,
      });
      if (outcome.code === 0) {
        counts.passed += 1;
        progress.say(`✓ ${check.name}`);
        continue;
      }
      counts.failed += 1;
      const words =
        outcome.output.trim() || `it ended with code ${outcome.code}${outcome.timedOut ? ', out of time' : ''}`;
      progress.say(`✗ ${check.name}\n${words}`);
    }
  };
  await progress.step('Checking the sources', async () => {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  });
}

/** @returns {Check[]} */
function allChecks() {
  /** @param {string[]} parts */
  const tool = (...parts) => join(root, 'node_modules', ...parts);
  const layers = readdirSync(root).filter(
    (name) => name !== 'node_modules' && existsSync(join(root, name, 'tsconfig.json')),
  );
  return [
    { name: 'lint (oxlint, with types and import zones)', args: [tool('oxlint', 'bin', 'oxlint'), '--deny-warnings'] },
    {
      name: 'format (biome)',
      args: [tool('@biomejs', 'biome', 'bin', 'biome'), 'format', '--max-diagnostics=20', '.'],
    },
    ...layers.map((name) => ({
      name: `types (${name})`,
      args: [tool('typescript', 'bin', 'tsc'), '-p', join(root, name, 'tsconfig.json')],
    })),
    { name: 'unused code and packages (knip)', args: [tool('knip', 'bin', 'knip.js'), '--no-progress'] },
    { name: 'words that must not stand in some places', args: [join(root, 'build', 'check-sources.ts')] },
    { name: 'lock', args: [join(root, 'build', 'check-lock.ts')] },
  ];
}
