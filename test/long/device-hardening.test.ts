import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LabProcess, startLabProcess } from '../../cli/lab-process.ts';
import { lockstep } from '../support/cli.ts';
import { value } from '../support/evidence.ts';

/** What the gateway of the reference guide shows before each of its settings was changed. */
const STEPS: Readonly<Record<string, RegExp>> = {
  'access.device-directory-link':
    /asks ldap:\/\/dc1\.hospital\.example:\d+\. Wanted: an address that begins with ldaps/,
  'access.auto-logoff': /logs off after 0 minutes \(0 is never\)\. Wanted: 1 to 15\./,
  'access.credential-cache': /remembers logins for -1 days \(-1 is for ever\)\. Wanted: 0 to 7\./,
  'certificate.pinned-anchor': /does not fit what Results to the EMR shows today/,
  'link.emr.device-refuses-impostor': /The platform sent \d+ bytes to an impostor/,
  'network.ports': /answers on port \d+\. Agreed: \d+\./,
  'network.legacy-services': /answers on the telnet port \d+\. Wanted: closed\./,
  'web.https-only': /answers unencrypted requests with status 200\. Wanted: 301 or 308/,
  'web.api-credentials': /answered a stranger with status 200\. Wanted: 401 or 403\./,
  'web.security-headers': /does not tell browsers to stay with HTTPS/,
  'audit.forwarding': /sends its audit log nowhere/,
  'audit.time-source': /takes the time from manual, servers none\. Wanted: NTP/,
};
const IDS = Object.keys(STEPS);

type Item = { control: string; verdict: string; findings: { verdict: string; sentence: string }[] };

describe("the practice gateway, hardened by the reference guide's own changes", () => {
  let dir: string;
  let lab: LabProcess;
  let env: Record<string, string>;
  let session = '';
  const run = (...more: string[]) => {
    const { info } = lab;
    const secrets = Object.keys(info.secrets).map((name, index) => `${name}=env:SECRET_${index}`);
    const walk = ['run', '--guide', info.guides[0]?.path ?? '', '--site', info.siteFile, '--secret', ...secrets];
    walk.push('--trust', `publisher=${info.trust.publisher}`, '--quiet', '--json', '--not-in-clinical-use');
    walk.push('--ticket', 'CHG-12', '--approver', 'Ada', '--write-for', 'device=lockstep=env:DEVICE');
    return lockstep([...walk, '--only', ...IDS, ...more], env);
  };
  const items = (stdout: string) =>
    (JSON.parse(stdout) as { items: Item[] }).items.filter(({ control }) => IDS.includes(control));
  const shipped = (stdout: string) => {
    for (const { control, verdict, findings } of items(stdout)) {
      expect(verdict, control).toBe('fail');
      expect(findings.map(({ sentence }) => sentence).join('\n'), control).toMatch(STEPS[control] ?? /never/);
    }
  };

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-device-hardening-'));
    lab = value(await startLabProcess(join(dir, 'hospital'), true));
    env = {
      LOCKSTEP_DATA_DIR: join(dir, 'data'),
      DEVICE: lab.info.secrets['device-admin'] ?? '',
      ...Object.fromEntries(Object.values(lab.info.secrets).map((secret, index) => [`SECRET_${index}`, secret])),
    };
  });
  afterAll(async () => {
    await lab?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('fails each step as shipped', async () => {
    const { stdout, code } = await run();
    expect(items(stdout)).toHaveLength(IDS.length);
    shipped(stdout);
    expect(code).toBe(1);
  });

  it('is changed setting by setting, and each step passes by what the probes see afterwards', async () => {
    const done = await run('--apply', ...IDS);
    expect(done.stderr.match(/: read back as planned/g)).toHaveLength(IDS.length);
    expect(done.stderr).toMatch(/- {2}\/session\/inactivityMinutes: 0\n\+ {2}\/session\/inactivityMinutes: 15\n/);
    expect(done.stderr).toMatch(/- {2}\/audit\/syslogHost: ""\n\+ {2}\/audit\/syslogHost: "siem\.hospital\.example"\n/);
    expect(done.stderr).toMatch(/\+ {2}\/pem: certificate of .*Hospital Root CA.*, until /);
    expect(done.stderr).toMatch(/\+ {2}\/time\/servers: \["dc1\.hospital\.example","dc2\.hospital\.example"\]/);
    for (const { control, verdict, findings } of items(done.stdout))
      expect(verdict, `${control}: ${JSON.stringify(findings)}`).toBe('pass');
    session = /session ([0-9a-f-]{36})/.exec(done.stderr)?.[1] ?? '';
    const journal = await readFile(join(dir, 'data', 'sessions', session, 'journal.jsonl'), 'utf8');
    for (const secret of Object.values(lab.info.secrets)) expect(journal).not.toContain(secret);
    expect(journal.match(/"type":"change\.approved".*"ticket":"CHG-12"/g)).toHaveLength(IDS.length);
  });

  it('has nothing left to change then', async () => {
    const { stderr } = await run('--apply', ...IDS);
    expect(stderr.match(/: The setting has this value already\./g)).toHaveLength(IDS.length);
  });

  it('is as it was shipped once everything is undone', async () => {
    const { stdout, stderr } = await run('--resume', session, '--undo', ...IDS);
    expect(stderr.match(/to its former value again/g)).toHaveLength(IDS.length);
    expect(stderr.match(/: read back as planned/g)).toHaveLength(IDS.length);
    shipped(stdout);
  });
});
