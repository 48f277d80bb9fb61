import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { describe, expect, it } from 'vitest';
import { cryptoEngine } from '../../../core/bundle/host.ts';
import { certificatesFromPem, findPath, type PathResult } from '../../../core/bundle/trust.ts';
import { nodeHost } from '../../../engine/evidence/container-reader.ts';
import {
  certificatePem,
  generateKeyPair,
  type KeyPair,
  newSerialNumber,
  usageExtensions,
} from '../../../engine/keys/certificate-maker.ts';
import { createPracticeCa } from '../../../engine/keys/practice-ca.ts';
import { NOW } from '../../support/evidence.ts';

type Node = { keys: KeyPair; certificate: x509.X509Certificate };
const DAY = 86_400_000;

async function make(
  name: string,
  issuer: Node | undefined,
  extensions: x509.Extension[],
  more: { notAfter?: Date; hash?: string } = {},
): Promise<Node> {
  const keys = await generateKeyPair('P-256');
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerialNumber(),
    subject: `CN=${name}`,
    issuer: issuer?.certificate.subjectName ?? `CN=${name}`,
    notBefore: new Date(NOW.getTime() - DAY),
    notAfter: more.notAfter ?? new Date(NOW.getTime() + DAY),
    publicKey: keys.publicKey,
    signingKey: issuer?.keys.privateKey ?? keys.privateKey,
    signingAlgorithm: { name: 'ECDSA', hash: more.hash ?? 'SHA-256' },
    extensions,
  });
  return { keys, certificate };
}
const authority = (pathLength?: number) => [
  new x509.BasicConstraintsExtension(true, pathLength, true),
  new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
];
const leafExtensions = () => usageExtensions('sign', false);

async function check(path: readonly Node[], anchors: readonly Node[], date = NOW): Promise<PathResult> {
  const [leaf, ...pool] = path.flatMap(({ certificate }) => certificatesFromPem(certificatePem(certificate)));
  if (leaf === undefined) throw new Error('no leaf');
  const roots = anchors.flatMap(({ certificate }) => certificatesFromPem(certificatePem(certificate)));
  return findPath(leaf, pool, roots, date, cryptoEngine(nodeHost.webCrypto));
}

