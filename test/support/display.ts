import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { findProgram } from './debian.ts';

const START_MS = 10_000;

export type Display = {
  /** As DISPLAY wants it, for example `:99`. */
  readonly name: string;
  readonly stop: () => Promise<void>;
};

/**
 * Gives the display to open windows on: the one of the environment, or else an Xvfb of its own on a display that is free.
 * It is put into process.env.DISPLAY, for the programs that are started from here.
 * @throws when there is neither a display nor Xvfb
 */
export async function ensureDisplay(): Promise<Display> {
  const present = process.env.DISPLAY;
  if (present) return { name: present, stop: async () => {} };
  const program = findProgram('Xvfb');
  if (program === undefined) throw new Error('There is no display, and Xvfb is not installed (Debian package xvfb).');

  // Xvfb looks for a free number itself and writes it to this descriptor once it is ready.
  const server = spawn(program, ['-displayfd', '3', '-screen', '0', '1440x1000x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const exited = once(server, 'exit');
  const end = () => server.kill('SIGTERM');
  process.once('exit', end);
  const number = await Promise.race([
    readLine(server.stdio[3] as Readable),
    exited.then(([code]) => Promise.reject(new Error(`Xvfb ended with code ${code} before it was ready.`))),
    deadline(`Xvfb was not ready within ${START_MS} ms.`),
  ]);
  const name = `:${number}`;
  process.env.DISPLAY = name;
  return {
    name,
    stop: async () => {
      process.off('exit', end);
      if (process.env.DISPLAY === name) delete process.env.DISPLAY;
      end();
      await exited;
    },
  };
}

async function readLine(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  return text.trim();
}

function deadline(sentence: string): Promise<never> {
  return new Promise((_resolve, reject) => {
    setTimeout(() => reject(new Error(sentence)), START_MS).unref();
  });
}
