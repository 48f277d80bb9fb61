import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type Channel, INPUTS } from '../../../core/ipc.ts';
import { ok } from '../../../core/result.ts';

type Listener = (
  event: unknown,
  input: unknown,
) => Promise<{ ok: boolean; error?: { code: string; place?: string; message: string; cause?: string } }>;
const registered = new Map<string, Listener>();
vi.mock('electron', () => ({
  ipcMain: { handle: (channel: string, listener: Listener) => registered.set(channel, listener) },
}));

const { installRouter } = await import('../../../electron/ipc-router.ts');

const WINDOW = 7;
const main = { url: 'app://lockstep/index.html', parent: null };
const from = (frame: unknown, id = WINDOW) => ({ sender: { id }, senderFrame: frame });

const handled = vi.fn<(channel: string, input: unknown) => unknown>(() => ok(null));
const lines: string[] = [];

beforeEach(() => {
  registered.clear();
  handled.mockReset().mockImplementation(() => ok(null));
  lines.length = 0;
  const handlers = Object.fromEntries(
    Object.keys(INPUTS).map((channel) => [channel, (input: unknown) => handled(channel, input)]),
  );
  installRouter({ handlers: handlers as never, isOurs: (id) => id === WINDOW, report: (line) => lines.push(line) });
});

const call = (channel: Channel, event: unknown, input: unknown) => (registered.get(channel) as Listener)(event, input);

describe('the router', () => {
  it('registers every channel of the contract and no other', () => {
    expect([...registered.keys()].sort()).toEqual(Object.keys(INPUTS).sort());
  });

  it('passes on what fits, from the page', async () => {
    expect(await call('secret.put', from(main), { value: 'x' })).toEqual({ ok: true, value: null });
    expect(handled).toHaveBeenCalledWith('secret.put', { value: 'x' });
  });

  it.each([
    ['another origin', from({ url: 'https://example.org/', parent: null })],
    ['an empty page', from({ url: 'about:blank', parent: null })],
    ['a host that begins alike', from({ url: 'app://lockstep.evil/index.html', parent: null })],
    ['a frame inside the page', from({ url: 'app://lockstep/index.html', parent: main })],
    ['a frame that is gone', from(null)],
    ['another window', from(main, WINDOW + 1)],
  ])('refuses %s', async (_who, event) => {
    expect(await call('app.info', event, {})).toMatchObject({ ok: false, error: { code: 'ipc.invalid' } });
    expect(handled).not.toHaveBeenCalled();
  });

  it.each([
    ['secret.put', { value: '' }, 'secret.put.value'],
    ['secret.put', { value: 'x'.repeat(8193) }, 'secret.put.value'],
    ['guide.load', { guide: '/etc/passwd' }, 'guide.load.guide'],
    ['guide.load', { guide: `h-${'A'.repeat(32)}` }, 'guide.load.guide'],
    ['app.info', { more: 1 }, 'app.info'],
    ['app.info', undefined, 'app.info'],
    ['walk.run', { keys: [] }, 'walk.run.keys'],
    ['session.resume', { session: '../..', operator: 'x' }, 'session.resume.session'],
  ] as const)('answers a wrong input of %s with its place', async (channel, input, place) => {
    expect(await call(channel, from(main), input)).toMatchObject({ ok: false, error: { code: 'ipc.invalid', place } });
    expect(handled).not.toHaveBeenCalled();
  });

  it('never repeats what was sent, which may be a secret', async () => {
    const answers = [
      await call('secret.put', from(main), { value: 5, hunter2: 'hunter2' }),
      await call('secret.supply', from(main), { name: 'a', secret: 'hunter2' }),
    ];
    expect(answers.every((answer) => !answer.ok)).toBe(true);
    expect(JSON.stringify([answers, lines])).not.toContain('hunter2');
  });

  it('turns an exception into a Result', async () => {
    handled.mockImplementation(() => {
      throw new Error('the disk is full');
    });
    expect(await call('app.info', from(main), {})).toMatchObject({
      ok: false,
      error: { code: 'internal', cause: 'the disk is full' },
    });
    handled.mockImplementation(() => Promise.reject(new Error('later')));
    expect(await call('app.info', from(main), {})).toMatchObject({
      ok: false,
      error: { code: 'internal', cause: 'later' },
    });
  });
});
