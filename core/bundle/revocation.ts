import * as asn1js from 'asn1js';
import {
  BasicOCSPResponse,
  CertificateRevocationList,
  type Certificate,
  type CryptoEngine,
  ExtKeyUsage,
  OCSPResponse,
  type OtherRevocationInfoFormat,
} from 'pkijs';
import { toHex } from './host.ts';
import { commonName, hasUsage, validityFaults } from './trust.ts';

/** CRLs and OCSP answers as a signature carries them (RFC 5652 10.2.1, RFC 5940). */
export type RecordedStatus = CertificateRevocationList | OtherRevocationInfoFormat;

/** What is recorded of one certificate. `at`: since when it is revoked. */
export type Status =
  | { readonly status: 'good'; readonly by: string }
  | { readonly status: 'revoked'; readonly at: Date; readonly by: string }
  | { readonly status: 'none'; readonly reasons: readonly string[] };

const OCSP_IN_CMS = '1.3.6.1.5.5.7.16.2';
const BASIC = '1.3.6.1.5.5.7.48.1.1';
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
const ISSUING_DISTRIBUTION_POINT = '2.5.29.28';
const CRL_SIGN = 6;
/** How far clocks may differ, and how long an answer is believed that names no end, in milliseconds. */
const SLACK = 300_000;
const FRESH = 24 * 3_600_000;
const HASHES: Readonly<Record<string, string>> = {
  '1.3.14.3.2.26': 'SHA-1',
  '2.16.840.1.101.3.4.2.1': 'SHA-256',
  '2.16.840.1.101.3.4.2.2': 'SHA-384',
  '2.16.840.1.101.3.4.2.3': 'SHA-512',
};

/**
 * What recorded CRLs (RFC 5280 6.3) and OCSP answers (RFC 6960 3.2) say of a certificate at a time: of the right issuer,
 * signed by it (or by a responder that it certified for that), not run out by then. Revoked wins over good. Never throws.
 */
