import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyFile } from '../../../engine/evidence/container-reader.ts';
import { openJournal } from '../../../engine/evidence/journal-file.ts';
import { sealBundle } from '../../../engine/evidence/seal.ts';
import {
  GUIDE,
  makeParties,
  makeSession,
  type Parties,
  REPORT,
  SITE,
  ticking,
  trustOf,
  value,
} from '../../support/evidence.ts';

const LATER = new Date('2026-11-23T12:00:00.000Z');

describe('a head that should be signed', () => {
  let dir: string;
  let parties: Parties;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-heads-'));
    parties = await makeParties();
    await makeSession(join(dir, 's'), parties, false);
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  async function unsigned(upTo?: number): Promise<string[]> {
    const out = join(dir, 'b.asice');
    const content = { guide: { yaml: GUIDE }, site: SITE, report: REPORT, identity: parties.engineer };
    const until = upTo === undefined ? {} : { upTo };
    value(await sealBundle({ sessionDir: join(dir, 's'), ...content, ...until, now: LATER, out }));
    const { findings } = value(await verifyFile(out, { trust: trustOf(parties), at: LATER }));
    return findings.filter(({ code }) => code === 'journal.unsigned-head').map(({ sentence }) => sentence);
  }

  it('is missed at open, at a hand-over, and as the very last line', async () => {
    expect(await unsigned()).toEqual([]);
    // The last but one line is an event behind which no signature stands any more.
    expect(await unsigned(3)).toEqual(["The journal's head was not signed at close."]);
    const journal = value(await openJournal(join(dir, 's'), { by: 'erika', now: ticking(LATER) }));
    value(await journal.append('handed-over', { to: 'CN=Night shift' }));
    const handed = journal.events.length - 1;
    value(await journal.signHead('hand-over', parties.engineer));
    await journal.close();
    expect(await unsigned(handed)).toEqual([
      "The journal's head was not signed at hand-over.",
      "The journal's head was not signed at close.",
    ]);
    expect(await unsigned(handed + 1)).toEqual(["The journal's head was not signed at close."]);
    expect(await unsigned(0)).toEqual([
      "The journal's head was not signed at open.",
      "The journal's head was not signed at close.",
    ]);
  });
});
