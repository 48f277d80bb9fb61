import { readFileSync } from 'node:fs';
import { argv, env, stdout } from 'node:process';
import { ok } from '../../core/result.ts';
import { directoryGroup } from '../../engine/probes/directory-group.ts';
import { findGroup } from '../../engine/wire/ldap-lookup.ts';
import { growNested, MEMBER_ATTRIBUTES, pathsOf, plant } from '../../engine/wire/ldap-nesting.ts';
import { withDirectory } from '../../engine/wire/ldap-site.ts';
import { type DirectoryEnd, directorySite, runDirectoryProbe, testContext } from '../support/directory.ts';
import { peakMegabytes } from './peak.ts';

/** What the bench asks of one process; `noop` loads everything and does nothing. */
export type Task = 'noop' | 'bind' | 'paths' | 'group' | 'cancel';

/** What the process answers on its standard output. */
export type Answer = { readonly count: number; readonly megabytes: number; readonly milliseconds?: number };

const CANCEL_AFTER_MS = 700;

async function work(task: Task, group: string): Promise<Omit<Answer, 'megabytes'>> {
  if (task === 'noop') return { count: 0 };
  const end = JSON.parse(readFileSync(env.BENCH_DIRECTORY ?? '', 'utf8')) as DirectoryEnd;
  const cancel = new AbortController();
  const context = testContext(directorySite(end), env.BENCH_PASSWORD, {
    signal: cancel.signal,
    // With it every person is among the facts, with the groups that lead to them.
    siteKey: new Uint8Array(32).fill(7),
  });
  if (task === 'bind') {
    const bound = await withDirectory(context, async () => ok(undefined));
    if (!bound.ok) throw new Error(bound.error.message);
    return { count: 0 };
  }
  if (task === 'paths') {
    const found = await withDirectory(context, async (directory) => {
      const root = await findGroup(directory, group, MEMBER_ATTRIBUTES);
      if (!root.ok || root.value === undefined) throw new Error(`no group ${group}`);
      const tree = plant(root.value);
      const grown = await growNested(directory, tree, Number.POSITIVE_INFINITY);
      return grown.ok ? ok(pathsOf(tree).size) : grown;
    });
    if (!found.ok) throw new Error(found.error.message);
    return { count: found.value };
  }
  let cancelled = 0;
  if (task === 'cancel')
    setTimeout(() => {
      cancelled = performance.now();
      cancel.abort();
    }, CANCEL_AFTER_MS);
  const { facts, error } = await runDirectoryProbe(directoryGroup, { group, staleAfter: 'P180D' }, context);
  if (task === 'group') {
    if (error !== undefined) throw new Error(error.message);
    return { count: facts.effective.count };
  }
  if (error?.code !== 'probe.cancelled') throw new Error('it was done before it could be cancelled');
  return { count: 0, milliseconds: performance.now() - cancelled };
}

const done = await work(argv[2] as Task, argv[3] ?? '');
stdout.write(JSON.stringify({ ...done, megabytes: peakMegabytes() } satisfies Answer));
