import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LabProcess, startLabProcess } from '../../cli/lab-process.ts';
import { lockstep } from '../support/cli.ts';
import { value } from '../support/evidence.ts';

/** One step is the directory team's, the other the device's: nobody has the right to both. */
const STEPS = ['access.group-nesting', 'access.separate-groups'];

describe('changes of directory and device in one run', () => {
  let dir: string;
  let lab: LabProcess;
  let env: Record<string, string>;
  const run = (...more: string[]) => {
    const { info } = lab;
    const secrets = Object.keys(info.secrets).map((name, index) => `${name}=env:SECRET_${index}`);
    const walk = ['run', '--guide', info.guides[0]?.path ?? '', '--site', info.siteFile, '--secret', ...secrets];
    walk.push('--trust', `publisher=${info.trust.publisher}`, '--quiet', '--json', '--only', ...STEPS);
    walk.push('--apply', ...STEPS, '--ticket', 'CHG-9', '--approver', 'Ada', ...more);
    return lockstep(walk, env);
  };
  const verdicts = (stdout: string) =>
    (JSON.parse(stdout) as { items: { control: string; verdict: string }[] }).items
      .filter(({ control }) => STEPS.includes(control))
      .map(({ verdict }) => verdict);

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lockstep-cli-apply-'));
    lab = value(await startLabProcess(join(dir, 'hospital'), false));
    const { info } = lab;
    env = {
      LOCKSTEP_DATA_DIR: join(dir, 'data'),
      WRITE: info.writeCredential.password,
      DEVICE: info.secrets['device-admin'] ?? '',
      ...Object.fromEntries(Object.values(info.secrets).map((secret, index) => [`SECRET_${index}`, secret])),
    };
    for (const fault of ['group-broad', 'groups-shared']) value(await lab.setFault(fault, true));
  });
  afterAll(async () => {
    await lab?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  it('wants an account for each before it writes anything', async () => {
    const one = await run('--write-for', `directory=${lab.info.writeCredential.user}=env:WRITE`);
    expect(one.stderr).toMatch(/No account is given that writes for access\.separate-groups@device:gateway/);
    expect(one.code).toBe(2);
    expect(one.stderr).not.toContain('read back');
    const odd = await run('--write-for', 'device');
    expect(odd.stderr).toContain('device=admin=env:NAME');
    expect((await run()).stderr).toContain('--write-user (or --write-for)');
  });

  it('makes each with the account for it, and mends both steps', async () => {
    const { user } = lab.info.writeCredential;
    const done = await run(
      '--write-user',
      user,
      '--write-password',
      'env:WRITE',
      '--write-for',
      'device=lockstep=env:DEVICE',
    );
    expect(done.stderr.match(/read back as planned/g)).toHaveLength(2);
    expect(done.stderr).toMatch(/out of the group Ward-Staff, which is nested in MDIP-Clinical/);
    expect(new Set(verdicts(done.stdout))).toEqual(new Set(['pass']));
    const id = /session ([0-9a-f-]{36})/.exec(done.stderr)?.[1] ?? '';
    const journal = await readFile(join(dir, 'data', 'sessions', id, 'journal.jsonl'), 'utf8');
    for (const secret of [env.WRITE, env.DEVICE]) expect(journal).not.toContain(secret);
    expect(journal.match(/"type":"change\.approved".*"ticket":"CHG-9"/g)).toHaveLength(2);
  });
});
