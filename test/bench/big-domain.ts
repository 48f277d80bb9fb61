import { execFile } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { promisify } from 'node:util';
import { provisionSamba } from '../support/samba.ts';

const run = promisify(execFile);

const BASE_DN = 'DC=hospital,DC=test';
/** Part of the cache's name: raise it when what is loaded changes. */
const RECIPE = 1;
const USERS = 20_000;
const GROUPS = 500;
/** Groups that one group names: with it, GROUPS groups nest six deep below the first. */
const CHILDREN = 3;

/** What the loaded domain holds. */
export const BIG = {
  container: `OU=Bench,${BASE_DN}`,
  root: 'group-0',
  rootDn: `CN=group-0,OU=Bench,${BASE_DN}`,
  /** One of the groups that hold people, and 60 of them. */
  leaf: 'group-400',
  leafSize: 60,
  users: USERS,
  groups: GROUPS,
} as const;

/**
 * A folder with a domain of 20,000 users and 500 groups, made once below the temporary folder: start Samba on a copy.
 * @param say takes a line when it has to be made, which takes about a minute
 */
export async function bigDomain(say: (line: string) => void): Promise<string> {
  const empty = await provisionSamba();
  const cache = join(tmpdir(), `${basename(empty)}-big-${RECIPE}`);
  if (await exists(join(cache, 'etc', 'smb.conf'))) return cache;
  say(`Loading ${USERS} users and ${GROUPS} groups into Samba, once`);
  const work = await mkdtemp(join(tmpdir(), 'lockstep-big-'));
  const domain = join(work, 'domain');
  await run('cp', ['-a', empty, domain]);
  for (const [name, entries] of [
    ['users', users()],
    ['groups', groups()],
  ] as const) {
    const file = join(work, `${name}.ldif`);
    const out = createWriteStream(file);
    for (const entry of entries) out.write(entry);
    out.end();
    await finished(out);
    const database = join(domain, 'private', 'sam.ldb');
    const options = ['--nosync', '-o', 'batch_mode:1', '-o', 'transaction_index_cache_size:200000', '-H', database];
    await run('ldbadd', [...options, file], { maxBuffer: 64 * 1024 * 1024 });
  }
  await rename(domain, cache).catch(async (error: unknown) => {
    if (!(await exists(join(cache, 'etc', 'smb.conf')))) throw error;
  });
  await rm(work, { recursive: true, force: true });
  return cache;
}

function* users(): Generator<string> {
  yield `dn: ${BIG.container}\nobjectClass: organizationalUnit\n\n`;
  for (let at = 0; at < USERS; at += 1) {
    const name = `person-${at}`;
    // Enabled, and as no password is set, marked as needing none.
    yield `dn: ${dn(name)}\nobjectClass: user\nsAMAccountName: ${name}\nuserPrincipalName: ${name}@hospital.test\nuserAccountControl: 544\n\n`;
  }
}

/** Leaves first, for a member must be there before it is named. */
function* groups(): Generator<string> {
  const children = (group: number) =>
    Array.from({ length: CHILDREN }, (_, at) => group * CHILDREN + 1 + at).filter((child) => child < GROUPS);
  const leaves = Array.from({ length: GROUPS }, (_, at) => at).filter((group) => children(group).length === 0);
  for (let group = GROUPS - 1; group >= 0; group -= 1) {
    const members = children(group).map((child) => `group-${child}`);
    const first = leaves.indexOf(group);
    if (first >= 0) for (let at = first; at < USERS; at += leaves.length) members.push(`person-${at}`);
    const lines = members.map((member) => `member: ${dn(member)}\n`).join('');
    yield `dn: ${dn(`group-${group}`)}\nobjectClass: group\nsAMAccountName: group-${group}\ngroupType: -2147483640\n${lines}\n`;
  }
}

function dn(name: string): string {
  return `CN=${name},${BIG.container}`;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
