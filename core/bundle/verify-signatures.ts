import type { Certificate } from 'pkijs';
import { type CmsResult, verifyDetached } from './cms.ts';
import type { Found } from './finding.ts';
import { cryptoEngine, type Host, sha256Hex } from './host.ts';
import { metaName } from './layout.ts';
import { renderStatement, type Statement, statementSchema } from './statement.ts';
import {
  commonName,
  findPath,
  nameText,
  type Role,
  same,
  sameKey,
  signerFaults,
  type Trust,
  validityFaults,
} from './trust.ts';
import { checkManifest, type Opened } from './verify-container.ts';
import { checkRevocation, sayUnrecorded } from './verify-revocation.ts';
import { anchorsOf, checkTimestamps, CLOCK_SLACK, earliest } from './verify-timestamps.ts';

export type Signer = {
  readonly role: Role;
  readonly number: number;
  readonly name: string;
  readonly subject: string;
  readonly issuer: string;
  /** SHA-256 of the certificate, hex. */
  readonly sha256: string;
  /** End of the certificate, ISO 8601. */
  readonly notAfter: string;
  /** The time that the signer claims, ISO 8601. */
  readonly signedAt?: string;
  /** A trusted time-stamp proves that the signature existed then, ISO 8601. */
  readonly provenAt?: string;
  /** The signature holds over what is in the container now. */
  readonly sound: boolean;
  /** A path leads to a root of the role, valid when it was signed. */
  readonly trusted: boolean;
  /** The signature carries word of whether the certificate was revoked. */
  readonly statusKnown: boolean;
  readonly statement?: Statement;
  readonly certificate: Certificate;
};

/** Checks every signature, the path of its certificate to a root of its own role, and that two parties signed. */
export async function checkSignatures(
  opened: Opened,
  trust: Trust,
  at: Date,
  host: Host,
  found: Found,
): Promise<Signer[]> {
  const signers: Signer[] = [];
  opened.numbers.forEach((number, index) => {
    if (number !== index + 1)
      found.bad('signature.number', `Signature ${index + 1} is missing.`, metaName('signature', index + 1));
  });
  warnOfSharedRoots(trust, found);
  const timestamps = await checkTimestamps(opened, trust, at, host, found);
  for (const number of opened.numbers) {
    if (opened.digests.has(metaName('timestamp', number))) continue;
    const signer = await checkOne(opened, number, trust, at, earliest(timestamps, number), host, found);
    if (signer !== undefined) signers.push(signer);
  }
  checkParties(signers, found);
  sayUnrecorded(
    signers.filter((signer) => !signer.statusKnown && signer.trusted).map((signer) => signer.name),
    found,
  );
  return signers;
}

async function checkOne(
  opened: Opened,
  number: number,
  trust: Trust,
  at: Date,
  proven: Date | undefined,
  host: Host,
  found: Found,
): Promise<Signer | undefined> {
  const place = metaName('signature', number);
  const before = found.list.filter((each) => each.severity === 'bad').length;
  const role: Role = opened.kind === 'guide' ? 'publisher' : number === 1 ? 'engineer' : 'hospital';
  if (opened.kind === 'guide' && number > 1)
    found.bad('signature.unexpected', 'A guide is signed by its publisher alone.', place);
  const statement = number === 1 ? undefined : await checkStatement(opened, number, found);
  if (number === 1 && opened.digests.has(metaName('statement', 1)))
    found.bad('statement.unexpected', 'The first signature makes no statement.', metaName('statement', 1));
  const manifest = await checkManifest(opened, number, 'signature', found);
  const signature = await opened.bytes(place);
  if (manifest === undefined || signature === undefined) return undefined;
  const cms = await verifyDetached(signature, manifest, host.webCrypto);
  for (const fault of cms.faults) found.bad('signature.broken', fault, place);
  if (cms.leaf === undefined) return undefined;
  for (const fault of signerFaults(cms.leaf)) found.bad('signer.purpose', fault, place);
  const { trusted, statusKnown } = await checkTrust({ ...cms, proven }, cms.leaf, role, trust, at, host, place, found);
  if (cms.signedAt !== undefined && cms.signedAt.getTime() > at.getTime() + CLOCK_SLACK) {
    found.bad(
      'signature.future',
      `The signature claims to be made on ${cms.signedAt.toISOString()}, after the date of this check.`,
      place,
    );
  }
  if (proven !== undefined && cms.signedAt !== undefined && cms.signedAt.getTime() > proven.getTime() + CLOCK_SLACK) {
    found.bad(
      'timestamp.before-signature',
      `The signature claims to be made on ${cms.signedAt.toISOString()}, but a time-stamp shows that it existed on ${proven.toISOString()}.`,
      place,
    );
  }
  return {
    role,
    number,
    name: commonName(cms.leaf),
    subject: nameText(cms.leaf.subject),
    issuer: nameText(cms.leaf.issuer),
    sha256: await sha256Hex(host.webCrypto, new Uint8Array(cms.leaf.toSchema().toBER())),
    notAfter: cms.leaf.notAfter.value.toISOString(),
    ...(cms.signedAt === undefined ? {} : { signedAt: cms.signedAt.toISOString() }),
    ...(proven === undefined ? {} : { provenAt: proven.toISOString() }),
    sound: found.list.filter((each) => each.severity === 'bad').length === before,
    trusted,
    statusKnown,
    ...(statement === undefined ? {} : { statement }),
    certificate: cms.leaf,
  };
}

