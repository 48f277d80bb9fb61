import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { VerifyView } from '../../core/ipc.ts';
import type { Identity } from '../../engine/keys/identity.ts';
import { createPracticeCa, type PracticeCa } from '../../engine/keys/practice-ca.ts';
import { verifyBundle } from '../../engine/session/bundles.ts';
import { handOverSession } from '../../engine/session/hand-over.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { sealSession } from '../../engine/session/seal.ts';
import { openSession, resumeSession } from '../../engine/session/open-session.ts';
import type { Session, SessionOptions } from '../../engine/session/session.ts';
import { lockstep } from '../support/cli.ts';
import { findProgram, isRoot, needs } from '../support/debian.ts';
import { makeIdentity, value } from '../support/evidence.ts';
import { miniGuide, miniSite } from '../support/mini-guide.ts';

// A small disk of its own can be mounted by root only.
const canMount = isRoot() && process.platform === 'linux' && needs('mount', 'umount');
if (!canMount) process.stderr.write('Skipped, a full disk: only root can mount a small one\n');

const never = new AbortController().signal;
const options: SessionOptions = {
  now: () => new Date(),
  lockstep: '0.0.0',
  runtime: {},
  operator: 'Test Person',
  ask: async () => false,
};

describe.skipIf(!canMount)('a disk that is full', () => {
  let dir: string;
  let disk: string;
  let server: Server;
  let ca: PracticeCa;
  let engineer: Identity;
  const opened: Session[] = [];

  beforeAll(async () => {
    ca = await createPracticeCa({ now: new Date() });
    engineer = await makeIdentity(ca, { role: 'engineer', commonName: 'PRACTICE engineer' });
  });

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-full-'));
    disk = join(dir, 'disk');
    await mkdir(disk);
    execFileSync(findProgram('mount') ?? '', ['-t', 'tmpfs', '-o', 'size=2m', 'none', disk]);
    server = createServer((request, response) => {
      const body = request.url === '/version' ? { version: '1.2.0' } : { secure: true };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await writeFile(join(dir, 'guide.yaml'), miniGuide());
    await writeFile(join(dir, 'site.yaml'), miniSite((server.address() as AddressInfo).port));
  });
  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve));
    for (const session of opened.splice(0)) await session.close();
    execFileSync(findProgram('umount') ?? '', [disk]);
    await rm(dir, { recursive: true, force: true });
  });

  async function fill(): Promise<void> {
    const handle = await open(join(disk, 'filler'), 'w');
    try {
      for (let block = 0; block < 4096; block += 1) await handle.write(Buffer.alloc(4096, 1));
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    } finally {
      await handle.close();
    }
  }
  const makeRoom = () => rm(join(disk, 'filler'));
  const start = async (): Promise<Session> => {
    const guide = value(await loadGuide(join(dir, 'guide.yaml'), {}));
    const site = value(await loadSite(join(dir, 'site.yaml')));
    const session = value(await openSession(join(disk, 'sessions'), guide, site, options));
    opened.push(session);
    return session;
  };
  const keysOf = (session: Session) => session.plan.items.map((item) => item.key);
  const verify = async (file: string): Promise<VerifyView> =>
    value(await verifyBundle(file, { engineer: [ca.roots.engineer], hospital: [], publisher: [] }, new Date()));

  it('stops a walk with the cause; the session resumes with everything acknowledged', async () => {
    const session = await start();
    value(await session.checkGate({}));
    const [first = '', ...others] = keysOf(session);
    value(await session.run([first], never));
    await fill();
    const stopped = await session.run(others.concat(first), never);
    expect(stopped).toMatchObject({
      ok: false,
      error: { code: 'journal.write', place: expect.stringContaining(disk) },
    });
    expect(stopped.ok ? '' : `${stopped.error.message} ${stopped.error.cause}`).toMatch(/The disk is full\. .*ENOSPC/);
    const acknowledged = structuredClone(session.journal.events);
    await session.close();
    await makeRoom();
    const resumed = value(await resumeSession(session.dir, {}, options));
    opened.push(resumed);
    expect(resumed.journal.events.slice(0, acknowledged.length)).toEqual(acknowledged);
    expect(resumed.state().items[first]?.verdict).toBe('pass');
    value(await resumed.run(keysOf(resumed), never));
    const bundle = join(disk, 'out.asice');
    value(await sealSession(resumed, bundle, engineer));
    await resumed.close();
    expect((await verify(bundle)).findings.filter((finding) => finding.severity === 'bad')).toEqual([]);
  });

  it('leaves no half-written bundle and keeps the one that is there', async () => {
    const session = await start();
    value(await session.checkGate({}));
    value(await session.run(keysOf(session), never));
    const bundle = join(disk, 'out.asice');
    await fill();
    const refused = await sealSession(session, bundle, engineer);
    expect(refused.ok ? '' : `${refused.error.code} ${refused.error.message}`).toMatch(
      /journal\.write .*The disk is full/,
    );
    expect((await readdir(disk)).sort()).toEqual(['filler', 'sessions']);
    await makeRoom();
    const sealed = value(await sealSession(session, bundle, engineer));
    await fill();
    expect((await sealSession(session, bundle, engineer)).ok).toBe(false);
    expect((await readdir(disk)).sort()).toEqual(['filler', 'out.asice', 'sessions']);
    expect(sealed.path).toBe(bundle);
    expect((await verify(bundle)).findings.filter((finding) => finding.severity === 'bad')).toEqual([]);
    await session.close();
  });

  it('hands nothing over half, and the session goes on', async () => {
    const session = await start();
    value(await session.checkGate({}));
    const events = session.journal.events.length;
    await session.close();
    const way = {
      to: { passphrase: 'the night shift knows it' },
      identity: engineer,
      operator: 'Test Person',
      now: () => new Date(),
    };
    await fill();
    const refused = await handOverSession(session.dir, { ...way, out: join(dir, 'shift.p7m') });
    expect(refused.ok ? '' : `${refused.error.code} ${refused.error.message}`).toMatch(
      /journal\.write .*The disk is full/,
    );
    await makeRoom();
    const resumed = value(await resumeSession(session.dir, {}, options));
    expect(resumed.journal.events.slice(0, events)).toEqual(session.journal.events.slice(0, events));
    value(await resumed.run(keysOf(resumed), never));
    await resumed.close();
    expect((await readdir(dir)).toSorted()).not.toContain('shift.p7m');
    value(await handOverSession(session.dir, { ...way, out: join(dir, 'shift.p7m') }));
  });

  it('ends the command line with the cause, and leaves nothing that looks like a session', async () => {
    await fill();
    const args = [
      'run',
      '--guide',
      join(dir, 'guide.yaml'),
      '--site',
      join(dir, 'site.yaml'),
      '--out',
      join(disk, 'x.asice'),
    ];
    const ran = await lockstep(args, { LOCKSTEP_DATA_DIR: join(disk, 'data') });
    expect(ran.stderr).toMatch(/The disk is full/);
    expect(ran.stderr).not.toMatch(/\n {4}at |node:internal/);
    expect(ran.code).toBe(2);
    await makeRoom();
    expect(
      (await lockstep(['session', 'list', '--json'], { LOCKSTEP_DATA_DIR: join(disk, 'data') })).stdout.trim(),
    ).toBe('[]');
  });
});
