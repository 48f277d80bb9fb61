import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportPrivateKey } from '../../engine/keys/certificate-maker.ts';
import { certificatePinnedProbe } from '../../engine/probes/certificate-pinned.ts';
import { certificateStatusProbe } from '../../engine/probes/certificate-status.ts';
import { tlsEndpointProbe } from '../../engine/probes/tls-endpoint.ts';
import { freePort, startDaemon } from '../support/daemon.ts';
import { needs } from '../support/debian.ts';
import { type Made, makeCertificate, unknownExtension } from '../support/odd-chains.ts';
import { errorOf, factsOf, probeContext } from '../support/probe.ts';
import { createThrowawayCa, type ThrowawayCa } from '../support/throwaway-ca.ts';

const NAME = 'emr.hospital.test';
let ca: ThrowawayCa;
beforeAll(async () => {
  ca = await createThrowawayCa();
});
afterAll(() => ca.remove());

/** Serves a leaf and whatever comes with it, in this order. */
async function serving(
  name: string,
  [leaf, ...rest]: readonly [Made, ...Made[]],
  args: readonly string[],
  work: (port: number) => Promise<void>,
): Promise<void> {
  const [certificate, key, chain] = ['crt', 'key', 'chain'].map((kind) => join(ca.folder, `${name}.${kind}`)) as [
    string,
    string,
    string,
  ];
  await writeFile(certificate, leaf.pem);
  await writeFile(key, await exportPrivateKey(leaf.keys.privateKey), { mode: 0o600 });
  await writeFile(chain, rest.map(({ pem }) => pem).join(''));
  const port = await freePort();
  const own = ['s_server', '-accept', `127.0.0.1:${port}`, '-cert', certificate, '-key', key, '-quiet'];
  const daemon = await startDaemon('openssl', [...own, ...(rest.length > 0 ? ['-cert_chain', chain] : []), ...args], {
    address: '127.0.0.1',
    port,
  });
  try {
    await work(port);
  } finally {
    await daemon.stop();
  }
}
const context = (...anchors: Made[]) =>
  probeContext({
    site: {
      hosts: { [NAME]: '127.0.0.1' },
      anchors: anchors.map(({ pem }, index) => ({ id: `anchor-${index}`, pem })),
    },
  });
const endpoint = (port: number) => ({ endpoint: { host: NAME, port } });

describe.skipIf(!needs('openssl'))("a server's certificate that cannot be read", () => {
  it('is never replaced by the one above it', async () => {
    const root = await makeCertificate({ name: 'root', ca: true });
    const middle = await makeCertificate({ name: 'middle', issuer: root, ca: true, sans: [NAME] });
    const leaf = await makeCertificate({
      name: 'leaf',
      issuer: middle,
      ca: false,
      sans: [NAME],
      extensions: [unknownExtension(false), unknownExtension(false)],
    });
    await serving('twice', [leaf, middle], [], async (port) => {
      const { facts, absent } = await factsOf(tlsEndpointProbe, endpoint(port), context(root));
      expect(facts.accepts.tls13).toBe(true);
      expect(facts.chain).toBeUndefined();
      expect(absent.map(({ path }) => path)).toEqual(expect.arrayContaining(['chain', 'name', 'fingerprint']));
      expect(await errorOf(certificatePinnedProbe, { ...endpoint(port), pinned: middle.pem }, context(root))).toBe(
        'tls.protocol',
      );
      expect(await errorOf(certificateStatusProbe, endpoint(port), context(root))).toBe('tls.protocol');
    });
  });
});

describe.skipIf(!needs('openssl'))('an authority that two roots signed', () => {
  it.each([
    ['-tls1_2', true],
    ['-tls1_3', false],
  ])('leads to the one that is known, whatever the library hands out (%s)', async (version, everything) => {
    const [known, other] = [
      await makeCertificate({ name: 'known root', ca: true }),
      await makeCertificate({ name: 'other root', ca: true }),
    ];
    // OpenSSL takes the issuer that is in date; Node hands out the one that comes first.
    const past = { notBefore: new Date('2020-01-01'), notAfter: new Date('2021-01-01') };
    const crossed = await makeCertificate({ name: 'crossed', issuer: known, ca: true });
    const byOther = await makeCertificate({ name: 'crossed', issuer: other, keys: crossed.keys, ca: true, ...past });
    const leaf = await makeCertificate({ name: 'leaf', issuer: crossed, ca: false, sans: [NAME] });
    await serving(`crossed${version}`, [leaf, byOther, crossed], [version], async (port) => {
      const { facts } = await factsOf(tlsEndpointProbe, endpoint(port), context(known));
      // Under TLS 1.3 alone the rest stays unseen, and the reason says what was.
      expect(facts.chain).toMatchObject(everything ? { trusted: true } : { trusted: false, problem: 'unknown-issuer' });
    });
  });
});

describe.skipIf(!needs('openssl'))('a TLS 1.2 server that hangs up on clients without a certificate', () => {
  it('has its certificate compared and its status asked all the same', async () => {
    const root = await makeCertificate({ name: 'root', ca: true });
    const leaf = await makeCertificate({ name: 'leaf', issuer: root, ca: false, sans: [NAME] });
    const mutual = ['-tls1_2', '-Verify', '1', '-verify_return_error', '-CAfile', ca.rootFile];
    await serving('mutual', [leaf], mutual, async (port) => {
      const pinned = await factsOf(certificatePinnedProbe, { ...endpoint(port), pinned: root.pem }, context(root));
      expect(pinned.facts).toMatchObject({ matches: true, relation: 'anchors-chain' });
      const status = await factsOf(certificateStatusProbe, endpoint(port), context(root));
      expect(status.facts.status).toBeUndefined();
      expect(status.facts.reason).toMatch(/names neither a CRL nor an OCSP responder/);
      expect(status.absent.find(({ path }) => path === 'stapled')?.reason).toMatch(/handshake failed/);
    });
  });
});
