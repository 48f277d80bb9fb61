import { spawn } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { openSession } from '../../engine/session/open-session.ts';
import { ROOT } from '../support/cli.ts';
import { sha256, value } from '../support/evidence.ts';
import { miniGuide, miniSite } from '../support/mini-guide.ts';

let dir: string;
let server: Server;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lockstep-anywhere-'));
  server = createServer((request, response) => {
    const body = request.url === '/version' ? { version: '1.2.0' } : { secure: false };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(dir, { recursive: true, force: true });
});

/** A walked session with facts of every kind, an answer, an attachment and a waiver. */
async function walked(): Promise<string> {
  await writeFile(join(dir, 'guide.yaml'), miniGuide());
  await writeFile(join(dir, 'site.yaml'), miniSite((server.address() as AddressInfo).port));
  await writeFile(join(dir, 'Übung.pdf'), 'who was trained');
  const guide = value(await loadGuide(join(dir, 'guide.yaml'), {}));
  const site = value(await loadSite(join(dir, 'site.yaml')));
  const session = value(
    await openSession(join(dir, 'sessions'), guide, site, {
      now: () => new Date(),
      lockstep: '0.0.0',
      runtime: {},
      operator: 'Erika Example',
      computer: 'one-laptop',
      ask: async () => false,
    }),
  );
  value(await session.checkGate({}));
  const keys = session.plan.items.map((item) => item.key);
  value(await session.run(keys, new AbortController().signal));
  const trained = keys.find((key) => key.startsWith('people.trained')) ?? '';
  value(await session.attach(trained, join(dir, 'Übung.pdf')));
  value(await session.answer(trained, 'yes', 'gesehen, 1½ Stunden'));
  const failing = keys.find((key) => key.startsWith('web.answers')) ?? '';
  const until = new Date(Date.now() + 86_400_000).toISOString();
  value(await session.waive(failing, { reason: 'ward moves', compensating: 'a guard', until }));
  await session.close();
  return session.dir;
}

type Machine = {
  readonly name: string;
  readonly clock: string;
  readonly umask: string;
  readonly env: NodeJS.ProcessEnv;
};

function sealOn(session: string, out: string, { clock, umask, env }: Machine): Promise<string> {
  return new Promise((resolve, reject) => {
    const command = [process.execPath, join(ROOT, 'test', 'support', 'seal-entry.ts'), session, out, clock];
    const child = spawn('sh', ['-c', `umask ${umask}; exec "$0" "$@"`, ...command], {
      cwd: dir,
      env: { PATH: process.env.PATH ?? '', HOME: dir, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.on('close', (code) => (code === 0 ? resolve(said) : reject(new Error(`it ended with ${code}`))));
  });
}

it('gives the same bytes on every machine, whatever its clock, time zone, language, umask and folder', async () => {
  const session = await walked();
  const machines: Machine[] = [
    { name: 'one', clock: '2026-11-23T10:00:00.000Z', umask: '022', env: { TZ: 'UTC', LANG: 'C' } },
    {
      name: 'two',
      clock: '2027-06-30T23:59:59.000Z',
      umask: '077',
      env: { TZ: 'Pacific/Kiritimati', LC_ALL: 'tr_TR.UTF-8' },
    },
    {
      name: 'a third',
      clock: '2026-12-31T00:30:00.000Z',
      umask: '002',
      env: { TZ: 'America/St_Johns', LANG: 'de_DE.UTF-8' },
    },
  ];
  const digests = await Promise.all(
    machines.map(async (machine) => {
      await cp(session, join(dir, machine.name), { recursive: true });
      return sealOn(join(dir, machine.name), join(dir, `${machine.name}.asice`), machine);
    }),
  );
  const [first, ...others] = await Promise.all(machines.map(({ name }) => readFile(join(dir, `${name}.asice`))));
  for (const [at, other] of others.entries())
    expect(other.equals(first ?? Buffer.alloc(0)), machines[at + 1]?.name).toBe(true);
  expect(digests).toEqual(machines.map(() => sha256(first ?? '')));
}, 60_000);