export async function recordedStatus(
  recorded: readonly RecordedStatus[],
  certificate: Certificate,
  issuer: Certificate,
  when: Date,
  engine: CryptoEngine,
): Promise<Status> {
  const reasons: string[] = [];
  let good: Status | undefined;
  for (const each of recorded) {
    let found: Status;
    try {
      found =
        each instanceof CertificateRevocationList
          ? await ofList(each, certificate, issuer, when, engine)
          : await ofAnswer(each, certificate, issuer, when, engine);
    } catch (error) {
      found = none(`A record cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
    }
    if (found.status === 'revoked') return found;
    if (found.status === 'good') good ??= found;
    else reasons.push(...found.reasons);
  }
  return good ?? { status: 'none', reasons };
}

async function ofList(
  list: CertificateRevocationList,
  certificate: Certificate,
  issuer: Certificate,
  when: Date,
  engine: CryptoEngine,
): Promise<Status> {
  // A list of another issuer is about other certificates, and no fault.
  if (!list.issuer.isEqual(issuer.subject)) return none();
  const by = `a CRL of ${commonName(issuer)}, ${list.thisUpdate.value.toISOString()}`;
  if (!hasUsage(issuer, CRL_SIGN)) return none(`${commonName(issuer)} may not sign CRLs.`);
  if (!(await list.verify({ issuerCertificate: issuer }, engine)))
    return none(`The signature of ${by}, does not hold.`);
  const extensions = list.crlExtensions?.extensions ?? [];
  if (extensions.some(({ extnID, critical }) => critical || extnID === ISSUING_DISTRIBUTION_POINT))
    return none(`It is not known for certain what ${by}, covers.`);
  const entry = list.revokedCertificates?.find(({ userCertificate }) =>
    userCertificate.isEqual(certificate.serialNumber),
  );
  // That it was revoked stays true, whenever the list was made.
  if (entry !== undefined) return { status: 'revoked', at: entry.revocationDate.value, by };
  return inTime(by, list.thisUpdate.value, list.nextUpdate?.value, when);
}

async function ofAnswer(
  info: OtherRevocationInfoFormat,
  certificate: Certificate,
  issuer: Certificate,
  when: Date,
  engine: CryptoEngine,
): Promise<Status> {
  if (info.otherRevInfoFormat !== OCSP_IN_CMS) return none('A record is of a kind that is not known here.');
  const { responseStatus, responseBytes } = new OCSPResponse({ schema: info.otherRevInfo as asn1js.Sequence });
  if (responseStatus.valueBlock.valueDec !== 0 || responseBytes?.responseType !== BASIC)
    return none('A responder gave no answer.');
  const basic = BasicOCSPResponse.fromBER(responseBytes.response.valueBlock.valueHexView.slice());
  for (const single of basic.tbsResponseData.responses) {
    const { certID } = single;
    const hash = HASHES[certID.hashAlgorithm.algorithmId];
    const key = issuer.subjectPublicKeyInfo.subjectPublicKey.valueBlock.valueHexView.slice();
    if (
      hash === undefined ||
      !certID.serialNumber.isEqual(certificate.serialNumber) ||
      !(await isDigest(certID.issuerNameHash, hash, new Uint8Array(issuer.subject.toSchema().toBER()), engine)) ||
      !(await isDigest(certID.issuerKeyHash, hash, key, engine))
    )
      continue;
    const by = `an OCSP answer, ${single.thisUpdate.toISOString()}`;
    const fault = await responderFault(basic, issuer, when, engine);
    if (fault !== undefined) return none(`${fault} (${by})`);
    const status = single.certStatus as { idBlock: { tagNumber: number }; valueBlock: { value?: unknown[] } };
    if (status.idBlock.tagNumber === 1) {
      const [at] = status.valueBlock.value ?? [];
      return { status: 'revoked', at: at instanceof asn1js.GeneralizedTime ? at.toDate() : single.thisUpdate, by };
    }
    if (status.idBlock.tagNumber !== 0) return none('The responder does not know the certificate.');
    return inTime(by, single.thisUpdate, single.nextUpdate, when);
  }
  return none();
}

/** Signed by the issuer itself, or by whom the issuer certified for that alone. */
async function responderFault(
  basic: BasicOCSPResponse,
  issuer: Certificate,
  when: Date,
  engine: CryptoEngine,
): Promise<string | undefined> {
  const signedBy = (key: Certificate) =>
    engine.verifyWithPublicKey(
      basic.tbsResponseData.tbsView.slice(),
      basic.signature,
      key.subjectPublicKeyInfo,
      basic.signatureAlgorithm,
    );
  if (await signedBy(issuer).catch(() => false)) return undefined;
  for (const delegate of basic.certs ?? []) {
    if (!(await signedBy(delegate).catch(() => false))) continue;
    const usages = delegate.extensions?.find(({ extnID }) => extnID === '2.5.29.37')?.parsedValue as unknown;
    const certified =
      delegate.issuer.isEqual(issuer.subject) && (await delegate.verify(issuer, engine).catch(() => false));
    if (!certified) return 'The responder is not certified by the issuer.';
    if (!(usages instanceof ExtKeyUsage) || !usages.keyPurposes.includes(OCSP_SIGNING))
      return 'The certificate of the responder is not for OCSP.';
    return validityFaults(delegate, when)[0];
  }
  return 'The answer is not signed by the issuer, nor by a responder that it names.';
}

/** A word that ran out before says nothing of the time in question; one that came later says all the more. */
function inTime(by: string, from: Date, until: Date | undefined, when: Date): Status {
  const end = until?.getTime() ?? from.getTime() + FRESH;
  if (when.getTime() > end + SLACK) return none(`${by}, ran out on ${new Date(end).toISOString()}.`);
  return { status: 'good', by };
}

function none(...reasons: string[]): Status {
  return { status: 'none', reasons };
}

async function isDigest(
  stated: asn1js.OctetString,
  algorithm: string,
  bytes: Uint8Array<ArrayBuffer>,
  engine: CryptoEngine,
): Promise<boolean> {
  const digest = new Uint8Array(await engine.digest(algorithm, bytes));
  return toHex(digest) === toHex(stated.valueBlock.valueHexView);
}
