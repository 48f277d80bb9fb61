import type * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { oneLine, type ReadCertificate } from './read-certificate.ts';
import { datesForbid, isSignedBy, type RevocationAnswer, revocationReason, sameSerial } from './signed-data.ts';

const ISSUING_DISTRIBUTION_POINT = '2.5.29.28';
const REASON_CODE = '2.5.29.21';
const REMOVE_FROM_CRL = 8;

/** Where a certificate says that its status can be learned. Addresses of every kind, as they stand. */
export type Pointers = { readonly crls: readonly string[]; readonly responders: readonly string[] };

/** Reads cRLDistributionPoints and authorityInfoAccess (RFC 5280 sections 4.2.1.13 and 4.2.2.1). Never throws. */
export function statusPointers(certificate: ReadCertificate): Pointers {
  const extensions = pkijs.Certificate.fromBER(Buffer.from(certificate.der)).extensions ?? [];
  const value = (id: string): unknown => extensions.find((one) => one.extnID === id)?.parsedValue;
  const points = (value('2.5.29.31') as Partial<pkijs.CRLDistributionPoints> | undefined)?.distributionPoints ?? [];
  const access = (value('1.3.6.1.5.5.7.1.1') as Partial<pkijs.InfoAccess> | undefined)?.accessDescriptions ?? [];
  return {
    crls: points.flatMap((point) => urisOf(point.distributionPoint)),
    responders: access
      .filter((one) => one.accessMethod === '1.3.6.1.5.5.7.48.1')
      .flatMap((one) => urisOf([one.accessLocation])),
  };
}

function urisOf(names: unknown): string[] {
  if (!Array.isArray(names)) return [];
  return (names as pkijs.GeneralName[]).filter((name) => name.type === 6).map((name) => String(name.value));
}

/** The DER of a CRL in a PEM or DER file. */
export function crlBytes(file: Buffer): Buffer {
  const block = /-----BEGIN (?:X509 )?CRL-----([A-Za-z0-9+/=\s]+)-----END/.exec(file.toString('latin1'))?.[1];
  return block === undefined ? file : Buffer.from(block, 'base64');
}

/** Whether a CRL names this authority as its issuer; says nothing about its signature. Never throws. */
export function namesIssuer(der: Uint8Array, issuer: ReadCertificate): boolean {
  try {
    return pkijs.CertificateRevocationList.fromBER(Buffer.from(der)).issuer.isEqual(
      pkijs.Certificate.fromBER(Buffer.from(issuer.der)).subject,
    );
  } catch {
    return false;
  }
}

/**
 * What a CRL says of a certificate (RFC 5280 section 6.3): signed by the issuer, which may sign CRLs; in date; complete
 * and covering this certificate. Delta and indirect lists, and those of some reasons only, are not used. Never throws.
 * @param der the list; @param issuer the certificate above in the chain
 */
export function checkCrl(
  der: Uint8Array,
  certificate: ReadCertificate,
  issuer: ReadCertificate,
  now: Date,
): RevocationAnswer {
  try {
    return check(pkijs.CertificateRevocationList.fromBER(Buffer.from(der)), certificate, issuer, now);
  } catch (error) {
    return { usable: false, reason: `It cannot be read as a CRL: ${(error as Error).message}.` };
  }
}

function check(
  list: pkijs.CertificateRevocationList,
  certificate: ReadCertificate,
  issuer: ReadCertificate,
  now: Date,
): RevocationAnswer {
  const above = pkijs.Certificate.fromBER(Buffer.from(issuer.der));
  const name = oneLine(issuer.node.subject);
  if (!list.issuer.isEqual(above.subject)) return { usable: false, reason: `It is not issued by ${name}.` };
  if (issuer.keyUsage !== undefined && !issuer.keyUsage.includes('cRLSign'))
    return { usable: false, reason: `${name} may not sign CRLs.` };
  if (
    !isSignedBy(
      issuer.node.publicKey,
      list.signatureAlgorithm,
      list.tbsView,
      list.signatureValue.valueBlock.valueHexView,
    )
  )
    return { usable: false, reason: `It is not signed by ${name}, or with a weak algorithm.` };
  const thisUpdate = list.thisUpdate.value;
  const nextUpdate = list.nextUpdate?.value;
  const dates = { thisUpdate, ...(nextUpdate === undefined ? {} : { nextUpdate }) };
  if (nextUpdate === undefined) return { usable: false, reason: 'It does not say how long it is good.', ...dates };
  const forbidden = datesForbid(thisUpdate, nextUpdate, now) ?? scopeForbids(list, certificate);
  if (forbidden !== undefined) return { usable: false, reason: forbidden, ...dates };
  const entry = (list.revokedCertificates ?? []).find((one) =>
    sameSerial(certificate.node.serialNumber, one.userCertificate.valueBlock.valueHexView),
  );
  if (entry === undefined)
    return { usable: true, status: 'good', reason: 'It does not list the certificate.', ...dates };
  const extensions = entry.crlEntryExtensions?.extensions ?? [];
  const code = extensions.find((one) => one.extnID === REASON_CODE)?.parsedValue as asn1js.Enumerated | undefined;
  if (
    code?.valueBlock.valueDec === REMOVE_FROM_CRL ||
    extensions.some((one) => one.critical && one.extnID !== REASON_CODE)
  )
    return { usable: false, reason: 'It lists the certificate in a way that Lockstep does not know.', ...dates };
  const at = entry.revocationDate.value.toISOString();
  return {
    usable: true,
    status: 'revoked',
    reason: `Revoked at ${at}: ${revocationReason(code?.valueBlock.valueDec)}.`,
    ...dates,
  };
}

function scopeForbids(list: pkijs.CertificateRevocationList, certificate: ReadCertificate): string | undefined {
  const extensions = list.crlExtensions?.extensions ?? [];
  const unknown = extensions.find((one) => one.critical && one.extnID !== ISSUING_DISTRIBUTION_POINT);
  if (unknown !== undefined)
    return unknown.extnID === '2.5.29.27'
      ? 'It is a delta list, which says nothing by itself.'
      : `It carries the critical extension ${unknown.extnID}, which Lockstep does not know.`;
  const found = extensions.find((one) => one.extnID === ISSUING_DISTRIBUTION_POINT);
  if (found === undefined) return undefined;
  const scope = found.parsedValue as Partial<pkijs.IssuingDistributionPoint> | undefined;
  if (scope?.onlyContainsUserCerts === undefined) return 'Its scope cannot be read.';
  if (scope.indirectCRL === true || scope.onlySomeReasons !== undefined || scope.onlyContainsAttributeCerts === true)
    return 'It is an indirect list, or one of some reasons only.';
  const authority = certificate.ca?.isCa === true;
  if (authority ? scope.onlyContainsUserCerts : scope.onlyContainsCACerts)
    return `It does not cover ${authority ? 'authorities' : 'certificates of servers'}.`;
  if (scope.distributionPoint === undefined) return undefined;
  const names = urisOf(scope.distributionPoint);
  return names.some((name) => statusPointers(certificate).crls.includes(name))
    ? undefined
    : 'It is a part of a list, and not the part that the certificate names.';
}
