import { expect, it } from 'vitest';
import { randomFrom, walkWithKills } from '../support/killed-walk.ts';

const SESSIONS = 20;
const KILLS = 10;
/** Walks at once: as many as a small laptop has cores, so that each is killed under the load of the others. */
const AT_ONCE = 2;

it('two hundred kills in twenty sessions lose nothing acknowledged, and each ends in a bundle that verifies', async () => {
  const seed = Date.now() % 1_000_000;
  const moments = new Set<number>();
  let kills = 0;
  const walkSome = async (lane: number) => {
    const random = randomFrom(seed + lane);
    for (let session = lane; session < SESSIONS; session += AT_ONCE) {
      const walk = await walkWithKills(KILLS, random);
      const told = `seed ${seed}, session ${session}, killed after ${walk.kills.join(', ')} steps`;
      expect(walk.lost, told).toEqual([]);
      for (const steps of walk.kills) moments.add(steps);
      kills += walk.kills.length;
      expect(
        walk.verified.findings.filter((finding) => finding.severity === 'bad'),
        told,
      ).toEqual([]);
      expect(walk.verified.summary?.word, told).toBe('hardened');
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: AT_ONCE }, (_, lane) => walkSome(lane)));
  for (const lane of lanes) if (lane.status === 'rejected') throw lane.reason;
  expect(kills, `seed ${seed}`).toBe(SESSIONS * KILLS);
  // Else the kills all came at one moment, and the test shows nothing.
  expect(moments.size, `seed ${seed}`).toBeGreaterThan(15);
});
