import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { argv, stdout } from 'node:process';
import { encodeEvent, ZERO_HASH } from '../../core/session/chain.ts';
import { type EventData, type EventType, JOURNAL_FORMAT, type JournalEvent } from '../../core/session/events.ts';
import { hashLine } from '../../engine/evidence/journal-writer.ts';
import { loadIdentity } from '../../engine/keys/identity.ts';
import { createPracticeCa } from '../../engine/keys/practice-ca.ts';
import { verifyBundle } from '../../engine/session/bundles.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { openSession, resumeSession } from '../../engine/session/open-session.ts';
import { sealSession } from '../../engine/session/seal.ts';
import type { SessionOptions } from '../../engine/session/session.ts';
import { value } from '../support/evidence.ts';
import { miniGuide, miniSite } from '../support/mini-guide.ts';
import { peakMegabytes } from './peak.ts';

/** What the bench asks of one process; `noop` loads everything and does nothing. */
export type Task = 'noop' | 'prepare' | 'attach' | 'seal' | 'verify' | 'append' | 'bare' | 'grow' | 'open';

/** What the process answers: milliseconds of the part that counts, what it made, and its largest size. */
export type Answer = { readonly milliseconds: number; readonly made: string; readonly megabytes: number };

const EVENTS = 10_000;
const options: SessionOptions = {
  now: () => new Date(),
  lockstep: '0.0.0',
  runtime: {},
  operator: 'Bench',
  ask: async () => false,
};
const STEP = 'people.trained@site:mini';

/** Guide, site, and an engineer with its root, in a folder. */
async function prepare(folder: string): Promise<string> {
  await writeFile(join(folder, 'guide.yaml'), miniGuide());
  await writeFile(join(folder, 'site.yaml'), miniSite(1));
  const ca = await createPracticeCa({ now: new Date() });
  const issued = await ca.issue({ commonName: 'PRACTICE engineer', usage: 'sign', role: 'engineer' });
  await writeFile(join(folder, 'engineer.pem'), `${issued.keyPem}\n${issued.chainPem}`, { mode: 0o600 });
  await writeFile(join(folder, 'root.pem'), ca.roots.engineer);
  return folder;
}

async function start(folder: string) {
  const guide = value(await loadGuide(join(folder, 'guide.yaml'), {}));
  const site = value(await loadSite(join(folder, 'site.yaml')));
  return value(await openSession(join(folder, 'sessions'), guide, site, options));
}

/** A session with these files attached. */
async function attach(folder: string, files: readonly string[]): Promise<string> {
  const session = await start(folder);
  const key = session.plan.items.find((item) => item.key.startsWith('people.trained'))?.key ?? STEP;
  for (const file of files) value(await session.attach(key, file));
  await session.close();
  return session.dir;
}

async function seal(dir: string, out: string, key: string): Promise<string> {
  const session = value(await resumeSession(dir, {}, options));
  const identity = value(await loadIdentity(key, undefined));
  const sealed = value(await sealSession(session, out, identity));
  await session.close();
  return sealed.sha256;
}

async function verify(bundle: string, root: string): Promise<string> {
  const trust = { engineer: [await readFile(root, 'utf8')], hospital: [], publisher: [] };
  const verified = value(await verifyBundle(bundle, trust, new Date()));
  const bad = verified.findings.filter(({ severity }) => severity === 'bad');
  if (bad.length > 0) throw new Error(JSON.stringify(bad));
  return `${verified.findings.length} findings`;
}

const LINE = {
  visible: ['One connection to the device, and what its monitoring sees of it: a log-in that is refused.'],
};

async function append(folder: string, times: number): Promise<number> {
  const session = await start(folder);
  const begun = performance.now();
  for (let count = 0; count < times; count += 1) value(await session.journal.append('preflight.accepted', LINE));
  const taken = performance.now() - begun;
  await session.close();
  return taken;
}

/** What no journal can beat: the same lines, ready made, written and synced one by one. */
function bare(folder: string, times: number): number {
  const line = Buffer.from(`${JSON.stringify({ ...LINE, filler: 'x'.repeat(170) })}\n`);
  const file = openSync(join(folder, 'bare.jsonl'), 'w');
  const begun = performance.now();
  for (let count = 0; count < times; count += 1) {
    writeSync(file, line, 0, line.length, count * line.length);
    fsyncSync(file);
  }
  const taken = performance.now() - begun;
  closeSync(file);
  return taken;
}

/** A session whose journal has 10,000 events: a third of them name a facts file. Not synced: it is only read. */
async function grow(folder: string): Promise<string> {
  const empty = await start(folder);
  const { dir, plan } = empty;
  const [opening] = empty.journal.events;
  await empty.close();
  if (opening?.type !== 'session.opened' || opening.data.format !== JOURNAL_FORMAT) throw new Error('no session');
  const [item] = plan.items;
  if (item === undefined) throw new Error('no step');
  const lines = [encodeEvent(opening)];
  const put = <T extends EventType>(type: T, data: EventData<T>) => {
    const prev = hashLine(Buffer.from(lines.at(-1) ?? ZERO_HASH));
    const event = { n: lines.length, at: opening.at, prev, by: opening.by, type, data } as JournalEvent;
    lines.push(encodeEvent(event));
  };
  await mkdir(join(dir, 'facts'), { recursive: true });
  const about = { key: item.key, check: 0, probe: 'http.request' };
  while (lines.length < EVENTS) {
    put('probe.started', { ...about, params: { url: 'http://127.0.0.1:1/state' } });
    const facts = { status: 200, json: { secure: true }, at: lines.length };
    const times = { startedAt: opening.at, finishedAt: opening.at };
    const text = JSON.stringify({
      probe: about.probe,
      version: 1,
      params: {},
      ...times,
      runtime: {},
      connections: 1,
      facts,
      absent: [],
    });
    const file = `facts/${lines.length}.json`;
    await writeFile(join(dir, file), text);
    put('facts.recorded', { ...about, file, sha256: hashLine(Buffer.from(text)) });
    const { control, target } = item;
    const judged = { key: item.key, control: control.id, revision: control.revision, target, verdict: 'pass' as const };
    put('judged', { ...judged, findings: [], basis: [lines.length - 1] });
  }
  await writeFile(join(dir, 'journal.jsonl'), `${lines.join('\n')}\n`);
  return dir;
}

async function open(dir: string): Promise<number> {
  const begun = performance.now();
  const session = value(await resumeSession(dir, {}, options));
  const taken = performance.now() - begun;
  if (session.journal.events.length < EVENTS) throw new Error('events are missing');
  await session.close();
  return taken;
}

async function work(task: Task, [first = '', ...rest]: readonly string[]): Promise<Omit<Answer, 'megabytes'>> {
  const made = (what: string) => ({ milliseconds: 0, made: what });
  const took = (milliseconds: number) => ({ milliseconds, made: '' });
  switch (task) {
    case 'noop':
      return made('');
    case 'prepare':
      return made(await prepare(first));
    case 'attach':
      return made(await attach(first, rest));
    case 'seal':
      return made(await seal(first, rest[0] ?? '', rest[1] ?? ''));
    case 'verify':
      return made(await verify(first, rest[0] ?? ''));
    case 'append':
      return took(await append(first, Number(rest[0])));
    case 'bare':
      return took(bare(first, Number(rest[0])));
    case 'grow':
      return made(await grow(first));
    case 'open':
      return took(await open(first));
    default:
      return task satisfies never;
  }
}

const done = await work(argv[2] as Task, argv.slice(3));
stdout.write(JSON.stringify({ ...done, megabytes: peakMegabytes() } satisfies Answer));
