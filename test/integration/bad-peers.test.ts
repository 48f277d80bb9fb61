import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { createPracticeCa } from '../../engine/keys/practice-ca.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { openSession, resumeSession } from '../../engine/session/open-session.ts';
import type { Session, SessionOptions } from '../../engine/session/session.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { freePort, startPeer } from '../support/daemon.ts';
import { value } from '../support/evidence.ts';

const options: SessionOptions = {
  now: () => new Date(),
  lockstep: '0.0.0',
  runtime: {},
  operator: 'Test Person',
  ask: async () => false,
};
const never = new AbortController().signal;

/** A control with one check; expectations stand in the check. */
const control = (id: string, check: string) => `  - id: peer.${id}
    revision: 1
    title: ${id}
    owner: hospital
    why: Peers misbehave.
    checks:
      - ${check}
`;
const request = (url: string) =>
  `{ probe: http.request, with: { url: "${url}" }, expect: [{ that: facts.status == 200, else: "Status {{ facts.status }}." }] }`;

describe('a walk among peers that are dead, silent or false', () => {
  let dir: string;
  let lab: Lab;
  let session: Session;
  const ending: (() => unknown)[] = [];
  const item = (id: string) => {
    const key = session.plan.items.find((one) => one.control.id === `peer.${id}`)?.key ?? '';
    const { verdict, findings = [] } = session.state().items[key] ?? {};
    return { verdict, said: findings.map((finding) => finding.sentence).join(' ') };
  };

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-peers-'));
    lab = await startLab({ dir: join(dir, 'hospital'), shipped: false });
    const silent = await startPeer(() => {});
    const other = await (await createPracticeCa({ now: new Date() })).issue({
      commonName: 'emr.hospital.example',
      sans: ['emr.hospital.example'],
      usage: 'server',
    });
    const impostor = createHttps({ key: other.keyPem, cert: other.chainPem }, (_, response) => response.end('{}'));
    await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve));
    const falsePort = (impostor.address() as AddressInfo).port;
    ending.push(
      () => silent.stop(),
      () => impostor.close(),
      () => lab.stop(),
    );
    const group = (name: string) =>
      `{ probe: directory.group, with: { group: ${name} }, expect: [{ that: facts.exists, else: There is none. }] }`;
    const tls = `{ probe: tls.endpoint, with: { endpoint: { host: emr.hospital.example, port: ${falsePort} } }, expect: [{ that: facts.chain.trusted, else: "Not trusted: {{ facts.chain.reason }}" }] }`;
    const controls = [
      control('refused', request(`http://127.0.0.1:${await freePort()}/`)),
      control('unknown', request('http://nowhere.invalid/')),
      control('silent', request(`http://127.0.0.1:${silent.port}/`)),
      control('wrong-ca', request(`https://emr.hospital.example:${falsePort}/`)),
      control('wrong-ca-finding', tls),
      control('directory', group('MDIP-Clinical')),
      control('directory-again', group('MDIP-Biomed')),
      control('last', request(`https://gateway.hospital.example:${lab.ports.device.admin}/api/health`)),
    ];
    await writeFile(
      join(dir, 'guide.yaml'),
      `guide: peers
version: 1.0.0
title: Peers
publisher: { name: Test, contact: test@example.org }
product: { vendor: Test, name: Thing, versions: ">=1.0.0" }
controls:
${controls.join('')}`,
    );
    const site = parse(await readFile(lab.siteFile, 'utf8')) as Record<string, unknown>;
    await writeFile(join(lab.dir, 'site-of-test.yaml'), stringify({ ...site, inputs: {} }));
    const guide = value(await loadGuide(join(dir, 'guide.yaml'), {}));
    const loaded = value(await loadSite(join(lab.dir, 'site-of-test.yaml')));
    session = value(await openSession(join(dir, 'sessions'), guide, loaded, options));
    session.secrets.set('directory-bind', 'not-the-password');
    value(await session.checkGate({ typed: '1.0.0' }));
    value(
      await session.run(
        session.plan.items.map((one) => one.key),
        never,
      ),
    );
  });
  afterAll(async () => {
    await session?.close();
    for (const end of ending) await end();
    await rm(dir, { recursive: true, force: true });
  });

  it.each([
    ['refused', 'error', /The connection was refused/],
    ['unknown', 'error', /name (is not known|could not be looked up)/],
    ['silent', 'error', /did not finish its answer/],
    ['wrong-ca', 'error', /certificate|anchor|issuer/i],
    ['wrong-ca-finding', 'fail', /^Not trusted: /],
    ['directory', 'error', /password/i],
    ['last', 'pass', /^$/],
  ])('%s ends as %s with its cause, and the walk goes on', (id, verdict, words) => {
    expect(item(id)).toEqual({ verdict, said: expect.stringMatching(words) });
  });

  it('tries a wrong password once, however many steps need it', () => {
    expect(item('directory').said).not.toContain('not tried again');
    expect(item('directory-again')).toEqual({
      verdict: 'error',
      said: expect.stringContaining('It was not tried again, so that the account is not locked out'),
    });
  });

  it('can be resumed, and the right password decides what was open', async () => {
    await session.close();
    session = value(await resumeSession(session.dir, {}, options));
    expect(item('refused').verdict).toBe('error');
    session.secrets.set('directory-bind', lab.secrets['directory-bind'] ?? '');
    const keys = session.plan.items.filter((one) => one.control.id.startsWith('peer.directory')).map((one) => one.key);
    value(await session.run(keys, never));
    expect(item('directory')).toEqual({ verdict: 'pass', said: '' });
    expect(item('last').verdict).toBe('pass');
  });
});
