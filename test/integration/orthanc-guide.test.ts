import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePlan } from '../../core/guide/plan.ts';
import { appError, ok } from '../../core/result.ts';
import type { Verdict } from '../../core/session/events.ts';
import { type CheckOutcome, judgeItem } from '../../core/verdict/judge.ts';
import { createConnectionBudget } from '../../engine/budget.ts';
import { loadGuide } from '../../engine/session/load-guide.ts';
import { loadSite } from '../../engine/session/load-site.ts';
import { runNamed } from '../../engine/session/walk.ts';
import { type Daemon, freePort, startDaemon } from '../support/daemon.ts';
import { needs } from '../support/debian.ts';
import { createThrowawayCa, type ThrowawayCa } from '../support/throwaway-ca.ts';

const NAME = 'pacs.hospital.example';
const FIXTURES = new URL('../fixtures/orthanc/', import.meta.url);
const PASSWORD = 'a-long-password-of-a-test';

let ca: ThrowawayCa;
const running: { readonly stop: () => Promise<void> }[] = [];

beforeAll(async () => {
  ca = await createThrowawayCa();
});
afterAll(async () => {
  for (const each of running) await each.stop();
  await ca.remove();
});

/** Starts Orthanc with one of the two configurations, nginx in front, and judges every control by the real probes. */
async function judgeOrthanc(
  configuration: 'default' | 'hardened',
): Promise<Map<string, { verdict: Verdict; said: string }>> {
  const folder = await mkdtemp(join(tmpdir(), 'lockstep-orthanc-guide-'));
  const [http, https, dicom] = [await freePort(), await freePort(), await freePort()];
  const server = await ca.issue(`server-${configuration}`, {
    commonName: NAME,
    sans: [NAME],
    usage: 'server',
    curve: 'rsa-2048',
  });
  const client = await ca.issue(`client-${configuration}`, {
    commonName: 'lockstep.test',
    sans: ['lockstep.test'],
    usage: 'client',
    curve: 'rsa-2048',
  });
  const values: Record<string, string> = {
    FOLDER: folder,
    ADDRESS: '127.0.0.1',
    HTTP_PORT: String(http),
    HTTPS_PORT: String(https),
    DICOM_PORT: String(dicom),
    PASSWORD,
    CERTIFICATE: server.certificate,
    KEY: server.key,
    CA: ca.rootFile,
    CLIENT_CERTIFICATE: client.certificate,
    CLIENT_KEY: client.key,
  };
  const fill = async (name: string): Promise<string> => {
    const text = await readFile(new URL(name, FIXTURES), 'utf8');
    const file = join(folder, name);
    await writeFile(
      file,
      text.replace(/@([A-Z_]+)@/g, (_, key: string) => values[key] ?? ''),
    );
    return file;
  };
  for (const part of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) await mkdir(join(folder, part));
  const env = configuration === 'hardened' ? { ...process.env, OPENSSL_CONF: await fill('openssl.cnf') } : process.env;
  const daemons: Daemon[] = [];
  running.push({
    stop: async () => {
      for (const daemon of daemons) await daemon.stop();
      await rm(folder, { recursive: true, force: true });
    },
  });
  daemons.push(
    await startDaemon('Orthanc', [await fill(`${configuration}.json`)], { address: '127.0.0.1', port: http }, { env }),
  );
  daemons.push(
    await startDaemon('nginx', ['-p', folder, '-c', await fill('nginx.conf'), '-e', 'stderr'], {
      address: '127.0.0.1',
      port: https,
    }),
  );

  const guide = await loadGuide('assets/guides/orthanc.yaml', { roots: [] });
  const site = await loadSite(await fill('site.yaml'));
  if (!guide.ok || !site.ok) throw new Error(JSON.stringify([guide, site]));
  const plan = makePlan(guide.value.guide, site.value.sealed);
  if (!plan.ok) throw new Error(JSON.stringify(plan.error));
  const secrets: Record<string, string> = { orthanc: PASSWORD, 'orthanc-default': 'orthanc' };
  const environment = {
    site: site.value.site,
    now: () => new Date(),
    secret: async (name: string) => {
      const value = secrets[name];
      return value === undefined ? { ok: false as const, error: appError('secret.missing', name) } : ok(value);
    },
    ask: async () => false,
    progress: () => undefined,
    budget: createConnectionBudget({ connections: 10_000, perSecond: 10_000 }),
    runtime: {},
  };
  const judged = new Map<string, { verdict: Verdict; said: string }>();
  for (const item of plan.value.items.filter((each) => each.checks.length > 0 && each.applies.kind === 'yes')) {
    const outcomes = new Map<number, CheckOutcome>();
    for (const [index, check] of item.checks.entries()) {
      if (!check.params.ok) throw new Error(JSON.stringify(check.params.error));
      const result = await runNamed(check.probe, check.params.value, environment, new AbortController().signal);
      outcomes.set(index, result.ok ? { facts: result.value } : { error: result.error });
    }
    const { verdict, findings } = judgeItem(item, outcomes);
    judged.set(item.control.id, { verdict, said: findings.map((finding) => finding.sentence).join(' ') });
  }
  return judged;
}

const verdicts = (judged: ReadonlyMap<string, { verdict: Verdict }>, verdict: Verdict): string[] =>
  [...judged].filter(([, each]) => each.verdict === verdict).map(([id]) => id);

describe.skipIf(!needs('Orthanc', 'nginx'))("the guide for Orthanc, against Debian's", () => {
  it('finds a default installation open', async () => {
    const judged = await judgeOrthanc('default');
    expect(verdicts(judged, 'fail')).toEqual([
      'http.login',
      'http.default-password',
      'http.remote-access',
      'http.clear-closed',
      'rest.scripts-off',
      'rest.files-off',
      'dicom.encrypted',
      'dicom.clear-refused',
      'dicom.modalities',
      'network.ports',
    ]);
    // Without TLS on the DICOM port these cannot be decided, and so do not pass.
    expect(verdicts(judged, 'error')).toEqual([
      'certificate.validity',
      'dicom.client-certificate',
      'dicom.tls-floor',
      'dicom.unknown-caller',
      'dicom.called-title',
    ]);
    expect(judged.get('dicom.modalities')?.said).toContain('old-ct');
  }, 120_000);

  it('finds a hardened one in order, but for the clear port that a test on loopback cannot close', async () => {
    const judged = await judgeOrthanc('hardened');
    expect(
      [...judged]
        .filter(([, each]) => each.verdict !== 'pass')
        .map(([id, each]) => `${id}: ${each.verdict}: ${each.said}`),
    ).toEqual([
      expect.stringMatching(/^http\.clear-closed: fail: .*Close it in the firewall/),
      expect.stringMatching(/^network\.ports: fail: /),
    ]);
    expect(verdicts(judged, 'pass').length).toBeGreaterThanOrEqual(12);
  }, 120_000);
});
