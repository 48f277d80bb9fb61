import * as asn1js from 'asn1js';
import { AlgorithmIdentifier, Certificate, ContentInfo, type CryptoEngine, SignedData, type SignerInfo } from 'pkijs';
import { cryptoEngine, toHex, type WebCrypto } from './host.ts';
import type { RecordedStatus } from './revocation.ts';
import { commonName } from './trust.ts';

export type CmsResult = {
  /** Sentences on what is wrong; empty when the signature holds. Says nothing yet about trust. */
  readonly faults: readonly string[];
  readonly leaf?: Certificate;
  /** All certificates inside, leaf included. */
  readonly certificates: readonly Certificate[];
  /** The time that the signer claims. */
  readonly signedAt?: Date;
  /** CRLs and OCSP answers inside; nothing shows yet that they are true. */
  readonly recorded?: readonly RecordedStatus[];
};

const OID = {
  data: '1.2.840.113549.1.7.1',
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  signingCertificate: '1.2.840.113549.1.9.16.2.12',
  signingCertificateV2: '1.2.840.113549.1.9.16.2.47',
} as const;
/** Content type of a time-stamp token (RFC 3161 2.4.2). */
export const TST_INFO = '1.2.840.113549.1.9.16.1.4';
const DIGESTS: Record<string, string> = {
  '2.16.840.1.101.3.4.2.1': 'SHA-256',
  '2.16.840.1.101.3.4.2.2': 'SHA-384',
  '2.16.840.1.101.3.4.2.3': 'SHA-512',
};
/** rsaEncryption (the digest is named apart), RSA with SHA-2, RSA-PSS, ECDSA with SHA-2. */
const SIGNATURES = new Set([
  '1.2.840.113549.1.1.1',
  '1.2.840.113549.1.1.10',
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
]);

/**
 * Verifies a detached CMS signature (RFC 5652) with signing-certificate-v2 (RFC 5035), as CAdES B-B wants it, over
 * `content`. Exactly one signer. Never throws.
 */
export async function verifyDetached(
  signature: Uint8Array<ArrayBuffer>,
  content: Uint8Array<ArrayBuffer>,
  webCrypto: WebCrypto,
): Promise<CmsResult> {
  return verifySigned(signature, { token: false, content }, webCrypto);
}

/**
 * Verifies the signature of a time-stamp token (RFC 3161 2.4.2) over the TSTInfo in it, whose DER is `content`; also
 * with signing-certificate of the first version (RFC 5816). Exactly one signer. Never throws.
 */
export async function verifyToken(
  token: Uint8Array<ArrayBuffer>,
  webCrypto: WebCrypto,
): Promise<CmsResult & { readonly content?: Uint8Array<ArrayBuffer> }> {
  try {
    const inside = parse(token).encapContentInfo.eContent;
    if (inside === undefined) return { faults: ['The time-stamp carries no time.'], certificates: [] };
    const content = new Uint8Array(inside.getValue()).slice();
    return { ...(await verifySigned(token, { token: true, content }, webCrypto)), content };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { faults: [`The time-stamp cannot be read: ${why}.`], certificates: [] };
  }
}

type Form = { readonly token: boolean; readonly content: Uint8Array<ArrayBuffer> };

