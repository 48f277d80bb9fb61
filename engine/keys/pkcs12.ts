import { timingSafeEqual } from 'node:crypto';
import * as asn1js from 'asn1js';
import forge from 'node-forge';
import { AuthenticatedSafe, CertBag, KeyBag, PFX, PKCS8ShroudedKeyBag, type SafeContents } from 'pkijs';
import { fail, ok, type Result } from '../../core/result.ts';
import { MAC_OIDS, type MacHash, pkcs12Mac } from './pkcs12-mac.ts';

/** DER of one private key and of all certificates, in the file's order. */
export type Pkcs12Parts = { readonly pkcs8: Uint8Array; readonly certificates: readonly Uint8Array[] };
type AllParts = { readonly keys: readonly Uint8Array[]; readonly certificates: readonly Uint8Array[] };

/** 1.2.840.113549.1.12.1.*: RC2 and 3DES by the PKCS#12 key derivation, as Windows and `openssl -legacy` write them. */
const LEGACY_CIPHERS = Buffer.from('2a864886f70d010c01', 'hex');
/** More rounds than any honest file has would only keep the machine busy. */
const MAX_ROUNDS = 10_000_000;

/** True for DER that begins like a PFX: a sequence holding the version 3. */
export function isPkcs12(bytes: Uint8Array): boolean {
  if (bytes[0] !== 0x30) return false;
  const length = bytes[1] ?? 0;
  const header = length < 0x80 ? 2 : 2 + (length & 0x7f);
  return bytes[header] === 0x02 && bytes[header + 1] === 0x01 && bytes[header + 2] === 0x03;
}

/**
 * Opens a PKCS#12 file (RFC 7292). Modern ciphers (PBES2) through pkijs, legacy ones through node-forge. The MAC is
 * checked first, so that a wrong passphrase is told from a damaged file wherever that is possible. Errors:
 * `identity.passphrase`, `identity.invalid`.
 */
export async function readPkcs12(bytes: Uint8Array, passphrase: string): Promise<Result<Pkcs12Parts>> {
  const parts = await openPkcs12(bytes, passphrase);
  if (!parts.ok) return parts;
  const [pkcs8, another] = parts.value.keys;
  if (pkcs8 !== undefined && another === undefined) return ok({ pkcs8, certificates: parts.value.certificates });
  return fail(
    'identity.invalid',
    pkcs8 === undefined
      ? 'There is no private key in this PKCS#12 file.'
      : 'There is more than one private key in this PKCS#12 file.',
  );
}

/** As `readPkcs12`, with every key and certificate there is: an authority sends certificates without any key. */
export async function openPkcs12(bytes: Uint8Array, passphrase: string): Promise<Result<AllParts>> {
  let pfx: PFX;
  try {
    pfx = PFX.fromBER(new Uint8Array(bytes).buffer);
  } catch (error) {
    return fail('identity.invalid', 'This PKCS#12 file is damaged.', { cause: (error as Error).message });
  }
  const mac = checkMac(pfx, passphrase);
  if (!mac.ok) return mac;
  try {
    const parts = Buffer.from(bytes).includes(LEGACY_CIPHERS)
      ? readLegacy(bytes, passphrase)
      : await readModern(pfx, passphrase);
    return ok(parts);
  } catch (error) {
    const cause = (error as Error).message;
    // Without a MAC the only sign of a wrong passphrase is that decryption yields nonsense.
    if (pfx.macData === undefined)
      return fail('identity.passphrase', 'The passphrase does not open this PKCS#12 file, or the file is damaged.', {
        cause,
      });
    return fail(
      'identity.invalid',
      'This PKCS#12 file uses a cipher that cannot be read. Export it again with AES-256.',
      { cause },
    );
  }
}

