import { createHash, createHmac } from 'node:crypto';

/** Hashes of the MAC over a PKCS#12 file, by their names in node:crypto. */
export type MacHash = 'sha1' | 'sha256' | 'sha384' | 'sha512';

export const MAC_OIDS: Readonly<Record<MacHash, string>> = {
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
};

/** RFC 7292, appendix B.3: the purpose of key material for a MAC. */
const FOR_MAC = 3;

/**
 * The MAC of a PKCS#12 file (RFC 7292, section 5.1). Its key is as long as the hash, so that one round of appendix B.2 gives all of
 * it, and what that does between rounds never happens.
 * @param content of the authSafe
 */
export function pkcs12Mac(
  content: Uint8Array,
  password: string,
  { hash, salt, rounds }: { hash: MacHash; salt: Uint8Array; rounds: number },
): Buffer {
  const block = hash === 'sha1' || hash === 'sha256' ? 64 : 128;
  const fill = (bytes: Uint8Array) =>
    Buffer.alloc(Math.ceil(bytes.length / block) * block, bytes.length === 0 ? 0 : bytes);
  let key: Buffer = Buffer.concat([Buffer.alloc(block, FOR_MAC), fill(salt), fill(bmpString(password))]);
  for (let round = 0; round < rounds; round += 1) key = createHash(hash).update(key).digest();
  return createHmac(hash, key).update(content).digest();
}

/** UTF-16, big endian, with two zero bytes at its end (RFC 7292, appendix B.1). */
function bmpString(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf16le').swap16();
}
