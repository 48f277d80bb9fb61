import { createCipheriv, createDecipheriv, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import * as asn1js from 'asn1js';
import { AlgorithmIdentifier, PBKDF2Params } from 'pkijs';

type Bytes = Uint8Array<ArrayBuffer>;
const stretch = promisify(pbkdf2);

const OID = {
  pbkdf2: '1.2.840.113549.1.5.12',
  hmacSha256: '1.2.840.113549.2.9',
  pwriKek: '1.2.840.113549.1.9.16.3.9',
  aes256: '2.16.840.1.101.3.4.1.42',
} as const;
const PRFS: Record<string, string> = {
  '1.2.840.113549.2.7': 'sha1',
  [OID.hmacSha256]: 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};
const CIPHERS: Record<string, { readonly name: string; readonly key: number }> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', key: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', key: 24 },
  [OID.aes256]: { name: 'aes-256-cbc', key: 32 },
};
/** Rounds of PBKDF2 that are written, and the most that are computed for a file from elsewhere. */
const ROUNDS = 600_000;
const MAX_ROUNDS = 10_000_000;
const BLOCK = 16;

/** PasswordRecipientInfo (RFC 5652 6.2.4): PBKDF2 with HMAC-SHA-256, the key wrapped as RFC 3211 2.3 has it. */
export async function passphraseRecipient(key: Bytes, passphrase: string): Promise<asn1js.BaseBlock> {
  const [salt, iv] = [new Uint8Array(randomBytes(16)), new Uint8Array(randomBytes(BLOCK))];
  const kek = await stretch(passphrase, salt, ROUNDS, 32, 'sha256');
  const size = Math.max(2 * BLOCK, Math.ceil((key.length + 4) / BLOCK) * BLOCK);
  const block = Buffer.concat([
    Buffer.from([key.length, ...key.subarray(0, 3).map((byte) => byte ^ 0xff)]),
    key,
    randomBytes(size - key.length - 4),
  ]);
  const first = encryptBlocks('aes-256-cbc', kek, iv, block);
  const wrapped = encryptBlocks('aes-256-cbc', kek, first.subarray(-BLOCK), first);
  block.fill(0);
  kek.fill(0);
  const params = new PBKDF2Params({
    salt: new asn1js.OctetString({ valueHex: salt }),
    iterationCount: ROUNDS,
    prf: new AlgorithmIdentifier({ algorithmId: OID.hmacSha256, algorithmParams: new asn1js.Null() }),
  });
  const cipher = new AlgorithmIdentifier({
    algorithmId: OID.aes256,
    algorithmParams: new asn1js.OctetString({ valueHex: iv }),
  });
  const derivation = new AlgorithmIdentifier({
    algorithmId: OID.pbkdf2,
    algorithmParams: params.toSchema(),
  }).toSchema();
  const implicit = (tagNumber: number, value: asn1js.BaseBlock[]) =>
    new asn1js.Constructed({ idBlock: { tagClass: 3, tagNumber }, value });
  return implicit(3, [
    new asn1js.Integer({ value: 0 }),
    implicit(0, derivation.valueBlock.value as asn1js.BaseBlock[]),
    new AlgorithmIdentifier({ algorithmId: OID.pwriKek, algorithmParams: cipher.toSchema() }).toSchema(),
    new asn1js.OctetString({ valueHex: new Uint8Array(wrapped) }),
  ]);
}

/** The content key out of the fields of a PasswordRecipientInfo. Throws when the passphrase does not open it. */
export async function openPassphraseRecipient(
  [, derivation, encryption, encrypted]: readonly asn1js.BaseBlock[],
  passphrase: string,
): Promise<Bytes> {
  const fields = (derivation as asn1js.Constructed | undefined)?.valueBlock.value as asn1js.BaseBlock[] | undefined;
  const kdf = new AlgorithmIdentifier({ schema: new asn1js.Sequence({ value: fields ?? [] }) });
  const wrap = new AlgorithmIdentifier({ schema: encryption });
  const inner = new AlgorithmIdentifier({ schema: wrap.algorithmParams });
  const cipher = CIPHERS[inner.algorithmId];
  if (kdf.algorithmId !== OID.pbkdf2 || wrap.algorithmId !== OID.pwriKek || cipher === undefined)
    throw new Error('its passphrase is used in a way that is not read here');
  const params = new PBKDF2Params({ schema: kdf.algorithmParams });
  const prf = PRFS[params.prf?.algorithmId ?? '1.2.840.113549.2.7'];
  if (prf === undefined || params.iterationCount > MAX_ROUNDS)
    throw new Error('its passphrase is used in a way that is not read here');
  const salt = (params.salt as asn1js.OctetString).valueBlock.valueHexView;
  const kek = await stretch(passphrase, salt, params.iterationCount, cipher.key, prf);
  const iv = (inner.algorithmParams as asn1js.OctetString).valueBlock.valueHexView;
  const wrapped = (encrypted as asn1js.OctetString).valueBlock.valueHexView;
  const block = unwrapBlocks(cipher.name, kek, iv, wrapped);
  kek.fill(0);
  const length = block[0] ?? 0;
  const fits =
    [16, 24, 32].includes(length) &&
    length + 4 <= block.length &&
    [1, 2, 3].every((at) => (block[at] ?? 0) === ((block[at + 3] ?? 0) ^ 0xff));
  if (!fits) throw new Error('the passphrase does not open it');
  return new Uint8Array(block.subarray(4, 4 + length));
}

function encryptBlocks(cipher: string, key: Uint8Array, iv: Uint8Array, blocks: Uint8Array): Buffer {
  const run = createCipheriv(cipher, key, iv).setAutoPadding(false);
  return Buffer.concat([run.update(blocks), run.final()]);
}

function decryptBlocks(cipher: string, key: Uint8Array, iv: Uint8Array, blocks: Uint8Array): Buffer {
  const run = createDecipheriv(cipher, key, iv).setAutoPadding(false);
  return Buffer.concat([run.update(blocks), run.final()]);
}

/** Takes the outer of the two passes off: its IV is the last block of the inner, which its own last block gives away. */
function unwrapBlocks(cipher: string, key: Uint8Array, iv: Uint8Array, wrapped: Uint8Array): Buffer {
  if (wrapped.length < 2 * BLOCK || wrapped.length % BLOCK !== 0) throw new Error('its wrapped key was cut off');
  const last = decryptBlocks(cipher, key, wrapped.subarray(-2 * BLOCK, -BLOCK), wrapped.subarray(-BLOCK));
  return decryptBlocks(cipher, key, iv, decryptBlocks(cipher, key, last, wrapped));
}
