import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Lab, startLab } from '../../lab/index.ts';
import { accepts, ask, askAsHospital, hospitalRoot } from '../support/lab-wire.ts';

let lab: Lab;
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lockstep-lab-'));
  lab = await startLab({ dir });
});
afterAll(async () => {
  await lab.stop();
  rmSync(dir, { recursive: true, force: true });
});

const on = (id: string) => lab.faults().find((fault) => fault.id === id)?.on;

describe('the practice gateway', () => {
  it('tells its version to anybody, and redirects in clear once hardened', async () => {
    expect((await ask(lab, 'GET', '/api/version')).json()).toEqual({ product: 'MDIP', version: '3.3.1' });
    expect((await ask(lab, 'GET', '/api/version', { clear: true })).status).toBe(200);
    await askAsHospital(lab, 'PUT', '/api/settings', { services: { clearHttp: 'redirect' } });
    const redirect = await ask(lab, 'GET', '/api/settings?x=1', { clear: true });
    expect(redirect.status).toBe(308);
    expect(redirect.headers['location']).toBe(
      `https://gateway.hospital.example:${lab.ports.device.admin}/api/settings?x=1`,
    );
    expect(redirect.text).toBe('');
    expect(on('device-http-clear')).toBe(false);
  });

  it('is hardened through its own API, setting by setting, as an engineer does it', async () => {
    const put = (body: unknown) => askAsHospital(lab, 'PUT', '/api/settings', body);
    expect(await accepts(lab.ports.device.telnet)).toBe(true);
    expect(
      (
        await put({
          services: { telnet: false, debug: false },
          web: { securityHeaders: true, anonymousApi: false },
          session: { inactivityMinutes: 10 },
        })
      ).status,
    ).toBe(200);
    expect(await accepts(lab.ports.device.telnet)).toBe(false);
    expect(await accepts(lab.ports.device.debug)).toBe(false);
    expect((await ask(lab, 'GET', '/api/settings')).status).toBe(401);
    expect((await ask(lab, 'GET', '/api/version')).headers).toMatchObject({
      'strict-transport-security': expect.stringContaining('max-age='),
    });
    for (const id of [
      'device-telnet',
      'device-debug-port',
      'device-api-open',
      'device-no-security-headers',
      'device-no-auto-logoff',
    ])
      expect(on(id), id).toBe(false);
    expect((await askAsHospital(lab, 'PUT', '/api/certificates/emr', { pem: hospitalRoot(lab) })).status).toBe(200);
    expect(on('device-stale-anchor')).toBe(false);
    const login = { user: 'admin', password: lab.secrets['device-default'] ?? '' };
    expect((await ask(lab, 'GET', '/api/settings', login)).status).toBe(200);
    expect((await askAsHospital(lab, 'POST', '/api/password', { user: 'admin', password: 'short' })).status).toBe(400);
    expect(
      (await askAsHospital(lab, 'POST', '/api/password', { user: 'admin', password: 'long enough now' })).status,
    ).toBe(200);
    expect((await ask(lab, 'GET', '/api/settings', login)).status).toBe(401);
    expect(on('device-default-password')).toBe(false);
  });

  it.each([
    [{ services: { telnet: 'yes' } }, 'services.telnet'],
    [{ unknown: {} }, 'unknown'],
    [{ session: { inactivityMinutes: 15, more: 1 } }, 'more'],
    [{ __proto__: null, constructor: {} }, 'constructor'],
    [[], 'JSON object'],
    ['{ broken', 'not JSON'],
  ])('refuses settings that do not fit: %j', async (body, words) => {
    const before = lab.settings();
    const answer = await askAsHospital(lab, 'PUT', '/api/settings', body);
    expect(answer.status).toBe(400);
    expect((answer.json() as { error: string }).error).toContain(words);
    expect(lab.settings()).toEqual(before);
  });

  it('refuses wrong passwords, unknown paths and methods, and bodies without end', async () => {
    expect((await ask(lab, 'GET', '/api/settings', { user: 'lockstep', password: 'wrong' })).status).toBe(401);
    expect((await ask(lab, 'GET', '/api/nothing')).status).toBe(404);
    expect((await ask(lab, 'DELETE', '/api/version')).status).toBe(405);
    expect((await askAsHospital(lab, 'PUT', '/api/settings', 'x'.repeat(300_000))).status).toBe(413);
    expect((await askAsHospital(lab, 'PUT', '/api/certificates/emr', { pem: 'nonsense' })).status).toBe(400);
  });

  it('sends its test message to loopback only', async () => {
    expect((await askAsHospital(lab, 'POST', '/api/test-message', { host: 'example.org', port: 443 })).status).toBe(
      400,
    );
    expect((await askAsHospital(lab, 'POST', '/api/test-message', { host: '127.0.0.1', port: 0 })).status).toBe(400);
    const refused = await askAsHospital(lab, 'POST', '/api/test-message', {
      host: '127.0.0.1',
      port: lab.ports.device.telnet,
    });
    expect(refused.json()).toMatchObject({ sent: false, error: expect.stringContaining('ECONNREFUSED') });
  });

  it('has a console that lets nobody in', async () => {
    await lab.setFault('device-telnet', true);
    const seen = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect({ host: '127.0.0.1', port: lab.ports.device.telnet });
      socket.on('data', (chunk) => {
        text += chunk.toString();
        if (/(login|Password): $/.test(text)) socket.write('service\r\n');
      });
      socket.on('close', () => resolve(text));
    });
    expect(seen).toContain('MDIP 3.3.1 service console');
    expect(seen.match(/Login incorrect/g)).toHaveLength(3);
  });
});
