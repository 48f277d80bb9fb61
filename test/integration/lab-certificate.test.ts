import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Result } from '../../core/result.ts';
import { makeRequest } from '../../engine/keys/certificate-request.ts';
import { applyChange, planChange, planUndo, type ShownChange } from '../../engine/session/changes.ts';
import { handOffRequest, importCertificate } from '../../engine/session/enrol.ts';
import { loadGuide, signGuideFile } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { openSession } from '../../engine/session/open-session.ts';
import type { Session } from '../../engine/session/session.ts';
import { AUTHORITY_FOLDER } from '../../lab/authority.ts';
import { type Lab, startLab } from '../../lab/index.ts';
import { loadIdentity } from '../../engine/keys/identity.ts';
import { lockstep } from '../support/cli.ts';
import { REFERENCE_GUIDE } from '../support/lab-walk.ts';

const STEP = 'certificate.device-web@device:gateway';

let lab: Lab;
let dir: string;
let session: Session;

function must<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.message} ${result.error.cause ?? ''}`);
  return result.value;
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lockstep-lab-certificate-'));
  lab = await startLab({ dir: join(dir, 'hospital') });
  const guide = must(await loadGuide(REFERENCE_GUIDE, {}));
  const site = must(await loadSite(lab.siteFile));
  session = must(
    await openSession(join(dir, 'sessions'), { ...guide, trust: 'trusted' }, site, {
      now: () => new Date(),
      lockstep: '0.0.0',
      runtime: {},
      operator: 'Practice Engineer',
      ask: async () => false,
    }),
  );
  for (const [name, value] of Object.entries(lab.secrets)) session.secrets.set(name, value);
  must(await session.checkGate({ typed: '3.3.1' }));
});
afterAll(async () => {
  await session?.close();
  await lab?.stop();
  rmSync(dir, { recursive: true, force: true });
});

const verdict = async () => {
  must(await session.run([STEP], new AbortController().signal));
  return session.state().items[STEP];
};
const apply = async (shown: ShownChange) => {
  const credential = { user: 'lockstep', password: lab.secrets['device-admin'] ?? '' };
  const applied = await applyChange(session, STEP, shown.change, { ticket: 'T', approver: 'A', credential });
  expect(must(applied)).toMatchObject({ asPlanned: true, differences: [] });
};
const shown = () =>
  new Promise<string>((resolve, reject) => {
    const socket = connect(
      {
        host: '127.0.0.1',
        port: lab.ports.device.admin,
        rejectUnauthorized: true,
        ca: readFileSync(join(lab.dir, 'hospital-ca.pem')),
        servername: 'gateway.hospital.example',
      },
      () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      },
    );
    socket.on('error', reject);
  });
/** The practice hospital's authority answers when it looks into its folder. */
async function answered(name: string): Promise<string> {
  const path = join(lab.dir, AUTHORITY_FOLDER, name);
  for (let tries = 0; tries < 200 && !existsSync(path); tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 25));
  return path;
}

describe('the gateway’s expiring certificate in the practice hospital', () => {
  it('is renewed through the device’s own API by the reference guide, and put back', async () => {
    expect(await verdict()).toMatchObject({
      verdict: 'fail',
      findings: [{ sentence: expect.stringContaining('Renew it.') }],
    });
    const before = await shown();

    const asked = must(await planChange(session, STEP));
    expect(asked.plan.diff).toContain('the device makes the key and keeps it');
    await apply(asked);
    const csr = join(lab.dir, AUTHORITY_FOLDER, 'gateway.csr');
    expect(must(await handOffRequest(session, STEP, csr))).toEqual(['gateway.csr', 'gateway-README.txt']);
    expect(readFileSync(join(lab.dir, AUTHORITY_FOLDER, 'gateway-README.txt'), 'utf8')).toContain('PRACTICE');

    const installed = must(await importCertificate(session, STEP, await answered('gateway.crt'), undefined));
    await apply(installed);
    expect(await shown()).not.toBe(before);
    expect(await verdict()).toMatchObject({ verdict: 'pass' });
    expect(lab.faults().find(({ id }) => id === 'device-cert-expiring')).toMatchObject({ on: false });

    await apply(must(await planUndo(session, STEP, installed.change)));
    expect(await shown()).toBe(before);
    expect(await verdict()).toMatchObject({ verdict: 'fail' });
    expect(lab.faults().find(({ id }) => id === 'device-cert-expiring')).toMatchObject({ on: true });
    await apply(must(await planUndo(session, STEP, asked.change)));
    expect(await planUndo(session, STEP, asked.change)).toMatchObject({ ok: false, error: { code: 'session.state' } });

    // Nothing of the key or of a password is in what the session keeps.
    const journal = readFileSync(join(session.dir, 'journal.jsonl'), 'utf8');
    expect(journal).not.toContain('PRIVATE KEY');
    expect(journal).not.toContain(lab.secrets['device-admin']);
  });

  it('is refused by the device without its password, and nothing is written then', async () => {
    const { change } = must(await planChange(session, STEP));
    const credential = { user: 'lockstep', password: 'wrong' };
    expect(await applyChange(session, STEP, change, { ticket: 'T', approver: 'A', credential })).toMatchObject({
      ok: false,
      error: { code: 'secret.missing' },
    });
    expect(lab.parts.device.state.waiting).toBeUndefined();
  });

  it('is renewed from the command line, in two runs with the wait between them', async () => {
    await lab.reset();
    const publisher = must(await loadIdentity(lab.identities.publisher, lab.passphrase));
    const guide = join(dir, 'guide.asice');
    must(await signGuideFile(readFileSync(REFERENCE_GUIDE, 'utf8'), publisher, guide, new Date()));
    const common = ['--guide', guide, '--site', lab.siteFile, '--trust', `publisher=${lab.trust.publisher}`];
    const which = [
      '--control',
      'certificate.device-web',
      '--secret',
      'device-admin=env:ADMIN',
      '--data',
      join(dir, 'data'),
    ];
    const account = ['--write-user', 'lockstep', '--write-password', 'env:ADMIN'];
    const approved = ['--ticket', 'CHG-9', '--approver', 'Head of IT'];
    const run = (...args: string[]) =>
      lockstep(['certificate', ...args, ...common, ...which], { ADMIN: lab.secrets['device-admin'] ?? '' });
    const before = await shown();

    const csr = join(lab.dir, AUTHORITY_FOLDER, 'cli.csr');
    const without = await run('request', '--out', csr, ...approved);
    expect(without).toMatchObject({ code: 2, stderr: expect.stringContaining('give --write-user') });
    const asked = await run('request', '--out', csr, ...approved, ...account);
    expect(asked, asked.stderr).toMatchObject({ code: 0, stdout: 'cli.csr\ncli-README.txt\n' });
    expect(await shown()).toBe(before);
    const resume = ['--resume', /session ([0-9a-f-]{36})/.exec(asked.stderr)?.[1] ?? ''];

    const answer = await answered('cli.crt');
    const wrong = await run('import', lab.trust.publisher, ...resume, ...approved, ...account);
    expect(wrong).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('No certificate in the file is for the key'),
    });
    const installed = await run('import', answer, ...resume, ...approved, ...account);
    expect(installed, installed.stderr).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('read back as planned'),
    });
    expect(await shown()).not.toBe(before);
    const anchor = await run('anchor', '--out', join(dir, 'root.crt'), ...resume);
    expect(anchor, anchor.stderr).toMatchObject({ code: 0, stdout: 'root.crt\nroot.der\nroot-README.txt\n' });
    for (const said of [asked, installed, anchor])
      expect(said.stdout + said.stderr).not.toContain(lab.secrets['device-admin']);
  }, 120_000);

  it('takes a request that nobody can read for what it is', async () => {
    const { requestPem } = await makeRequest({
      key: 'P-256',
      commonName: 'x',
      names: ['x.example'],
      purposes: ['server'],
    });
    writeFileSync(join(lab.dir, AUTHORITY_FOLDER, 'bad.csr'), 'hello');
    writeFileSync(join(lab.dir, AUTHORITY_FOLDER, 'good.csr'), requestPem);
    await answered('good.crt');
    expect(existsSync(join(lab.dir, AUTHORITY_FOLDER, 'bad.crt'))).toBe(false);
  });
});
