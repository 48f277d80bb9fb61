import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { EDITION_RULES } from '../../core/bundle/edition.ts';
import { appError } from '../../core/result.ts';
import { type EditionPlan, makeEdition } from '../../engine/evidence/edition.ts';
import { EXIT } from '../host.ts';
import { complain, print } from '../terminal.ts';

/** `lockstep bundle edition`: without `--out` it only says what would be left out. */
export function addEditionCommand(bundle: Command): void {
  bundle
    .command('edition')
    .description('Write a bundle without what the hospital keeps; the signatures still verify')
    .argument('<bundle>')
    .addOption(new Option('--for <reader>', 'for whom').choices(['manufacturer']).makeOptionMandatory())
    .option('--out <file>', 'edition to write (.asice); without it, only say what would be left out')
    .action(async (file: string, options: { out?: string }) => {
      if (options.out !== undefined && resolve(options.out) === resolve(file)) {
        complain(appError('input.malformed', 'The edition would replace the bundle itself. Choose another name.'));
        process.exitCode = EXIT.usage;
        return;
      }
      const [path, now] = [resolve(file), new Date()];
      const made = await (options.out === undefined
        ? makeEdition(path, now)
        : makeEdition(path, now, resolve(options.out)));
      if (!made.ok) {
        complain(made.error);
        process.exitCode = EXIT.usage;
        return;
      }
      printPlan(made.value, options.out);
    });
}

function printPlan({ leftOut, stays, signers }: EditionPlan, out: string | undefined): void {
  print(out === undefined ? 'would be left out:' : 'left out:');
  for (const { id, why } of EDITION_RULES) {
    const names = leftOut.filter(({ rule }) => rule === id).map(({ name }) => name);
    if (names.length > 0) print(`  ${id} (${why}):\n${names.map((name) => `    ${name}`).join('\n')}`);
  }
  print(`stays:\n${stays.map((name) => `  ${name}`).join('\n')}`);
  print(`who signed stays named: ${signers.join('; ')}`);
  print(
    out === undefined
      ? 'Nothing was written; say --out to write it.'
      : `edition ${out}: what remains is what was signed.`,
  );
}
