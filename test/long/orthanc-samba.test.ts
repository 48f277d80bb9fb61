import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRoot, needs } from '../support/debian.ts';
import { type Department, GROUP, PASSWORDS, startDepartment } from '../support/imaging-department.ts';
import { type Ran, type Step, walkDepartment } from '../support/imaging-walk.ts';
import { SAMBA_PROGRAMS } from '../support/samba.ts';

const programs = [...SAMBA_PROGRAMS, 'Orthanc', 'nginx', 'unshare', 'ip', 'mount', 'openssl', 'unzip', 'sha256sum'];

describe.skipIf(!isRoot() || !needs(...programs))('from default to hardened, against Samba and Orthanc', () => {
  let department: Department;
  let steps: readonly Step[];
  const step = (name: string): Ran => {
    const found = steps.find((one): one is Ran => one.kind === 'ran' && one.name === name);
    if (found === undefined) throw new Error(`nothing ran as ${name}`);
    return found;
  };
  /** Control ids by verdict, as the table shows them. */
  const verdicts = (name: string, verdict: string): string[] =>
    step(name)
      .stdout.split('\n')
      .filter((line) => line.startsWith(`${verdict} `))
      .map((line) => line.split(/\s+/)[1] ?? '');
  const journalOf = (bundle: string): string =>
    execFileSync('unzip', ['-p', join(department.folder, bundle), 'journal.jsonl'], { encoding: 'utf8' });

  beforeAll(async () => {
    department = await startDepartment();
    steps = await walkDepartment(department);
  });
  afterAll(async () => department?.stop());

  it('finds both servers open as installed', () => {
    expect(step('first').code).toBe(1);
    expect(verdicts('first', 'fail')).toEqual([
      'access.directory-secure',
      'access.named-group',
      'http.login',
      'http.encrypted',
      'http.clear-closed',
      'dicom.encrypted',
      'dicom.clear-refused',
      'network.ports',
    ]);
    // Nothing that needs a probe passes where it could not be looked at.
    expect(verdicts('first', 'pass')).toEqual([]);
    expect(step('first').stdout).toContain('A password is never sent over plain HTTP.');
    const journal = journalOf('first.asice');
    expect(journal).toContain('looks at passwords that are sent without encryption');
    expect(journal).toMatch(/still accepts .*TLS 1\.0.*TLS 1\.1/);
    expect(journal).toContain('"basis":"typed"');
  });

  it('creates the missing group under a ticket, and reads it back', () => {
    const { output, code } = step('apply');
    expect(output).toContain(`dn: CN=${GROUP},CN=Users,DC=hospital,DC=test\nchangetype: add`);
    expect(output).toContain('read back as planned');
    // Created, and empty: no pass yet.
    expect(output).toContain(`Nobody is in ${GROUP}`);
    expect(code).toBe(1);
    expect(step('add-member').code).toBe(0);
  });

  it('passes everything on the hardened servers', async () => {
    expect(step('second').code).toBe(0);
    expect(step('second').stdout).toContain('hardened: 28 pass');
    const journal = journalOf('second.asice');
    const probed = new Set(
      [...journal.matchAll(/"type":"facts\.recorded","data":\{"key":"([^"@]+)/g)].map(([, id]) => id),
    );
    expect(probed.size).toBe(22);
    expect(journal).not.toContain('"type":"probe.failed"');
    for (const id of probed) expect(verdicts('second', 'pass')).toContain(id);
    expect(await readFile(join(department.folder, 'orthanc-lines.txt'), 'utf8')).toContain('"WebDavEnabled": false');
  });

  it('is sealed, signed, countersigned and verified, by lockstep and by stock tools', () => {
    expect(step('verify-early')).toMatchObject({ code: 1, stdout: expect.stringContaining('provisional') });
    expect(step('countersign').code).toBe(0);
    expect(step('verify')).toMatchObject({ code: 0, stdout: expect.stringContaining('sound and complete') });
    expect(step('sha256sum')).toMatchObject({ code: 0 });
    expect(step('manifest').stdout.trim()).toBe('1');
    expect(step('openssl-engineer')).toMatchObject({ code: 0, output: 'CAdES Verification successful\n' });
    expect(step('openssl-hospital')).toMatchObject({ code: 0, output: 'CAdES Verification successful\n' });
    expect(step('openssl-wrong').code).not.toBe(0);
  });

  it('fails with the right sentence what is broken again', () => {
    expect(step('break').code).toBe(0);
    expect(step('third').code).toBe(1);
    expect(verdicts('third', 'fail')).toEqual(['access.named-group', 'rest.scripts-off']);
    expect(step('third').stdout).toContain(
      `Domain Users is nested inside ${GROUP}, so everyone in it can log in as Image reader.`,
    );
    expect(step('third').stdout).toContain(
      'answered a script with status 200. Wanted: 403, refused. Set ExecuteLuaEnabled to false.',
    );
  });

  it('leaves none of the passwords in what it wrote or said', () => {
    const said = steps.map((one) => (one.kind === 'ran' ? one.output : '')).join('\n');
    const secrets = [PASSWORDS.BIND_PASSWORD, PASSWORDS.ORTHANC_PASSWORD, department.samba.adminPassword];
    for (const secret of secrets) {
      expect(said.includes(secret)).toBe(false);
      for (const folder of ['sessions', 'opened']) {
        const grep = () =>
          execFileSync('grep', ['-rlF', '--', secret, folder], { cwd: department.folder, stdio: 'pipe' });
        expect(grep, folder).toThrow(expect.objectContaining({ status: 1 }));
      }
    }
  });
});