describe('a certificate path', () => {
  it('leads over intermediates to the root', async () => {
    const root = await make('root', undefined, authority(1));
    const middle = await make('middle', root, authority(0));
    const leaf = await make('leaf', middle, leafExtensions());
    const result = await check([leaf, middle], [root]);
    expect(result.faults).toEqual([]);
    expect(result.path).toHaveLength(3);
    expect((await check([leaf], [root])).faults).toEqual([expect.stringContaining('No path leads from leaf')]);
    expect((await check([leaf, middle], [])).path).toBeUndefined();
  });

  it('ends at no root of the same name with another key', async () => {
    const root = await make('root', undefined, authority());
    const impostor = await make('root', undefined, authority());
    const leaf = await make('leaf', root, leafExtensions());
    expect((await check([leaf, impostor], [impostor])).path).toBeUndefined();
    expect((await check([leaf], [impostor, root])).faults).toEqual([]);
  });

  it('is refused when an authority allows fewer below it (OpenSSL error 25)', async () => {
    const root = await make('root', undefined, authority());
    const zero = await make('zero', root, authority(0));
    const below = await make('below', zero, authority());
    const leaf = await make('leaf', below, leafExtensions());
    expect((await check([leaf, below, zero], [root])).faults).toEqual([
      'zero allows fewer authorities below it than there are.',
    ]);
  });

  it('is refused for a critical extension that nobody understands (OpenSSL error 34), also in the authority', async () => {
    const strange = () => new x509.Extension('1.3.6.1.4.1.99999.1', true, new Uint8Array([5, 0]));
    const root = await make('root', undefined, authority());
    const leaf = await make('leaf', root, [...leafExtensions(), strange()]);
    expect((await check([leaf], [root])).faults).toEqual([
      'leaf holds a critical extension that is not understood (1.3.6.1.4.1.99999.1).',
    ]);
    const middle = await make('middle', root, [...authority(), strange()]);
    const other = await make('other', middle, leafExtensions());
    expect((await check([other, middle], [root])).faults).toHaveLength(1);
  });

  it('is refused over a leaf that plays the authority', async () => {
    const root = await make('root', undefined, authority());
    const leaf = await make('leaf', root, leafExtensions());
    const forged = await make('forged', leaf, leafExtensions());
    expect((await check([forged, leaf], [root])).faults).toEqual([
      'leaf is not a certification authority.',
      'leaf may not sign certificates.',
    ]);
    const bare = await make('bare', root, []);
    const under = await make('under', bare, leafExtensions());
    expect((await check([under, bare], [root])).faults).toEqual(['bare is not a certification authority.']);
  });

  it('is refused when any certificate in it is out of date', async () => {
    const root = await make('root', undefined, authority());
    const middle = await make('middle', root, authority(), { notAfter: new Date(NOW.getTime() - 1000) });
    const leaf = await make('leaf', middle, leafExtensions());
    expect((await check([leaf, middle], [root])).faults).toEqual([expect.stringContaining('middle expired')]);
    expect((await check([leaf, middle], [root], new Date(NOW.getTime() - 10 * DAY))).faults).toHaveLength(3);
  });

  it('takes the whole one of two paths', async () => {
    const root = await make('root', undefined, authority());
    const old = await make('middle', root, authority(), { notAfter: new Date(NOW.getTime() - 1000) });
    const renewed = await x509.X509CertificateGenerator.create({
      serialNumber: newSerialNumber(),
      subject: 'CN=middle',
      issuer: 'CN=root',
      notBefore: new Date(NOW.getTime() - DAY),
      notAfter: new Date(NOW.getTime() + DAY),
      publicKey: old.keys.publicKey,
      signingKey: root.keys.privateKey,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: authority(),
    });
    const leaf = await make('leaf', old, leafExtensions());
    expect((await check([leaf, old, { keys: old.keys, certificate: renewed }], [root])).faults).toEqual([]);
  });

  it('is not led around in circles', async () => {
    const one = await make('one', undefined, authority());
    const two = await make('two', one, authority());
    const back = await x509.X509CertificateGenerator.create({
      serialNumber: newSerialNumber(),
      subject: 'CN=one',
      issuer: 'CN=two',
      notBefore: NOW,
      notAfter: new Date(NOW.getTime() + DAY),
      publicKey: one.keys.publicKey,
      signingKey: two.keys.privateKey,
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      extensions: authority(),
    });
    const leaf = await make('leaf', one, leafExtensions());
    expect((await check([leaf, two, { keys: one.keys, certificate: back }], [])).path).toBeUndefined();
  });

  it('is refused over a short RSA key and over a broken digest', async () => {
    const root = await make('root', undefined, authority());
    const rsa = { name: 'RSASSA-PKCS1-v1_5', publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' };
    for (const modulusLength of [1024, 2048]) {
      const keys = await globalThis.crypto.subtle.generateKey({ ...rsa, modulusLength }, true, ['sign', 'verify']);
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: newSerialNumber(),
        subject: 'CN=rsa',
        issuer: 'CN=root',
        notBefore: new Date(NOW.getTime() - DAY),
        notAfter: new Date(NOW.getTime() + DAY),
        publicKey: await x509.PublicKey.create(keys.publicKey as KeyPair['publicKey']),
        signingKey: root.keys.privateKey,
        signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
        extensions: leafExtensions(),
      });
      const result = await check([{ keys: root.keys, certificate }], [root]);
      expect(result.faults).toEqual(modulusLength < 2048 ? ['rsa has an RSA key of only 1024 bits.'] : []);
    }
    const old = await make('old', root, leafExtensions(), { hash: 'SHA-1' });
    expect((await check([old], [root])).faults).toEqual(['old is signed with a broken digest.']);
  });

  it('is refused where an authority restricts names, which is not checked', async () => {
    const ca = await createPracticeCa({ now: NOW });
    expect(certificatesFromPem(ca.roots.engineer)).toHaveLength(1);
    const root = await make('root', undefined, [
      ...authority(),
      new x509.Extension('2.5.29.30', true, new Uint8Array([0x30, 0])),
    ]);
    const leaf = await make('leaf', root, leafExtensions());
    expect((await check([leaf], [root])).faults).toEqual([expect.stringContaining('restricts names')]);
  });
});
