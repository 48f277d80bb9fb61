import { describe, expect, it } from 'vitest';
import { alternate, bounded, compared, median, table } from '../../bench/figure.ts';

describe('figures of a bench', () => {
  it('takes the middle value, and of an even number the mean of the middle two', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 100])).toBe(3.5);
    expect(() => median([])).toThrow('nothing');
  });

  it('runs the tasks in turns, every second round the other way round', async () => {
    const order: string[] = [];
    const task = (name: string) => async () => order.push(name);
    const values = await alternate(3, { ours: task('ours'), peer: task('peer') });
    expect(order).toEqual(['ours', 'peer', 'peer', 'ours', 'ours', 'peer']);
    expect(values).toEqual({ ours: [1, 4, 5], peer: [2, 3, 6] });
  });

  it('says whether a goal holds by what was measured, not by what is shown', () => {
    const goal = { text: '<= 1.5 x peer', holds: (ours: number, peer: number) => ours <= 1.5 * peer };
    expect(compared('walk', 150, 100, goal)).toEqual({
      figure: 'walk',
      ours: 150,
      peer: 100,
      unit: 'ms',
      ratio: 1.5,
      goal: '<= 1.5 x peer',
      holds: true,
    });
    expect(compared('walk', 150.04, 100, goal)).toMatchObject({ ours: 150, holds: false });
    expect(bounded('memory', 150.04, 'MB', 150)).toMatchObject({ ours: 150, peer: null, ratio: null, holds: false });
  });

  it('prints a table that names what does not hold', () => {
    const lines = table([bounded('memory', 120, 'MB', 150), bounded('cancelling', 900, 'ms', 250)]).split('\n');
    expect(lines[0]).toBe('figure      ours  peer  unit  ratio  goal       holds');
    expect(lines[2]).toBe('cancelling   900     -  ms        -  <= 250 ms  NO');
  });
});
