import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findProgram, needs } from '../support/debian.ts';
import { startNginx } from '../support/nginx.ts';
import type { ProbeJob } from '../support/probe-entry.ts';
import { findTestRuntime } from '../support/runtime.ts';
import { createThrowawayCa, type IssuedFiles, type ThrowawayCa } from '../support/throwaway-ca.ts';
import { bundleProbes, type JobRunner } from '../support/two-runtimes.ts';

const NAME = 'emr.hospital.test';
const electron = await findTestRuntime();
if (typeof electron === 'string') process.stderr.write(`Skipped, no Electron: ${electron}\n`);

describe.skipIf(typeof electron === 'string' || !needs('nginx', 'curl'))(
  'the TLS probes under OpenSSL and BoringSSL',
  () => {
    let jobs: JobRunner;
    let ca: ThrowawayCa;
    let leaf: IssuedFiles;
    let site: Record<string, unknown>;

    beforeAll(async () => {
      jobs = await bundleProbes();
      ca = await createThrowawayCa();
      leaf = await ca.issue('server', {
        commonName: NAME,
        sans: [NAME],
        usage: 'server',
        intermediate: true,
        curve: 'rsa-2048',
      });
      const good = await ca.issue('good', { commonName: 'device.test', usage: 'client' });
      const expired = await ca.issue('expired', {
        commonName: 'device.test',
        usage: 'client',
        notBefore: new Date('2020-01-01'),
        notAfter: new Date('2021-01-01'),
      });
      site = {
        hosts: { [NAME]: '127.0.0.1' },
        anchors: [{ id: 'root', pem: ca.root }],
        identities: [
          { id: 'good', kind: 'good', certificate: good.certificate, key: good.key },
          { id: 'expired', kind: 'expired', certificate: expired.certificate, key: expired.key },
        ],
      };
    });
    afterAll(async () => {
      await jobs.remove();
      await ca.remove();
    });

    /** BoringSSL lets no client sign with another's key: the one trial that it cannot make. */
    function withoutMismatch(facts: Record<string, unknown>, absent: readonly { path: string; reason: string }[]) {
      const { trials, refuses, ...rest } = facts as {
        trials?: { presents: string }[];
        refuses?: Record<string, boolean>;
      };
      if (trials === undefined || refuses === undefined) return { rest: facts, absent };
      const { keyMismatch: _, ...others } = refuses;
      return {
        rest: { ...rest, refuses: others, trials: trials.filter(({ presents }) => presents !== 'key-mismatch') },
        absent: absent.filter(({ path }) => path !== 'refuses.keyMismatch' && !path.startsWith('trials[]')),
      };
    }

    /** What came of a job under OpenSSL, and under BoringSSL. */
    async function outcomes(job: Omit<ProbeJob, 'site'>) {
      const { executable } = electron as { executable: string };
      const [node, shell] = [
        await jobs.run(process.execPath, { ...job, site }),
        await jobs.run(executable, { ...job, site }),
      ];
      expect(node.runtime.electron).toBeUndefined();
      expect(shell.runtime.electron).toBeDefined();
      return [node, shell].map(({ result }) => {
        if (result.value === undefined) throw new Error(JSON.stringify(result));
        return result.value;
      });
    }

    /** The same job on both; the only differences allowed are the library's name and the suite that it negotiates. */
    async function onBoth(job: Omit<ProbeJob, 'site'>): Promise<Record<string, unknown>> {
      const facts = (await outcomes(job)).map((value) => {
        const { engine, negotiated, ...rest } = value.facts;
        return {
          engine,
          negotiated,
          ...withoutMismatch(rest, value.absent as { path: string; reason: string }[]),
        };
      });
      expect(facts[0]?.engine).toMatch(/^OpenSSL 3/);
      expect(facts[1]?.engine).toMatch(/^BoringSSL \(Electron /);
      // Each library prefers another suite; the version must be the same.
      expect((facts[1]?.negotiated as { version?: string } | undefined)?.version).toBe(
        (facts[0]?.negotiated as { version?: string } | undefined)?.version,
      );
      expect(facts[1]?.rest).toEqual(facts[0]?.rest);
      expect(facts[1]?.absent).toEqual(facts[0]?.absent);
      return facts[1]?.rest as Record<string, unknown>;
    }

    it.each([
      [
        'a weak server',
        ['ssl_protocols TLSv1 TLSv1.1 TLSv1.2;', 'ssl_ciphers ALL:eNULL:@SECLEVEL=0;'],
        { tls10: true, tls12: true, tls13: false, ssl30: false, tls11: true },
        true,
      ],
      [
        'a good server',
        ['ssl_protocols TLSv1.2 TLSv1.3;'],
        { ssl30: false, tls10: false, tls11: false, tls12: true, tls13: true },
        false,
      ],
    ])('tls.endpoint sees the same of %s', async (_, directives, accepts, weak) => {
      const nginx = await startNginx({ ...leaf, directives: [...directives] });
      try {
        const facts = await onBoth({ probe: 'tls.endpoint', params: { endpoint: { host: NAME, port: nginx.port } } });
        expect(facts).toMatchObject({ accepts, acceptsWeakSuite: weak, chain: { trusted: true } });
      } finally {
        await nginx.stop();
      }
    });

    it('every suite and scheme is the same to both, and BoringSSL says what it cannot ask for', async () => {
      const nginx = await startNginx({ ...leaf, directives: ['ssl_protocols TLSv1.2 TLSv1.3;'] });
      try {
        const job = { probe: 'tls.endpoint', params: { endpoint: { host: NAME, port: nginx.port }, survey: 'full' } };
        const [node, shell] = (await outcomes(job)).map((value) => {
          const { engine: _, negotiated: __, clientRenegotiation, ...rest } = value.facts;
          const absent = value.absent as { path: string; reason: string }[];
          return { clientRenegotiation, rest, absent, why: absent.find(({ path }) => path === 'clientRenegotiation') };
        });
        expect(shell?.rest).toEqual(node?.rest);
        expect(node).toMatchObject({ clientRenegotiation: false, why: undefined });
        expect(shell).toMatchObject({
          clientRenegotiation: undefined,
          why: { reason: 'BoringSSL does not ask for it.' },
        });
        expect(shell?.absent.filter((one) => one !== shell.why)).toEqual(node?.absent);
      } finally {
        await nginx.stop();
      }
    });

    it('the probes of certificates see the same', async () => {
      const nginx = await startNginx(leaf);
      const endpoint = { host: NAME, port: nginx.port };
      try {
        for (const [probe, params, expected] of [
          ['certificate.pinned', { endpoint, pinned: ca.root }, { matches: true, relation: 'anchors-chain' }],
          [
            'certificate.shared',
            {
              devices: [
                { id: 'one', endpoints: { web: endpoint } },
                { id: 'two', endpoints: { web: endpoint } },
              ],
            },
            { distinct: false },
          ],
          ['certificate.status', { endpoint }, {}],
        ] as const) {
          const [node, shell] = await outcomes({ probe, params });
          expect(node?.facts, probe).toMatchObject(expected);
          expect(shell, probe).toEqual(node);
        }
      } finally {
        await nginx.stop();
      }
    });

    it('tls.client-authentication sees the same', async () => {
      const crl = join(ca.folder, 'crl.pem');
      await writeFile(crl, await ca.ca.crl({ revoked: [] }));
      const nginx = await startNginx({
        ...leaf,
        directives: [
          'ssl_protocols TLSv1.2 TLSv1.3;',
          'ssl_verify_client on;',
          `ssl_client_certificate ${ca.rootFile};`,
          `ssl_crl ${crl};`,
        ],
      });
      try {
        const params = {
          endpoint: { host: NAME, port: nginx.port },
          identities: ['good', 'expired'],
          application: { protocol: 'https' },
        };
        expect(await onBoth({ probe: 'tls.client-authentication', params })).toMatchObject({
          insists: true,
          refuses: { none: true, unknownCa: true, selfSigned: true, expired: true },
        });
      } finally {
        await nginx.stop();
      }
    });

    it.each([
      [['--cacert', 'ROOT'], { refused: true, how: 'alert', alert: 'unknown_ca' }],
      [['-k'], { refused: false, how: 'application-data' }],
    ])('tls.impostor sees the same of curl %j', async (args, expected) => {
      const device = [
        findProgram('curl') ?? 'curl',
        '-s',
        '--max-time',
        '4',
        '-d',
        'x=1',
        '--resolve',
        `${NAME}:PORT:127.0.0.1`,
        ...args.map((arg) => (arg === 'ROOT' ? ca.rootFile : arg)),
        `https://${NAME}:PORT/`,
      ];
      const params = {
        as: { host: NAME, port: 443 },
        listen: { address: '127.0.0.1', trigger: 'operator' },
        seconds: 8,
      };
      const { executable } = electron as { executable: string };
      for (const runtime of [process.execPath, executable]) {
        const { result } = await jobs.run(runtime, { probe: 'tls.impostor', params, site, device });
        expect(result.value?.facts).toMatchObject(expected);
      }
    });
  },
);
