import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Result } from '../../core/result.ts';
import { makeParties } from '../support/evidence.ts';
import { decidable, walkMini } from '../support/mini-walk.ts';

const SECRET = 'Planted-8841!typed';

it('a password that is typed into a note, a waiver or a name of a file is refused, and is nowhere on the disk', async () => {
  const server = createServer((request, response) => {
    const body = request.url === '/version' ? { version: '1.2.0' } : { secure: false };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  const outside = await mkdtemp(join(tmpdir(), 'lockstep-typed-'));
  const dir = await mkdtemp(join(tmpdir(), 'lockstep-typed-'));
  try {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const photo = join(outside, `${SECRET}.txt`);
    await writeFile(photo, 'x');
    const refused: Result<unknown>[] = [];
    await walkMini(dir, port, await makeParties(), decidable, [], undefined, async (session, manual) => {
      session.secrets.set('directory-bind', SECRET);
      session.secrets.set('short', 'yes');
      const failed = Object.keys(session.state().items).find((key) => key.startsWith('web.answers')) ?? '';
      const until = '2026-12-31T00:00:00.000Z';
      refused.push(
        await session.answer(manual, 'yes', `Logged in with ${SECRET}.`),
        await session.attach(manual, photo),
        await session.waive(failed, { reason: SECRET, compensating: 'A guard.', until }),
        await session.waive(failed, { reason: 'It moves.', compensating: SECRET, until }),
      );
      // What is short may be any word.
      expect((await session.answer(manual, 'yes', 'Asked, and they said yes.')).ok).toBe(true);
    });
    expect(refused.map((each) => !each.ok && each.error.code)).toEqual(Array(4).fill('input.malformed'));
    expect(refused.map((each) => !each.ok && each.error.message).join()).toContain('the password "directory-bind"');
    const files = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(8);
    for (const { parentPath, name } of files) {
      expect(name).not.toContain(SECRET);
      expect((await readFile(join(parentPath, name))).includes(SECRET), name).toBe(false);
    }
  } finally {
    await new Promise((resolve) => server.close(resolve));
    for (const folder of [dir, outside]) await rm(folder, { recursive: true, force: true });
  }
});
