import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPracticeCa } from '../../engine/keys/practice-ca.ts';
import { verifyBundle } from '../../engine/session/bundles.ts';
import { resumeSession } from '../../engine/session/open-session.ts';
import type { VerifyView } from '../../core/ipc.ts';
import { ROOT } from './cli.ts';
import { value } from './evidence.ts';
import { miniSite } from './mini-guide.ts';

const STEPS = 40;
/** Steps that a person answers, each with a file of its own. */
const ANSWERS = 4;
const FILE_BYTES = 1 << 20;
const ANSWER_MS = 8;
/** Walking and sealing take about this long after the session stands; later kills would only find it done. */
const LONGEST_MS = 1_200;
/** Part of the kills that come while the process still starts or opens the session. */
const EARLY = 0.2;

export type KilledWalk = {
  /** What each process had said before it was killed: how many steps were acknowledged. */
  readonly kills: readonly number[];
  /** Faults against 'nothing acknowledged is lost'; empty when all is well. */
  readonly lost: readonly string[];
  /** Steps that were judged, kills notwithstanding, and events in the journal at the end. */
  readonly judged: number;
  readonly events: number;
  readonly verified: VerifyView;
};

/**
 * Walks one session by the command line, kills the process (SIGKILL) at random moments and resumes it each time, until
 * it was killed `times` times; then lets it finish, seal and sign.
 */
