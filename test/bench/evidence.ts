import { randomFillSync } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../support/debian.ts';
import { buildChild, timed } from './child.ts';
import type { Answer, Task } from './evidence-child.ts';
import { alternate, type Bench, bounded, compared, median } from './figure.ts';

const ROUNDS = 5;
const FILES = 8;
const FILE_MIB = 128;
const APPENDS = 2000;
const FACTOR = 1.5;
const MEMORY_MB = 200;
const OPEN_MS = 1000;

/** Sealing, verifying, appending and opening, against stock tools over the same bytes on the same disk. */
export const evidenceBench: Bench = async (say) => {
  if (findProgram('openssl') === undefined) throw new Error('the bench needs openssl');
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-bench-'));
  try {
    return await measure(folder, say);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

async function measure(folder: string, say: (line: string) => void): ReturnType<Bench> {
  const at = (name: string) => join(folder, name);
  const child = await buildChild('evidence-child.ts', folder);
  const ours = async (task: Task, ...args: string[]) => {
    const { output, wall } = await child([task, ...args]);
    return { ...(JSON.parse(output) as Answer), wall };
  };
  await ours('prepare', folder);
  say(`Attaching ${FILES} files of ${FILE_MIB} MiB, and one of ${(FILES * FILE_MIB) / 1024} GiB`);
  const files = await makeFiles(at('photos'));
  const { made: session } = await ours('attach', folder, ...files);
  await makeFile(at('large.bin'), FILES * FILE_MIB);
  const large = await ours('attach', folder, at('large.bin'));
  await Promise.all([rm(large.made, { recursive: true }), rm(at('large.bin')), rm(at('photos'), { recursive: true })]);
  const attachments = (await readdir(join(session, 'attachments'))).map((name) => join(session, 'attachments', name));

  say('Sealing and verifying');
  const sizes = { seal: 0, verify: 0 };
  const walls = await alternate(ROUNDS, {
    noop: async () => (await ours('noop')).wall,
    seal: async () => {
      await rm(at('out.asice'), { force: true });
      const { wall, megabytes } = await ours('seal', session, at('out.asice'), at('engineer.pem'));
      sizes.seal = Math.max(sizes.seal, megabytes);
      return wall;
    },
    copied: async () => {
      await rm(at('copy'), { recursive: true, force: true });
      await mkdir(at('copy'));
      const digest = await timed('openssl', ['dgst', '-sha256', ...attachments]);
      return digest.wall + (await timed('cp', [...attachments, at('copy')])).wall;
    },
  });
  await rm(at('copy'), { recursive: true, force: true });
  const read = await alternate(ROUNDS, {
    verify: async () => {
      const { wall, megabytes } = await ours('verify', at('out.asice'), at('root.pem'));
      sizes.verify = Math.max(sizes.verify, megabytes);
      return wall;
    },
    digest: async () => (await timed('openssl', ['dgst', '-sha256', at('out.asice')])).wall,
  });
  const noop = median(walls.noop);

  say(`Appending ${APPENDS} events`);
  const rate = (task: Task) => async () => (APPENDS / (await ours(task, folder, String(APPENDS))).milliseconds) * 1000;
  const rates = await alternate(ROUNDS, { append: rate('append'), bare: rate('bare') });

  say('Opening a session of 10,000 events');
  const { made: grown } = await ours('grow', folder);
  const opened = await alternate(ROUNDS, { open: async () => (await ours('open', grown)).milliseconds });
  const times = (factor: number) => ({
    text: `<= ${factor} x peer`,
    holds: (mine: number, peer: number) => mine <= factor * peer,
  });
  return {
    figures: [
      compared(
        'sealing 1 GiB of attachments (peer: openssl dgst + cp)',
        median(walls.seal) - noop,
        median(walls.copied),
        times(FACTOR),
      ),
      compared(
        'verifying the bundle (peer: openssl dgst)',
        median(read.verify) - noop,
        median(read.digest),
        times(FACTOR),
      ),
      bounded('memory of sealing, resident at most', sizes.seal, 'MB', MEMORY_MB),
      bounded('memory of verifying, resident at most', sizes.verify, 'MB', MEMORY_MB),
      bounded('memory of attaching 1 GiB, resident at most', large.megabytes, 'MB', MEMORY_MB),
      compared(
        'journal appends (peer: bare write and fsync)',
        median(rates.append),
        median(rates.bare),
        { text: '>= peer / 2', holds: (mine, peer) => mine * 2 >= peer },
        '1/s',
      ),
      bounded('opening a session of 10,000 events', median(opened.open), 'ms', OPEN_MS),
    ],
    notes: [
      `Subtracted from sealing and verifying: our start for nothing, ${Math.round(noop)} ms. Medians of ${ROUNDS} alternating rounds.`,
      'Sealing ends when the bundle is synced to the disk; cp ends before.',
    ],
  };
}

async function makeFiles(folder: string): Promise<string[]> {
  await mkdir(folder);
  const files = Array.from({ length: FILES }, (_, index) => join(folder, `photo-${index}.bin`));
  for (const file of files) await makeFile(file, FILE_MIB);
  return files;
}

/** Random bytes: nothing on the way can make them smaller. */
async function makeFile(file: string, mebibytes: number): Promise<void> {
  const handle = await open(file, 'w');
  const block = Buffer.allocUnsafe(1 << 20);
  for (let count = 0; count < mebibytes; count += 1) await handle.write(randomFillSync(block));
  await handle.close();
}
