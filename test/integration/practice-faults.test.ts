import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAULTS } from '../../lab/faults.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { breakAndLook, verdictsOf } from '../support/practice.ts';

let dir: string;
let lab: Lab;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lockstep-faults-'));
  lab = await startLab({ dir: join(dir, 'hospital'), shipped: false });
});

afterAll(async () => {
  await lab.stop();
  await rm(dir, { recursive: true, force: true });
});

describe('the reference guide in the practice hospital', () => {
  it('passes every step that probes decide once the hospital is hardened', async () => {
    const results = await verdictsOf(lab, dir);
    expect(results.filter((result) => result.verdict !== 'pass')).toEqual([]);
    expect(new Set(results.map((result) => result.key.split('@')[0])).size).toBeGreaterThanOrEqual(16);
  }, 60_000);

  // Servers that accept and never answer cost whole deadlines; they are in test/long.
  const quick = FAULTS.filter((fault) => !fault.id.endsWith('-silent'));

  it.each(quick.map((fault) => [fault.id, fault.control, fault.verdict] as const))('%s turns %s to %s', async (id, control, verdict) => {
    const turned = (await breakAndLook(lab, dir, { id, control })).filter((result) => result.verdict !== 'pass');
    expect(turned.map((result) => result.verdict)).toContain(verdict);
    for (const sentence of turned.flatMap((result) => result.sentences)) {
      expect(sentence.length).toBeGreaterThan(10);
      expect(sentence).not.toContain('(unknown)');
    }
  }, 60_000);
});
