import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import * as asn1js from 'asn1js';
import { fail, ok, type Result } from '../../core/result.ts';
import {
  certificatePem,
  distinguishedName,
  exportPrivateKey,
  generateKeyPair,
  type KeyKind,
  type KeyPair,
  newSerialNumber,
  type PrivateKey,
  signingAlgorithm,
  subjectAltNames,
  type Usage,
  usageExtensions,
} from './certificate-maker.ts';

/** Each role has a root of its own, so that none can sign for another. */
export type PracticeRole = 'engineer' | 'hospital' | 'publisher';

export type IssueOptions = {
  /** Whose root issues; default: hospital. */
  readonly role?: PracticeRole;
  readonly commonName: string;
  /** Host names, IP addresses, `user@host` or URIs. */
  readonly sans?: readonly string[];
  readonly usage: Usage;
  /** Default: an hour before the authority's `now`. */
  readonly notBefore?: Date;
  /** Default: 180 days after the authority's `now`. */
  readonly notAfter?: Date;
  /** Default: P-256. */
  readonly curve?: KeyKind;
  /** Issue below an intermediate authority instead of the root itself. */
  readonly intermediate?: boolean;
  /** No authority: the certificate signs itself, as devices ship. */
  readonly selfSigned?: boolean;
  /** Addresses at which the status of the certificate can be asked. */
  readonly status?: { readonly crl?: string; readonly ocsp?: string };
};

export type PracticeCertificate = {
  readonly certificatePem: string;
  /** Unencrypted PKCS#8; keep it in memory. */
  readonly keyPem: string;
  /** Leaf first, then intermediates; without the root. */
  readonly chainPem: string;
  /** The root above, or the certificate itself when self-signed. */
  readonly rootPem: string;
  readonly serialNumber: string;
};

export type PracticeCa = {
  /** PEM per role. */
  readonly roots: Readonly<Record<PracticeRole, string>>;
  readonly issue: (options: IssueOptions) => Promise<PracticeCertificate>;
  /** Certifies the key of a PKCS#10 request (RFC 2986) under the name given here, not the one asked for. */
  readonly issueForRequest: (
    csrPem: string,
    options: Omit<IssueOptions, 'curve' | 'selfSigned'>,
  ) => Promise<Result<Omit<PracticeCertificate, 'keyPem'>>>;
  /** CRL (RFC 5280) in PEM with the tag that OpenSSL knows. `serials` in hex, as `issue` returned them. */
  readonly crl: (options: {
    role?: PracticeRole;
    intermediate?: boolean;
    revoked: readonly { serialNumber: string; at: Date }[];
    thisUpdate?: Date;
    nextUpdate?: Date;
  }) => Promise<string>;
};

const MARK = 'PRACTICE - not a real authority';
const DAY = 86_400_000;
const ROLE_NAMES: Record<PracticeRole, string> = { engineer: 'Engineer', hospital: 'Hospital', publisher: 'Publisher' };

type Authority = {
  readonly certificate: x509.X509Certificate;
  readonly keys: KeyPair;
  readonly parents: readonly x509.X509Certificate[];
};

/**
 * A certification authority for the practice hospital and for tests, held in memory only. Every subject is marked
 * PRACTICE. `now` is the only clock: roots are valid from ten years before it, so that expired leaves fail alone.
 */
export async function createPracticeCa(options: {
  now: Date;
  curve?: KeyKind;
  /** Addresses at which the status of its intermediate authorities can be asked. */
  status?: IssueOptions['status'];
}): Promise<PracticeCa> {
  const { now } = options;
  const kind = options.curve ?? 'P-256';
  const authorities: Record<PracticeRole, { root: Authority; intermediate?: Promise<Authority> }> = {
    engineer: { root: await makeRoot('engineer', now, kind) },
    hospital: { root: await makeRoot('hospital', now, kind) },
    publisher: { root: await makeRoot('publisher', now, kind) },
  };
  const authority = (role: PracticeRole, intermediate: boolean): Promise<Authority> => {
    const entry = authorities[role];
    if (!intermediate) return Promise.resolve(entry.root);
    entry.intermediate ??= makeIntermediate(role, entry.root, now, kind, options.status);
    return entry.intermediate;
  };

  const certify = async (publicKey: x509.PublicKey, issue: IssueOptions, rsa: boolean) => {
    const role = issue.role ?? 'hospital';
    const issuer = await authority(role, issue.intermediate ?? false);
    const leaf = await makeLeaf(publicKey, issue, rsa, now, {
      certificate: issuer.certificate,
      key: issuer.keys.privateKey,
    });
    const chain = [leaf, ...[issuer.certificate, ...issuer.parents].slice(0, -1)];
    return {
      certificatePem: certificatePem(leaf),
      chainPem: chain.map(certificatePem).join(''),
      rootPem: certificatePem(authorities[role].root.certificate),
      serialNumber: leaf.serialNumber,
    };
  };

  return {
    roots: {
      engineer: certificatePem(authorities.engineer.root.certificate),
      hospital: certificatePem(authorities.hospital.root.certificate),
      publisher: certificatePem(authorities.publisher.root.certificate),
    },
    issue: async (issue) => {
      const keys = await generateKeyPair(issue.curve ?? 'P-256');
      const keyPem = await exportPrivateKey(keys.privateKey);
      const publicKey = await x509.PublicKey.create(keys.publicKey);
      const rsa = keys.publicKey.algorithm.name.startsWith('RSA');
      if (issue.selfSigned !== true) return { ...(await certify(publicKey, issue, rsa)), keyPem };
      const leaf = certificatePem(await makeLeaf(publicKey, issue, rsa, now, { key: keys.privateKey }));
      const { serialNumber } = new x509.X509Certificate(leaf);
      return { certificatePem: leaf, chainPem: leaf, rootPem: leaf, serialNumber, keyPem };
    },
    issueForRequest: async (csrPem, issue) => {
      try {
        const request = new x509.Pkcs10CertificateRequest(csrPem);
        if (!(await request.verify()))
          return fail('identity.invalid', 'The certificate request is not signed by its own key.');
        return ok(await certify(request.publicKey, issue, request.publicKey.algorithm.name.startsWith('RSA')));
      } catch (error) {
        return fail('identity.invalid', 'The certificate request cannot be read.', { cause: String(error) });
      }
    },
    crl: async (list) => {
      const issuer = await authority(list.role ?? 'hospital', list.intermediate ?? false);
      const thisUpdate = list.thisUpdate ?? now;
      const crl = await x509.X509CrlGenerator.create({
        issuer: issuer.certificate.subjectName,
        thisUpdate,
        nextUpdate: list.nextUpdate ?? new Date(now.getTime() + 7 * DAY),
        signingAlgorithm: signingAlgorithm(issuer.keys.privateKey),
        signingKey: issuer.keys.privateKey,
        extensions: [
          await x509.AuthorityKeyIdentifierExtension.create(issuer.certificate.publicKey),
          crlNumber(thisUpdate),
        ],
        entries: list.revoked.map((entry) => ({
          serialNumber: entry.serialNumber,
          revocationDate: entry.at,
          reason: x509.X509CrlReason.keyCompromise,
        })),
      });
      return `${x509.PemConverter.encode(crl.rawData, 'X509 CRL').trimEnd()}\n`;
    },
  };
}

