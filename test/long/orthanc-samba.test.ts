import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOST_PROGRAMS } from '../support/debian-host.ts';
import { isRoot, needs } from '../support/debian.ts';
import { type Department, GROUP, PASSWORDS, startDepartment } from '../support/imaging-department.ts';
import { HOST_CHANGES, walkDepartment } from '../support/imaging-walk.ts';
import { SAMBA_PROGRAMS } from '../support/samba.ts';
import type { Ran, Step } from '../support/walk-shell.ts';

const programs = [...SAMBA_PROGRAMS, ...HOST_PROGRAMS, 'curl', 'openssl', 'script', 'unzip', 'sha256sum'];

// What Orthanc and its host fail as Debian installs them. Its other steps are undecided: no password is sent over plain HTTP.
const OPEN_AS_INSTALLED = [
  'http.encrypted',
  'http.clear-closed',
  'dicom.encrypted',
  'dicom.clear-refused',
  'network.ports',
];
/** Debian's default says these already. */
const SAID_ALREADY = ['rest.scripts-off', 'dicom.client-certificate'];
const WRITTEN = HOST_CHANGES.filter((id) => !SAID_ALREADY.includes(id));

describe.skipIf(!isRoot() || !needs(...programs))(
  'from default to hardened and back, against Samba and Orthanc',
  () => {
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
    /** Controls whose change was written and read back as planned, in the order of the run. */
    const readBack = (name: string): string[] =>
      [...step(name).output.matchAll(/^(\S+)@\S+: read back as planned$/gm)].map(([, id = '']) => id);
    const journalOf = (bundle: string): string =>
      execFileSync('unzip', ['-p', join(department.folder, bundle), 'journal.jsonl'], { encoding: 'utf8' });

    beforeAll(async () => {
      department = await startDepartment();
      steps = await walkDepartment(department);
    }, 1_800_000);
    afterAll(async () => department?.stop());

    it('finds both servers open as installed', () => {
      expect(step('first').code).toBe(1);
      expect(verdicts('first', 'fail')).toEqual([
        'access.directory-secure',
        'access.named-group',
        ...OPEN_AS_INSTALLED,
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

    it('hardens the host of Orthanc by the changes of the guide, over SSH', () => {
      const { output } = step('harden');
      expect(readBack('harden')).toEqual(WRITTEN);
      for (const id of SAID_ALREADY) expect(output).toContain(`${id}@device:orthanc: The file says so already.`);
      expect(output).toContain('+    "lockstep": ‹hidden ');
      expect(output).toContain('+		iifname != "lo" tcp dport 8042 drop');
      // The firewall could cut off SSH, so the operator confirmed from a new connection.
      expect(output.match(/a new connection to orthanc works\. Keep the change\?/g)).toHaveLength(1);
      expect(step('verify-hardening').output).toContain('provisional');
      const journal = journalOf('hardening.asice');
      expect(journal.match(/"type":"change\.approved".*"ticket":"CHG-4712"/g)).toHaveLength(WRITTEN.length);
      expect(journal.match(/"type":"change\.applied".*"confirmed":/g)).toHaveLength(1);
    });

    it('passes everything on the hardened servers', async () => {
      expect(step('second').code).toBe(0);
      expect(step('second').stdout).toContain('hardened: 28 pass');
      const journal = journalOf('second.asice');
      expect(journal).toContain('"basis":"observed"');
      const probed = new Set(
        [...journal.matchAll(/"type":"facts\.recorded","data":\{"key":"([^"@]+)/g)].map(([, id]) => id),
      );
      expect(probed.size).toBe(22);
      expect(journal).not.toContain('"type":"probe.failed"');
      for (const id of probed) expect(verdicts('second', 'pass')).toContain(id);
      const lines = await readFile(join(department.folder, 'orthanc-lines.txt'), 'utf8');
      expect(lines).toMatch(/"WebDavEnabled" : false,/);
      expect(lines).toMatch(/"DicomCheckModalityHost" : true,/);
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

    it('sets the log level over HTTPS, undoes that, and sets it again', () => {
      expect(step('log-verbose').code).toBe(0);
      expect(step('log-level').output).toMatch(/-\s+\/tools\/log-level: "verbose"\n\+\s+\/tools\/log-level: "default"/);
      expect(readBack('log-level')).toEqual(['rest.log-level']);
      expect(verdicts('log-level', 'pass')).toEqual(['rest.log-level']);
      expect(readBack('log-level-undo')).toEqual(['rest.log-level']);
      expect(verdicts('log-level-undo', 'fail')).toEqual(['rest.log-level']);
      expect(step('log-level-undo').stdout).toContain('is at the level verbose. Wanted: default. Set it back.');
      expect(verdicts('log-level-again', 'pass')).toEqual(['rest.log-level']);
    });

    it('fails with the right sentence what is broken again', () => {
      expect(step('break').code).toBe(0);
      expect(step('break-scripts').code).toBe(0);
      expect(step('third').code).toBe(1);
      expect(verdicts('third', 'fail')).toEqual(['access.named-group', 'rest.scripts-off']);
      expect(step('third').stdout).toContain(
        `Domain Users is nested inside ${GROUP}, so everyone in it can log in as Image reader.`,
      );
      expect(step('third').stdout).toContain(
        'answered a script with status 200. Wanted: 403, refused. Set ExecuteLuaEnabled to false.',
      );
    });

    it('undoes nothing over what somebody else has changed since', () => {
      expect(readBack('undo-refused')).toEqual([]);
      expect(step('undo-refused').output).toContain('Somebody has changed the file since. (/etc/orthanc/orthanc.json)');
      expect(step('undo-refused').code).not.toBe(0);
    });

    it('undoes every change, the last first, until each file of the host is what it was', () => {
      expect(readBack('undo')).toEqual(WRITTEN.toReversed());
      expect(Number(step('files-before').stdout)).toBeGreaterThan(100);
      expect(step('files-after')).toMatchObject({ code: 0, stdout: 'every file as before\n' });
      expect(step('verify-undone').output).toContain('provisional');
      const journal = journalOf('undone.asice');
      expect(journal.match(/"type":"change\.undone"/g)).toHaveLength(WRITTEN.length);
      // The group stays, and the directory is hardened: only Orthanc fails again, and as at first.
      expect(verdicts('fourth', 'fail')).toEqual(['access.named-group', ...OPEN_AS_INSTALLED]);
      for (const id of OPEN_AS_INSTALLED) {
        const line = (name: string) => step(name).stdout.match(new RegExp(`^fail +${id} .*$`, 'm'))?.[0];
        expect(line('fourth')).toBe(line('first'));
      }
      expect(verdicts('fourth', 'pass')).toEqual(['access.directory-secure']);
    });

    it('leaves none of the passwords in what it wrote or said', () => {
      const said = steps.map((one) => (one.kind === 'ran' ? one.output : '')).join('\n');
      const key = department.host.clientKey.split('\n')[2] ?? '';
      expect(key.length).toBeGreaterThan(40);
      const secrets = [PASSWORDS.BIND_PASSWORD, PASSWORDS.ORTHANC_PASSWORD, department.samba.adminPassword, key];
      for (const secret of secrets) {
        expect(said.includes(secret)).toBe(false);
        for (const folder of ['sessions', 'opened']) {
          const grep = () =>
            execFileSync('grep', ['-rlF', '--', secret, folder], { cwd: department.folder, stdio: 'pipe' });
          expect(grep, folder).toThrow(expect.objectContaining({ status: 1 }));
        }
      }
    });
  },
);
