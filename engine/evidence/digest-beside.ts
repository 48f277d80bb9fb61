import { Worker } from 'node:worker_threads';

/** The digest of a file that another hand writes. */
export type DigestBeside = {
  /** Everything before this offset is as it will stay. */
  readonly extend: (to: number) => void;
  /** SHA-256 (hex) of the first `size` bytes, which are all written. */
  readonly finish: (size: number) => Promise<string>;
  /** Gives up; to be called in any case, before the file is closed. */
  readonly stop: () => Promise<void>;
};

// As text, so that it needs no file of its own beside the bundled program.
const HASHER = `
const { parentPort, workerData } = require('node:worker_threads');
const { createHash } = require('node:crypto');
const { readSync } = require('node:fs');
const hash = createHash('sha256');
const buffer = Buffer.allocUnsafe(1 << 18);
let at = 0;
parentPort.on('message', ({ to, last }) => {
  while (at < to) {
    const read = readSync(workerData.file, buffer, 0, Math.min(buffer.length, to - at), at);
    if (read === 0) throw new Error('the file is shorter than what was written');
    hash.update(buffer.subarray(0, read));
    at += read;
  }
  if (!last) return;
  parentPort.postMessage(hash.digest('hex'));
  parentPort.close();
});
`;

/**
 * Hashes a file in a thread of its own while it is written, so that nobody waits for a second pass over it.
 * @param file its open descriptor
 */
export function digestBeside(file: number): DigestBeside {
  const worker = new Worker(HASHER, { eval: true, workerData: { file }, execArgv: [] });
  const digest = new Promise<string>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('the digest was given up')));
  });
  // Whoever never asks for it need not hear that there is none.
  digest.catch(() => {});
  return {
    extend: (to) => worker.postMessage({ to, last: false }),
    finish: (size) => {
      worker.postMessage({ to: size, last: true });
      return digest;
    },
    stop: async () => void (await worker.terminate()),
  };
}
