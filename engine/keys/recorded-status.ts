import * as asn1js from 'asn1js';
import { CertificateRevocationList, OCSPResponse } from 'pkijs';
import { fail, ok, type Result } from '../../core/result.ts';
import { readSmallFile } from '../evidence/container-reader.ts';
import { crlBytes } from './crl.ts';

/** Largest CRL or OCSP answer that is taken into a signature, in bytes. */
const MAX_RECORD = 8 * 1024 ** 2;

/** An OCSP answer begins with its status, a CRL with what is signed (RFC 6960 4.2.1, RFC 5280 5.1). Never throws. */
export function isOcspAnswer(der: Uint8Array<ArrayBuffer>): boolean {
  const { result } = asn1js.fromBER(der);
  return result instanceof asn1js.Sequence && result.valueBlock.value[0] instanceof asn1js.Enumerated;
}

/** The DER of every CRL in a PEM text. Throws when one is damaged. */
export function listsIn(pem: string): Uint8Array<ArrayBuffer>[] {
  const blocks = pem.match(/-----BEGIN (?:X509 )?CRL-----[\s\S]+?-----END (?:X509 )?CRL-----/g) ?? [];
  return blocks.map((block) => {
    const der = new Uint8Array(crlBytes(Buffer.from(block)));
    CertificateRevocationList.fromBER(der);
    return der;
  });
}

/**
 * Reads CRLs (PEM or DER) and OCSP answers (DER) for a signature to carry. Whether they are true is for verifiers to judge.
 * Errors: `input.not-found`, `input.too-large`, `input.malformed`.
 */
export async function readRecords(files: readonly string[]): Promise<Result<Uint8Array<ArrayBuffer>[]>> {
  const records: Uint8Array<ArrayBuffer>[] = [];
  for (const file of files) {
    const bytes = await readSmallFile(file, MAX_RECORD);
    if (!bytes.ok) return bytes;
    const der = new Uint8Array(crlBytes(Buffer.from(bytes.value)));
    try {
      if (isOcspAnswer(der)) OCSPResponse.fromBER(der);
      else CertificateRevocationList.fromBER(der);
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      return fail('input.malformed', 'This is neither a CRL nor an OCSP answer.', { place: file, cause });
    }
    records.push(der);
  }
  return ok(records);
}
