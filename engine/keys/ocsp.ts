import { createHash } from 'node:crypto';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { oneLine, type ReadCertificate, readCertificate } from './read-certificate.ts';
import { datesForbid, isSignedBy, type RevocationAnswer, revocationReason, sameSerial } from './signed-data.ts';
import { keyFacts, signatureFacts } from './strength.ts';

const SHA1 = '1.3.14.3.2.26';
const BASIC = '1.3.6.1.5.5.7.48.1.1';
/** An answer that names no end is believed only while it is fresh. */
const FRESH_MS = 24 * 3600_000;

/** The DER of an OCSP request for one certificate (RFC 6960 section 4.1), without a nonce, as a TLS peer would ask. */
export function ocspRequest(certificate: ReadCertificate, issuer: ReadCertificate): Buffer {
  const { nameHash, keyHash } = issuerHashes(issuer, 'sha1');
  const reqCert = new pkijs.CertID({
    hashAlgorithm: new pkijs.AlgorithmIdentifier({ algorithmId: SHA1, algorithmParams: new asn1js.Null() }),
    issuerNameHash: new asn1js.OctetString({ valueHex: nameHash }),
    issuerKeyHash: new asn1js.OctetString({ valueHex: keyHash }),
    serialNumber: pkijs.Certificate.fromBER(Buffer.from(certificate.der)).serialNumber,
  });
  const tbsRequest = new pkijs.TBSRequest({ requestList: [new pkijs.Request({ reqCert })] });
  return Buffer.from(new pkijs.OCSPRequest({ tbsRequest }).toSchema(true).toBER());
}

function issuerHashes(issuer: ReadCertificate, hash: string): { nameHash: Buffer; keyHash: Buffer } {
  const above = pkijs.Certificate.fromBER(Buffer.from(issuer.der));
  const key = above.subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView;
  return {
    nameHash: createHash(hash).update(Buffer.from(above.subject.toSchema().toBER())).digest(),
    keyHash: createHash(hash).update(key).digest(),
  };
}

/**
 * What an OCSP answer says of a certificate (RFC 6960 section 3.2): signed by the issuer, or by a responder in date whose
 * certificate the issuer itself signed for that purpose; about this certificate; in date. Never throws.
 * @param der the answer as it came over HTTP or stapled; @param issuer the certificate above in the chain
 */
export function checkOcsp(
  der: Uint8Array,
  certificate: ReadCertificate,
  issuer: ReadCertificate,
  now: Date,
): RevocationAnswer {
  try {
    const answer = pkijs.OCSPResponse.fromBER(Buffer.from(der));
    const status = answer.responseStatus.valueBlock.valueDec;
    if (status !== 0) return { usable: false, reason: `The responder answered "${ERRORS[status] ?? status}".` };
    if (answer.responseBytes?.responseType !== BASIC)
      return { usable: false, reason: 'The answer is of a kind that Lockstep does not know.' };
    const basic = pkijs.BasicOCSPResponse.fromBER(Buffer.from(answer.responseBytes.response.valueBlock.valueHexView));
    return check(basic, certificate, issuer, now);
  } catch (error) {
    return { usable: false, reason: `It cannot be read as an OCSP answer: ${(error as Error).message}.` };
  }
}

const ERRORS: Readonly<Record<number, string>> = {
  1: 'malformed request',
  2: 'internal error',
  3: 'try later',
  5: 'signature required',
  6: 'unauthorized',
};

