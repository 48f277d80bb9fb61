import { resolve } from 'node:path';
import type { Command } from 'commander';
import { fail, ok, type Result } from '../../core/result.ts';
import { readSmallFile } from '../../engine/evidence/container-reader.ts';
import { addTimestamp, askAuthority, type Timestamped, timestampQuery } from '../../engine/evidence/timestamp.ts';
import { saveFile } from '../../engine/session/save-file.ts';
import { EXIT } from '../host.ts';
import { complain, print } from '../terminal.ts';

type TimestampOptions = { tsa?: string; query?: string; response?: string };

/** Largest query or answer that is read, in bytes. */
const MAX_FILE = 256 * 1024;

/** `lockstep bundle timestamp`. */
export function addTimestampCommand(bundle: Command): void {
  bundle
    .command('timestamp')
    .description('Add an RFC 3161 time-stamp over all that the bundle holds, signatures included')
    .argument('<bundle>')
    .option('--tsa <url>', 'ask this authority; nothing but a digest is sent')
    .option('--query <file>', 'write the query, to be sent by other means')
    .option('--response <file>', 'add the answer; with --query, it must answer that query')
    .action(async (file: string, options: TimestampOptions) => {
      const done = await timestamp(resolve(file), options);
      if (!done.ok) complain(done.error);
      process.exitCode = done.ok ? EXIT.done : EXIT.usage;
    });
}

async function timestamp(bundle: string, { tsa, query, response }: TimestampOptions): Promise<Result<unknown>> {
  const now = new Date();
  if (response !== undefined && tsa === undefined) {
    const answer = await readSmallFile(resolve(response), MAX_FILE);
    if (!answer.ok) return answer;
    const asked = query === undefined ? ok(undefined) : await readSmallFile(resolve(query), MAX_FILE);
    if (!asked.ok) return asked;
    return report(
      await addTimestamp({
        bundle,
        response: answer.value,
        ...(asked.value === undefined ? {} : { query: asked.value }),
        now,
      }),
    );
  }
  if ((tsa === undefined) === (query === undefined) || response !== undefined)
    return fail(
      'input.malformed',
      'Say --tsa URL, or --query FILE to write a query, or --response FILE to add an answer.',
    );
  const made = await timestampQuery(bundle, now);
  if (!made.ok) return made;
  if (query !== undefined) {
    const saved = await saveFile(resolve(query), made.value);
    if (saved.ok) print(`query ${resolve(query)}`);
    return saved;
  }
  const answer = await askAuthority(tsa ?? '', made.value);
  return answer.ok ? report(await addTimestamp({ bundle, response: answer.value, query: made.value, now })) : answer;
}

function report(added: Result<Timestamped>): Result<unknown> {
  if (added.ok) {
    print(`bundle ${added.value.file}`);
    print(`sha256 ${added.value.sha256}`);
    print(`time ${added.value.time}, by ${added.value.authority}`);
  }
  return added;
}
