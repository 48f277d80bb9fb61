import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { openSession, resumeSession } from '../../engine/session/open-session.ts';
import type { Session, SessionOptions } from '../../engine/session/session.ts';
import { miniGuide, miniSite } from '../support/mini-guide.ts';

const never = new AbortController().signal;
const options: SessionOptions = {
  now: () => new Date(),
  lockstep: '0.0.0',
  runtime: { node: 'test' },
  operator: 'Test Person',
  ask: async () => false,
};

let dir: string;
let server: Server;
let answers: { version: string; secure: unknown };
let requests: number;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lockstep-session-'));
  answers = { version: '1.2.0', secure: true };
  requests = 0;
  server = createServer((request, response) => {
    requests += 1;
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify(request.url === '/version' ? { version: answers.version } : { secure: answers.secure }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await writeFile(join(dir, 'guide.yaml'), miniGuide());
  await writeFile(join(dir, 'site.yaml'), miniSite((server.address() as AddressInfo).port));
});

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(dir, { recursive: true, force: true });
});

async function open(): Promise<Session> {
  const guide = await loadGuide(join(dir, 'guide.yaml'), {});
  const site = await loadSite(join(dir, 'site.yaml'));
  if (!guide.ok || !site.ok) throw new Error(JSON.stringify([guide, site]));
  const session = await openSession(join(dir, 'sessions'), guide.value, site.value, options);
  if (!session.ok) throw new Error(JSON.stringify(session));
  return session.value;
}

const keysOf = (session: Session) => session.plan.items.map((item) => item.key);
const verdicts = (session: Session) => keysOf(session).map((key) => session.state().items[key]?.verdict);

describe('a session', () => {
  it('runs nothing before the gate, and nothing outside the range without a reason', async () => {
    const session = await open();
    expect(await session.run(keysOf(session), never)).toMatchObject({ ok: false, error: { code: 'session.state' } });
    answers.version = '2.5.0';
    expect(await session.checkGate({})).toMatchObject({ ok: true, value: { inRange: false } });
    const before = requests;
    expect(await session.run(keysOf(session), never)).toMatchObject({
      ok: false,
      error: { code: 'guide.out-of-range' },
    });
    expect(requests).toBe(before);
    await session.checkGate({ overrideReason: 'The manufacturer agreed by letter.' });
    expect(await session.run(keysOf(session), never)).toMatchObject({ ok: true });
    expect(session.state().gate).toMatchObject({ basis: 'observed', version: '2.5.0', overridden: true });
    await session.close();
  });

  it('does not let a typed version stand in for the observed one', async () => {
    const session = await open();
    answers.version = '9.0.0';
    await session.checkGate({ typed: '1.2.0' });
    expect(session.state().gate).toMatchObject({ basis: 'observed', version: '9.0.0', inRange: false });
    await session.close();
  });

  it('judges what was seen: pass, error, not reviewed; and fail after a fault', async () => {
    const session = await open();
    await session.checkGate({});
    await session.run(keysOf(session), never);
    expect(verdicts(session)).toEqual(['pass', 'error', 'not-reviewed']);
    answers.secure = false;
    await session.run(keysOf(session), never);
    expect(verdicts(session)).toEqual(['fail', 'error', 'not-reviewed']);
    expect(session.state().items[keysOf(session)[0] ?? '']?.findings[0]?.sentence).toBe(
      'The device says secure = false.',
    );
    await session.close();
  });

  it('never passes a null, a missing or another type', async () => {
    const session = await open();
    await session.checkGate({});
    for (const secure of [null, undefined, 'true', 1, []]) {
      answers.secure = secure;
      await session.run(keysOf(session).slice(0, 1), never);
      expect(verdicts(session)[0], JSON.stringify(secure)).toBe('error');
    }
    await session.close();
  });

  it('passes a manual answer that needs evidence only with evidence, and only known answers', async () => {
    const session = await open();
    const key = keysOf(session)[2] ?? '';
    expect(await session.answer(key, 'maybe', '')).toMatchObject({ ok: false, error: { code: 'input.malformed' } });
    await session.answer(key, 'yes', 'Course of May.');
    expect(verdicts(session)[2]).toBe('not-reviewed');
    await session.attach(key, join(dir, 'site.yaml'));
    expect(verdicts(session)[2]).toBe('pass');
    await session.close();
  });

  it('resumes with everything that was acknowledged, and notes a probe that was cut off', async () => {
    const session = await open();
    await session.checkGate({});
    await session.run(keysOf(session), never);
    const key = keysOf(session)[0] ?? '';
    await session.journal.append('probe.started', { key, check: 0, probe: 'http.request', params: {} });
    const before = session.state();
    await session.close();
    const resumed = await resumeSession(session.dir, {}, { ...options, operator: 'Second Shift' });
    if (!resumed.ok) throw new Error(JSON.stringify(resumed.error));
    expect(resumed.value.state().items[key]?.checks[0]).toMatchObject({ phase: 'failed' });
    expect(resumed.value.state().items[keysOf(session)[1] ?? '']).toEqual(before.items[keysOf(session)[1] ?? '']);
    expect(resumed.value.state().operators.map((operator) => operator.name)).toEqual(['Test Person', 'Second Shift']);
    await resumed.value.close();
  });

  it('refuses to resume over altered facts, guide or site', async () => {
    for (const name of ['facts', 'guide.yaml', 'site.yaml']) {
      const session = await open();
      await session.checkGate({});
      await session.run(keysOf(session), never);
      await session.close();
      const recorded = session.journal.events.find((event) => event.type === 'facts.recorded');
      const path = join(
        session.dir,
        name === 'facts' && recorded?.type === 'facts.recorded' ? recorded.data.file : name,
      );
      await writeFile(
        path,
        (await readFile(path, 'utf8')).replace(
          /true|A small|Mini site/,
          (found) => ({ true: 'false', 'A small': 'A large' })[found] ?? 'Maxi site',
        ),
      );
      expect(await resumeSession(session.dir, {}, options), name).toMatchObject({
        ok: false,
        error: { code: 'journal.broken' },
      });
    }
  });

  it('refuses every change under an unsigned guide', async () => {
    const { planChange } = await import('../../engine/session/changes.ts');
    const session = await open();
    expect(await planChange(session, keysOf(session)[0] ?? '')).toMatchObject({
      ok: false,
      error: { code: 'guide.untrusted' },
    });
    await session.close();
  });
});
