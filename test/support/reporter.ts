import { writeFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

type Counts = { passed: number; failed: number; skipped: number };

/**
 * Counts what ran and closes with `N passed, N failed, N skipped` alone on the last line. A file that could not be
 * loaded and an error outside every test count as failures. With LOCKSTEP_TEST_COUNTS set, the counts go to that file
 * as JSON instead, because the caller adds its own checks before it prints the line.
 */
export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = count(modules);
    counts.failed += unhandledErrors.length;
    const file = process.env.LOCKSTEP_TEST_COUNTS;
    if (file !== undefined) {
      writeFileSync(file, JSON.stringify(counts));
      return;
    }
    // Vitest's own summary is printed in the same hook of another reporter; the line has to come after it.
    process.once('exit', () => {
      process.stdout.write(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`);
    });
  }
}

function count(modules: readonly TestModule[]): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const module of modules) {
    counts.failed += module.errors().length;
    for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      // A test that is still pending at the end of a run never ran: it was cut off.
      if (state === 'pending') counts.failed += 1;
      else counts[state] += 1;
    }
  }
  return counts;
}
