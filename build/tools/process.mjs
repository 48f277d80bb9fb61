import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the project: where package.json lies. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/**
 * @typedef {object} Outcome
 * @property {number} code exit code; a signal counts as 128 + its number, a program that cannot start as 127
 * @property {string} output standard output and standard error, in the order they came
 * @property {boolean} timedOut whether it was ended because its time was over
 */

/**
 * Runs a program to its end and collects what it prints. Never throws.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, seconds?: number, shell?: boolean }} [options] `seconds` ends the
 *   program after that time
 * @returns {Promise<Outcome>}
 */
export function run(program, args, options = {}) {
  return new Promise((resolve) => {
    let output = '';
    let timedOut = false;
    const child = spawn(program, args, {
      cwd: options.cwd ?? root,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: options.shell ?? false,
      windowsHide: true,
    });
    const timer =
      options.seconds === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            child.kill('SIGKILL');
          }, options.seconds * 1000);
    /** @param {Buffer} chunk */
    const collect = (chunk) => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ code: 127, output: `${output}${error.message}\n`, timedOut });
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code: exitCode(code, signal), output, timedOut });
    });
  });
}

/**
 * Runs a program in this one's place: same terminal, signals passed on, and its exit code as the result.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, onErrorOutput?: (text: string) => void }} [options] with
 *   `onErrorOutput`, standard error is shown and also handed to it
 * @returns {Promise<{ code: number, signal: NodeJS.Signals | null }>}
 */
export function become(program, args, options = {}) {
  return new Promise((resolve) => {
    const listen = options.onErrorOutput;
    const child = spawn(program, args, {
      cwd: options.cwd ?? root,
      env: options.env ?? process.env,
      stdio: ['inherit', 'inherit', listen === undefined ? 'inherit' : 'pipe'],
    });
    child.stderr?.on('data', (chunk) => {
      process.stderr.write(chunk);
      listen?.(chunk.toString('utf8'));
    });
    /** @type {[NodeJS.Signals, () => void][]} */
    const handlers = /** @type {NodeJS.Signals[]} */ (['SIGINT', 'SIGTERM', 'SIGHUP']).map((name) => [
      name,
      () => {
        // Ctrl-C in a terminal reaches the whole process group already; sending it again would count as a second one.
        if (name === 'SIGINT' && process.stdin.isTTY) return;
        child.kill(name);
      },
    ]);
    for (const [name, handler] of handlers) process.on(name, handler);
    /** @param {{ code: number, signal: NodeJS.Signals | null }} outcome */
    const end = (outcome) => {
      for (const [name, handler] of handlers) process.off(name, handler);
      resolve(outcome);
    };
    child.on('error', (error) => {
      process.stderr.write(`${program} cannot be started: ${error.message}\n`);
      end({ code: 127, signal: null });
    });
    child.on('close', (code, signal) => end({ code: exitCode(code, signal), signal }));
  });
}

/**
 * @param {number | null} code
 * @param {NodeJS.Signals | null} signal
 */
function exitCode(code, signal) {
  if (code !== null) return code;
  return 128 + (signal === null ? 0 : (constants.signals[signal] ?? 0));
}
