import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tlsEndpointProbe } from '../../engine/probes/tls-endpoint.ts';
import { weakClass } from '../../engine/wire/tls/suites.ts';
import { freePort, startDaemon } from '../support/daemon.ts';
import { needs } from '../support/debian.ts';
import { startNginx } from '../support/nginx.ts';
import { factsOf, probeContext, type SeenFacts } from '../support/probe.ts';
import { createThrowawayCa, type IssuedFiles, type ThrowawayCa } from '../support/throwaway-ca.ts';
import { alertRecord, oneByteRecords, type SeenHello, startTlsRelay, type Treatment } from '../support/tls-relay.ts';

const NAME = 'emr.hospital.test';
let ca: ThrowawayCa;
let rsa: IssuedFiles;
beforeAll(async () => {
  ca = await createThrowawayCa();
  rsa = await ca.issue('rsa', { commonName: NAME, sans: [NAME], usage: 'server', curve: 'rsa-2048' });
});
afterAll(() => ca.remove());

const look = (port: number, survey = 'essential'): Promise<SeenFacts> =>
  factsOf(
    tlsEndpointProbe,
    { endpoint: { host: NAME, port }, survey },
    probeContext({ site: { hosts: { [NAME]: '127.0.0.1' }, anchors: [{ id: 'root', pem: ca.root }] } }),
  );
const why = ({ absent }: SeenFacts, path: string): string =>
  absent.find((fact) => fact.path === path)?.reason ?? 'it is not absent';

/** A server that takes old versions and weak suites, which nothing that stands before it may hide. */
const WEAK = ['ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;', 'ssl_ciphers ALL:eNULL:@SECLEVEL=0;'];
const HARD = ['ssl_protocols TLSv1.2 TLSv1.3;'];

async function behind<T>(
  directives: readonly string[],
  decide: (hello: SeenHello, count: number) => Treatment,
  work: (port: number) => Promise<T>,
): Promise<T> {
  const nginx = await startNginx({ ...rsa, directives: [...directives] });
  const relay = await startTlsRelay(nginx.port, decide);
  try {
    return await work(relay.port);
  } finally {
    await relay.stop();
    await nginx.stop();
  }
}
const hostile = ({ version, suites }: SeenHello): boolean =>
  version < 0x0303 || suites.every((suite) => weakClass(suite) !== undefined);

describe.skipIf(!needs('nginx', 'openssl'))('what stands before a server hides nothing', () => {
  it.each([['reset'], ['close']] as const)('what it takes for an attack ends in a %s', async (treatment) => {
    const seen = await behind(WEAK, (hello) => (hostile(hello) ? treatment : 'pass'), look);
    expect(seen.facts.accepts).toEqual({ tls12: true, tls13: true });
    expect(seen.facts.acceptsWeakSuite).toBeUndefined();
    for (const path of ['accepts.tls10', 'accepts.tls11', 'accepts.ssl30', 'acceptsWeakSuite'])
      expect(why(seen, path)).toMatch(/inconclusive|not every|Not every/);
  });

  it('takes a reset for a refusal where the server ends every offer so that it cannot take', async () => {
    // As Windows does: no alert, but a reset, for old versions as for suites that it does not have.
    const seen = await behind(
      HARD,
      (hello) => (hostile(hello) || hello.suites.every((suite) => (suite & 0x0f0f) === 0x0a0a) ? 'reset' : 'pass'),
      look,
    );
    expect(seen.facts.accepts).toEqual({ ssl30: false, tls10: false, tls11: false, tls12: true, tls13: true });
    expect(seen.facts.acceptsWeakSuite).toBe(false);
  });

  it.each([1, 2, 4, 6, 12])('a server that is tired after %i connections refuses nothing', async (patience) => {
    for (const tired of [alertRecord(40), alertRecord(70), alertRecord(80)]) {
      const seen = await behind(WEAK, (_, count) => (count > patience ? tired : 'pass'), look);
      for (const [version, accepted] of Object.entries(seen.facts.accepts)) expect(accepted, version).toBe(true);
      expect(seen.facts.acceptsWeakSuite).not.toBe(false);
      for (const path of ['weakSuites', 'groups', 'alpn']) expect(seen.facts[path], path).toBeUndefined();
    }
  });

  it('a server that is tired in the middle of the full survey has no lists', async () => {
    const seen = await behind(
      WEAK,
      (_, count) => (count > 40 ? alertRecord(40) : 'pass'),
      (port) => look(port, 'full'),
    );
    for (const path of ['suites', 'signatures', 'weakSuites', 'groups']) expect(seen.facts[path], path).toBeUndefined();
    expect(why(seen, 'suites')).toMatch(/no longer answered/);
    expect(seen.facts.guideline.intermediate.meets).toBe(false);
  });
});

