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
  readonly ca?: boolean | { readonly pathLength: number } | undefined;
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

/** Name constraints (RFC 5280 section 4.2.1.10) with subtrees of DNS names, of `address/mask` and of `@mail`. */
export function nameConstraints(permitted: readonly string[], excluded: readonly string[]): x509.Extension {
  const subtrees = (tag: number, names: readonly string[]): number[] => {
    const trees = names.flatMap((name) => {
      const bytes = name.includes('/') ? name.split(/[./]/).map(Number) : [...Buffer.from(name.replace('@', ''))];
      const kind = name.includes('/') ? 0x87 : name.startsWith('@') ? 0x81 : 0x82;
      return [0x30, bytes.length + 2, kind, bytes.length, ...bytes];
    });
    return names.length === 0 ? [] : [tag, trees.length, ...trees];
  };
  const body = [...subtrees(0xa0, permitted), ...subtrees(0xa1, excluded)];
  return new x509.Extension('2.5.29.30', true, new Uint8Array([0x30, body.length, ...body]));
}

/** Of a length that is too short to be trusted. */
async function shortKey(): Promise<KeyPair> {
  const algorithm = {
    name: 'RSASSA-PKCS1-v1_5',
    modulusLength: 1024,
    publicExponent: new Uint8Array([1, 0, 1]),
    hash: 'SHA-256',
  };
  return (await globalThis.crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as KeyPair;
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
  const anyUsage = '2.5.29.37.0';
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
  const wideRoot = await makeCertificate({ name: 'wide root', ca: { pathLength: 2 } });
  const upper = await makeCertificate({ name: 'upper', issuer: wideRoot, ca: true });
  const lower = await makeCertificate({ name: 'lower', issuer: upper, ca: true });
  const lowest = await makeCertificate({ name: 'lowest', issuer: lower, ca: true });
  const renewedTight = await makeCertificate({ name: 'tight root', issuer: tightRoot, ca: true });
  const crossed = await makeCertificate({ name: 'crossed', issuer: root, ca: true });
  const crossedByOther = await makeCertificate({
    name: 'crossed',
    issuer: await makeCertificate({ name: 'other root', ca: true }),
    keys: crossed.keys,
    ca: true,
  });
  const constrained = async (
    title: string,
    problem: string,
    sans: readonly string[],
    permitted: readonly string[],
    excluded: readonly string[] = [],
    options: { opensslAgrees?: false } = {},
  ): Promise<OddChain> => {
    const authority = await middle({ extensions: [nameConstraints(permitted, excluded)] });
    return chain(title, problem, root, [leaf({ issuer: authority, sans }), authority], options);
  };
  const past = { notBefore: new Date(Date.now() - 20 * DAY), notAfter: new Date(Date.now() - DAY) };
  const oldRoot = await makeCertificate({ name: 'old root', ca: true, ...past });
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
    await pair('an intermediate for servers', 'none', { extendedKeyUsage: [serverAuth] }),
    await pair('an intermediate for anything', 'extended-key-usage', { extendedKeyUsage: [anyUsage] }),
    await chain('a certificate for anything', 'extended-key-usage', root, [leaf({ extendedKeyUsage: [anyUsage] })]),
    await chain('a leaf that may only sign documents', 'key-usage', root, [
      leaf({ keyUsage: x509.KeyUsageFlags.nonRepudiation }),
    ]),
    await chain('a leaf that is an authority as well', 'none', root, [
      leaf({ ca: true, keyUsage: x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign }),
    ]),
    await pair('an intermediate without basic constraints', 'not-a-ca', {
      ca: undefined,
      keyUsage: x509.KeyUsageFlags.keyCertSign,
    }),
    await chain('an expired root over a good leaf', 'expired', oldRoot, [under(oldRoot)]),
    await chain('two authorities where the path length is two', 'none', wideRoot, [under(lower), lower, upper]),
    await chain('three authorities where the path length is two', 'path-length', wideRoot, [
      under(lowest),
      lowest,
      lower,
      upper,
    ]),
    // OpenSSL takes the first issuer of a name, and does not go back where that leads nowhere.
    await chain(
      'an authority that was issued to itself, which does not count',
      'none',
      tightRoot,
      [under(renewedTight), renewedTight],
      { opensslAgrees: false },
    ),
    await chain('an authority signed by two roots, the known one first', 'none', root, [
      under(crossed),
      crossed,
      crossedByOther,
    ]),
    await chain(
      'an authority signed by two roots, the known one last',
      'none',
      root,
      [under(crossed), crossedByOther, crossed],
      { opensslAgrees: false },
    ),
    await pair('an address that the constraints permit', 'none', {
      extensions: [nameConstraints(['192.0.2.0/255.255.255.0', 'hospital.test'], [])],
    }),
    await constrained(
      'an address that they do not permit',
      'name-constraints',
      ['198.51.100.7'],
      ['192.0.2.0/255.255.255.0'],
    ),
    await constrained(
      'an address that they exclude',
      'name-constraints',
      ['192.0.2.7'],
      [],
      ['192.0.2.0/255.255.255.128'],
    ),
    await constrained('a mask with holes', 'name-constraints', ['192.0.9.7'], ['192.0.2.0/255.0.255.0']),
    await constrained('a wildcard within what they permit', 'none', ['*.hospital.test'], ['hospital.test']),
    // OpenSSL compares the text only, and so lets the wildcard stand for the excluded name.
    await constrained(
      'a wildcard over what they exclude',
      'name-constraints',
      ['*.hospital.test'],
      [],
      ['emr.hospital.test'],
      { opensslAgrees: false },
    ),
    await constrained(
      'a name that only ends in the same letters',
      'name-constraints',
      ['evilhospital.test'],
      ['hospital.test'],
    ),
    // OpenSSL knows constraints on mail addresses; a server has none, so it does not matter to it.
    await constrained('constraints on mail', 'name-constraints', ['emr.hospital.test'], ['@hospital.test'], [], {
      opensslAgrees: false,
    }),
    await chain('an RSA key of 1024 bits', 'weak', root, [leaf({ keys: await shortKey() })], { opensslAgrees: false }),
    await pair('a SHA-1 signature on the intermediate', 'weak', { hash: 'SHA-1' }, { opensslAgrees: false }),
    // OpenSSL takes SHA-1 below security level 1 only in TLS, not in `verify`.
    await chain('a SHA-1 signature', 'weak', root, [leaf({ hash: 'SHA-1' })], { opensslAgrees: false }),
  ];
}
