import 'reflect-metadata';
import { createHash } from 'node:crypto';
import * as asn1js from 'asn1js';
import {
  AlgorithmIdentifier,
  Attribute,
  Certificate,
  CertificateRevocationList,
  ContentInfo,
  EncapsulatedContentInfo,
  IssuerAndSerialNumber,
  OtherRevocationInfoFormat,
  SignedAndUnsignedAttributes,
  SignedData,
  SignerInfo,
} from 'pkijs';
import * as x509 from '@peculiar/x509';
import { fail, ok, type Result } from '../../core/result.ts';
import type { Identity } from '../keys/identity.ts';
import { isOcspAnswer } from '../keys/recorded-status.ts';

const subtle = globalThis.crypto.subtle;
const ID_DATA = '1.2.840.113549.1.7.1';
const SHA256_OID = '2.16.840.1.101.3.4.2.1';

/**
 * Signs the SHA-256 (hex) of a journal line: ECDSA (DER) or RSA PKCS#1 v1.5, with SHA-256, over the 32 bytes of the
 * digest; base64. With the certificate go its intermediates, leaf first. Error: `identity.invalid`.
 */
export async function signHead(
  identity: Identity,
  sha256: string,
): Promise<Result<{ signature: string; certificate: string }>> {
  try {
    const algorithm = { name: identity.key.algorithm.name, hash: 'SHA-256' };
    const raw = new Uint8Array(await subtle.sign(algorithm, identity.key, new Uint8Array(Buffer.from(sha256, 'hex'))));
    const signature = algorithm.name === 'ECDSA' ? ecdsaToDer(raw) : raw;
    return ok({ signature: Buffer.from(signature).toString('base64'), certificate: identity.chainPem });
  } catch (error) {
    return fail('identity.invalid', 'The key could not sign.', { cause: String(error) });
  }
}

/** WebCrypto's r ‖ s as the DER sequence that every other tool reads (RFC 3279 2.2.3). */
function ecdsaToDer(raw: Uint8Array): Uint8Array {
  const half = raw.length / 2;
  const integer = (bytes: Uint8Array) => asn1js.Integer.fromBigInt(BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
  return new Uint8Array(
    new asn1js.Sequence({ value: [integer(raw.slice(0, half)), integer(raw.slice(half))] }).toBER(),
  );
}

/**
 * A detached CMS signature over `content` at the CAdES baseline level B-B (ETSI EN 319 122-1): content-type,
 * message-digest, signing-time and signing-certificate-v2, with the signer's chain inside. DER. `at` is the claimed
 * time of signing.
 */
export async function signDetached(identity: Identity, content: Uint8Array, at: Date): Promise<Result<Uint8Array>> {
  try {
    const ders = x509.PemConverter.decode(identity.chainPem);
    const chain = ders.map((der) => Certificate.fromBER(der));
    const leaf = chain[0];
    const leafDer = ders[0];
    if (leaf === undefined || leafDer === undefined)
      return fail('identity.invalid', 'The identity has no certificate.');
    const digest = createHash('sha256').update(content).digest();
    const attributes = [
      new Attribute({ type: '1.2.840.113549.1.9.3', values: [new asn1js.ObjectIdentifier({ value: ID_DATA })] }),
      new Attribute({ type: '1.2.840.113549.1.9.4', values: [new asn1js.OctetString({ valueHex: digest })] }),
      new Attribute({ type: '1.2.840.113549.1.9.5', values: [time(at)] }),
      new Attribute({ type: '1.2.840.113549.1.9.16.2.47', values: [signingCertificateV2(leaf, leafDer)] }),
    ];
    // DER wants a SET OF in the order of its encodings; verifiers that encode it anew would compute another digest.
    const sorted = attributes.toSorted((a, b) =>
      Buffer.compare(Buffer.from(a.toSchema().toBER()), Buffer.from(b.toSchema().toBER())),
    );
    const signed = new SignedData({
      version: 1,
      encapContentInfo: new EncapsulatedContentInfo({ eContentType: ID_DATA }),
      signerInfos: [
        new SignerInfo({
          version: 1,
          sid: new IssuerAndSerialNumber({ issuer: leaf.issuer, serialNumber: leaf.serialNumber }),
          signedAttrs: new SignedAndUnsignedAttributes({ type: 0, attributes: sorted }),
        }),
      ],
      certificates: chain,
      ...recorded(identity.recorded ?? []),
    });
    await signed.sign(identity.key, 0, 'SHA-256');
    // RFC 5754 2: the parameters of SHA-2 digests are left out.
    signed.digestAlgorithms = [new AlgorithmIdentifier({ algorithmId: SHA256_OID })];
    for (const info of signed.signerInfos) info.digestAlgorithm = new AlgorithmIdentifier({ algorithmId: SHA256_OID });
    const info = new ContentInfo({ contentType: ContentInfo.SIGNED_DATA, content: signed.toSchema() });
    return ok(new Uint8Array(info.toSchema().toBER()));
  } catch (error) {
    return fail('identity.invalid', 'The key could not sign.', { cause: String(error) });
  }
}

/** CRLs as they are, OCSP answers as RFC 5940 wraps them. The signature does not cover them: who made them signed them. */
function recorded(records: readonly Uint8Array<ArrayBuffer>[]): { crls?: SignedData['crls'] } {
  if (records.length === 0) return {};
  const crls = records.map((der) => {
    const { result } = asn1js.fromBER(der);
    return isOcspAnswer(der)
      ? new OtherRevocationInfoFormat({ otherRevInfoFormat: '1.3.6.1.5.5.7.16.2', otherRevInfo: result })
      : new CertificateRevocationList({ schema: result });
  });
  return { crls };
}

/** RFC 5652 11.3: UTCTime through 2049. */
function time(at: Date): asn1js.BaseBlock {
  const whole = new Date(Math.floor(at.getTime() / 1000) * 1000);
  return at.getUTCFullYear() < 2050
    ? new asn1js.UTCTime({ valueDate: whole })
    : new asn1js.GeneralizedTime({ valueDate: whole });
}

/** SigningCertificateV2 (RFC 5035) with the default hash, SHA-256, and issuerSerial. */
function signingCertificateV2(leaf: Certificate, der: ArrayBuffer): asn1js.Sequence {
  const hash = createHash('sha256').update(Buffer.from(der)).digest();
  const issuerSerial = new asn1js.Sequence({
    value: [
      new asn1js.Sequence({
        value: [new asn1js.Constructed({ idBlock: { tagClass: 3, tagNumber: 4 }, value: [leaf.issuer.toSchema()] })],
      }),
      leaf.serialNumber,
    ],
  });
  const id = new asn1js.Sequence({ value: [new asn1js.OctetString({ valueHex: hash }), issuerSerial] });
  return new asn1js.Sequence({ value: [new asn1js.Sequence({ value: [id] })] });
}
