import { createHash, randomBytes } from 'node:crypto';
import * as asn1js from 'asn1js';
import forge from 'node-forge';
import * as pkijs from 'pkijs';
import type { Pkcs12Format } from '../../core/changes/certificate-enroll.ts';
import { fail, ok, type Result } from '../../core/result.ts';
import { MAC_OIDS, pkcs12Mac } from './pkcs12-mac.ts';

/** A key with its certificates, DER, leaf first. */
export type Pkcs12Content = {
  readonly pkcs8: Uint8Array;
  readonly certificates: readonly Uint8Array[];
  /** Name of the key in the file; Java calls it alias. */
  readonly friendlyName?: string;
};

/** Legacy: what was usual for decades, and all that old readers bear. Modern: as much as Java bears at each start of a service. */
const FORMATS = {
  legacy: { hash: 'sha1', rounds: 2048, saltBytes: 8 },
  modern: { hash: 'sha256', rounds: 50_000, saltBytes: 16 },
} as const;
const MAX_PASSWORD = 256;
const OID = {
  shroudedKey: '1.2.840.113549.1.12.10.1.2',
  certificate: '1.2.840.113549.1.12.10.1.3',
  x509: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
};

/**
 * Writes a PKCS#12 file (RFC 7292) in DER, key and certificates encrypted under one password. Modern: PBES2 with AES-256 and a MAC
 * with SHA-256, through pkijs. Legacy: 3DES by the PKCS#12 key derivation and a MAC with SHA-1, through node-forge; RC2, which
 * Windows puts around the certificates, hides nothing and is left out. Errors: `identity.passphrase` (a password that readers
 * would not agree on), `identity.invalid`.
 */
export async function writePkcs12(
  content: Pkcs12Content,
  password: string,
  format: Pkcs12Format,
): Promise<Result<Uint8Array>> {
  const fault = passwordFault(password);
  if (fault !== undefined) return fail('identity.passphrase', fault);
  const [leaf] = content.certificates;
  if (leaf === undefined) return fail('identity.invalid', 'A PKCS#12 file without a certificate is of no use.');
  const shroud = format === 'legacy' ? shroudLegacy : shroudModern;
  const naming = attributesOf(leaf, content.friendlyName);
  const key = await shroud(content.pkcs8, password);
  const keyBag = new pkijs.SafeBag({
    bagId: OID.shroudedKey,
    bagValue: new pkijs.PKCS8ShroudedKeyBag({
      encryptionAlgorithm: key.algorithm,
      encryptedData: new asn1js.OctetString({ valueHex: key.encrypted }),
    }),
    bagAttributes: naming,
  });
  const certificateBags = content.certificates.map(
    (der, index) =>
      new pkijs.SafeBag({
        bagId: OID.certificate,
        bagValue: new pkijs.CertBag({ certId: OID.x509, certValue: octets(der) }),
        ...(index === 0 ? { bagAttributes: naming } : {}),
      }),
  );
  const certificates = await shroud(derOf(new pkijs.SafeContents({ safeBags: certificateBags })), password);
  const safe = new pkijs.AuthenticatedSafe({
    safeContents: [
      new pkijs.ContentInfo({
        contentType: pkijs.ContentInfo.ENCRYPTED_DATA,
        content: new pkijs.EncryptedData({
          encryptedContentInfo: new pkijs.EncryptedContentInfo({
            contentType: pkijs.ContentInfo.DATA,
            contentEncryptionAlgorithm: certificates.algorithm,
            encryptedContent: new asn1js.OctetString({ valueHex: certificates.encrypted }),
            // Pieces would be BER, which not every reader takes.
            disableSplit: true,
          }),
        }).toSchema(),
      }),
      dataOf(derOf(new pkijs.SafeContents({ safeBags: [keyBag] }))),
    ],
  });
  return ok(derOf(withMac(derOf(safe), password, format)));
}

