import 'reflect-metadata';
import { constants, type KeyObject, privateDecrypt, randomBytes } from 'node:crypto';
import * as asn1js from 'asn1js';
import { AlgorithmIdentifier, Certificate, RSAESOAEPParams } from 'pkijs';
import type * as x509 from '@peculiar/x509';
import type { DecryptionKey } from '../keys/decryption-key.ts';
import { keyAgreement, openAgreement } from './cms-agreement.ts';
import { type Bytes, children, issuerAndSerial, names, octets, privateKey } from './cms-parts.ts';
import { openPassphraseRecipient, passphraseRecipient } from './cms-passphrase.ts';

const subtle = globalThis.crypto.subtle;

const OID = {
  rsa: '1.2.840.113549.1.1.1',
  oaep: '1.2.840.113549.1.1.7',
  mgf1: '1.2.840.113549.1.1.8',
  sha256: '2.16.840.1.101.3.4.2.1',
} as const;
const HASHES: Record<string, string> = {
  '1.3.14.3.2.26': 'SHA-1',
  '2.16.840.1.101.3.4.2.4': 'SHA-224',
  '2.16.840.1.101.3.4.2.1': 'SHA-256',
  '2.16.840.1.101.3.4.2.2': 'SHA-384',
  '2.16.840.1.101.3.4.2.3': 'SHA-512',
};
/** For whom something is encrypted: each of these opens it alone. */
export type Recipients = { readonly certificates: readonly x509.X509Certificate[]; readonly passphrase?: string };

/** What opens it: the key of a certificate, or the passphrase. */
export type Opener = { readonly key: DecryptionKey } | { readonly passphrase: string };

/** RecipientInfos (RFC 5652 6.2) of a content key, and the version that EnvelopedData then has. */
export async function makeRecipients(key: Bytes, to: Recipients): Promise<{ version: number; infos: Bytes }> {
  const infos: asn1js.BaseBlock[] = [];
  for (const certificate of to.certificates) {
    const parsed = Certificate.fromBER(certificate.rawData);
    const rsa = parsed.subjectPublicKeyInfo.algorithm.algorithmId === OID.rsa;
    infos.push(await (rsa ? keyTransport(key, parsed) : keyAgreement(key, parsed, certificate)));
  }
  if (to.passphrase !== undefined) infos.push(await passphraseRecipient(key, to.passphrase));
  const agreed = to.certificates.some((each) => !each.publicKey.algorithm.name.startsWith('RSA'));
  return {
    version: to.passphrase === undefined ? (agreed ? 2 : 0) : 3,
    infos: new Uint8Array(new asn1js.Set({ value: infos }).toBER()),
  };
}

/** The content key; undefined when nothing here is for this opener. Throws when it is, and cannot be opened. */
export async function openRecipients(infos: Bytes, opener: Opener): Promise<Bytes | undefined> {
  const parsed = asn1js.fromBER(infos);
  if (parsed.offset !== infos.length || !(parsed.result instanceof asn1js.Set))
    throw new Error('it names no recipient');
  for (const info of parsed.result.valueBlock.value) {
    const { tagClass, tagNumber } = info.idBlock;
    if ('passphrase' in opener) {
      if (tagClass === 3 && tagNumber === 3) return openPassphraseRecipient(children(info), opener.passphrase);
      continue;
    }
    const certificates = opener.key.certificates.map((der) => Certificate.fromBER(der));
    if (tagClass === 1 && tagNumber === 16) {
      const [, rid, algorithm, encrypted] = children(info);
      if (certificates.some((each) => names(rid, each)))
        return openTransport(algorithm, octets(encrypted), privateKey(opener.key));
    } else if (tagClass === 3 && tagNumber === 1) {
      const opened = await openAgreement(children(info), certificates, opener.key);
      if (opened !== undefined) return opened;
    }
  }
  return undefined;
}

async function keyTransport(key: Bytes, certificate: Certificate): Promise<asn1js.BaseBlock> {
  const spki = certificate.subjectPublicKeyInfo.toSchema().toBER();
  const to = await subtle.importKey('spki', spki, { name: 'RSA-OAEP', hash: 'SHA-256' }, false, ['encrypt']);
  const hash = new AlgorithmIdentifier({ algorithmId: OID.sha256, algorithmParams: new asn1js.Null() });
  const mask = new AlgorithmIdentifier({ algorithmId: OID.mgf1, algorithmParams: hash.toSchema() });
  const params = new RSAESOAEPParams({ hashAlgorithm: hash, maskGenAlgorithm: mask }).toSchema();
  return new asn1js.Sequence({
    value: [
      new asn1js.Integer({ value: 0 }),
      issuerAndSerial(certificate),
      new AlgorithmIdentifier({ algorithmId: OID.oaep, algorithmParams: params }).toSchema(),
      new asn1js.OctetString({ valueHex: await subtle.encrypt({ name: 'RSA-OAEP' }, to, key) }),
    ],
  });
}

function openTransport(algorithm: asn1js.BaseBlock | undefined, encrypted: Bytes, key: KeyObject): Bytes {
  const { algorithmId, algorithmParams } = new AlgorithmIdentifier({ schema: algorithm });
  if (algorithmId === OID.oaep) {
    const params = new RSAESOAEPParams({ schema: algorithmParams ?? new asn1js.Sequence() });
    const hash = HASHES[params.hashAlgorithm.algorithmId];
    const mask = HASHES[new AlgorithmIdentifier({ schema: params.maskGenAlgorithm.algorithmParams }).algorithmId];
    if (hash === undefined || hash !== mask) throw new Error('it uses a form of RSA-OAEP that is not read here');
    return new Uint8Array(privateDecrypt({ key, oaepHash: hash.replace('-', '').toLowerCase() }, encrypted));
  }
  if (algorithmId !== OID.rsa) throw new Error(`its key is wrapped in a way that is not read here (${algorithmId})`);
  return unpad(privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, encrypted));
}

/**
 * PKCS#1 v1.5 (RFC 8017 7.2.2). Whatever is wrong with the padding, a random key comes out and the content does not
 * open: a wrong padding must not look different from a wrong key.
 */
function unpad(block: Uint8Array): Bytes {
  const end = block.indexOf(0, 2);
  const fits = block[0] === 0 && block[1] === 2 && end >= 10 && [16, 24, 32].includes(block.length - end - 1);
  return new Uint8Array(fits ? block.subarray(end + 1) : randomBytes(32));
}
