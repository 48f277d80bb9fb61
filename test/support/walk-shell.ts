import { spawn } from 'node:child_process';
import { findProgram } from './debian.ts';

/** One thing that happened: what a person would say about it, or a command with what it printed. */
export type Step =
  | { readonly kind: 'said'; readonly title?: string; readonly text: string }
  | {
      readonly kind: 'ran';
      readonly name: string;
      readonly command: string;
      /** Standard output and standard error as they came. */
      readonly output: string;
      readonly stdout: string;
      readonly code: number | null;
    };
export type Ran = Extract<Step, { kind: 'ran' }>;

const TIMEOUT_MS = 900_000;
const QUESTION = '[y/N] ';

/**
 * Runs one command line in a folder, as typed.
 * @param answer typed at each question of Lockstep; the command then runs in a terminal, where its two outputs are one
 */
export function shell(
  { folder, env }: { readonly folder: string; readonly env: Readonly<Record<string, string>> },
  name: string,
  command: string,
  answer?: string,
): Promise<Ran> {
  return new Promise((resolve) => {
    const child =
      answer === undefined
        ? spawn('bash', ['-c', command], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: TIMEOUT_MS })
        : spawn(findProgram('script') ?? 'script', ['-qefc', command, '/dev/null'], {
            cwd: folder,
            env: { ...env, SHELL: '/bin/bash', NO_COLOR: '1' },
            stdio: 'pipe',
            timeout: TIMEOUT_MS,
          });
    let [output, stdout, asked] = ['', '', 0];
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      stdout += chunk.toString();
      const questions = stdout.split(QUESTION).length - 1;
      for (; asked < questions; asked += 1) child.stdin?.write(`${answer}\n`);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.on('close', (code) =>
      resolve({ kind: 'ran', name, command, output: plain(output), stdout: plain(stdout), code }),
    );
  });
}

/** What a terminal gets, without the moves of its cursor. */
function plain(text: string): string {
  return text.replaceAll(/\u001b\[[0-9;]*[A-Za-z]/g, '').replaceAll('\r\n', '\n');
}
