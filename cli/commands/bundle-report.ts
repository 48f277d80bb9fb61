import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { REPORTS } from '../../core/report/index.ts';
import { extractReports } from '../../engine/session/bundles.ts';
import { EXIT } from '../host.ts';
import { complain, print } from '../terminal.ts';

const FORMATS = REPORTS.map((report) => report.id);

/** `lockstep bundle report`: a report as it was sealed; 0 written, 2 no such report or no bundle. */
export function addBundleReportCommand(bundle: Command): void {
  bundle
    .command('report')
    .description('Write a report of a bundle beside it')
    .argument('<bundle>')
    .option(
      '--format <name>',
      `${FORMATS.join(', ')}, or open-items for those of both parties (the app saves html as PDF)`,
      'html',
    )
    .option('--out <folder>', 'folder to write it to; default: that of the bundle')
    .action(async (file: string, options: { format: string; out?: string }) => {
      const written = await extractReports(resolve(file), resolve(options.out ?? dirname(file)), options.format);
      if (written.ok) for (const path of written.value) print(path);
      else complain(written.error);
      process.exitCode = written.ok ? EXIT.done : EXIT.usage;
    });
}