async function verifySigned(signature: Uint8Array<ArrayBuffer>, form: Form, webCrypto: WebCrypto): Promise<CmsResult> {
  const faults: string[] = [];
  let certificates: Certificate[] = [];
  let leaf: Certificate | undefined;
  let signedAt: Date | undefined;
  let recorded: readonly RecordedStatus[] = [];
  const result = (): CmsResult => ({
    faults,
    certificates,
    recorded,
    ...(leaf === undefined ? {} : { leaf }),
    ...(signedAt === undefined ? {} : { signedAt }),
  });
  try {
    const engine = cryptoEngine(webCrypto);
    const signed = parse(signature);
    certificates = (signed.certificates ?? []).filter((each): each is Certificate => each instanceof Certificate);
    recorded = signed.crls ?? [];
    const signer = signed.signerInfos[0];
    if (signer === undefined || signed.signerInfos.length !== 1) {
      faults.push(`The signature names ${signed.signerInfos.length} signers instead of one.`);
      return result();
    }
    if (form.token) {
      if (signed.encapContentInfo.eContentType !== TST_INFO) faults.push('This is a signature, not a time-stamp.');
    } else if (signed.encapContentInfo.eContentType !== OID.data || signed.encapContentInfo.eContent !== undefined) {
      faults.push('The signature carries content of its own instead of covering the manifest.');
    }
    const announced = signed.digestAlgorithms.map((each) => each.algorithmId);
    if (announced.length !== 1 || announced[0] !== signer.digestAlgorithm.algorithmId) {
      faults.push('The signature announces another digest than its signer used.');
    }
    leaf = findSigner(signer, certificates);
    if (leaf === undefined) {
      faults.push('The certificate of the signer is not in the signature.');
      return result();
    }
    signedAt = readSigningTime(signer);
    if (signedAt === undefined && !form.token) faults.push('The signature states no time of signing.');
    faults.push(...(await attributeFaults(signer, leaf, form, webCrypto)));
    if (!SIGNATURES.has(signer.signatureAlgorithm.algorithmId)) {
      faults.push(`The signature uses an algorithm that is not accepted (${signer.signatureAlgorithm.algorithmId}).`);
    } else if (signer.signedAttrs !== undefined) {
      const digest = DIGESTS[signer.digestAlgorithm.algorithmId];
      const plainRsa = signer.signatureAlgorithm.algorithmId === '1.2.840.113549.1.1.1';
      const holds = await engine.verifyWithPublicKey(
        signer.signedAttrs.encodedValue,
        signer.signature,
        leaf.subjectPublicKeyInfo,
        signer.signatureAlgorithm,
        ...(plainRsa && digest !== undefined ? [digest] : []),
      );
      if (!holds) faults.push(`The signature does not fit the key of ${commonName(leaf)}.`);
    }
  } catch (error) {
    faults.push(`The signature cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
  return result();
}

function parse(bytes: Uint8Array<ArrayBuffer>): SignedData {
  const copy = bytes.slice().buffer;
  const parsed = asn1js.fromBER(copy);
  if (parsed.offset === -1) throw new Error('it is not ASN.1');
  if (parsed.offset !== bytes.length) throw new Error('bytes follow its end');
  const info = new ContentInfo({ schema: parsed.result });
  if (info.contentType !== ContentInfo.SIGNED_DATA) throw new Error('it is not signed data');
  return new SignedData({ schema: info.content });
}

function findSigner(signer: SignerInfo, certificates: readonly Certificate[]): Certificate | undefined {
  const sid = signer.sid as { issuer?: Certificate['issuer']; serialNumber?: asn1js.Integer };
  if (sid.issuer === undefined || sid.serialNumber === undefined) return undefined;
  const { issuer, serialNumber } = sid;
  return certificates.find((each) => each.issuer.isEqual(issuer) && each.serialNumber.isEqual(serialNumber));
}

/** The single value of an attribute that must be there once. */
function single(signer: SignerInfo, oid: string): asn1js.BaseBlock | undefined {
  const found = signer.signedAttrs?.attributes.filter((attribute) => attribute.type === oid) ?? [];
  const values = found[0]?.values as asn1js.BaseBlock[] | undefined;
  return found.length === 1 && values?.length === 1 ? values[0] : undefined;
}

function readSigningTime(signer: SignerInfo): Date | undefined {
  const value = single(signer, OID.signingTime);
  if (value instanceof asn1js.UTCTime || value instanceof asn1js.GeneralizedTime) return value.toDate();
  return undefined;
}

async function attributeFaults(
  signer: SignerInfo,
  leaf: Certificate,
  { token, content }: Form,
  webCrypto: WebCrypto,
): Promise<string[]> {
  const faults: string[] = [];
  if (signer.signedAttrs === undefined) return ['The signature has no signed attributes, so it is not CAdES.'];
  const algorithm = DIGESTS[signer.digestAlgorithm.algorithmId];
  if (algorithm === undefined)
    return [`The signature uses a digest that is not accepted (${signer.digestAlgorithm.algorithmId}).`];
  const type = single(signer, OID.contentType);
  if (!(type instanceof asn1js.ObjectIdentifier) || type.valueBlock.toString() !== (token ? TST_INFO : OID.data)) {
    faults.push(`The signature does not state that it covers ${token ? 'a time-stamp' : 'plain data'}.`);
  }
  const stated = single(signer, OID.messageDigest);
  const computed = toHex(new Uint8Array(await webCrypto.subtle.digest(algorithm, content)));
  if (!(stated instanceof asn1js.OctetString) || toHex(stated.valueBlock.valueHexView) !== computed) {
    faults.push(`The signature covers other bytes than the ${token ? 'time-stamp in it' : 'manifest beside it'}.`);
  }
  const reference = single(signer, OID.signingCertificateV2);
  const older = token && reference === undefined ? single(signer, OID.signingCertificate) : undefined;
  const hash = reference !== undefined ? certificateHash(reference) : older && certificateHash(older, 'SHA-1');
  if (hash === undefined)
    faults.push('The signature does not name its certificate (signing-certificate-v2), so it is not CAdES.');
  else {
    const der = new Uint8Array(leaf.toSchema().toBER());
    if (toHex(new Uint8Array(await webCrypto.subtle.digest(hash.algorithm, der))) !== hash.hex) {
      faults.push('The signature was made with another certificate than the one beside it.');
    }
  }
  return faults;
}

/**
 * First ESSCertIDv2: { hashAlgorithm DEFAULT sha256, certHash, issuerSerial OPTIONAL }; or, with the digest given, first
 * ESSCertID: { certHash, issuerSerial OPTIONAL }.
 */
function certificateHash(value: asn1js.BaseBlock, fixed?: 'SHA-1'): { algorithm: string; hex: string } | undefined {
  const inside = (block: unknown): asn1js.BaseBlock[] =>
    block instanceof asn1js.Sequence ? (block.valueBlock.value as asn1js.BaseBlock[]) : [];
  const id = inside(inside(inside(value)[0])[0]);
  const named = id[0] instanceof asn1js.Sequence;
  const octets = id[named ? 1 : 0];
  if (!(octets instanceof asn1js.OctetString)) return undefined;
  const oid = named ? new AlgorithmIdentifier({ schema: id[0] }).algorithmId : '2.16.840.1.101.3.4.2.1';
  const algorithm = fixed ?? DIGESTS[oid];
  return algorithm === undefined ? undefined : { algorithm, hex: toHex(octets.valueBlock.valueHexView) };
}

/**
 * Verifies the signature of a journal head: ECDSA (DER) or RSA PKCS#1 v1.5, with SHA-256, over the bytes of a digest.
 */
export async function verifyHead(
  certificate: Certificate,
  digest: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
  engine: CryptoEngine,
): Promise<boolean> {
  const elliptic = certificate.subjectPublicKeyInfo.algorithm.algorithmId === '1.2.840.10045.2.1';
  const algorithm = new AlgorithmIdentifier({
    algorithmId: elliptic ? '1.2.840.10045.4.3.2' : '1.2.840.113549.1.1.11',
  });
  try {
    return await engine.verifyWithPublicKey(
      digest,
      new asn1js.OctetString({ valueHex: signature }),
      certificate.subjectPublicKeyInfo,
      algorithm,
    );
  } catch {
    // A signature that is no DER at all does not fit either.
    return false;
  }
}
