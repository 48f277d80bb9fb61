import { expect, it } from 'vitest';
import { randomFrom, walkWithKills } from '../support/killed-walk.ts';

it('a hundred kills in ten sessions lose nothing acknowledged, and each ends in a bundle that verifies', async () => {
  const seed = Date.now() % 1_000_000;
  const random = randomFrom(seed);
  const moments = new Set<number>();
  for (let session = 0; session < 10; session += 1) {
    const walk = await walkWithKills(10, random);
    const told = `seed ${seed}, session ${session}, killed after ${walk.kills.join(', ')} steps`;
    expect(walk.lost, told).toEqual([]);
    for (const steps of walk.kills) moments.add(steps);
    expect(walk.kills.length, told).toBe(10);
    expect(
      walk.verified.findings.filter((finding) => finding.severity === 'bad'),
      told,
    ).toEqual([]);
    expect(walk.verified.summary?.word, told).toBe('hardened');
  }
  // Else the kills all came at one moment, and the test shows nothing.
  expect(moments.size, `seed ${seed}`).toBeGreaterThan(10);
});
