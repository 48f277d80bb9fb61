import { argv, stderr, stdout } from 'node:process';
import { directoryBench } from './directory.ts';
import { evidenceBench } from './evidence.ts';
import { type Bench, table } from './figure.ts';
import { linksBench } from './links.ts';

/** Every bench, by the name given on the command line. */
const BENCHES: Readonly<Record<string, Bench>> = {
  directory: directoryBench,
  evidence: evidenceBench,
  links: linksBench,
};

const USAGE = `npm run bench -- NAME [--json]   NAME: ${Object.keys(BENCHES).join(', ')}`;

async function main(given: readonly string[]): Promise<number> {
  const names = given.filter((argument) => !argument.startsWith('-'));
  const unknown = given.filter((argument) => argument.startsWith('-') && argument !== '--json');
  const bench = names.length === 1 && unknown.length === 0 ? BENCHES[names[0] ?? ''] : undefined;
  if (bench === undefined) {
    stderr.write(`${USAGE}\n`);
    return 2;
  }
  const { figures, notes } = await bench((line) => void stderr.write(`${line}\n`));
  if (given.includes('--json')) for (const figure of figures) stdout.write(`${JSON.stringify(figure)}\n`);
  else stdout.write(`${table(figures)}\n\n${notes.join('\n')}\n`);
  return figures.every(({ holds }) => holds) ? 0 : 1;
}

process.exitCode = await main(argv.slice(2));