/** Why readers would not agree on a password, in words; undefined where they do. */
function passwordFault(password: string): string | undefined {
  if (password === '') return 'A PKCS#12 file is not locked with an empty password.';
  if (password.length > MAX_PASSWORD) return `The password is longer than ${MAX_PASSWORD} characters.`;
  if (/\p{Cc}/u.test(password) || !password.isWellFormed())
    return 'The password holds a character that cannot be typed, such as a line break.';
  return undefined;
}

type Shrouded = { readonly algorithm: pkijs.AlgorithmIdentifier; readonly encrypted: ArrayBuffer };

async function shroudModern(der: Uint8Array, password: string): Promise<Shrouded> {
  const info = await pkijs.getCrypto(true).encryptEncryptedContentInfo({
    password: new TextEncoder().encode(password).buffer,
    contentEncryptionAlgorithm: { name: 'AES-CBC', length: 256 } as Parameters<
      pkijs.CryptoEngine['encryptEncryptedContentInfo']
    >[0]['contentEncryptionAlgorithm'],
    hmacHashAlgorithm: 'SHA-256',
    iterationCount: FORMATS.modern.rounds,
    contentToEncrypt: new Uint8Array(der).buffer,
    contentType: pkijs.ContentInfo.DATA,
  });
  return { algorithm: info.contentEncryptionAlgorithm, encrypted: info.getEncryptedContent() };
}

/** Forge encrypts any structure that it is given as a private key's, not RSA keys only. */
async function shroudLegacy(der: Uint8Array, password: string): Promise<Shrouded> {
  const { rounds: count, saltBytes: saltSize } = FORMATS.legacy;
  const plain = forge.asn1.fromDer(Buffer.from(der).toString('binary'));
  const shrouded = forge.pki.encryptPrivateKeyInfo(plain, password, { algorithm: '3des', count, saltSize });
  const read = asn1js.fromBER(
    new Uint8Array(Buffer.from(forge.asn1.toDer(shrouded).getBytes(), 'binary')).buffer,
  ).result;
  const [algorithm, encrypted] = (read as asn1js.Sequence).valueBlock.value;
  return {
    algorithm: new pkijs.AlgorithmIdentifier({ schema: algorithm }),
    encrypted: (encrypted as asn1js.OctetString).getValue(),
  };
}

/** The key and its certificate find each other by the same id; the name is for people and for Java. */
function attributesOf(leaf: Uint8Array, friendlyName: string | undefined): pkijs.Attribute[] {
  const id = createHash('sha1').update(leaf).digest();
  return [
    new pkijs.Attribute({ type: OID.localKeyId, values: [octets(id)] }),
    ...(friendlyName === undefined
      ? []
      : [new pkijs.Attribute({ type: OID.friendlyName, values: [new asn1js.BmpString({ value: friendlyName })] })]),
  ];
}

function withMac(authSafe: Uint8Array, password: string, format: Pkcs12Format): pkijs.PFX {
  const { hash, rounds, saltBytes } = FORMATS[format];
  const salt = randomBytes(saltBytes);
  return new pkijs.PFX({
    version: 3,
    authSafe: dataOf(authSafe),
    macData: new pkijs.MacData({
      mac: new pkijs.DigestInfo({
        digestAlgorithm: new pkijs.AlgorithmIdentifier({
          algorithmId: MAC_OIDS[hash],
          algorithmParams: new asn1js.Null(),
        }),
        digest: octets(pkcs12Mac(authSafe, password, { hash, salt, rounds })),
      }),
      macSalt: octets(salt),
      iterations: rounds,
    }),
  });
}

function dataOf(bytes: Uint8Array): pkijs.ContentInfo {
  return new pkijs.ContentInfo({ contentType: pkijs.ContentInfo.DATA, content: octets(bytes) });
}

function octets(bytes: Uint8Array): asn1js.OctetString {
  return new asn1js.OctetString({ valueHex: new Uint8Array(bytes).buffer });
}

function derOf(structure: { toSchema: () => asn1js.BaseBlock }): Uint8Array {
  return new Uint8Array(structure.toSchema().toBER());
}
