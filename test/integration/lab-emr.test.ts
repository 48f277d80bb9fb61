import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Lab, startLab } from '../../lab/index.ts';
import { needs } from '../support/debian.ts';
import { exchange, trial } from '../support/lab-wire.ts';

let lab: Lab;
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lockstep-lab-'));
  lab = await startLab({ dir, shipped: false });
});
afterAll(async () => {
  await lab.stop();
  rmSync(dir, { recursive: true, force: true });
});

const MESSAGE = '\x0bMSH|^~\\&|LOCKSTEP|TEST|EMR|PRACTICE|20260101000000||ORU^R01|ID7|T|2.5\r\x1c\r';

describe.skipIf(!needs('openssl'))('openssl s_client', () => {
  const client = (...args: string[]): Promise<string> =>
    new Promise((resolve) => {
      const child = spawn('openssl', [
        's_client',
        '-connect',
        `127.0.0.1:${lab.ports.emr.secure}`,
        '-servername',
        'emr.hospital.example',
        '-verify_hostname',
        'emr.hospital.example',
        '-CAfile',
        join(dir, 'hospital-ca.pem'),
        '-ign_eof',
        ...args,
      ]);
      let output = '';
      const timer = setTimeout(() => child.kill(), 10_000);
      const take = (chunk: Buffer): void => {
        output += chunk.toString('latin1');
        if (output.includes('MSA|')) child.kill();
      };
      child.stdout.on('data', take);
      child.stderr.on('data', take);
      child.stdin.on('error', () => undefined);
      child.stdin.write(MESSAGE);
      child.on('close', () => {
        clearTimeout(timer);
        resolve(output);
      });
    });
  const identity = (kind: string) => ['-cert', join(dir, `trial-${kind}.pem`), '-key', join(dir, `trial-${kind}.key`)];

  it.each(['-tls1_2', '-tls1_3'])('is served with the right certificate only (%s)', async (version) => {
    const good = await client(version, ...identity('good'));
    expect(good).toContain('Verify return code: 0 (ok)');
    expect(good).toContain('MSA|AA|ID7');
    for (const kind of ['expired', 'revoked', 'wrong-subject'])
      expect(await client(version, ...identity(kind)), kind).not.toContain('MSA|');
    const none = await client(version);
    expect(none).not.toContain('MSA|');
    expect(none).toMatch(
      version === '-tls1_3'
        ? /alert certificate required/
        : /alert handshake failure|alert certificate required|handshake failure/,
    );
  });

  it('is refused TLS 1.1 until the fault says otherwise', async () => {
    const old = ['-tls1_1', '-cipher', 'DEFAULT:@SECLEVEL=0', ...identity('good')];
    expect(await client(...old)).not.toContain('MSA|');
    await lab.setFault('emr-old-tls', true);
    const weak = await client(...old);
    await lab.setFault('emr-old-tls', false);
    expect(weak).toMatch(/Protocol *: TLSv1\.1/);
    expect(weak).toContain('MSA|AA|ID7');
  });

  it('reads the wrong name as the fault has it', async () => {
    await lab.setFault('emr-cert-wrong-name', true);
    const output = await client(...identity('good'));
    await lab.setFault('emr-cert-wrong-name', false);
    expect(output).toContain('62 (hostname mismatch)');
  });
});

describe('HL7 over MLLP', () => {
  it('acknowledges with the id and the ends turned round', async () => {
    const answer = await exchange(lab, trial(lab, 'good'));
    expect(answer).toMatch(
      /^\x0bMSH\|\^~\\&\|EMR\|PRACTICE\|LOCKSTEP\|TEST\|\d{14}\|\|ACK\^R01\|ACK\d{14}\|T\|2\.5\rMSA\|AA\|ID7\r\x1c\r$/,
    );
    expect(lab.received().secure).toBeGreaterThan(0);
    expect(lab.received().clear).toBe(0);
  });
});
