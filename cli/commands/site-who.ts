import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fail, ok, type Result } from '../../core/result.ts';
import { createConnectionBudget } from '../../engine/budget.ts';
import { contextFor } from '../../engine/run.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { checkKeyOfSite } from '../../engine/session/people.ts';
import { type Known, whoIs } from '../../engine/wire/ldap-who.ts';
import { EXIT, RUNTIME } from '../host.ts';
import { readSiteKeyOf, readSiteKeyText } from '../people.ts';
import { askYesNo, complain, note, printTable } from '../terminal.ts';
import { readSecrets } from './run.ts';

type WhoOptions = { site: string; siteKey?: string | true; secret: string[] };

/** `lockstep site who CODE…`: who the codes in facts and reports stand for. */
export function addSiteWhoCommand(site: Command): void {
  site
    .command('who')
    .description('Say who codes of people stand for: needs the site key and the directory; nothing is recorded')
    .argument('<code...>', 'codes as facts and reports have them; their beginning is enough')
    .requiredOption('--site <file>', 'site file')
    .option('--site-key [env:NAME]', 'the site key; without a value it is asked for', true)
    .option('--secret <name=env:NAME...>', 'passwords that the site names', [])
    .action(async (codes: string[], options: WhoOptions) => {
      const found = await who(codes, options);
      if (!found.ok) complain(found.error);
      else show(codes, found.value);
      process.exitCode = found.ok ? EXIT.done : EXIT.usage;
    });
}

async function who(codes: readonly string[], options: WhoOptions): Promise<Result<readonly Known[]>> {
  const site = await loadSite(resolve(options.site));
  if (!site.ok) return site;
  const text = await readSiteKeyText(options.siteKey ?? true);
  if (!text.ok) return text;
  const key = await readSiteKeyOf(text.value ?? '');
  if (!key.ok) return key;
  const fits = checkKeyOfSite(key.value, site.value.sealed);
  if (!fits.ok) return fits;
  const secrets = await readSecrets(options.secret);
  if (!secrets.ok) return secrets;
  const environment = {
    site: site.value.site,
    now: () => new Date(),
    secret: async (name: string) => {
      const value = secrets.value.get(name);
      return value === undefined
        ? fail('secret.missing', `No password was given for "${name}"; use --secret ${name}=env:NAME.`)
        : ok(value);
    },
    ask: askYesNo,
    progress: note,
    budget: createConnectionBudget({ connections: 100, perSecond: 50 }),
    runtime: RUNTIME,
    siteKey: key.value.bytes,
  };
  return whoIs(contextFor(environment, new AbortController().signal), codes);
}

function show(codes: readonly string[], found: readonly Known[]): void {
  if (found.length > 0)
    printTable(
      ['code', 'name', 'in the directory'],
      found.map(({ code, name, dn }) => [code.slice(0, 12), name, dn]),
    );
  for (const code of codes)
    if (!found.some((known) => known.code.startsWith(code.toLowerCase())))
      note(`${code}: nobody in the directory has this code now, under this key`);
}
