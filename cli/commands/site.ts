import { resolve } from 'node:path';
import type { Command } from 'commander';
import { checkSite } from '../../core/site/check.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite, readSmallFile } from '../../engine/session/load-site.ts';
import { planOf } from '../../engine/session/plan-of.ts';
import { EXIT } from '../host.ts';
import { complain, print } from '../terminal.ts';
import { printFaults } from './guide.ts';

/** `lockstep site check`. */
export function addSiteCommands(program: Command): void {
  program
    .command('site')
    .description('Check site files')
    .command('check')
    .description('Check a site file and the files it names; every fault with line and column')
    .argument('<file>')
    .option('--guide <file>', 'also check that it gives what this guide needs')
    .option('--json', 'print as JSON')
    .action(async (file: string, options: { guide?: string; json?: boolean }) => {
      process.exitCode = await check(file, options);
    });
}

async function check(file: string, options: { guide?: string; json?: boolean }): Promise<number> {
  const text = await readSmallFile(resolve(file), 'site file');
  if (!text.ok) {
    complain(text.error);
    return EXIT.usage;
  }
  const { faults } = checkSite(text.value);
  printFaults(file, faults, options.json === true);
  if (faults.length > 0) return EXIT.usage;
  const site = await loadSite(resolve(file));
  if (!site.ok) {
    complain(site.error);
    return EXIT.usage;
  }
  if (options.guide !== undefined) {
    const guide = await loadGuide(resolve(options.guide), {});
    const plan = guide.ok ? planOf(guide.value, site.value) : guide;
    if (!plan.ok) {
      complain(plan.error);
      return EXIT.usage;
    }
    if (options.json !== true) print(`${plan.value.items.length} steps for ${plan.value.guide.guide}`);
  }
  if (options.json !== true) print(`${file}: ${site.value.sealed.name}, no faults`);
  return EXIT.done;
}