function checkMac(pfx: PFX, passphrase: string): Result<void> {
  const macData = pfx.macData;
  if (macData === undefined) return ok(undefined);
  const oid = macData.mac.digestAlgorithm.algorithmId;
  const hash = (Object.keys(MAC_OIDS) as MacHash[]).find((name) => MAC_OIDS[name] === oid);
  const rounds = macData.iterations ?? 1;
  if (hash === undefined || rounds > MAX_ROUNDS) {
    return fail(
      'identity.invalid',
      'This PKCS#12 file is protected in a way that cannot be checked. Export it again with SHA-256.',
      {
        cause: `MAC ${oid}, ${rounds} rounds`,
      },
    );
  }
  const content = contentOf(pfx.authSafe.content);
  const digest = macData.mac.digest.valueBlock.valueHexView;
  const computed = pkcs12Mac(content, passphrase, { hash, salt: macData.macSalt.valueBlock.valueHexView, rounds });
  if (computed.length === digest.length && timingSafeEqual(computed, digest)) return ok(undefined);
  return fail(
    'identity.passphrase',
    passphrase === ''
      ? 'This PKCS#12 file is locked with a passphrase, and none was given.'
      : 'The passphrase does not open this PKCS#12 file.',
  );
}

function contentOf(content: unknown): Uint8Array {
  if (!(content instanceof asn1js.OctetString)) throw new Error('the content is not an octet string');
  return new Uint8Array(content.getValue());
}

async function readModern(pfx: PFX, passphrase: string): Promise<{ keys: Uint8Array[]; certificates: Uint8Array[] }> {
  const password = new TextEncoder().encode(passphrase).buffer;
  const safe = AuthenticatedSafe.fromBER(new Uint8Array(contentOf(pfx.authSafe.content)).buffer);
  await safe.parseInternalValues({ safeContents: safe.safeContents.map(() => ({ password })) });
  const keys: Uint8Array[] = [];
  const certificates: Uint8Array[] = [];
  const parsed = (safe.parsedValue as { safeContents: { value: SafeContents }[] }).safeContents;
  for (const { value: contents } of parsed) {
    for (const bag of contents.safeBags) {
      const value: unknown = bag.bagValue;
      if (value instanceof PKCS8ShroudedKeyBag) {
        // The method is protected in the types and the documented way in practice.
        await (
          value as unknown as { parseInternalValues: (p: { password: ArrayBuffer }) => Promise<void> }
        ).parseInternalValues({ password });
        if (value.parsedValue !== undefined) keys.push(new Uint8Array(value.parsedValue.toSchema().toBER()));
      } else if (value instanceof KeyBag) {
        keys.push(new Uint8Array(value.toSchema().toBER()));
      } else if (value instanceof CertBag) {
        const certificate = (value.certValue as asn1js.OctetString).getValue();
        certificates.push(new Uint8Array(certificate));
      }
    }
  }
  return { keys, certificates };
}

function readLegacy(bytes: Uint8Array, passphrase: string): { keys: Uint8Array[]; certificates: Uint8Array[] } {
  const p12 = forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(binary(bytes)), false, passphrase);
  const keys: Uint8Array[] = [];
  const certificates: Uint8Array[] = [];
  const der = (value: forge.asn1.Asn1) => new Uint8Array(Buffer.from(forge.asn1.toDer(value).getBytes(), 'binary'));
  const { keyBag, pkcs8ShroudedKeyBag, certBag } = forge.pki.oids;
  for (const { safeBags } of p12.safeContents) {
    for (const bag of safeBags) {
      if (bag.type === keyBag || bag.type === pkcs8ShroudedKeyBag) {
        // Forge knows RSA keys only; for the others it hands over the PKCS#8 structure as it is.
        keys.push(bag.key ? der(forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(bag.key))) : der(bag.asn1));
      } else if (bag.type === certBag) {
        certificates.push(der(bag.cert ? forge.pki.certificateToAsn1(bag.cert) : bag.asn1));
      }
    }
  }
  return { keys, certificates };
}

function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('binary');
}
