import { webcrypto } from 'node:crypto';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { WebCrypto } from '../../core/bundle/host.ts';
import { makeSiteKey, SITE_KEY_BYTES } from '../../core/people/site-key.ts';
import { checkSite } from '../../core/site/check.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite, readSmallFile } from '../../engine/session/load-site.ts';
import { planOf } from '../../engine/session/plan-of.ts';
import { EXIT } from '../host.ts';
import { readSiteKeyOf, readSiteKeyText } from '../people.ts';
import { complain, note, print } from '../terminal.ts';
import { printFaults } from './guide.ts';
import { addSiteWhoCommand } from './site-who.ts';

/** `lockstep site check`, `lockstep site key` and `lockstep site who`. */
export function addSiteCommands(program: Command): void {
  const site = program
    .command('site')
    .description('Check site files, make site keys, say who codes of people stand for');
  addSiteWhoCommand(site);
  site
    .command('key')
    .description('Make a site key for a hospital and show it this once; or say the id of one')
    .option('--of [env:NAME]', 'instead of making one, show the id of this key; without a value it is asked for')
    .action(async (options: { of?: string | true }) => {
      process.exitCode = await key(options);
    });
  site
    .command('check')
    .description('Check a site file and the files it names; every fault with line and column')
    .argument('<file>')
    .option('--guide <file>', 'also check that it gives what this guide needs')
    .option('--json', 'print as JSON')
    .action(async (file: string, options: { guide?: string; json?: boolean }) => {
      process.exitCode = await check(file, options);
    });
}

async function key(options: { of?: string | true }): Promise<number> {
  if (options.of === undefined) {
    const made = await makeSiteKey(webcrypto.getRandomValues(new Uint8Array(SITE_KEY_BYTES)), webcrypto as WebCrypto);
    // On standard output stands the key alone, so that it can go straight into a vault.
    print(made.text);
    note(`key id ${made.key.id}`);
    note('Put the key into the hospital’s password vault now: Lockstep keeps no copy and cannot show it again.');
    note(`The id is no secret. In the site file, people: { keyId: ${made.key.id} } has any other key refused.`);
    made.key.bytes.fill(0);
    return EXIT.done;
  }
  const text = await readSiteKeyText(options.of);
  const read = text.ok ? await readSiteKeyOf(text.value ?? '') : text;
  if (!read.ok) {
    complain(read.error);
    return EXIT.usage;
  }
  print(`key id ${read.value.id}`);
  return EXIT.done;
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