/** A later list has a higher number (RFC 5280 section 5.2.3). */
function crlNumber(thisUpdate: Date): x509.Extension {
  const number = new asn1js.Integer({ value: Math.floor(thisUpdate.getTime() / 1000) });
  return new x509.Extension('2.5.29.20', false, number.toBER());
}

async function makeRoot(role: PracticeRole, now: Date, kind: KeyKind): Promise<Authority> {
  const keys = await generateKeyPair(kind);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerialNumber(),
    name: distinguishedName({ commonName: `PRACTICE ${ROLE_NAMES[role]} Root CA`, organization: MARK }),
    notBefore: new Date(now.getTime() - 3650 * DAY),
    notAfter: new Date(now.getTime() + 3650 * DAY),
    keys,
    signingAlgorithm: signingAlgorithm(keys.privateKey),
    extensions: await authorityExtensions(keys.publicKey, undefined),
  });
  return { certificate, keys, parents: [] };
}

async function makeIntermediate(
  role: PracticeRole,
  root: Authority,
  now: Date,
  kind: KeyKind,
  status: IssueOptions['status'],
): Promise<Authority> {
  const keys = await generateKeyPair(kind);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerialNumber(),
    subject: distinguishedName({ commonName: `PRACTICE ${ROLE_NAMES[role]} Issuing CA`, organization: MARK }),
    issuer: root.certificate.subjectName,
    notBefore: new Date(now.getTime() - 3650 * DAY),
    notAfter: new Date(now.getTime() + 1825 * DAY),
    publicKey: keys.publicKey,
    signingKey: root.keys.privateKey,
    signingAlgorithm: signingAlgorithm(root.keys.privateKey),
    extensions: [
      ...(await authorityExtensions(keys.publicKey, 0)),
      await x509.AuthorityKeyIdentifierExtension.create(root.certificate.publicKey),
      ...statusExtensions(status),
    ],
  });
  return { certificate, keys, parents: [root.certificate] };
}

async function authorityExtensions(publicKey: PrivateKey, pathLength: number | undefined): Promise<x509.Extension[]> {
  return [
    new x509.BasicConstraintsExtension(true, pathLength, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    await x509.SubjectKeyIdentifierExtension.create(publicKey),
  ];
}

async function makeLeaf(
  publicKey: x509.PublicKey,
  issue: IssueOptions,
  rsa: boolean,
  now: Date,
  issuer: { certificate?: x509.X509Certificate; key: PrivateKey },
): Promise<x509.X509Certificate> {
  const subject = distinguishedName({ commonName: issue.commonName, organization: MARK });
  return x509.X509CertificateGenerator.create({
    serialNumber: newSerialNumber(),
    subject,
    issuer: issuer.certificate?.subjectName ?? subject,
    notBefore: issue.notBefore ?? new Date(now.getTime() - DAY / 24),
    notAfter: issue.notAfter ?? new Date(now.getTime() + 180 * DAY),
    publicKey,
    signingKey: issuer.key,
    signingAlgorithm: signingAlgorithm(issuer.key),
    extensions: [
      ...usageExtensions(issue.usage, rsa),
      ...(issue.sans === undefined || issue.sans.length === 0 ? [] : [subjectAltNames(issue.sans)]),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.certificate?.publicKey ?? publicKey),
      ...statusExtensions(issue.status),
    ],
  });
}

function statusExtensions(status: IssueOptions['status']): x509.Extension[] {
  return [
    ...(status?.crl === undefined ? [] : [new x509.CRLDistributionPointsExtension([status.crl])]),
    ...(status?.ocsp === undefined ? [] : [new x509.AuthorityInfoAccessExtension({ ocsp: status.ocsp })]),
  ];
}
