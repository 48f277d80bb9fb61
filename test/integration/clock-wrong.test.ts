import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { openSession } from '../../engine/session/open-session.ts';
import { ROOT } from '../support/cli.ts';
import { value } from '../support/evidence.ts';
import { type HardenedLab, startHardenedLab } from '../support/hardened-lab.ts';

const DATED = [
  'certificate.directory-validity',
  'certificate.emr-validity',
  'certificate.device-web',
  'certificate.pinned-anchor',
  'certificate.revocation',
];

describe('the reference guide on a computer whose clock is wrong', () => {
  let hardened: HardenedLab;
  let folder: string;
  beforeAll(async () => {
    hardened = await startHardenedLab();
    folder = mkdtempSync(join(tmpdir(), 'lockstep-clock-'));
  });
  afterAll(async () => {
    await hardened?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Verdicts and sentences of the steps that judge by the date, on a clock that is `wrong` milliseconds ahead. */
  const walk = async (wrong: number) => {
    const now = () => new Date(Date.now() + wrong);
    const guide = value(await loadGuide(join(ROOT, 'assets/guides/reference-mdip.yaml'), {}));
    const site = value(await loadSite(hardened.lab.siteFile));
    const options = { now, lockstep: '0.0.0', runtime: {}, operator: 'Test', ask: async () => false };
    const opened = value(await openSession(join(folder, String(wrong)), guide, site, options));
    try {
      for (const [name, secret] of Object.entries(hardened.lab.secrets)) opened.secrets.set(name, secret);
      value(await opened.checkGate({}));
      value(await opened.acceptPreflight());
      const keys = opened.plan.items.filter(({ control }) => DATED.includes(control.id)).map(({ key }) => key);
      value(await opened.run(keys, new AbortController().signal));
      const items = opened.state().items;
      return keys.map((key) => ({ key, verdict: items[key]?.verdict, text: JSON.stringify(items[key]) }));
    } finally {
      await opened.close();
    }
  };

  it('passes what it judges by the date with the right one', async () => {
    const items = await walk(0);
    expect(items.map(({ key }) => key.split('@')[0])).toEqual(expect.arrayContaining(DATED));
    expect(items.filter(({ verdict }) => verdict !== 'pass')).toEqual([]);
  });

  it.each([
    ['fast', 600_000],
    ['slow', -600_000],
  ])('passes none of it ten minutes %s, and says that it is the clock', async (_, wrong) => {
    const items = await walk(wrong);
    expect(items.length).toBeGreaterThanOrEqual(DATED.length);
    for (const { key, verdict } of items) expect(verdict, key).not.toBe('pass');
    expect(items.filter(({ text }) => text.includes("This computer's clock"))).not.toEqual([]);
  });
});
