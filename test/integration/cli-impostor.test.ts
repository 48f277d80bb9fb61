import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createThrowawayCa, type ThrowawayCa } from '../support/throwaway-ca.ts';
import { needs } from '../support/debian.ts';
import { lockstep } from '../support/cli.ts';

let ca: ThrowawayCa;
let dir: string;
let api: Server;
const at = (name: string) => join(dir, name);

const GUIDE = `guide: fooled
version: 1.0.0
title: A device and an impostor
publisher: { name: Test, contact: test@example.org }
product: { vendor: Test, name: Thing, versions: "1.x" }
inputs: { emr: { type: link, title: The link } }
controls:
  - id: link.refuses
    revision: 1
    title: The device refuses an impostor
    owner: shared
    why: It hands its data to whoever answers.
    checks:
      - probe: tls.impostor
        with: { as: $emr.server, listen: $emr.impostor, seconds: 3 }
        expect: [{ that: facts.refused, else: "It sent {{ facts.applicationBytes }} bytes." }]
`;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lockstep-cli-impostor-'));
  ca = await createThrowawayCa();
  // A device whose API makes curl connect, without a look at the certificate.
  api = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { host, port } = JSON.parse(body) as { host: string; port: number };
      response.end('{}');
      spawn('curl', ['-sk', '--max-time', '2', '-d', 'patient=1', `https://${host}:${port}/`], { stdio: 'ignore' });
    });
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  writeFileSync(at('guide.yaml'), GUIDE);
  const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}/send`;
  const link = {
    id: 'link',
    name: 'Link',
    protocol: 'other',
    client: { device: 'pump' },
    server: { host: 'emr.hospital.test', port: 6661 },
    impostor: { address: '127.0.0.1', trigger: { url } },
  };
  const site = {
    site: 'fooled',
    name: 'Fooled',
    anchors: [{ id: 'root', pem: ca.root }],
    devices: [{ id: 'pump', name: 'Pump', host: '127.0.0.1' }],
    links: [link],
  };
  writeFileSync(at('site.yaml'), JSON.stringify(site));
});
afterAll(async () => {
  await new Promise((resolve) => api.close(resolve));
  await ca.remove();
  rmSync(dir, { recursive: true, force: true });
});

const run = (...more: string[]) => {
  const given = ['--guide', at('guide.yaml'), '--site', at('site.yaml'), '--product-version', '1.0.0', '--quiet'];
  return lockstep(['run', ...given, ...more], { LOCKSTEP_DATA_DIR: at('data') });
};

describe.skipIf(!needs('curl'))('lockstep run, where a device is to be fooled', () => {
  it('leaves the device alone where nobody can say that it is free', async () => {
    const { code, stdout } = await run();
    expect(code).toBe(3);
    expect(stdout).toContain('Nobody confirmed that the device is not in clinical use');
  });

  it('takes the word of --not-in-clinical-use', async () => {
    const { code, stdout } = await run('--not-in-clinical-use');
    expect(code).toBe(1);
    expect(stdout).toMatch(/It sent \d+ bytes\./);
  });
});
