import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import {
  certificatePem,
  generateKeyPair,
  type KeyKind,
  type KeyPair,
  newSerialNumber,
  signingAlgorithm,
  subjectAltNames,
} from '../../engine/keys/certificate-maker.ts';

export type Made = { readonly pem: string; readonly certificate: x509.X509Certificate; readonly keys: KeyPair };
export type MakeOptions = {
  readonly name: string;
  readonly issuer?: Made;
  /** Signs in the place of the issuer's key: a forged signature. */
  readonly signer?: KeyPair;
  readonly ca?: boolean | { readonly pathLength: number };
  readonly keyUsage?: x509.KeyUsageFlags;
  readonly extendedKeyUsage?: readonly string[];
  readonly sans?: readonly string[];
  readonly extensions?: readonly x509.Extension[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly key?: KeyKind;
  readonly keys?: KeyPair;
  readonly hash?: string;
};

const DAY = 86_400_000;

/** Makes one certificate, right or wrong in any way that the options ask for. */
export async function makeCertificate(options: MakeOptions): Promise<Made> {
  const keys = options.keys ?? (await generateKeyPair(options.key ?? 'P-256'));
  const signing = options.signer ?? options.issuer?.keys ?? keys;
  const isCa = options.ca !== undefined && options.ca !== false;
  const usage = options.keyUsage ?? (isCa ? x509.KeyUsageFlags.keyCertSign : x509.KeyUsageFlags.digitalSignature);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerialNumber(),
    subject: `CN=${options.name}`,
    issuer: options.issuer?.certificate.subject ?? `CN=${options.name}`,
    notBefore: options.notBefore ?? new Date(Date.now() - DAY),
    notAfter: options.notAfter ?? new Date(Date.now() + 30 * DAY),
    publicKey: keys.publicKey,
    signingKey: signing.privateKey,
    signingAlgorithm:
      options.hash === undefined
        ? signingAlgorithm(signing.privateKey)
        : { name: signing.privateKey.algorithm.name, hash: options.hash },
    extensions: [
      ...(options.ca === undefined
        ? []
        : [
            new x509.BasicConstraintsExtension(
              isCa,
              typeof options.ca === 'object' ? options.ca.pathLength : undefined,
              true,
            ),
          ]),
      new x509.KeyUsagesExtension(usage, true),
      ...(options.extendedKeyUsage === undefined
        ? []
        : [new x509.ExtendedKeyUsageExtension([...options.extendedKeyUsage])]),
      ...(options.sans === undefined ? [] : [subjectAltNames(options.sans)]),
      ...(options.extensions ?? []),
    ],
  });
  return { pem: certificatePem(certificate), certificate, keys };
}

/** An extension that nobody knows. */
export const unknownExtension = (critical: boolean): x509.Extension =>
  new x509.Extension('1.3.6.1.4.1.99999.1', critical, new Uint8Array([5, 0]));

/** Name constraints (RFC 5280 section 4.2.1.10) with DNS subtrees. */
export function nameConstraints(permitted: readonly string[], excluded: readonly string[]): x509.Extension {
  const subtrees = (tag: number, names: readonly string[]): number[] => {
    const trees = names.flatMap((name) => [0x30, name.length + 2, 0x82, name.length, ...Buffer.from(name)]);
    return names.length === 0 ? [] : [tag, trees.length, ...trees];
  };
  const body = [...subtrees(0xa0, permitted), ...subtrees(0xa1, excluded)];
  return new x509.Extension('2.5.29.30', true, new Uint8Array([0x30, body.length, ...body]));
}

export type OddChain = {
  readonly title: string;
  readonly problem: string;
  readonly presented: string;
  readonly anchors: string;
  readonly opensslAgrees?: false;
};

