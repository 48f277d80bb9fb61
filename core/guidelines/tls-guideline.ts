import { z } from 'zod';
import { idSchema } from '../site/schema.ts';

/** Fields by protocol version, as in the facts of `tls.endpoint`. */
const VERSION_FIELDS = {
  'SSL 3.0': 'ssl30',
  'TLS 1.0': 'tls10',
  'TLS 1.1': 'tls11',
  'TLS 1.2': 'tls12',
  'TLS 1.3': 'tls13',
} as const;
type Version = keyof typeof VERSION_FIELDS;
type VersionField = (typeof VERSION_FIELDS)[Version];
const VERSIONS = Object.keys(VERSION_FIELDS) as Version[];

const names = z.array(z.string().min(1).max(80)).min(1);

const levelSchema = z.strictObject({
  versions: z.array(z.enum(['TLS 1.2', 'TLS 1.3'])).min(1),
  suites: names,
  groups: names,
  keys: z.array(z.enum(['EC', 'RSA'])).min(1),
  keyCurves: names,
  rsaBits: z.int().min(2048).optional(),
  signatures: names.describe('Signature algorithms on the certificate'),
  lifetimeDays: z.int().min(1).describe('Longest validity of a certificate'),
});
export type TlsLevel = z.output<typeof levelSchema>;

/** What a published guideline wants of a TLS server, level by level, in the names of the RFCs. */
export const tlsGuidelineSchema = z.strictObject({
  guideline: idSchema,
  title: z.string().min(1).max(200),
  version: z.string().min(1).max(20).describe('Of the guideline'),
  source: z.url(),
  levels: z.strictObject({ modern: levelSchema, intermediate: levelSchema }),
});
export type TlsGuideline = z.output<typeof tlsGuidelineSchema>;

/** What was seen of a server; a field that is not known is absent. */
export type SeenServer = {
  readonly accepts?: Readonly<Partial<Record<VersionField, boolean>>>;
  readonly suites?: Readonly<Partial<Record<VersionField, readonly string[]>>>;
  readonly groups?: readonly string[];
  readonly compression?: boolean;
  readonly key?: { readonly algorithm: string; readonly bits?: number; readonly curve?: string };
  readonly signature?: { readonly algorithm: string };
  readonly validity?: { readonly lifetimeDays: number };
};

export type LevelVerdict = {
  /** True: nothing differs and everything was seen. False: something differs. Absent: what was seen does not decide. */
  readonly meets?: boolean;
  /** One sentence part per difference. */
  readonly differences: string[];
  /** What would have to be known besides. */
  readonly undecided: string[];
};

/** Compares what was seen of a server with one level of a guideline. */
export function compareWithLevel(level: TlsLevel, seen: SeenServer): LevelVerdict {
  const differences: string[] = [];
  const undecided: string[] = [];
  for (const version of VERSIONS) {
    const accepted = seen.accepts?.[VERSION_FIELDS[version]];
    const wanted = (level.versions as readonly string[]).includes(version);
    if (accepted === undefined) undecided.push(`whether ${version} is accepted`);
    else if (accepted !== wanted) differences.push(`${version} is ${accepted ? '' : 'not '}accepted`);
    if (accepted === true && wanted)
      outside(seen.suites?.[VERSION_FIELDS[version]], level.suites, `the suites of ${version}`, `in ${version}`);
  }
  outside(seen.groups, level.groups, 'the groups', 'for the key exchange');
  if (seen.compression === true) differences.push('compression is accepted');
  compareCertificate(level, seen, differences, undecided);
  return {
    ...(differences.length > 0 ? { meets: false } : undecided.length === 0 ? { meets: true } : {}),
    differences,
    undecided,
  };

  function outside(list: readonly string[] | undefined, allowed: readonly string[], what: string, where: string): void {
    if (list === undefined) undecided.push(what);
    else for (const name of list) if (!allowed.includes(name)) differences.push(`${name} is accepted ${where}`);
  }
}

function compareCertificate(
  level: TlsLevel,
  { key, signature, validity }: SeenServer,
  differences: string[],
  undecided: string[],
): void {
  if (key === undefined) undecided.push('the key of the certificate');
  else if (!(level.keys as readonly string[]).includes(key.algorithm))
    differences.push(`the certificate has a key of the kind ${key.algorithm}`);
  else if (key.algorithm === 'EC' && !level.keyCurves.includes(key.curve ?? ''))
    differences.push(`the certificate has a key on the curve ${key.curve ?? 'without a name'}`);
  else if (key.algorithm === 'RSA' && (key.bits ?? 0) < (level.rsaBits ?? 0))
    differences.push(`the certificate has an RSA key of ${key.bits ?? 'unknown'} bits`);
  if (signature === undefined) undecided.push('the signature on the certificate');
  else if (!level.signatures.includes(signature.algorithm))
    differences.push(`the certificate is signed with ${signature.algorithm}`);
  if (validity === undefined) undecided.push('the validity of the certificate');
  else if (validity.lifetimeDays > level.lifetimeDays)
    differences.push(`the certificate is valid for ${validity.lifetimeDays} days`);
}
