import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { VerifyView } from '../../core/ipc.ts';
import { appError, fail, ok, type Result } from '../../core/result.ts';
import { verifyBundle } from '../../engine/session/bundles.ts';
import { EXIT } from '../host.ts';
import { readTrust } from '../keys.ts';
import { complain, print } from '../terminal.ts';
import { writeVerifierPage } from './verify-page.ts';

/** `lockstep verify`: every finding about a bundle; 0 sound and complete, 1 findings, 2 not a bundle. */
export function addVerifyCommand(program: Command): void {
  program
    .command('verify')
    .description('Verify a bundle: container, digests, journal, verdicts, signatures')
    .argument('[bundle]')
    .option('--trust <role=file...>', 'engineer=ROOT.pem hospital=ROOT.pem publisher=ROOT.pem timestamp=ROOT.pem', [])
    .option('--at <date>', 'as of this date instead of now')
    .option('--json', 'print as JSON')
    .option('--page <out.html>', 'instead of verifying, write the page that verifies bundles in any browser')
    .action(async (bundle: string | undefined, options: VerifyOptions & { page?: string }) => {
      process.exitCode =
        options.page === undefined ? await verify(bundle, options) : await writeVerifierPage(options.page);
    });
}

type VerifyOptions = { trust: string[]; at?: string; json?: boolean };

async function verify(bundle: string | undefined, options: VerifyOptions): Promise<number> {
  if (bundle === undefined) {
    complain(appError('input.malformed', 'Say which bundle to verify.'));
    return EXIT.usage;
  }
  const trust = await readTrust(options.trust);
  const at = readDate(options.at);
  if (!trust.ok || !at.ok) {
    if (!trust.ok) complain(trust.error);
    if (!at.ok) complain(at.error);
    return EXIT.usage;
  }
  const result = await verifyBundle(resolve(bundle), trust.value, at.value);
  if (!result.ok) {
    complain(result.error);
    return EXIT.usage;
  }
  const { sound, complete, findings, signers } = result.value;
  if (options.json === true) print(JSON.stringify(result.value, null, 2));
  else {
    for (const signer of signers)
      print(`${signer.role}: ${signer.subject}${signer.at === undefined ? '' : `, ${signer.at}`}`);
    for (const { severity, code, sentence, place } of findings)
      print(`${severity.padEnd(4)} ${code}${place === undefined ? '' : ` (${place})`}: ${sentence}`);
    print(lastLine(result.value));
  }
  return sound && complete ? EXIT.done : EXIT.findings;
}

/** The last word, which nobody can take for better than it is. */
function lastLine({ sound, complete, edition, findings }: VerifyView): string {
  if (edition !== undefined && findings.every(({ severity }) => severity !== 'bad'))
    return `edition: ${edition.leftOut} parts left out by rule; what remains is what was signed`;
  if (!sound) return 'NOT sound: see the findings above';
  return complete ? 'sound and complete' : 'sound, but incomplete: see the findings above';
}

function readDate(text: string | undefined): Result<Date> {
  if (text === undefined) return ok(new Date());
  const date = /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text) ? new Date(text) : new Date(Number.NaN);
  return Number.isNaN(date.getTime())
    ? fail('input.malformed', `--at takes a date such as 2026-11-23 or 2026-11-23T10:00:00Z; got "${text}".`)
    : ok(date);
}