/** Checks a certificate against the roots of one role, never those of another. */
export async function checkTrust(
  cms: Pick<CmsResult, 'certificates' | 'signedAt' | 'recorded'> & { readonly proven?: Date | undefined },
  leaf: Certificate,
  role: Role,
  trust: Trust,
  at: Date,
  host: Host,
  place: string,
  found: Found,
): Promise<{ trusted: boolean; statusKnown: boolean }> {
  const engine = cryptoEngine(host.webCrypto);
  const anchors = anchorsOf(trust, role, found);
  if (anchors.length === 0) {
    found.bad(
      'trust.none',
      `No root was given for the role ${role}, so nothing shows that ${commonName(leaf)} may sign for it.`,
      place,
    );
    return { trusted: false, statusKnown: false };
  }
  const date = cms.signedAt ?? at;
  const result = await findPath(leaf, cms.certificates, anchors, date, engine);
  for (const fault of result.faults) found.bad('trust.path', fault, place);
  if (result.path === undefined) {
    for (const other of (['engineer', 'hospital', 'publisher'] as const).filter((each) => each !== role)) {
      const elsewhere = await findPath(leaf, cms.certificates, anchorsOf(trust, other, found), date, engine);
      if (elsewhere.path !== undefined)
        found.bad(
          'trust.other-role',
          `${commonName(leaf)} is certified for the role ${other}, and cannot stand in for ${role}.`,
          place,
        );
    }
  } else if (result.faults.length === 0) {
    const { proven } = cms;
    const inTime = proven !== undefined && result.path.every((each) => validityFaults(each, proven).length === 0);
    for (const fault of result.path.flatMap((each) => validityFaults(each, at))) {
      if (inTime)
        found.info(
          'trust.expired-later',
          `${fault} A time-stamp proves that the signature was there before, on ${proven.toISOString()}.`,
          place,
        );
      else
        found.warn(
          'trust.expired',
          `${fault} It was valid when the signature claims to be made; no time-stamp proves that time.`,
          place,
        );
    }
  }
  const statusKnown =
    result.path !== undefined &&
    (await checkRevocation(cms.recorded ?? [], result.path, date, cms.proven, engine, place, found));
  return { trusted: result.path !== undefined && result.faults.length === 0, statusKnown };
}

function warnOfSharedRoots(trust: Trust, found: Found): void {
  const ignore = { ...found, bad: () => {}, list: [] };
  const engineer = anchorsOf(trust, 'engineer', ignore);
  const hospital = anchorsOf(trust, 'hospital', ignore);
  for (const root of engineer.filter((each) => hospital.some((other) => same(each, other) || sameKey(each, other)))) {
    found.warn(
      'trust.shared-root',
      `${commonName(root)} is trusted for the engineer and for the hospital, so it alone could make both signatures.`,
    );
  }
}

async function checkStatement(opened: Opened, number: number, found: Found): Promise<Statement | undefined> {
  const place = metaName('statement', number);
  const text = await opened.text(place);
  if (text === undefined) return undefined;
  try {
    const statement = statementSchema.parse(JSON.parse(text));
    if (renderStatement(statement) === text) return statement;
    found.bad('statement.form', 'The statement is not in the one form that statements have.', place);
  } catch (error) {
    found.bad(
      'statement.form',
      `The statement cannot be read: ${error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error)}`,
      place,
    );
  }
  return undefined;
}

function checkParties(signers: readonly Signer[], found: Found): void {
  signers.forEach((later, index) => {
    for (const earlier of signers.slice(0, index)) {
      const place = metaName('signature', later.number);
      if (sameKey(earlier.certificate, later.certificate))
        found.bad(
          'signer.same-key',
          `${earlier.name} and ${later.name} signed with the same key; two parties are needed.`,
          place,
        );
      else if (earlier.subject === later.subject || earlier.name === later.name) {
        found.bad('signer.same-person', `${later.name} signed twice; two persons are needed.`, place);
      }
      if ((later.signedAt ?? '') < (earlier.signedAt ?? '')) {
        found.bad(
          'signature.back-dated',
          `The signature of ${later.name} claims to be older than that of ${earlier.name}, which it covers.`,
          place,
        );
      }
    }
  });
}
