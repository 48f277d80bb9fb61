import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyBundle } from '../../engine/session/bundles.ts';
import type { Session } from '../../engine/session/session.ts';
import { makeParties, type Parties, sha256, trustOf, value } from '../support/evidence.ts';
import { decidable, walkMini } from '../support/mini-walk.ts';
import { exif, GPS, JPEG, photograph, PNG } from '../support/pictures.ts';
import { readParts, text } from '../support/tamper.ts';

describe('a picture in a session', () => {
  let dir: string;
  let port: number;
  let parties: Parties;
  const photo = photograph([exif(1)]);
  const server = createServer((request, response) => {
    const body = request.url === '/version' ? { version: '1.2.0' } : { secure: true };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-picture-'));
    await writeFile(join(dir, 'rack.jpg'), photo);
    parties = await makeParties();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve));
    await rm(dir, { recursive: true, force: true });
  });

  /** A sealed and countersigned walk in which this was attached, too. */
  async function walk(attach: (session: Session, key: string) => Promise<unknown>) {
    const folder = await mkdtemp(join(dir, 'walk-'));
    const bundle = await walkMini(folder, port, parties, decidable, [], undefined, attach);
    const at = new Date('2026-11-24T00:00:00Z');
    const { sound, findings } = value(await verifyBundle(bundle, trustOf(parties), at));
    const all = await readParts(bundle);
    const report = text(all.find(({ name }) => name === 'report.html'));
    const parts = all.filter(({ name }) => /^attachments\/.*\.(?:jpg|png)$/.test(name));
    return { sound, bad: findings.filter((each) => each.severity === 'bad').map(({ code }) => code), parts, report };
  }

  it('leaves without metadata; with boxes as they were burnt in; never as it was', async () => {
    const { sound, parts, report } = await walk(async (session, key) => {
      value(await session.attach(key, join(dir, 'rack.jpg')));
      value(await session.attach(key, join(dir, 'rack.jpg'), { redacted: PNG, boxes: 2 }));
      const recorded = session.state().items[key]?.attachments.map(({ name, redacted }) => [name, redacted]);
      expect(recorded?.slice(-2)).toEqual([
        ['rack.jpg', { from: sha256(photo), boxes: 0, kept: false }],
        ['rack.png', { from: sha256(photo), boxes: 2, kept: false }],
      ]);
    });
    expect(sound).toBe(true);
    expect(report).toContain(
      `2 boxes burnt in; the original (SHA-256 <code>${sha256(photo)}</code>) is not in this bundle.`,
    );
    expect(parts.map(({ name }) => name).toSorted((a, b) => a.localeCompare(b))).toEqual(
      [`attachments/${sha256(JPEG)}.jpg`, `attachments/${sha256(PNG)}.png`].toSorted((a, b) => a.localeCompare(b)),
    );
  });

  it('leaves beside its original where that was asked for', async () => {
    const { sound, parts } = await walk(async (session, key) =>
      value(await session.attach(key, join(dir, 'rack.jpg'), { keepOriginal: true })),
    );
    expect(sound).toBe(true);
    expect(parts).toHaveLength(2);
    expect(parts.some(({ content }) => Buffer.from(content).includes(GPS.owner))).toBe(true);
  });

  it('is found to lack an original that is said to be kept', async () => {
    const { sound, bad } = await walk(async (session, key) => {
      const source = (async function* () {
        yield new Uint8Array(JPEG);
      })();
      const redacted = { from: sha256(photo), boxes: 0, kept: true };
      value(await session.journal.attach({ key, name: 'rack.jpg', mediaType: 'image/jpeg', source, redacted }));
    });
    expect([sound, bad]).toEqual([false, ['attachment.original']]);
  });
});
