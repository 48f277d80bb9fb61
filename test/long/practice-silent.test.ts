import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAULTS } from '../../lab/faults.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { breakAndLook } from '../support/practice.ts';

let dir: string;
let lab: Lab;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lockstep-silent-'));
  lab = await startLab({ dir: join(dir, 'hospital'), shipped: false });
});

afterAll(async () => {
  await lab.stop();
  await rm(dir, { recursive: true, force: true });
});

describe('servers that accept and never answer', () => {
  it.each(FAULTS.filter((fault) => fault.id.endsWith('-silent')).map((fault) => [fault.id, fault.control] as const))(
    '%s ends %s in an error with its cause, within the deadline, never in a pass',
    async (id, control) => {
      const results = await breakAndLook(lab, dir, { id, control });
      expect(results.map((result) => result.verdict)).toContain('error');
      expect(results.map((result) => result.verdict)).not.toContain('pass');
      expect(results.flatMap((result) => result.sentences).join(' ')).toMatch(/answer|silent|time|within/i);
    },
    180_000,
  );
});
