import { createHash, webcrypto, X509Certificate } from 'node:crypto';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import type { KeyAndCertificate } from './certificates.ts';

const NONCE = '1.3.6.1.5.5.7.48.1.2';
const BASIC = '1.3.6.1.5.5.7.48.1.1';
const MALFORMED_REQUEST = 1;
const UNAUTHORIZED = 6;
const KEY_COMPROMISE = 1;
const HASHES: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/** An authority that answers are given about, and who signs them in its name. */
export type OcspIssuer = {
  readonly issuerPem: string;
  readonly responder: KeyAndCertificate;
  /** Serial numbers (hex) that were revoked, and when. */
  readonly revoked: readonly { readonly serialNumber: string; readonly at: Date }[];
};

/**
 * The signed answer to an OCSP request (RFC 6960 section 4.2), good or revoked for each certificate of these issuers; the
 * nonce of the request comes back in it. What cannot be read, or is about somebody else's certificates, gets an error answer.
 */
export async function answerOcsp(
  request: Uint8Array,
  issuers: readonly OcspIssuer[],
  dates: { readonly thisUpdate: Date; readonly nextUpdate: Date },
): Promise<Buffer> {
  let asked: pkijs.OCSPRequest;
  try {
    asked = pkijs.OCSPRequest.fromBER(Buffer.from(request));
  } catch {
    return errorAnswer(MALFORMED_REQUEST);
  }
  const ids = asked.tbsRequest.requestList.map(({ reqCert }) => reqCert);
  const issuer = issuers.find(({ issuerPem }) => ids.length > 0 && ids.every((id) => isIssuedBy(id, issuerPem)));
  if (issuer === undefined) return errorAnswer(UNAUTHORIZED);
  const responder = pkijs.Certificate.fromBER(new X509Certificate(issuer.responder.certificatePem).raw);
  const nonce = asked.tbsRequest.requestExtensions?.find(({ extnID }) => extnID === NONCE);
  const basic = new pkijs.BasicOCSPResponse({
    tbsResponseData: new pkijs.ResponseData({
      responderID: responder.subject,
      producedAt: dates.thisUpdate,
      responses: ids.map((certID) => {
        const revoked = issuer.revoked.find(({ serialNumber }) => serialNumber === serialOf(certID));
        return new pkijs.SingleResponse({ certID, certStatus: statusOf(revoked?.at), ...dates });
      }),
      ...(nonce === undefined ? {} : { responseExtensions: [nonce] }),
    }),
    certs: [responder],
  });
  const pkcs8 = Buffer.from(issuer.responder.keyPem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const key = await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
  await basic.sign(key as Parameters<typeof basic.sign>[0], 'SHA-256');
  const response = new asn1js.OctetString({ valueHex: basic.toSchema().toBER() });
  return Buffer.from(
    new pkijs.OCSPResponse({
      responseStatus: new asn1js.Enumerated({ value: 0 }),
      responseBytes: new pkijs.ResponseBytes({ responseType: BASIC, response }),
    })
      .toSchema()
      .toBER(),
  );
}

function errorAnswer(status: number): Buffer {
  const responseStatus = new asn1js.Enumerated({ value: status });
  return Buffer.from(new pkijs.OCSPResponse({ responseStatus }).toSchema().toBER());
}

function isIssuedBy(id: pkijs.CertID, issuerPem: string): boolean {
  const hash = HASHES[id.hashAlgorithm.algorithmId];
  if (hash === undefined) return false;
  const issuer = pkijs.Certificate.fromBER(new X509Certificate(issuerPem).raw);
  const digest = (bytes: ArrayBuffer | Uint8Array) =>
    createHash(hash)
      .update(Buffer.from(bytes as Uint8Array))
      .digest();
  return (
    digest(issuer.subject.toSchema().toBER()).equals(id.issuerNameHash.valueBlock.valueHexView) &&
    digest(issuer.subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView).equals(
      id.issuerKeyHash.valueBlock.valueHexView,
    )
  );
}

function serialOf(id: pkijs.CertID): string {
  return Buffer.from(id.serialNumber.valueBlock.valueHexView).toString('hex');
}

/** CertStatus: [0] good, [1] revoked with time and reason. */
function statusOf(revokedAt: Date | undefined): asn1js.BaseBlock {
  const tag = (tagNumber: number) => ({ idBlock: { tagClass: 3, tagNumber } });
  if (revokedAt === undefined) return new asn1js.Primitive({ ...tag(0), lenBlock: { length: 1 } });
  return new asn1js.Constructed({
    ...tag(1),
    value: [
      new asn1js.GeneralizedTime({ valueDate: revokedAt }),
      new asn1js.Constructed({ ...tag(0), value: [new asn1js.Enumerated({ value: KEY_COMPROMISE })] }),
    ],
  });
}
