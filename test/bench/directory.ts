import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DOMAIN_MEMBER_ATTRIBUTES } from '../../engine/wire/ldap-nesting.ts';
import { findProgram, isRoot } from '../support/debian.ts';
import type { DirectoryEnd } from '../support/directory.ts';
import { addUser, type SambaServer, startSamba } from '../support/samba.ts';
import { BIG, bigDomain } from './big-domain.ts';
import { buildChild, timed } from './child.ts';
import type { Answer, Task } from './directory-child.ts';
import { alternate, type Bench, bounded, compared, median } from './figure.ts';

const ROUNDS = 3;
const QUICK_ROUNDS = 7;
const USER = 'lockstep@hospital.test';
const PASSWORD = 'Practice-B1nd!';
const WALK_FACTOR = 40;
const FACTS_FACTOR = 1.5;
const LEAF_MS = 100;
const MEMORY_MB = 150;
const CANCEL_MS = 250;
const OTHERS_MS = 250;
const IN_CHAIN = `(memberOf:1.2.840.113556.1.4.1941:=${BIG.rootDn})`;

type Tools = {
  readonly ours: (task: Task, group?: string) => Promise<Answer & { readonly wall: number }>;
  readonly peer: (...args: string[]) => Promise<number>;
  readonly peerStart: () => Promise<number>;
};

