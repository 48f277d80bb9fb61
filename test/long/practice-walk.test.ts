import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { value } from '../support/evidence.ts';
import { lockstep, ROOT } from '../support/cli.ts';
import { REFERENCE_GUIDE } from '../support/lab-walk.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'lockstep-practice-walk-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe("a newcomer's first walk without a screen", () => {
  it('goes from as shipped to hardened, the gateway by the changes that the guide offers', async () => {
    const { guide } = value(await loadGuide(REFERENCE_GUIDE, {}));
    const settings = guide.controls.filter(({ change }) => change?.kind === 'http.setting');
    expect(settings.length).toBeGreaterThan(10);
    const walk = await lockstep(['lab', 'walk', '--dir', dir, '--quiet'], {}, ROOT, 300_000);
    expect(walk.code, walk.stderr).toBe(0);
    for (const { id } of settings) expect(walk.stderr).toMatch(new RegExp(`^${id}@.*: read back as planned$`, 'm'));
    const [first = '', second = ''] = walk.stdout.split('=== Second walk').map((part) => part.split('=== What')[0]);
    expect(first).toMatch(/^open: \d+ pass, \d+ fail, \d+ error/m);
    for (const { id } of settings) expect(first).toMatch(new RegExp(`^fail +${id} `, 'm'));
    expect(second).toMatch(/^hardened: \d+ pass, 1 not-applicable$/m);
    expect(second).toContain('verified: sound and complete');
  });
});