function check(
  basic: pkijs.BasicOCSPResponse,
  certificate: ReadCertificate,
  issuer: ReadCertificate,
  now: Date,
): RevocationAnswer {
  const signer = signerFault(basic, issuer, now);
  if (signer !== undefined) return { usable: false, reason: signer };
  const single = basic.tbsResponseData.responses.find(({ certID }) => isAbout(certID, certificate, issuer));
  if (single === undefined) return { usable: false, reason: 'The answer is about another certificate.' };
  const dates = {
    thisUpdate: single.thisUpdate,
    ...(single.nextUpdate === undefined ? {} : { nextUpdate: single.nextUpdate }),
  };
  const forbidden = datesForbid(single.thisUpdate, single.nextUpdate, now);
  if (forbidden !== undefined) return { usable: false, reason: forbidden, ...dates };
  if (single.nextUpdate === undefined && now.getTime() - single.thisUpdate.getTime() > FRESH_MS)
    return { usable: false, reason: 'The answer is old, and does not say how long it is good.', ...dates };
  const critical = single.singleExtensions?.find((one) => one.critical);
  if (critical !== undefined)
    return {
      usable: false,
      reason: `It carries the critical extension ${critical.extnID}, which Lockstep does not know.`,
    };
  const status = single.certStatus as { idBlock: { tagNumber: number }; valueBlock: { value?: unknown[] } };
  switch (status.idBlock.tagNumber) {
    case 0:
      return { usable: true, status: 'good', reason: 'The responder says that it is good.', ...dates };
    case 1:
      return { usable: true, status: 'revoked', reason: revokedSentence(status.valueBlock.value ?? []), ...dates };
    default:
      return { usable: true, status: 'unknown', reason: 'The responder does not know the certificate.', ...dates };
  }
}

function revokedSentence([time, reason]: unknown[]): string {
  const at = time instanceof asn1js.GeneralizedTime ? ` at ${time.toDate().toISOString()}` : '';
  const [code] = (reason as { valueBlock?: { value?: unknown[] } } | undefined)?.valueBlock?.value ?? [];
  const number = code instanceof asn1js.Enumerated ? code.valueBlock.valueDec : undefined;
  return `Revoked${at}: ${revocationReason(number)}.`;
}

function signerFault(basic: pkijs.BasicOCSPResponse, issuer: ReadCertificate, now: Date): string | undefined {
  const signed = (by: ReadCertificate): boolean =>
    isSignedBy(
      by.node.publicKey,
      basic.signatureAlgorithm,
      basic.tbsResponseData.tbsView,
      basic.signature.valueBlock.valueHexView,
    );
  if (signed(issuer)) return undefined;
  const delegates = (basic.certs ?? []).flatMap((one) => {
    const read = readCertificate(Buffer.from(one.toSchema(false).toBER()));
    return read.ok ? [read.value] : [];
  });
  const delegate = delegates.find(signed);
  if (delegate === undefined) return 'The answer is not signed by the issuer or by a responder that it names.';
  const name = oneLine(delegate.node.subject);
  if (delegate.node.issuer !== issuer.node.subject || !delegate.node.verify(issuer.node.publicKey))
    return `The answer is signed by ${name}, whose certificate is not from the issuer.`;
  if (delegate.extendedKeyUsage?.includes('OCSPSigning') !== true)
    return `The answer is signed by ${name}, whose certificate is not for OCSP.`;
  if (now < delegate.notBefore || now > delegate.notAfter)
    return `The answer is signed by ${name}, whose certificate is not in date.`;
  if (!keyFacts(delegate).strong || !signatureFacts(delegate).strong || delegate.unknownCritical.length > 0)
    return `The answer is signed by ${name}, whose certificate is weak or not understood.`;
  return undefined;
}

const CERT_ID_HASHES: Readonly<Record<string, string>> = {
  [SHA1]: 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

function isAbout(id: pkijs.CertID, certificate: ReadCertificate, issuer: ReadCertificate): boolean {
  const hash = CERT_ID_HASHES[id.hashAlgorithm.algorithmId];
  if (hash === undefined) return false;
  const { nameHash, keyHash } = issuerHashes(issuer, hash);
  return (
    nameHash.equals(id.issuerNameHash.valueBlock.valueHexView) &&
    keyHash.equals(id.issuerKeyHash.valueBlock.valueHexView) &&
    sameSerial(certificate.node.serialNumber, id.serialNumber.valueBlock.valueHexView)
  );
}