/** Chains that are right or wrong in one way each, with the problem that must be named. */
export async function oddChains(): Promise<OddChain[]> {
  const serverAuth = '1.3.6.1.5.5.7.3.1';
  const root = await makeCertificate({ name: 'root', ca: true });
  const tightRoot = await makeCertificate({ name: 'tight root', ca: { pathLength: 0 } });
  const intermediate = await makeCertificate({ name: 'intermediate', issuer: root, ca: true });
  const stranger = await generateKeyPair('P-256');
  const leaf = (more: Partial<MakeOptions>): Promise<Made> =>
    makeCertificate({
      name: 'leaf',
      issuer: root,
      ca: false,
      sans: ['emr.hospital.test'],
      extendedKeyUsage: [serverAuth],
      ...more,
    });
  const chain = async (
    title: string,
    problem: string,
    anchor: Made,
    parts: readonly (Made | Promise<Made>)[],
    more: { opensslAgrees?: false } = {},
  ): Promise<OddChain> => ({
    title,
    problem,
    anchors: anchor.pem,
    presented: (await Promise.all(parts.map((part) => Promise.resolve(part)))).map((part) => part.pem).join(''),
    ...more,
  });
  const under = (issuer: Made): Promise<Made> => leaf({ issuer });
  const middle = (more: Partial<MakeOptions>): Promise<Made> =>
    makeCertificate({ name: 'middle', issuer: root, ca: true, ...more });
  const pair = async (
    title: string,
    problem: string,
    more: Partial<MakeOptions>,
    options: { opensslAgrees?: false } = {},
  ): Promise<OddChain> => {
    const authority = await middle(more);
    return chain(title, problem, root, [under(authority), authority], options);
  };
  const belowTight = await makeCertificate({ name: 'below tight', issuer: tightRoot, ca: true });
  const past = { notBefore: new Date(Date.now() - 20 * DAY), notAfter: new Date(Date.now() - DAY) };
  const future = { notBefore: new Date(Date.now() + DAY) };
  return [
    await chain('a leaf below the root', 'none', root, [under(root)]),
    await chain('a leaf below an intermediate, root included', 'none', root, [under(intermediate), intermediate, root]),
    await chain('an intermediate that is missing', 'unknown-issuer', root, [under(intermediate)]),
    await chain('an intermediate as the anchor', 'none', intermediate, [under(intermediate)], { opensslAgrees: false }),
    await chain('a self-signed leaf', 'self-signed', root, [
      makeCertificate({ name: 'alone', sans: ['emr.hospital.test'] }),
    ]),
    await chain("a leaf signed by a stranger in the root's name", 'bad-signature', root, [leaf({ signer: stranger })]),
    await chain('an expired leaf', 'expired', root, [leaf(past)]),
    await chain('a leaf of tomorrow', 'not-yet-valid', root, [leaf(future)]),
    await pair('an expired intermediate', 'expired', past),
    await pair('an intermediate that is no CA', 'not-a-ca', { ca: false, keyUsage: x509.KeyUsageFlags.keyCertSign }),
    await pair('an intermediate that may not sign', 'key-usage', { keyUsage: x509.KeyUsageFlags.cRLSign }),
    await pair('an intermediate for clients only', 'extended-key-usage', { extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] }),
    await chain('more authorities than the path length allows', 'path-length', tightRoot, [
      under(belowTight),
      belowTight,
    ]),
    await chain('the path length just kept', 'none', tightRoot, [under(tightRoot)]),
    await chain('an unknown critical extension in the leaf', 'critical-extension', root, [
      leaf({ extensions: [unknownExtension(true)] }),
    ]),
    await pair('an unknown critical extension in the intermediate', 'critical-extension', {
      extensions: [unknownExtension(true)],
    }),
    await chain('an unknown extension that is not critical', 'none', root, [
      leaf({ extensions: [unknownExtension(false)] }),
    ]),
    await chain('a certificate for clients', 'extended-key-usage', root, [
      leaf({ extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] }),
    ]),
    await pair('a name that the constraints permit', 'none', { extensions: [nameConstraints(['hospital.test'], [])] }),
    await pair('a name that the constraints do not permit', 'name-constraints', {
      extensions: [nameConstraints(['clinic.test'], [])],
    }),
    await pair('a name that the constraints exclude', 'name-constraints', {
      extensions: [nameConstraints([], ['emr.hospital.test'])],
    }),
    // OpenSSL takes SHA-1 below security level 1 only in TLS, not in `verify`.
    await chain('a SHA-1 signature', 'weak', root, [leaf({ hash: 'SHA-1' })], { opensslAgrees: false }),
  ];
}
