import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Push } from '../../core/ipc.ts';
import { ok } from '../../core/result.ts';
import type { JournalEvent } from '../../core/session/events.ts';
import { createFiles } from '../../electron/files.ts';
import { peopleHandlers } from '../../electron/handlers/people.ts';
import type { Shell } from '../../electron/handlers/shell.ts';
import { createSecrets } from '../../electron/secrets.ts';
import { createService } from '../../engine/service.ts';
import { useSiteKey } from '../../engine/session/people.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import {
  openAccess,
  PEOPLE_KEY,
  sealAccess,
  trustOfLab,
  walkAccess,
  writeAccessGuide,
} from '../support/access-walk.ts';
import { value } from '../support/evidence.ts';

let lab: Lab;
let dir: string;
let bundle: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lockstep-channels-'));
  lab = await startLab({ dir: join(dir, 'hospital'), shipped: false });
  const session = await openAccess(lab, dir);
  value(await useSiteKey(session, lab.siteKey));
  await walkAccess(session);
  bundle = await sealAccess(lab, session, join(dir, 'first.asice'));
  await session.close();
});
afterAll(async () => {
  await lab?.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('the wizard’s channels about people, from main to the engine', () => {
  it('take the key by a handle that is good once, the consent, and the earlier bundle by its handle', async () => {
    const events: JournalEvent[] = [];
    const service = createService({ dataDir: join(dir, 'data'), assetsDir: 'assets', lockstep: '0.1.0', runtime: {} });
    service.onPush((push: Push) => {
      if (push.kind === 'journal') events.push(...push.events);
    });
    const secrets = createSecrets();
    const files = createFiles();
    const trust = await trustOfLab(lab);
    const handlers = peopleHandlers({
      engine: service,
      files,
      secrets,
      trust: { pems: async () => ok(trust) },
      practice: async () => ok(undefined),
    } as unknown as Shell);
    const guidePath = await writeAccessGuide(dir);
    const given = { guidePath, sitePath: lab.siteFile, operator: 'Erin', pins: [] };
    const opened = value(await service.call('session.open', given));
    expect(opened.people).toMatchObject({ keyed: false, asking: [{ key: PEOPLE_KEY, title: 'Somebody can log in' }] });
    expect(opened.people?.expected).toMatch(/^[0-9a-f]{16}$/);

    const { handle } = secrets.put(lab.siteKey);
    expect(value(await handlers['people.key']({ secret: handle })).keyId).toBe(opened.people?.expected);
    expect(await handlers['people.key']({ secret: handle })).toMatchObject({ error: { code: 'secret.expired' } });
    expect(await handlers['people.names']({ agreed: true })).toEqual(ok(null));
    expect(await handlers['baseline.choose']({ bundle: files.refer('bundle', bundle).handle })).toEqual(ok(null));
    expect((await handlers['baseline.choose']({ bundle: `h-${'0'.repeat(32)}` })).ok).toBe(false);

    const now = value(await service.call('session.snapshot', {}));
    expect(now?.people?.keyed).toBe(true);
    expect(now?.people?.asking).toHaveLength(2);
    expect(now?.items.every(({ applies }) => applies)).toBe(true);
    const types = events.map(({ type }) => type).filter((type) => /^(?:people|baseline)/.test(type));
    expect(types).toEqual(['people.keyed', 'people.names', 'baseline.chosen']);
    expect(JSON.stringify([events, now])).not.toContain(lab.siteKey);
    await service.close();
  });

  it('need an open session', async () => {
    const service = createService({ dataDir: join(dir, 'data'), assetsDir: 'assets', lockstep: '0.1.0', runtime: {} });
    expect(await service.call('people.key', { text: lab.siteKey })).toMatchObject({ error: { code: 'session.state' } });
    expect(await service.call('people.names', { agreed: true })).toMatchObject({ error: { code: 'session.state' } });
  });
});
