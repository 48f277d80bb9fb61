import { EventEmitter } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AppError } from '../../../core/result.ts';
import { isAllowed, PERMISSIONS } from '../../../electron/permissions.ts';
import { startPractice } from '../../../electron/practice.ts';

const identity = { path: '/i.pem', passphrase: 'p' };
const lab = {
  siteFile: '/lab/site.yaml',
  guides: [{ id: 'g', path: '/lab/g.asice' }],
  secrets: { 'directory-bind': 's' },
  siteKey: 'k',
  writeCredential: { user: 'u', password: 'p' },
  identities: { engineer: identity, hospital: identity, publisher: identity },
  trust: { engineer: '/e', hospital: '/h', publisher: '/p' },
  faults: [],
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lockstep-practice-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Starts it with a process that the test plays, and gives what it was told. */
async function setUp() {
  const events = new EventEmitter();
  const told: { type: string }[] = [];
  const died: AppError[] = [];
  let killed = false;
  let started: () => void = () => undefined;
  const running = new Promise<void>((resolve) => {
    started = resolve;
  });
  const child = {
    postMessage: (message: unknown) => {
      told.push(message as { type: string });
      started();
    },
    on: events.on.bind(events),
    kill: () => {
      killed = true;
      return true;
    },
  };
  const practice = startPractice({
    fork: () => child as never,
    folder: join(folder, 'hospital'),
    assets: '/assets',
    onDied: (error) => died.push(error),
  });
  await running;
  return {
    practice,
    told,
    died,
    say: (message: unknown) => events.emit('message', message),
    exit: (code: number) => events.emit('exit', code),
    killed: () => killed,
  };
}

describe('the practice hospital as main sees it', () => {
  it('is started as shipped and tells what it is', async () => {
    const { practice, told, say } = await setUp();
    expect(told).toEqual([{ type: 'start', dir: join(folder, 'hospital'), assetsDir: '/assets', shipped: true }]);
    say({ type: 'ready', lab });
    expect(await practice.info).toMatchObject({ ok: true, value: { siteFile: '/lab/site.yaml' } });
  });

  it('passes on why it failed', async () => {
    const { practice, say } = await setUp();
    say({ type: 'failed', error: { code: 'input.not-found', message: 'No guides.', fixBy: 'operator' } });
    expect(await practice.info).toEqual({
      ok: false,
      error: { code: 'input.not-found', message: 'No guides.', fixBy: 'operator' },
    });
  });

  it('is not believed when it says something else', async () => {
    const { practice, say } = await setUp();
    say({ type: 'ready', lab: { ...lab, siteFile: 7 } });
    expect(await practice.info).toMatchObject({ ok: false, error: { code: 'internal' } });
  });

  it('fails when it dies before it stands, and is reported when it dies later', async () => {
    const early = await setUp();
    early.exit(3);
    expect(await early.practice.info).toMatchObject({ ok: false, error: { cause: 'exit code 3' } });
    expect(early.died).toEqual([]);
    const late = await setUp();
    late.say({ type: 'ready', lab });
    await late.practice.info;
    late.exit(4);
    expect(late.died.map((error) => error.cause)).toEqual(['exit code 4']);
  });

  it('stops when told, without that being reported', async () => {
    const { practice, told, died, say, exit, killed } = await setUp();
    say({ type: 'ready', lab });
    await practice.info;
    const stopping = practice.stop();
    expect(told.at(-1)).toEqual({ type: 'stop' });
    exit(0);
    await stopping;
    expect(died).toEqual([]);
    expect(killed()).toBe(true);
  });
});

describe('the permission table', () => {
  it('allows the one thing that a click needs, and nothing that it does not name', () => {
    const allowed = Object.entries(PERMISSIONS).filter(([, entry]) => entry.allow);
    expect(allowed.map(([name]) => name)).toEqual(['clipboard-sanitized-write']);
    for (const name of ['media', 'constructor', 'toString', 'something-newer', ''])
      expect([name, isAllowed(name)]).toEqual([name, false]);
    for (const { why } of Object.values(PERMISSIONS)) expect(why.length).toBeGreaterThan(5);
  });
});
