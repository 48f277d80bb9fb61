import { resolve } from 'node:path';
import type { Command } from 'commander';
import { PROBE_DECLARATIONS } from '../../core/probes/index.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { siteSchema } from '../../core/site/schema.ts';
import { createConnectionBudget } from '../../engine/budget.ts';
import type { RunEnvironment } from '../../engine/run.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { runNamed } from '../../engine/session/walk.ts';
import { EXIT, RUNTIME } from '../host.ts';
import { addPeopleOptions, type PeopleOptions, readSiteKeyOf, readSiteKeyText } from '../people.ts';
import { askYesNo, complain, note, print, printTable } from '../terminal.ts';
import { readSecrets } from './run.ts';

/** `lockstep probe list` and `lockstep probe ID --with key=value…`: look without a guide; judges nothing. */
export function addProbeCommands(program: Command): void {
  const probe = program.command('probe').description('Look with one probe; nothing is judged, nothing recorded');
  probe
    .command('list')
    .description('List the probes')
    .option('--json', 'print as JSON')
    .action((options: { json?: boolean }) => {
      const rows = PROBE_DECLARATIONS.map(({ id, version, title, rights }) => ({ id, version, title, rights }));
      if (options.json === true) print(JSON.stringify(rows, null, 2));
      else
        printTable(
          ['probe', 'title', 'rights'],
          rows.map((row) => [row.id, row.title, row.rights]),
        );
    });
  addPeopleOptions(probe.command('run', { isDefault: true }))
    .description('Run one probe and print its facts')
    .argument('<id>')
    .option('--with <key=value...>', 'parameters; a value is JSON where it parses as JSON', [])
    .option('--site <file>', 'site whose anchors, addresses and directory are used')
    .option('--secret <name=env:NAME...>', 'passwords that the site names', [])
    .action(async (id: string, options: ProbeOptions) => {
      process.exitCode = await run(id, options);
    });
}

type ProbeOptions = PeopleOptions & { with: string[]; site?: string; secret: string[] };

async function run(id: string, options: ProbeOptions): Promise<number> {
  const site =
    options.site === undefined ? ok(siteSchema.parse({ site: 'none', name: 'No site' })) : await siteOf(options.site);
  const params = readParams(options.with);
  const secrets = await readSecrets(options.secret);
  const keyText = await readSiteKeyText(options.siteKey);
  if (!site.ok || !params.ok || !secrets.ok || !keyText.ok) {
    for (const result of [site, params, secrets, keyText]) if (!result.ok) complain(result.error);
    return EXIT.usage;
  }
  const key = keyText.value === undefined ? undefined : await readSiteKeyOf(keyText.value);
  const environment: RunEnvironment = {
    site: site.value,
    now: () => new Date(),
    secret: async (name) => {
      const value = secrets.value.get(name);
      return value === undefined
        ? fail('secret.missing', `No password was given for "${name}"; use --secret ${name}=env:NAME.`)
        : ok(value);
    },
    ask: (question) => askYesNo(question),
    progress: note,
    budget: createConnectionBudget({ connections: 1000, perSecond: 50 }),
    runtime: RUNTIME,
    siteKey: key?.ok === true ? key.value.bytes : undefined,
    namesAgreed: options.names === true,
  };
  const result = await runNamed(id, params.value, environment, new AbortController().signal);
  if (result.ok) print(JSON.stringify(result.value, null, 2));
  else complain(result.error);
  return result.ok ? EXIT.done : EXIT.undecided;
}

async function siteOf(path: string): Promise<Result<RunEnvironment['site']>> {
  const site = await loadSite(resolve(path));
  return site.ok ? ok(site.value.site) : site;
}

function readParams(entries: readonly string[]): Result<Record<string, unknown>> {
  const params: Record<string, unknown> = {};
  for (const entry of entries) {
    const at = entry.indexOf('=');
    if (at < 1) return fail('input.malformed', `--with takes key=value; got "${entry}".`);
    const text = entry.slice(at + 1);
    try {
      params[entry.slice(0, at)] = JSON.parse(text);
    } catch {
      params[entry.slice(0, at)] = text;
    }
  }
  return ok(params);
}
