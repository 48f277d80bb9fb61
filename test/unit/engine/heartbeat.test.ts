import { describe, expect, it } from 'vitest';
import { fail, ok, type Result } from '../../../core/result.ts';
import { siteSchema } from '../../../core/site/schema.ts';
import { budgetOfHost, ConnectionRefusedByBudget, createConnectionBudget } from '../../../engine/budget.ts';
import { createHeartbeats } from '../../../engine/heartbeat.ts';

const device = (id: string, host: string, heartbeat: object | undefined = { port: 443 }) => ({
  id,
  name: id.toUpperCase(),
  host,
  ...(heartbeat === undefined ? {} : { heartbeat }),
});
const site = siteSchema.parse({
  site: 'test',
  name: 'Test',
  hosts: { 'pump.example': '10.0.0.7', 'twin.example': '10.0.0.7' },
  devices: [
    device('pump', 'pump.example'),
    device('lamp', '10.0.0.8'),
    { id: 'mute', name: 'Mute', host: 'mute.example' },
  ],
});
const never = new AbortController().signal;
const now = () => new Date('2026-11-23T10:00:00Z');

function heartbeats(answers: readonly boolean[], asked: string[] = []) {
  const budget = createConnectionBudget({ connections: 100, perSecond: 200 });
  const ask = async ({ id }: { id: string }): Promise<Result<unknown>> => {
    asked.push(id);
    return (answers[asked.length - 1] ?? answers.at(-1)) ? ok(undefined) : fail('tcp.refused', 'Refused.');
  };
  return { asked, budget, beats: createHeartbeats(site, budget, now, ask) };
}

describe('heartbeats', () => {
  it('asks before the first probe that touches the device, and after each', async () => {
    const { asked, beats } = heartbeats([true]);
    const order: string[] = [];
    for (const turn of ['one', 'two']) {
      const watch = beats.watch(never);
      await watch.budget.connection('PUMP.example', async () => order.push(`${turn} after ${asked.length}`), never);
      await watch.budget.connection('pump.example', async () => order.push(`${turn} after ${asked.length}`), never);
      const at = '2026-11-23T10:00:00.000Z';
      expect(await watch.finish()).toEqual(ok([{ device: 'pump', before: at, after: at }]));
    }
    expect(order).toEqual(['one after 1', 'one after 1', 'two after 2', 'two after 2']);
    expect(asked).toEqual(['pump', 'pump', 'pump']);
  });

  it('asks nobody for hosts without a heartbeat, nor for another name at the same address', async () => {
    const { asked, beats } = heartbeats([true]);
    const watch = beats.watch(never);
    for (const host of ['twin.example', 'mute.example', 'other.example'])
      await watch.budget.connection(host, async () => undefined, never);
    expect(await watch.finish()).toEqual(ok([]));
    expect(asked).toEqual([]);
    // A bare address says which machine it is.
    await watch.budget.connection('10.0.0.7', async () => undefined, never);
    expect(asked).toEqual(['pump']);
  });

  it('opens no connection to a device that does not answer beforehand', async () => {
    const { asked, beats } = heartbeats([false]);
    let opened = 0;
    for (const _ of [1, 2]) {
      const watch = beats.watch(never);
      const connecting = watch.budget.connection('pump.example', async () => (opened += 1), never);
      await expect(connecting).rejects.toBeInstanceOf(ConnectionRefusedByBudget);
      // Even where the probe swallows the refusal, the check ends in the error.
      expect(await watch.finish()).toMatchObject({
        ok: false,
        error: { code: 'device.no-heartbeat', place: 'pump.example:443', cause: 'Refused.', fixBy: 'hospital' },
      });
    }
    expect(opened).toBe(0);
    expect(asked).toEqual(['pump', 'pump']);
  });

  it('stops a device that falls silent, with the probe that was at it, and no other', async () => {
    const { beats } = heartbeats([true, false, false, true]);
    const watch = beats.watch(never);
    await watch.budget.connection('pump.example', async () => undefined, never);
    expect(await watch.finish()).toMatchObject({ ok: false, error: { code: 'device.no-heartbeat' } });
    expect(beats.stopped(['pump'])).toMatchObject({ code: 'device.no-heartbeat' });
    expect(beats.stopped(['lamp'])).toBeUndefined();
    const other = beats.watch(never);
    await other.budget.connection('10.0.0.8', async () => undefined, never);
    expect(await other.finish()).toMatchObject({ ok: true });
  });

  it('asks once more before it gives a device up', async () => {
    const { asked, beats } = heartbeats([true, false, true]);
    const watch = beats.watch(never);
    await watch.budget.connection('pump.example', async () => undefined, never);
    expect(await watch.finish()).toMatchObject({ ok: true });
    expect(asked.length).toBe(3);
  });

  it('stops no device because the operator cancelled', async () => {
    const cancel = new AbortController();
    const { beats } = heartbeats([true, false]);
    const watch = beats.watch(cancel.signal);
    await watch.budget.connection('pump.example', async () => undefined, never);
    cancel.abort();
    expect(await watch.finish()).toMatchObject({ ok: false, error: { code: 'probe.cancelled' } });
    expect(beats.stopped(['pump'])).toBeUndefined();
  });
});

describe("a device's own budget", () => {
  const forHost = budgetOfHost(
    { budget: { connections: 100, perSecond: 50, devices: { pumps: { connections: 2 }, main: { perSecond: 4 } } } },
    { pumps: [{ host: 'Pump.example' }, { host: 'b' }], main: { host: 'pump.example' } },
  );

  it('takes the smaller of each number, and the general one elsewhere', () => {
    expect(forHost('pump.example')).toEqual({ connections: 2, perSecond: 4 });
    expect(forHost('b')).toEqual({ connections: 2, perSecond: 50 });
    expect(forHost('c')).toMatchObject({ connections: 100, perSecond: 50 });
  });

  it('refuses the connection beyond it, and not beyond it elsewhere', async () => {
    const budget = createConnectionBudget({ connections: 100, perSecond: 200 }, Date.now, (host) => ({
      ...forHost(host),
      perSecond: 200,
    }));
    const open = async () => undefined;
    for (const _ of [1, 2]) await budget.connection('b', open, never);
    await expect(budget.connection('b', open, never)).rejects.toBeInstanceOf(ConnectionRefusedByBudget);
    for (const _ of [1, 2, 3]) await budget.connection('c', open, never);
    expect(budget.used()).toBe(5);
  });
});
