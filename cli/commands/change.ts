import { VERSION } from '../../core/version.ts';
import { basename, resolve } from 'node:path';
import type { Command } from 'commander';
import { CHANGE_DECLARATIONS } from '../../core/changes/index.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { planChange } from '../../engine/session/changes.ts';
import { handOff, type HandedOver } from '../../engine/session/hand-off.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { openSession, resumeSession } from '../../engine/session/open-session.ts';
import type { Session, SessionOptions } from '../../engine/session/session.ts';
import { selectKeys } from '../select-keys.ts';
import { dataDir, EXIT, RUNTIME } from '../host.ts';
import { readTrust } from '../keys.ts';
import { complain, note, print, printTable } from '../terminal.ts';
import { readSecrets } from './run.ts';

type HandOffOptions = {
  guide: string;
  site: string;
  control: string[];
  out: string;
  resume?: string;
  operator: string;
  secret?: string[];
  trust?: string[];
  data?: string;
};

/** `lockstep change hand-off`: plans for those who have the right to write. */
export function addChangeCommands(program: Command): void {
  const change = program.command('change').description('Changes that a guide offers');
  change
    .command('list')
    .description('List every change that a guide may name, with the right that it needs')
    .action(() =>
      printTable(
        ['change', 'parameters', 'needs'],
        CHANGE_DECLARATIONS.map(({ id, params, rights }) => [id, Object.keys(shapeOf(params)).join(', '), rights]),
      ),
    );
  change
    .command('hand-off')
    .description('Write the plans of changes for the directory team: LDIF, PowerShell, and what is checked afterwards')
    .requiredOption('--guide <file>', 'guide as a signed container')
    .requiredOption('--site <file>', 'site file')
    .requiredOption('--control <id...>', 'controls or steps whose change is handed over')
    .requiredOption('--out <file>', 'text file to write')
    .option('--resume <session>', 'record it in this session; without it, in a new one')
    .option('--operator <name>', 'who hands it over', process.env.USER ?? process.env.USERNAME ?? 'operator')
    .option('--secret <name=env:NAME...>', 'passwords that the site names')
    .option('--trust <role=file...>', 'publisher=ROOT.pem: plans are only made by a guide that is trusted')
    .option('--data <folder>', 'where sessions are kept')
    .action(async (options: HandOffOptions) => {
      const done = await handOffCommand(options);
      if (!done.ok) complain(done.error);
      process.exitCode = done.ok ? EXIT.done : EXIT.usage;
    });
}

function shapeOf(params: unknown): object {
  return (params as { shape: object }).shape;
}

async function handOffCommand(options: HandOffOptions): Promise<Result<void>> {
  const opened = await openFor(options);
  if (!opened.ok) return opened;
  const session = opened.value;
  try {
    note(`session ${session.id}`);
    const keys = selectKeys(session, options.control);
    if (!keys.ok) return keys;
    const plans: HandedOver[] = [];
    for (const key of keys.value) {
      const plan = await planChange(session, key);
      if (plan.ok) plans.push({ key, change: plan.value.change });
      else if (plan.error.code === 'change.refused') note(`${key}: ${plan.error.message}`);
      else return plan;
    }
    if (plans.length === 0) return fail('change.refused', 'There is nothing to hand over.');
    const out = resolve(options.out);
    const written = await handOff(session, plans, out, basename(out));
    if (!written.ok) return written;
    print(out);
    note(`When it has been done: lockstep run --resume ${session.id} --only ${options.control.join(' ')} …`);
    return ok(undefined);
  } finally {
    await session.close();
  }
}

/** What a session is opened or resumed with, under a guide that may change things. */
export type OpenOptions = Pick<HandOffOptions, 'guide' | 'site' | 'resume' | 'operator' | 'secret' | 'trust' | 'data'>;

/** Opens a session, or resumes one, under a trusted guide. Errors: `guide.untrusted`, and those of guide, site and journal. */
export async function openFor(options: OpenOptions): Promise<Result<Session>> {
  const trust = await readTrust(options.trust ?? []);
  if (!trust.ok) return trust;
  const roots = trust.value.publisher;
  const guide = await loadGuide(resolve(options.guide), { roots });
  if (!guide.ok) return guide;
  if (guide.value.trust !== 'trusted')
    return fail(
      'guide.untrusted',
      `This guide is ${guide.value.trust}, so it only reads: give --trust publisher=ROOT.pem.`,
    );
  const site = await loadSite(resolve(options.site));
  if (!site.ok) return site;
  const secrets = await readSecrets(options.secret ?? []);
  if (!secrets.ok) return secrets;
  const sessions = resolve(options.data ?? dataDir(), 'sessions');
  const host: SessionOptions = {
    now: () => new Date(),
    lockstep: VERSION,
    runtime: RUNTIME,
    operator: options.operator,
    ask: async () => false,
  };
  const session =
    options.resume === undefined
      ? await openSession(sessions, guide.value, site.value, host)
      : await resumeSession(resolve(sessions, options.resume), { roots }, host);
  if (!session.ok) return session;
  for (const [name, value] of secrets.value) session.value.secrets.set(name, value);
  return session;
}