/** Members, facts, memory and cancelling on Samba with 20,000 users, against ldapsearch on the same server. */
export const directoryBench: Bench = async (say) => {
  const missing = ['samba', 'samba-tool', 'ldbadd', 'ldapsearch'].filter((name) => findProgram(name) === undefined);
  if (missing.length > 0 || !isRoot()) {
    throw new Error(`the bench runs as root and needs ${missing.join(', ') || 'nothing more'}`);
  }
  const domain = await bigDomain(say);
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-bench-'));
  say('Starting Samba on a copy of the loaded domain');
  const server = await startSamba({ domain });
  try {
    await server.admin((client) => addUser(client, { name: 'lockstep', password: PASSWORD }));
    return await measure(await toolsFor(server, folder), say);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
};

async function measure(tools: Tools, say: (line: string) => void): ReturnType<Bench> {
  const time = (task: Task, group?: string) => async () => (await tools.ours(task, group)).wall;
  say('Starting both tools for nothing, and a leaf group');
  const quick = await alternate(QUICK_ROUNDS, {
    noop: time('noop'),
    peerNoop: tools.peerStart,
    bind: time('bind'),
    leaf: time('group', BIG.leaf),
  });
  const noop = median(quick.noop);
  const peerNoop = median(quick.peerNoop);
  say('Everybody below the root group, with a path each');
  const members = await alternate(ROUNDS, {
    ours: async () => {
      const { count, wall } = await tools.ours('paths', BIG.root);
      if (count !== BIG.users + BIG.groups - 1) throw new Error(`${count} members were found`);
      return wall;
    },
    peer: () => tools.peer(IN_CHAIN, '1.1'),
  });
  say('Every fact of the root group');
  const sizes: number[] = [];
  const facts = await alternate(ROUNDS + 2, {
    ours: async () => {
      const { count, megabytes, wall } = await tools.ours('group', BIG.root);
      if (count !== BIG.users) throw new Error(`${count} people were counted`);
      sizes.push(megabytes);
      return wall;
    },
    peer: () => tools.peer('(|(objectClass=user)(objectClass=group))', ...DOMAIN_MEMBER_ATTRIBUTES),
  });
  say('Cancelling, and what others wait meanwhile');
  const cancels: number[] = [];
  for (let at = 0; at < ROUNDS; at += 1)
    cancels.push((await tools.ours('cancel', BIG.root)).milliseconds ?? Number.POSITIVE_INFINITY);
  const read = () => tools.peer('-s', 'base', '(objectClass=*)', '1.1');
  const idle: number[] = [];
  for (let at = 0; at < QUICK_ROUNDS; at += 1) idle.push(await read());
  const meanwhile: number[] = [];
  let running = true;
  const busy = tools.ours('group', BIG.root).finally(() => (running = false));
  await sleep(noop + 300);
  while (running || meanwhile.length === 0) meanwhile.push(await read());
  await busy;
  const figures = [
    compared(
      'directory.members with paths, 20,000 in one root group',
      median(members.ours) - noop,
      median(members.peer) - peerNoop,
      {
        text: `<= peer / ${WALK_FACTOR}`,
        holds: (ours, peer) => ours * WALK_FACTOR <= peer,
      },
    ),
    compared(
      'directory.group, every fact of the root group',
      median(facts.ours) - noop,
      median(facts.peer) - peerNoop,
      {
        text: `<= ${FACTS_FACTOR} x peer`,
        holds: (ours, peer) => ours <= FACTS_FACTOR * peer,
      },
    ),
    compared(
      'directory.group, a leaf group of 60 (peer: a bind)',
      median(quick.leaf) - noop,
      median(quick.bind) - noop,
      {
        text: `<= peer + ${LEAF_MS} ms`,
        holds: (ours, peer) => ours <= peer + LEAF_MS,
      },
    ),
    bounded('memory of directory.group on the root group, resident at most', Math.max(...sizes), 'MB', MEMORY_MB),
    compared(
      "another client's read while directory.group runs (peer: while nothing runs)",
      median(meanwhile) - peerNoop,
      median(idle) - peerNoop,
      {
        text: `<= peer + ${OTHERS_MS} ms`,
        holds: (ours, peer) => ours <= peer + OTHERS_MS,
      },
    ),
    bounded('cancelling directory.group, slowest', Math.max(...cancels), 'ms', CANCEL_MS),
  ];
  return {
    figures,
    notes: [
      `Peer: ldapsearch over LDAPS on the same server; in-chain matching for the members, one paged search for the facts.`,
      `Subtracted from each: our start for nothing ${Math.round(noop)} ms, ldapsearch's ${Math.round(peerNoop)} ms. Medians of alternating rounds.`,
      `Every fact: with the key of the site, so all ${BIG.users} people with the groups that lead to them, and who may change each of the ${BIG.groups} groups.`,
      `Another client read ${meanwhile.length} times meanwhile, at most for ${Math.round(Math.max(...meanwhile) - peerNoop)} ms.`,
    ],
  };
}

async function toolsFor(server: SambaServer, folder: string): Promise<Tools> {
  const file = (name: string) => join(folder, name);
  await writeFile(file('ca.pem'), server.caPem);
  await writeFile(file('password'), PASSWORD, { mode: 0o600 });
  const { host, address, ldaps, caPem, baseDn } = server;
  await writeFile(
    file('end.json'),
    JSON.stringify({ host, address, ldaps, caPem, baseDn, bindAccount: USER } satisfies DirectoryEnd),
  );
  const child = await buildChild('directory-child.ts', folder);
  const environment = { ...process.env, BENCH_DIRECTORY: file('end.json'), BENCH_PASSWORD: PASSWORD };
  const stock = { ...process.env, LDAPTLS_CACERT: file('ca.pem') };
  const common = ['-LLL', '-x', '-H', `ldaps://${address}:${ldaps}`, '-D', USER, '-y', file('password')];
  return {
    ours: async (task, group = '') => {
      const { output, wall } = await child([task, group], environment);
      return { ...(JSON.parse(output) as Answer), wall };
    },
    peer: async (...args) => {
      const paged = args[0] === '-s' ? [] : ['-E', 'pr=1000/noprompt'];
      return (await timed('ldapsearch', [...common, '-b', BIG.container, ...paged, ...args], stock)).wall;
    },
    peerStart: async () => (await timed('ldapsearch', ['-VV'], stock)).wall,
  };
}
