const QUIET_SECOND = 1000;
const STILL_RUNNING = 15_000;

/**
 * @typedef {object} Progress
 * @property {(text: string) => void} say prints one line
 * @property {<T>(title: string, work: () => Promise<T>) => Promise<T>} step shows a title for work that takes over a
 *   second, a sign of life while it runs, and how long it took; the error of `work` passes through
 */

/**
 * Shows progress on one stream.
 * @param {NodeJS.WriteStream} stream standard error for a command whose standard output belongs to somebody else
 * @returns {Progress}
 */
export function progressOn(stream) {
  /** @param {string} text */
  const say = (text) => {
    stream.write(`${text}\n`);
  };
  return {
    say,
    async step(title, work) {
      const begun = Date.now();
      const seconds = () => Math.round((Date.now() - begun) / 1000);
      let shown = false;
      const first = setTimeout(() => {
        shown = true;
        say(`… ${title}`);
      }, QUIET_SECOND);
      const again = setInterval(() => say(`… ${title}, ${seconds()} s so far`), STILL_RUNNING);
      try {
        const result = await work();
        if (shown) say(`✓ ${title}, ${seconds()} s`);
        return result;
      } catch (error) {
        say(`✗ ${title}, after ${seconds()} s`);
        throw error;
      } finally {
        clearTimeout(first);
        clearInterval(again);
      }
    },
  };
}

/** What stops a set-up and what the person can do about it; the message is shown without a stack. */
export class SetupError extends Error {}

/**
 * Runs a command's main function: a SetupError ends with its message and exit code 1, anything else with its stack.
 * @param {() => Promise<number>} main gives the exit code
 */
export async function runCommand(main) {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.stderr.write(
      `${error instanceof SetupError ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
    );
    process.exitCode = 1;
  }
}
