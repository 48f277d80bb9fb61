import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Push } from '../../../core/ipc.ts';
import { createEngine } from '../../../electron/engine-process.ts';

/** A process that the test plays. */
function actor() {
  const events = new EventEmitter();
  const received: { type: string; id?: number; method?: string }[] = [];
  const child = {
    postMessage: (message: unknown) => void received.push(message as never),
    on: events.on.bind(events),
    kill: () => events.emit('exit', 0),
  };
  return {
    child,
    received,
    say: (message: unknown) => events.emit('message', message),
    exit: (code: number) => events.emit('exit', code),
  };
}

function setUp() {
  const actors: ReturnType<typeof actor>[] = [];
  const pushed: Push[] = [];
  const lines: string[] = [];
  let now = 0;
  const engine = createEngine({
    fork: () => {
      const made = actor();
      actors.push(made);
      return made.child as never;
    },
    service: { dataDir: '/d', assetsDir: '/a', lockstep: '1', runtime: {} },
    onPush: (push) => pushed.push(push),
    report: (line) => lines.push(line),
    now: () => now,
  });
  return { engine, actors, pushed, lines, wait: (ms: number) => (now += ms) };
}

describe('the engine as main sees it', () => {
  it('matches each answer with its call, in any order, and passes pushes on', async () => {
    const { engine, actors, pushed } = setUp();
    const first = engine.call('session.list', {});
    const second = engine.call('session.snapshot', {});
    const [played] = actors;
    expect(played?.received.map((message) => message.type)).toEqual(['start', 'call', 'call']);
    const [, one, two] = played?.received ?? [];
    played?.say({ type: 'push', push: { kind: 'running', running: true } });
    played?.say({ type: 'answer', id: two?.id, result: { ok: true, value: null } });
    played?.say({ type: 'answer', id: one?.id, result: { ok: true, value: [] } });
    expect(await first).toEqual({ ok: true, value: [] });
    expect(await second).toEqual({ ok: true, value: null });
    expect(pushed).toEqual([{ kind: 'running', running: true }]);
    expect(actors.length).toBe(1);
  });

  it('answers what was asked of a process that died, and starts another for the next call', async () => {
    const { engine, actors, pushed, lines } = setUp();
    const asked = engine.call('session.list', {});
    actors[0]?.exit(9);
    expect(await asked).toMatchObject({ ok: false, error: { code: 'internal', cause: 'exit code 9' } });
    expect(pushed).toEqual([{ kind: 'running', running: false }]);
    expect(lines).toEqual(["the engine's process ended with code 9"]);
    const again = engine.call('session.list', {});
    actors[1]?.say({ type: 'answer', id: actors[1]?.received[1]?.id, result: { ok: true, value: [] } });
    expect(await again).toEqual({ ok: true, value: [] });
  });

  it('gives up on a process that keeps dying, for a while', async () => {
    const { engine, actors, wait } = setUp();
    for (let index = 0; index < 20; index += 1) {
      const asked = engine.call('session.list', {});
      actors[index]?.exit(1);
      expect((await asked).ok).toBe(false);
    }
    expect(actors.length).toBe(5);
    wait(61_000);
    void engine.call('session.list', {});
    expect(actors.length).toBe(6);
  });

  it('closes: waits for the journal, then refuses what comes later', async () => {
    const { engine, actors } = setUp();
    void engine.call('session.list', {});
    const closing = engine.close();
    expect(actors[0]?.received.at(-1)).toEqual({ type: 'close' });
    actors[0]?.say({ type: 'closed' });
    await closing;
    expect(await engine.call('session.list', {})).toMatchObject({ ok: false });
    expect(actors.length).toBe(1);
  });
});