describe.skipIf(!needs('nginx'))('odd, but proper, records make no difference', () => {
  let plain: SeenFacts;
  beforeAll(async () => {
    plain = await behind(HARD, () => 'pass', look);
  });
  it.each([
    ['records of one byte', (answer: Buffer) => oneByteRecords(answer)],
    ['a warning before each answer', (answer: Buffer) => Buffer.concat([alertRecord(112, 1), answer])],
  ])('%s', async (_, form) => {
    // What is encrypted cannot be reshaped, so the library's own handshakes pass untouched.
    let ours = 0;
    const seen = await behind(
      HARD,
      ({ version, suites }) => {
        const library = version === 0x0304 && suites.some((suite) => suite >> 8 !== 0x13);
        if (!library) ours += 1;
        return library ? 'pass' : form;
      },
      look,
    );
    expect(ours).toBeGreaterThan(10);
    expect(seen.facts).toEqual(plain.facts);
  });

  it('an empty handshake record is no answer', async () => {
    const empty = Buffer.from([22, 3, 3, 0, 0]);
    await expect(behind(HARD, () => empty, look)).rejects.toThrow('probe.inconclusive');
  });
});

describe.skipIf(!needs('openssl'))('an odd suite is found', () => {
  const server = async (args: readonly string[], work: (port: number) => Promise<void>): Promise<void> => {
    const port = await freePort();
    const own = ['s_server', '-accept', `127.0.0.1:${port}`, '-cert', rsa.certificate, '-key', rsa.key, '-quiet'];
    const daemon = await startDaemon('openssl', [...own, ...args], { address: '127.0.0.1', port });
    try {
      await work(port);
    } finally {
      await daemon.stop();
    }
  };

  it.each([
    ['-tls1', 'DHE-RSA-CAMELLIA128-SHA', 'tls10'],
    ['-tls1', 'ECDHE-PSK-AES128-CBC-SHA', 'tls10'],
    ['-tls1_1', 'DHE-PSK-CAMELLIA128-SHA256', 'tls11'],
    ['-tls1_2', 'AES128-CCM8', 'tls12'],
    ['-tls1_2', 'RSA-PSK-ARIA128-GCM-SHA256', 'tls12'],
  ])('%s with %s alone', (version, cipher, field) =>
    server([version, '-cipher', `${cipher}:@SECLEVEL=0`, '-psk', '00112233'], async (port) => {
      const { facts } = await look(port);
      expect(facts.accepts[field]).toBe(true);
      expect(Object.values(facts.accepts).filter((accepted) => accepted === true)).toHaveLength(1);
    }),
  );

  it.each(['PSK-NULL-SHA', 'ECDHE-PSK-NULL-SHA256', 'NULL-SHA256'])('the weak %s, without the full survey', (cipher) =>
    server(['-tls1_2', '-psk', '00112233', '-cipher', `${cipher}:AES128-GCM-SHA256:@SECLEVEL=0`], async (port) => {
      const { facts } = await look(port);
      expect(facts.acceptsWeakSuite).toBe(true);
      expect(facts.weakSuites).toEqual([expect.stringContaining('_NULL_')]);
    }),
  );

  it.each(['X448', 'P-521', 'ffdhe3072'])('TLS 1.3 with the group %s alone', (group) =>
    server(['-tls1_3', '-groups', group], async (port) => {
      const { facts } = await look(port);
      expect(facts.accepts.tls13).toBe(true);
    }),
  );
});

describe.skipIf(!needs('nginx'))('weak suites of an old version alone', () => {
  it('are found where TLS 1.2 has none', async () => {
    // Some load balancers have suites by version: here the weak ones are refused in TLS 1.2 only.
    const seen = await behind(
      WEAK,
      (hello) =>
        hello.version === 0x0303 && hello.suites.every((suite) => weakClass(suite) !== undefined)
          ? alertRecord(40)
          : 'pass',
      look,
    );
    expect(seen.facts.acceptsWeakSuite).toBe(true);
  });
});
