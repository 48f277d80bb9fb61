import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAULTS } from '../../lab/faults.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { judgeInLab, sentences } from '../support/lab-walk.ts';

let lab: Lab;
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lockstep-lab-'));
  lab = await startLab({ dir, shipped: false });
});
afterAll(async () => {
  await lab.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('servers that accept and say nothing', () => {
  it.each(['dc2-silent', 'emr-silent'])('%s ends in error, never in a pass', async (id) => {
    const fault = FAULTS.find((candidate) => candidate.id === id);
    await lab.setFault(id, true);
    try {
      const rows = await judgeInLab(lab, (item) => item.control.id === fault?.control);
      expect(
        rows.map((row) => row.verdict),
        sentences(rows).join('\n'),
      ).toContain('error');
      expect(rows.map((row) => row.verdict)).not.toContain('pass');
    } finally {
      await lab.setFault(id, false);
    }
  });
});
