import { expect, it } from 'vitest';
import { randomFrom, walkWithKills } from '../support/killed-walk.ts';

it('a walk that is killed at random moments loses nothing acknowledged, and ends in a bundle that verifies', async () => {
  const seed = Date.now() % 1_000_000;
  const walk = await walkWithKills(6, randomFrom(seed));
  const told = `seed ${seed}, killed after ${walk.kills.join(', ')} steps`;
  expect(walk.lost, told).toEqual([]);
  expect(walk.kills.length, told).toBe(6);
  expect(
    walk.verified.findings.filter((finding) => finding.severity === 'bad'),
    told,
  ).toEqual([]);
  expect(
    walk.verified.signers.map((signer) => signer.role),
    told,
  ).toEqual(['engineer']);
  expect(walk.verified.summary?.word, told).toBe('hardened');
}, 180_000);
