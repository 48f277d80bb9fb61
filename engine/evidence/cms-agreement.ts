import 'reflect-metadata';
import { createHash } from 'node:crypto';
import * as asn1js from 'asn1js';
import { AlgorithmIdentifier, type Certificate } from 'pkijs';
import type * as x509 from '@peculiar/x509';
import type { DecryptionKey } from '../keys/decryption-key.ts';
import { type Bytes, children, issuerAndSerial, names, octets, privateKey, tagged } from './cms-parts.ts';

const subtle = globalThis.crypto.subtle;
/** WebCrypto's type has no global name here. */
type Key = Awaited<ReturnType<typeof subtle.importKey>>;

const OID = {
  ecPublicKey: '1.2.840.10045.2.1',
  ecdhSha256: '1.3.132.1.11.1',
  aes256Wrap: '2.16.840.1.101.3.4.1.45',
} as const;
/** dhSinglePass-stdDH with the KDF of ANSI X9.63 (RFC 5753 7.1.4). */
const ECDH: Record<string, string> = {
  '1.3.133.16.840.63.0.2': 'SHA-1',
  '1.3.132.1.11.0': 'SHA-224',
  '1.3.132.1.11.1': 'SHA-256',
  '1.3.132.1.11.2': 'SHA-384',
  '1.3.132.1.11.3': 'SHA-512',
};
/** Key wraps and the length of their key in bytes. */
const WRAPS: Record<string, number> = {
  '2.16.840.1.101.3.4.1.5': 16,
  '2.16.840.1.101.3.4.1.25': 24,
  '2.16.840.1.101.3.4.1.45': 32,
};

/** KeyAgreeRecipientInfo (RFC 5652 6.2.2, RFC 5753): an ephemeral key on the curve of the recipient's. */
export async function keyAgreement(
  key: Bytes,
  certificate: Certificate,
  { publicKey }: x509.X509Certificate,
): Promise<asn1js.BaseBlock> {
  const algorithm = { name: 'ECDH', namedCurve: (publicKey.algorithm as { namedCurve?: string }).namedCurve ?? '' };
  const theirs = await subtle.importKey('spki', publicKey.rawData, algorithm, false, []);
  const ours = (await subtle.generateKey(algorithm, true, ['deriveBits'])) as { publicKey: Key; privateKey: Key };
  const wrap = new AlgorithmIdentifier({ algorithmId: OID.aes256Wrap });
  const kek = await derive(theirs, ours.privateKey, algorithm.namedCurve, 'SHA-256', wrap.toSchema(), undefined, 32);
  const wrapped = await subtle.wrapKey('raw', await anyKey(key), await wrapKey(kek, ['wrapKey']), 'AES-KW');
  const point = new asn1js.BitString({ valueHex: await subtle.exportKey('raw', ours.publicKey) });
  const originator = tagged(1, [new AlgorithmIdentifier({ algorithmId: OID.ecPublicKey }).toSchema(), point]);
  return tagged(1, [
    new asn1js.Integer({ value: 3 }),
    tagged(0, [originator]),
    new AlgorithmIdentifier({ algorithmId: OID.ecdhSha256, algorithmParams: wrap.toSchema() }).toSchema(),
    new asn1js.Sequence({
      value: [
        new asn1js.Sequence({ value: [issuerAndSerial(certificate), new asn1js.OctetString({ valueHex: wrapped })] }),
      ],
    }),
  ]);
}

/** The content key, when one of the certificates is named; from the fields of a KeyAgreeRecipientInfo. */
export async function openAgreement(
  [, originator, ...rest]: readonly asn1js.BaseBlock[],
  certificates: readonly Certificate[],
  key: DecryptionKey,
): Promise<Bytes | undefined> {
  const ukm = rest[0]?.idBlock.tagClass === 3 ? children(rest.shift())[0] : undefined;
  const [scheme, keys] = rest;
  for (const each of children(keys)) {
    const [rid, encrypted] = children(each);
    const certificate = certificates.find((one) => names(rid, one));
    if (certificate === undefined) continue;
    const { algorithmId, algorithmParams } = new AlgorithmIdentifier({ schema: scheme });
    const wrap = new AlgorithmIdentifier({ schema: algorithmParams });
    const hash = ECDH[algorithmId];
    const length = WRAPS[wrap.algorithmId];
    const sent = children(children(originator)[0])[1];
    if (hash === undefined || length === undefined || !(sent instanceof asn1js.BitString))
      throw new Error(`its key is wrapped in a way that is not read here (${algorithmId})`);
    const curve = privateKey(key).asymmetricKeyDetails?.namedCurve ?? '';
    const namedCurve = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' }[curve] ?? curve;
    const algorithm = { name: 'ECDH', namedCurve };
    const theirs = await subtle.importKey('raw', sent.valueBlock.valueHexView.slice(), algorithm, false, []);
    const ours = await subtle.importKey('pkcs8', key.pkcs8, algorithm, false, ['deriveBits']);
    const kek = await derive(theirs, ours, namedCurve, hash, algorithmParams as asn1js.BaseBlock, ukm, length);
    const unwrapping = await wrapKey(kek, ['unwrapKey']);
    const hmac = { name: 'HMAC', hash: 'SHA-256' };
    const opened = await subtle.unwrapKey('raw', octets(encrypted), unwrapping, 'AES-KW', hmac, true, ['sign']);
    return new Uint8Array(await subtle.exportKey('raw', opened));
  }
  return undefined;
}

/** ECDH, and ANSI X9.63's KDF over ECC-CMS-SharedInfo (RFC 5753 7.2). */
async function derive(
  theirs: Key,
  ours: Key,
  curve: string,
  hash: string,
  wrap: asn1js.BaseBlock,
  ukm: asn1js.BaseBlock | undefined,
  length: number,
): Promise<Bytes> {
  const bits = { 'P-256': 256, 'P-384': 384, 'P-521': 528 }[curve] ?? 0;
  const secret = Buffer.from(await subtle.deriveBits({ name: 'ECDH', public: theirs }, ours, bits));
  const size = Buffer.alloc(4);
  size.writeUInt32BE(length * 8);
  const info = new asn1js.Sequence({
    value: [
      wrap,
      ...(ukm === undefined ? [] : [tagged(0, [ukm])]),
      tagged(2, [new asn1js.OctetString({ valueHex: new Uint8Array(size) })]),
    ],
  });
  const parts: Buffer[] = [];
  for (let counter = 1; Buffer.concat(parts).length < length; counter++) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(counter);
    const digest = createHash(hash.replace('-', '').toLowerCase());
    parts.push(digest.update(secret).update(number).update(new Uint8Array(info.toBER())).digest());
  }
  secret.fill(0);
  return new Uint8Array(Buffer.concat(parts).subarray(0, length));
}

/** WebCrypto wraps only keys of a kind; HMAC's may have any length. */
function anyKey(bytes: Bytes): Promise<Key> {
  return subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, true, ['sign']);
}

function wrapKey(bytes: Bytes, uses: readonly ('wrapKey' | 'unwrapKey')[]): Promise<Key> {
  return subtle.importKey('raw', bytes, 'AES-KW', false, [...uses]);
}
