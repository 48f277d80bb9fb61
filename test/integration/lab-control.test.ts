import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkSigner, loadIdentity } from '../../engine/keys/identity.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { controlLab } from '../../lab/control.ts';
import { type RunningLab, runLab } from '../../lab/run-lab.ts';
import { accepts } from '../support/lab-wire.ts';

let dir: string;
let running: RunningLab;
let printed: string[];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lockstep-lab-'));
  printed = [];
  const started = await runLab({ dir, print: (line) => printed.push(line) });
  if (!started.ok) throw new Error(started.error.message);
  running = started.value;
});
afterEach(async () => {
  await running.stop();
  rmSync(dir, { recursive: true, force: true });
});

describe('the practice hospital in a process of its own', () => {
  it('prints the site file, the ports and the faults, and no secret', () => {
    const text = printed.join('\n');
    expect(text).toContain(running.lab.siteFile);
    expect(text).toContain(String(running.lab.ports.emr.secure));
    expect(text).toMatch(/^ON {2}dc-clear-bind /m);
    expect(text).toMatch(/^off emr-silent /m);
    const { secrets, passphrase, writeCredential } = running.lab;
    for (const secret of [...Object.values(secrets), passphrase, writeCredential.password])
      expect(text).not.toContain(secret);
  });

  it('writes a site that loads, identities that open, keys for their owner only, and no password', async () => {
    const site = await loadSite(running.lab.siteFile);
    expect(site.ok && site.value.site.practice).toBe(true);
    for (const path of Object.values(running.lab.identities)) {
      const identity = await loadIdentity(path, running.lab.passphrase);
      if (!identity.ok) throw new Error(identity.error.message);
      expect(checkSigner(identity.value, new Date()).ok).toBe(true);
      expect((await loadIdentity(path, 'wrong')).ok).toBe(false);
    }
    const { secrets, passphrase, writeCredential } = running.lab;
    for (const name of readdirSync(dir).filter((one) => statSync(join(dir, one)).isFile())) {
      const text = readFileSync(join(dir, name), 'utf8');
      if (text.includes('PRIVATE KEY') || name === 'lab-control.json')
        expect(statSync(join(dir, name)).mode & 0o777, name).toBe(0o600);
      for (const secret of [
        secrets['directory-bind'] ?? '',
        secrets['device-admin'] ?? '',
        passphrase,
        writeCredential.password,
      ])
        expect(text, name).not.toContain(secret);
    }
  });

  it('is steered from outside: faults, hardening, secrets, the end', async () => {
    const isOn = (answer: Awaited<ReturnType<typeof controlLab>>, id: string) =>
      answer.ok ? answer.value.faults.find((fault) => fault.id === id)?.on : undefined;
    expect(isOn(await controlLab(dir, { command: 'status' }), 'emr-clear-twin')).toBe(true);
    expect(isOn(await controlLab(dir, { command: 'fault', id: 'emr-clear-twin', on: false }), 'emr-clear-twin')).toBe(
      false,
    );
    expect(await accepts(running.lab.ports.emr.clear)).toBe(false);
    expect(isOn(await controlLab(dir, { command: 'harden', ids: ['device-telnet'] }), 'device-telnet')).toBe(false);
    expect(await controlLab(dir, { command: 'fault', id: 'none-such', on: true })).toMatchObject({
      ok: false,
      error: { code: 'input.not-found' },
    });
    const hardened = await controlLab(dir, { command: 'harden' });
    expect(hardened.ok && hardened.value.faults.filter((fault) => fault.on)).toEqual([]);
    expect(isOn(await controlLab(dir, { command: 'reset' }), 'emr-clear-twin')).toBe(true);
    const secrets = await controlLab(dir, { command: 'secrets' });
    expect(secrets.ok && secrets.value.secrets?.secrets).toEqual(running.lab.secrets);
    expect((await controlLab(dir, { command: 'stop' })).ok).toBe(true);
    await running.finished;
    expect(await accepts(running.lab.ports.dc1.ldaps)).toBe(false);
    expect(await controlLab(dir, { command: 'status' })).toMatchObject({
      ok: false,
      error: { code: 'session.not-found' },
    });
  });

  it('runs once in a folder', async () => {
    expect(await runLab({ dir, print: () => undefined })).toMatchObject({
      ok: false,
      error: { code: 'session.state' },
    });
  });

  it('obeys nobody without the token', async () => {
    const { port } = JSON.parse(readFileSync(join(dir, 'lab-control.json'), 'utf8')) as { port: number };
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const outgoing = request(
        { host: '127.0.0.1', port, method: 'POST', headers: { authorization: `Bearer ${'A'.repeat(43)}` } },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      outgoing.on('error', reject);
      outgoing.end('{"command":"stop"}');
    });
    expect(status).toBe(401);
    expect((await controlLab(dir, { command: 'status' })).ok).toBe(true);
  });
});
