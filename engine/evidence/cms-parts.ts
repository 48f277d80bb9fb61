import { createPrivateKey, type KeyObject } from 'node:crypto';
import * as asn1js from 'asn1js';
import type { Certificate } from 'pkijs';
import type { DecryptionKey } from '../keys/decryption-key.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

export function privateKey({ pkcs8 }: DecryptionKey): KeyObject {
  return createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
}

export function issuerAndSerial({ issuer, serialNumber }: Certificate): asn1js.Sequence {
  return new asn1js.Sequence({ value: [issuer.toSchema(), serialNumber] });
}

/** Issuer and serial number, or the identifier of the key (RFC 5652 6.2.1 and 6.2.2). */
export function names(rid: asn1js.BaseBlock | undefined, certificate: Certificate): boolean {
  if (rid instanceof asn1js.Sequence)
    return Buffer.from(rid.toBER()).equals(Buffer.from(issuerAndSerial(certificate).toBER()));
  const stated = certificate.extensions?.find((each) => each.extnID === '2.5.29.14')?.parsedValue as unknown;
  if (rid === undefined || !(stated instanceof asn1js.OctetString)) return false;
  const [inner] = children(rid);
  const block = inner ?? rid;
  const given = octets(block);
  return given.length > 0 && Buffer.from(stated.valueBlock.valueHexView).equals(given);
}

/** Implicitly or explicitly tagged, by context. */
export function tagged(tagNumber: number, value: asn1js.BaseBlock[]): asn1js.Constructed {
  return new asn1js.Constructed({ idBlock: { tagClass: 3, tagNumber }, value });
}

/** Elements of a constructed block; none of any other. */
export function children(block: asn1js.BaseBlock | undefined): asn1js.BaseBlock[] {
  const value: unknown = (block?.valueBlock as { value?: unknown } | undefined)?.value;
  return Array.isArray(value) ? (value as asn1js.BaseBlock[]) : [];
}

export function octets(block: asn1js.BaseBlock | undefined): Bytes {
  const view = (block?.valueBlock as { valueHexView?: Uint8Array } | undefined)?.valueHexView;
  return new Uint8Array(view ?? []);
}
