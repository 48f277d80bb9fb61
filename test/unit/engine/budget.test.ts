import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { ConnectionRefusedByBudget, createConnectionBudget } from '../../../engine/budget.ts';
import { machinesOf } from '../../../engine/devices.ts';

const never = new AbortController().signal;

describe('connection budget', () => {
  it('opens one connection per host at a time, in order, and different hosts beside each other', async () => {
    const budget = createConnectionBudget({ connections: 10, perSecond: 200 });
    const log: string[] = [];
    const work = (name: string) => async () => {
      log.push(`${name} starts`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      log.push(`${name} ends`);
    };
    await Promise.all([
      budget.connection('a', work('a1'), never),
      budget.connection('a', work('a2'), never),
      budget.connection('b', work('b1'), never),
    ]);
    expect(log.filter((line) => line.startsWith('a'))).toEqual(['a1 starts', 'a1 ends', 'a2 starts', 'a2 ends']);
    expect(log.indexOf('b1 starts')).toBeLessThan(log.indexOf('a2 starts'));
    expect(budget.used()).toBe(3);
  });

  it('goes on after work that threw', async () => {
    const budget = createConnectionBudget({ connections: 10, perSecond: 200 });
    await expect(budget.connection('a', () => Promise.reject(new Error('reset')), never)).rejects.toThrow('reset');
    await expect(budget.connection('a', async () => 'fine', never)).resolves.toBe('fine');
  });

  it('keeps nothing of what the work gave, once it is done', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const budget = createConnectionBudget({ connections: 10, perSecond: 200 });
    const held = await budget
      .connection('a', async () => ({ socket: 'as large as it likes' }), never)
      .then((value) => new WeakRef(value));
    // Asked for as yes or no, and in a later turn: whoever looks at it holds it.
    await expect
      .poll(() => {
        collect();
        return held.deref() === undefined;
      })
      .toBe(true);
    expect(budget.used()).toBe(1);
  });

  it('refuses the connection beyond the budget without opening it', async () => {
    const budget = createConnectionBudget({ connections: 2, perSecond: 200 });
    let opened = 0;
    const open = async () => {
      opened += 1;
    };
    await budget.connection('a', open, never);
    await budget.connection('a', open, never);
    await expect(budget.connection('a', open, never)).rejects.toBeInstanceOf(ConnectionRefusedByBudget);
    expect(opened).toBe(2);
    await budget.connection('b', open, never);
    expect(opened).toBe(3);
  });

  it('counts a device once, by whichever of its names it is dialled', async () => {
    const device = (host: string, web: string) => ({
      id: host,
      name: host,
      host: `${host}.hospital.example`,
      allowedPorts: [],
      endpoints: { web: { host: `${web}.hospital.example`, port: 443 } },
    });
    const other = device('other', 'pump');
    const machineOf = machinesOf({
      devices: [device('pump', 'Pump-Web'), other],
      hosts: { 'pump.hospital.example': '192.0.2.7' },
    });
    const budget = createConnectionBudget({ connections: 2, perSecond: 200 }, Date.now, undefined, machineOf);
    await budget.connection('pump.hospital.example', async () => undefined, never);
    await budget.connection('PUMP-WEB.hospital.example', async () => undefined, never);
    for (const name of ['Pump.hospital.example', '192.0.2.7'])
      await expect(budget.connection(name, async () => undefined, never)).rejects.toBeInstanceOf(
        ConnectionRefusedByBudget,
      );
    await expect(budget.connection(other.host, async () => 'fine', never)).resolves.toBe('fine');
  });

  it('waits between connections as the rate says, and stops waiting when cancelled', async () => {
    const budget = createConnectionBudget({ connections: 10, perSecond: 0.1 });
    await budget.connection('a', async () => undefined, never);
    const cancel = new AbortController();
    const waiting = budget.connection('a', async () => 'must not run', cancel.signal);
    setTimeout(() => cancel.abort(new Error('cancelled')), 10);
    await expect(waiting).rejects.toThrow('cancelled');
    expect(budget.used()).toBe(1);
  });
});