export async function walkWithKills(times: number, random: () => number): Promise<KilledWalk> {
  const dir = await mkdtemp(join(tmpdir(), 'lockstep-killed-'));
  const server = createServer((request, response) => {
    const body = JSON.stringify(request.url === '/version' ? { version: '1.2.0' } : { secure: true });
    setTimeout(() => response.setHeader('content-type', 'application/json').end(body), ANSWER_MS);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await writeFile(join(dir, 'guide.yaml'), longGuide());
    await writeFile(join(dir, 'answers.yaml'), longAnswers());
    for (let index = 0; index < ANSWERS; index += 1)
      await writeFile(join(dir, `paper-${index}.pdf`), Buffer.alloc(FILE_BYTES, `paper ${index} `));
    await writeFile(join(dir, 'site.yaml'), miniSite((server.address() as AddressInfo).port));
    const ca = await createPracticeCa({ now: new Date() });
    const issued = await ca.issue({ commonName: 'PRACTICE engineer', usage: 'sign', role: 'engineer' });
    await writeFile(join(dir, 'engineer.pem'), `${issued.keyPem}\n${issued.chainPem}`, { mode: 0o600 });
    return await killAndResume(dir, times, random, [ca.roots.engineer]);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(dir, { recursive: true, force: true });
  }
}

async function killAndResume(dir: string, times: number, random: () => number, roots: string[]): Promise<KilledWalk> {
  const kills: number[] = [];
  const lost: string[] = [];
  const bundle = join(dir, 'out.asice');
  const trust = { engineer: roots, hospital: [], publisher: [] };
  let session: string | undefined;
  let before = Buffer.alloc(0);
  for (let round = 0; kills.length < times && round < times * 3; round += 1) {
    const kill = { early: random() < EARLY, after: Math.round(random() * LONGEST_MS) };
    const run = await runFor(dir, session, kill);
    session ??= run.session;
    if (session === undefined) continue;
    if (run.killed) kills.push(run.acknowledged);
    const now = await readFile(join(dir, 'data', 'sessions', session, 'journal.jsonl'));
    if (!now.subarray(0, before.length).equals(before)) lost.push(`kill ${kills.length}: earlier lines were changed`);
    const gained = judgedIn(now) - judgedIn(before);
    if (gained < run.acknowledged) {
      lost.push(
        `kill ${kills.length} (${JSON.stringify(kill)}): ${run.acknowledged} steps were acknowledged, ${gained} are there`,
      );
    }
    // Whatever lies at the bundle's place is whole.
    if (await exists(bundle)) {
      const { findings } = value(await verifyBundle(bundle, trust, new Date()));
      for (const { severity, sentence } of findings)
        if (severity === 'bad') lost.push(`bundle after kill: ${sentence}`);
    }
    const resumed = await resumeSession(
      join(dir, 'data', 'sessions', session),
      {},
      {
        now: () => new Date(),
        lockstep: '0.0.0',
        runtime: {},
        operator: 'Test Person',
        ask: async () => false,
      },
    );
    if (!resumed.ok)
      lost.push(`kill ${kills.length} (${JSON.stringify(kill)}): ${resumed.error.code} ${resumed.error.message}`);
    else await resumed.value.close();
    before = await readFile(join(dir, 'data', 'sessions', session, 'journal.jsonl'));
  }
  const last = await runFor(dir, session);
  if (last.killed || !(await exists(bundle))) throw new Error(`the last run sealed nothing: ${last.said}`);
  const verified = value(await verifyBundle(bundle, trust, new Date()));
  const events = await readFile(join(dir, 'data', 'sessions', session ?? '', 'journal.jsonl'));
  return { kills, lost, judged: judgedIn(events), events: events.toString().trim().split('\n').length, verified };
}

type Run = {
  readonly session?: string;
  readonly killed: boolean;
  readonly acknowledged: number;
  /** The end of what it said, and how it ended. */
  readonly said: string;
};

/** One process; what it said about a step means that the steps before are safe. */
function runFor(dir: string, session: string | undefined, kill?: { early: boolean; after: number }): Promise<Run> {
  return new Promise((resolve) => {
    const args = ['run', '--guide', 'guide.yaml', '--site', 'site.yaml', '--operator', 'Test Person'];
    args.push(
      '--answers',
      'answers.yaml',
      '--identity',
      'engineer.pem',
      '--out',
      'out.asice',
      ...(session === undefined ? [] : ['--resume', session]),
    );
    const child = spawn(process.execPath, [join(ROOT, 'cli', 'main.ts'), ...args], {
      cwd: dir,
      env: { PATH: process.env.PATH ?? '', LOCKSTEP_DATA_DIR: join(dir, 'data') },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    let timer: NodeJS.Timeout | undefined;
    const arm = () => {
      if (kill !== undefined) timer ??= setTimeout(() => child.kill('SIGKILL'), kill.after);
    };
    if (kill?.early === true) arm();
    else child.stderr.once('data', arm);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const begun = [...said.matchAll(/^\[ *(\d+)\/\d+\]/gm)].map((match) => Number(match[1]));
      const id = /^session (\S+)$/m.exec(said)?.[1];
      resolve({
        ...(id === undefined ? {} : { session: id }),
        killed: signal === 'SIGKILL',
        acknowledged: Math.max(0, (begun.at(-1) ?? 1) - 1),
        said: `${said.slice(-500)} (ended with ${code ?? signal})`,
      });
    });
  });
}

function judgedIn(journal: Buffer): number {
  return journal.toString().split('"type":"judged"').length - 1;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function longGuide(): string {
  const controls = Array.from(
    { length: STEPS },
    (_, index) => `  - id: web.step-${index}
    revision: 1
    title: Step ${index}
    owner: hospital
    why: Many small steps make a long walk.
    checks:
      - probe: http.request
        with: { url: '$device.adminUrl + "/state?${index}"' }
        expect: [{ that: facts.json.secure == true, else: It is not secure. }]
`,
  );
  const manual = Array.from(
    { length: ANSWERS },
    (_, index) => `  - id: seen.step-${index}
    revision: 1
    title: A paper on step ${index}
    owner: hospital
    why: What was seen is kept.
    manual: { question: Is it so?, evidence: [file], required: true, answers: { "yes": pass, "no": fail } }
`,
  );
  return `guide: long
version: 1.0.0
title: A long guide
publisher: { name: Test, contact: test@example.org }
product:
  vendor: Test
  name: Thing
  versions: ">=1.0.0 <2.0.0"
  observe: { probe: http.request, with: { url: '$device.adminUrl + "/version"' }, version: facts.json.version }
inputs:
  device: { type: device, title: The device }
controls:
${controls.join('')}${manual.join('')}`;
}

function longAnswers(): string {
  const answers = Array.from(
    { length: ANSWERS },
    (_, index) =>
      `  seen.step-${index}: { answer: "yes", note: As it says there., attachments: [paper-${index}.pdf] }\n`,
  );
  return `answers:\n${answers.join('')}`;
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
